from __future__ import annotations

import json
import random
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import permutations

import pytest

from crdtqueue.adapters.crdt import facade
from crdtqueue.adapters.crdt.facade import ApplyResult, Change, Document, open_document
from crdtqueue.core.errors import Hostile, Invalid, Unavailable
from crdtqueue.core.yjs.lib0 import (
    JsonValue,
    write_var_string,
    write_var_uint,
)
from crdtqueue.core.yjs.update_loader import Unloaded
from crdtqueue.core.yjs.update_parser import (
    parse_state_vector,
    parse_update,
)

ROOTS = frozenset({"jobs", "runs"})
BACKENDS = [name for name in ("y_py", "pycrdt") if find_spec(name)]
PAIRS = [(one, other) for one in BACKENDS for other in BACKENDS]
TRIOS = [(one, other, one) for one, other in PAIRS]
INTEGERS: list[JsonValue] = [0, 1, -1, 63, 64, -64, 2**31, -(2**40), 2**53 - 1]
FLOATS: list[JsonValue] = [0.5, -1e-9, 3.141592653589793]
TEXTS: list[JsonValue] = ["", 'quote" \\ \n\x00', "é😀\u2028"]
NESTED: list[JsonValue] = [[], {}, [1, [2.5, None]], {"": 1, "a": {"b": [True, "c"]}}]
VALUES: list[JsonValue] = [None, True, False, *INTEGERS, *FLOATS, *TEXTS, *NESTED]

Open = Callable[[str, int], Document]


@pytest.fixture
def opened() -> Iterator[Open]:
    documents: list[Document] = []

    def open_with(backend: str, client_id: int) -> Document:
        module = import_module(f"crdtqueue.adapters.crdt.{backend}_backend")
        library = module.open_backend(client_id, ROOTS)
        documents.append(Document(backend=library, client_id=client_id, roots=ROOTS))
        return documents[-1]

    yield open_with
    for document in documents:
        document.close()


def updates_of(document: Document) -> list[bytes]:
    updates: list[bytes] = []
    document.on_update(updates.append)
    return updates


def state(document: Document) -> tuple[str, dict[int, int]]:
    content = json.dumps(document.read(), sort_keys=True)
    return content, parse_state_vector(document.state_vector())


def sync(one: Document, other: Document) -> None:
    for sender, receiver in permutations((one, other)):
        result = receiver.apply(sender.diff(receiver.state_vector()))
        assert result is not ApplyResult.GAP


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_the_same_here_and_there(
    opened: Open, backend: str, value: JsonValue
) -> None:
    document = opened(backend, 1)
    document.set("jobs", "k", value)
    for name in BACKENDS:
        copy = opened(name, 2)
        assert copy.apply(document.diff(b"\x00")) is ApplyResult.APPLIED
        for each in (document, copy):
            assert json.dumps(each.get("jobs", "k")) == json.dumps(value)
            assert json.dumps(each.read()) == json.dumps({"jobs": {"k": value}, "runs": {}})


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_that_only_other_clients_write_are_read_alike_one_by_one_and_together(
    opened: Open, backend: str
) -> None:
    numbers = [1e17, -(2.0**60), 2.0**53, 1.7976931348623157e308, 5e-324, -0.0, 1e15, 0.1]
    items = (
        b"\x28\x01" + write_var_string("jobs") + write_var_string(str(n)) + b"\x01\x7b" + double
        for n, double in enumerate(struct.pack(">d", number) for number in numbers)
    )
    header = b"".join(map(write_var_uint, (1, len(numbers), 9, 0)))
    document = opened(backend, 1)
    document.apply(header + b"".join(items) + b"\x00")
    expected = [1e17, -(2.0**60), 2.0**53, 1.7976931348623157e308, 5e-324, 0, 10**15, 0.1]
    together = list(document.read()["jobs"].values())
    one_by_one = [document.get("jobs", str(n)) for n in range(len(numbers))]
    assert json.dumps(together) == json.dumps(one_by_one) == json.dumps(expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_reading_and_deleting(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    updates = updates_of(document)
    document.set("jobs", "a", 1)
    document.set("runs", "a", {"n": 1})
    assert document.get("jobs", "a") == 1
    assert document.get("jobs", "b") is None
    document.delete("jobs", "a")
    document.delete("jobs", "never there")
    assert document.read() == {"jobs": {}, "runs": {"a": {"n": 1}}}
    assert len(updates) == 3, "deleting what is not there is no update"


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_are_fresh(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    value: JsonValue = {"list": [1]}
    document.set("jobs", "a", value)
    document.read()["jobs"].clear()
    copy = document.get("jobs", "a")
    assert isinstance(copy, dict)
    copy["list"] = None
    with document.edit():
        document.set("jobs", "b", value)
        pending = document.get("jobs", "b")
        assert isinstance(pending, dict)
        pending["list"] = None
    assert document.read()["jobs"] == {"a": {"list": [1]}, "b": {"list": [1]}}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_edit_is_one_update_and_can_be_read_before_it_ends(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    document.set("jobs", "old", 1)
    updates = updates_of(document)
    with document.edit():
        document.set("jobs", "a", 1)
        document.set("jobs", "a", 2)
        with document.edit():
            document.set("runs", "r", 3)
            document.delete("jobs", "old")
        assert (document.get("jobs", "a"), document.get("jobs", "old")) == (2, None)
        assert document.read() == {"jobs": {"a": 2}, "runs": {"r": 3}}
        assert updates == []
    with document.edit():
        pass
    assert len(updates) == 1
    assert document.read() == {"jobs": {"a": 2}, "runs": {"r": 3}}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_edit_that_fails_changes_nothing(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    document.set("jobs", "a", 1)
    before = state(document)

    def fail_halfway() -> None:
        with document.edit():
            document.set("jobs", "a", 2)
            document.set("jobs", "b", float("nan"))

    with pytest.raises(Invalid):
        fail_halfway()
    assert state(document) == before
    document.set("jobs", "a", 3)
    assert document.get("jobs", "a") == 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_bad_input_is_refused(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    with pytest.raises(Invalid):
        document.set("jobs", "", 1)
    with pytest.raises(ValueError, match="files"):
        document.set("files", "a", 1)
    with pytest.raises(ValueError, match="files"):
        document.delete("files", "a")
    with pytest.raises(ValueError, match="files"):
        document.get("files", "a")
    assert document.read() == {"jobs": {}, "runs": {}}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_edit_that_is_too_large_for_one_update_is_refused(opened: Open, backend: str) -> None:
    document = opened(backend, 1)

    def write(count: int) -> None:
        with document.edit():
            for number in range(count):
                document.set("jobs", str(number), "x" * 60_000)

    with pytest.raises(Invalid, match="split"):
        write(20)
    assert document.read() == {"jobs": {}, "runs": {}}
    write(10)
    assert opened(backend, 2).apply(document.diff(b"\x00")) is ApplyResult.APPLIED


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_updates_go_from_one_to_the_other_once(opened: Open, one: str, other: str) -> None:
    sender, receiver = opened(one, 1), opened(other, 2)
    sent, integrated = updates_of(sender), updates_of(receiver)
    sender.set("jobs", "a", 1)
    sender.set("jobs", "a", 2)
    sender.delete("jobs", "a")
    sender.set("runs", "r", 1)
    for update in sent:
        assert receiver.apply(update) is ApplyResult.APPLIED
        assert receiver.apply(update) is ApplyResult.NOTHING_NEW
        assert sender.apply(update) is ApplyResult.NOTHING_NEW
    assert receiver.apply(sender.diff(b"\x00")) is ApplyResult.NOTHING_NEW
    assert receiver.apply(b"\x00\x00") is ApplyResult.NOTHING_NEW
    assert state(receiver) == state(sender)
    assert len(integrated) == len(sent) == 4
    third = opened(one, 3)
    assert {third.apply(update) for update in integrated} == {ApplyResult.APPLIED}
    assert state(third) == state(sender)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_gap_changes_nothing_and_is_filled_later(opened: Open, one: str, other: str) -> None:
    sender, receiver = opened(one, 1), opened(other, 2)
    sent, integrated = updates_of(sender), updates_of(receiver)
    sender.set("jobs", "a", 1)
    sender.set("jobs", "a", 2)
    sender.delete("jobs", "a")
    for late in (sent[1], sent[2]):
        assert receiver.apply(late) is ApplyResult.GAP
        assert state(receiver) == ('{"jobs": {}, "runs": {}}', {})
    assert integrated == []
    for update in sent:
        assert receiver.apply(update) is ApplyResult.APPLIED
    assert state(receiver) == state(sender)


@pytest.mark.parametrize("backend", BACKENDS)
def test_hostile_updates_change_nothing(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    document.set("jobs", "a", 1)
    updates, before = updates_of(document), state(document)
    stranger = opened(backend, 1)
    stranger.set("jobs", "x", 1)
    stranger.set("jobs", "y", 1)
    for update in (b"", b"\x00", b"\xff" * 9, b"\x00\x00\x00", stranger.diff(b"\x00")):
        with pytest.raises(Hostile):
            document.apply(update)
    for state_vector in (b"", b"\x01", b"\xff\xff\xff\xff\xff\x0f", b"\x00\x00"):
        with pytest.raises(Hostile):
            document.diff(state_vector)
    assert state(document) == before
    assert updates == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_state_vectors_with_zero_or_unknown_clocks_get_a_sound_diff(
    opened: Open, backend: str
) -> None:
    document = opened(backend, 1)
    document.set("jobs", "a", 1)
    full = document.diff(b"\x00")
    assert document.diff(b"\x02\x01\x00\x09\x05") == full
    assert document.diff(b"\x01\x01\x63") == b"\x00\x00"


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_partly_known_tombstone_is_taken_up_to_its_end(
    opened: Open, one: str, other: str
) -> None:
    writer, reader = opened(one, 1), opened(other, 2)
    writer.set("jobs", "a", 1)
    writer.set("jobs", "a", 2)
    sync(writer, reader)
    for number in range(5):
        writer.set("jobs", "a", number)
    writer.delete("jobs", "a")
    assert reader.apply(writer.diff(b"\x00")) is ApplyResult.APPLIED
    assert state(reader) == state(writer)


@pytest.mark.parametrize("trio", TRIOS, ids="-".join)
@pytest.mark.parametrize("seed", range(12))
def test_replicas_converge_under_loss_repetition_and_delay(
    opened: Open, trio: tuple[str, str, str], seed: int
) -> None:
    chance = random.Random(seed)
    peers = [opened(backend, chance.getrandbits(32)) for backend in trio]
    links: dict[tuple[int, int], deque[bytes]] = {
        pair: deque() for pair in permutations(range(3), 2)
    }
    for sender, peer in enumerate(peers):
        for receiver in {0, 1, 2} - {sender}:
            peer.on_update(links[sender, receiver].append)
    outcomes = set()
    for _ in range(250):
        if chance.random() < 0.4:
            edit_at_random(chance.choice(peers), chance)
            continue
        (sender, receiver), queue = chance.choice(list(links.items()))
        if queue:
            outcomes.add(deliver(peers[sender], peers[receiver], queue, chance))
    assert outcomes == {"lost", *ApplyResult}
    for one, other in [*permutations(peers, 2)] * 2:
        sync(one, other)
    assert state(peers[0]) == state(peers[1]) == state(peers[2])
    for peer in peers:
        parse_update(peer.diff(b"\x00"), ROOTS)


def edit_at_random(document: Document, chance: random.Random) -> None:
    with document.edit():
        for _ in range(chance.choice((1, 1, 3))):
            root, key = chance.choice(("jobs", "runs")), chance.choice("abcde")
            if chance.random() < 0.3:
                document.delete(root, key)
            else:
                document.set(root, key, chance.choice(VALUES))


def deliver(
    sender: Document, receiver: Document, queue: deque[bytes], chance: random.Random
) -> ApplyResult | str:
    """Deliver the oldest update of a link, lose it, or leave it there to come again."""
    fate = chance.random()
    update = queue[0] if fate < 0.2 else queue.popleft()
    if fate > 0.9:
        return "lost"
    before = state(receiver)
    result = receiver.apply(update)
    if result is ApplyResult.GAP:
        assert state(receiver) == before
        if chance.random() < 0.5:
            assert receiver.apply(sender.diff(receiver.state_vector())) is ApplyResult.APPLIED
    return result


@pytest.mark.parametrize("backend", BACKENDS)
def test_observers_may_edit_and_see_updates_in_order(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    seen: list[JsonValue] = []

    def answer(update: bytes) -> None:
        seen.append(document.get("jobs", "a"))
        if document.get("jobs", "b") is None:
            document.set("jobs", "b", "answer")

    document.on_update(answer)
    updates = updates_of(document)
    document.set("jobs", "a", 1)
    assert seen == [1, 1]
    copy = opened(backend, 2)
    assert [copy.apply(update) for update in updates] == [ApplyResult.APPLIED] * 2
    assert state(copy) == state(document)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_observer_can_be_stopped_and_a_failing_one_loses_no_update(
    opened: Open, backend: str
) -> None:
    document = opened(backend, 1)

    def fail(update: bytes) -> None:
        raise RuntimeError("broken observer")

    stop = document.on_update(fail)
    updates = updates_of(document)
    with pytest.raises(RuntimeError, match="broken observer"):
        document.set("jobs", "a", 1)
    stop()
    assert document.get("jobs", "a") == 1
    document.set("jobs", "b", 2)
    assert len(updates) == 1
    assert document.read()["jobs"] == {"a": 1, "b": 2}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_document_belongs_to_its_thread_and_ends_with_close(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    errors: list[BaseException] = []

    def trespass() -> None:
        try:
            document.read()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=trespass)
    thread.start()
    thread.join()
    assert len(errors) == 1
    document.close()
    document.close()
    for use in (document.read, document.state_vector, lambda: document.set("jobs", "a", 1)):
        with pytest.raises(Unavailable):
            use()


def test_a_panic_of_the_library_breaks_the_document_and_nothing_else(opened: Open) -> None:
    if "pycrdt" not in BACKENDS:
        pytest.skip("pycrdt is not installed, and y-py has no panic known that a value causes")
    document, other = opened("pycrdt", 1), opened("pycrdt", 2)
    panicking = Change(root="jobs", key="a", value=2**70)
    with pytest.raises(Unavailable) as caught, document._library():
        document._backend.write([panicking])
    assert caught.value.code == "document_broken"
    with pytest.raises(Unavailable, match="store"):
        document.read()
    other.set("jobs", "a", 1)
    assert other.get("jobs", "a") == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_document_opens_with_whatever_library_is_there(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(facade, "find_spec", lambda name: name == backend or None)
    document = open_document(7, ROOTS)
    document.set("jobs", "a", 1)
    assert type(document._backend).__module__.endswith(f"{backend}_backend")
    assert state(document) == ('{"jobs": {"a": 1}, "runs": {}}', {7: 1})
    document.close()


# What has changed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_look_at_what_has_changed_shows_everything(opened: Open, backend: str) -> None:
    stored = opened(backend, 1)
    stored.set("jobs", "a", {"n": [1, 2.5]})
    stored.set("jobs", "gone", 1)
    stored.delete("jobs", "gone")
    stored.set("runs", "r", None)
    document = opened(backend, 2)
    assert document.take_changes() == []
    document.apply(stored.diff(b"\x00"))
    seen = {(root, key): value for root, key, value in document.take_changes()}
    assert seen.pop(("jobs", "gone"), None) is None
    assert seen == {("jobs", "a"): {"n": [1, 2.5]}, ("runs", "r"): None}
    assert document.take_changes() == []


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_what_changes_here_or_elsewhere_is_told_once_with_its_last_value(
    opened: Open, one: str, other: str
) -> None:
    near, far = opened(one, 1), opened(other, 2)
    near.set("jobs", "a", 1)
    near.set("jobs", "a", 2)
    near.set("runs", "r", 1)
    near.delete("runs", "r")
    near.delete("runs", "never there")
    assert sorted(near.take_changes(), key=str) == [("jobs", "a", 2), ("runs", "r", None)]
    sync(near, far)
    far.take_changes()
    far.set("jobs", "a", 3)
    far.set("jobs", "b", 4)
    far.delete("jobs", "b")
    far.set("runs", "r", 5)
    sync(near, far)
    changes = {(root, key): value for root, key, value in near.take_changes()}
    assert changes.pop(("jobs", "b"), None) is None
    assert changes == {("jobs", "a"): 3, ("runs", "r"): 5}
    sync(near, far)
    assert near.take_changes() == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_edit_is_told_of_when_it_is_made_and_not_if_it_fails(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    with document.edit():
        document.set("jobs", "a", 1)
        document.set("jobs", "b", 1)
        document.delete("jobs", "b")
        assert document.take_changes() == []
    assert ("jobs", "a", 1) in document.take_changes()

    def fail_halfway() -> None:
        with document.edit():
            document.set("jobs", "a", 2)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail_halfway()
    with pytest.raises(Hostile):
        document.apply(b"\xff")
    assert document.take_changes() == []


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_a_value_that_loses_against_a_concurrent_one_is_told_of_as_what_it_is(
    opened: Open, one: str, other: str
) -> None:
    near, far = opened(one, 1), opened(other, 2)
    near.set("jobs", "a", "near")
    far.set("jobs", "a", "far")
    near.take_changes()
    far.take_changes()
    sync(near, far)
    for document in (near, far):
        for root, key, value in document.take_changes():
            assert value == document.get(root, key)
    assert near.get("jobs", "a") == far.get("jobs", "a") == "far"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(6))
def test_what_is_told_of_changes_adds_up_to_the_document(
    opened: Open, backend: str, seed: int
) -> None:
    chance = random.Random(seed)
    near, far = opened(backend, chance.getrandbits(32)), opened(BACKENDS[0], chance.getrandbits(32))
    known: dict[tuple[str, str], JsonValue] = {}
    for _ in range(80):
        edit_at_random(chance.choice((near, far)), chance)
        if chance.random() < 0.3:
            sync(near, far)
        known |= {(root, key): value for root, key, value in near.take_changes()}
        whole = {(r, k): v for r, entries in near.read().items() for k, v in entries.items()}
        assert all(known.get(place) == whole.get(place) for place in known | whole)


# Loading ------------------------------------------------------------------------------------------


def history_of(opened: Open, backend: str, chance: random.Random) -> list[bytes]:
    """The updates of two documents that were used for a while, as the first integrated them."""
    near, far = opened(backend, chance.getrandbits(32)), opened(BACKENDS[0], chance.getrandbits(32))
    updates = updates_of(near)
    for _ in range(chance.randrange(1, 60)):
        edit_at_random(chance.choice((near, far)), chance)
        if chance.random() < 0.3:
            sync(near, far)
    return updates


def told(document: Document) -> dict[tuple[str, str], JsonValue]:
    return {(root, key): value for root, key, value in document.take_changes()}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(25))
def test_a_document_that_is_loaded_is_the_one_that_was_stored(
    opened: Open, backend: str, seed: int
) -> None:
    chance = random.Random(seed)
    updates = history_of(opened, backend, chance)
    early, late = opened(backend, 1), opened(backend, 2)
    for update in updates:
        late.apply(update)
    for update in updates[: len(updates) // 2]:
        early.apply(update)
    stored = [early.diff(b"\x00"), *updates[len(updates) // 2 :]]
    fast, slow, shuffled = (opened(backend, number) for number in (3, 4, 5))
    left = fast.load(stored, first_is_checked=True)
    assert left == slow.load(stored) == Unloaded(bad=[], waiting=[])
    mixed = [*chance.sample(updates, len(updates)), *chance.sample(updates, len(updates) // 2)]
    assert shuffled.load(mixed) == left
    whole = {(root, key): v for root, entries in late.read().items() for key, v in entries.items()}
    for document in (fast, slow, shuffled):
        assert state(document) == state(late)
        assert not document.is_client_id_taken
        assert told(document) == whole
        assert told(document) == {}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_loaded_document_is_silent_until_something_new_comes(opened: Open, backend: str) -> None:
    stored, document = opened(backend, 1), opened(backend, 2)
    stored.set("jobs", "a", 1)
    stored.set("runs", "r", None)
    seen = updates_of(document)
    document.load([stored.diff(b"\x00")])
    assert document.apply(stored.diff(b"\x00")) is ApplyResult.NOTHING_NEW
    assert seen == []
    document.delete("jobs", "a")
    document.set("jobs", "b", 2)
    assert told(document) == {("jobs", "b"): 2, ("runs", "r"): None}
    assert len(seen) == 2
    stored.set("jobs", "b", 3)
    sync(stored, document)
    assert document.read() == stored.read()
    assert len(seen) == 3
    assert told(document).keys() <= {("jobs", "b")}


@pytest.mark.parametrize("backend", BACKENDS)
def test_only_a_new_document_is_loaded(opened: Open, backend: str) -> None:
    document = opened(backend, 1)
    assert document.load([]) == Unloaded(bad=[], waiting=[])
    document.set("jobs", "a", 1)
    with pytest.raises(RuntimeError, match="new document"):
        document.load([document.diff(b"\x00")])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("first_is_checked", [False, True])
def test_a_client_id_that_is_taken_is_noticed(
    opened: Open, backend: str, first_is_checked: bool
) -> None:
    stored, document = opened(backend, 7), opened(backend, 7)
    stored.set("jobs", "a", 1)
    document.load([stored.diff(b"\x00")], first_is_checked=first_is_checked)
    assert document.is_client_id_taken
