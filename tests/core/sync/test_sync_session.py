from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from crdtqueue.adapters.crdt.facade import ApplyResult, Document, open_document
from crdtqueue.core.document.keys import ROOTS
from crdtqueue.core.errors import Hostile
from crdtqueue.core.sync.frames import (
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
    decode,
    encode_passed_on,
    encode_sync_step_1,
    encode_update,
)
from crdtqueue.core.sync.sync_session import (
    REPEATED_GAPS_MAX,
    SyncSession,
)

NOTHING = b"\0\0"


class Side:
    """One end of a link: a replica as a peer wraps it, its session, and what it has to send."""

    def __init__(self, client_id: int) -> None:
        self.document: Document = open_document(client_id, ROOTS)
        self.session = SyncSession(self)
        self.outbox: list[bytes] = []
        self.integrated: list[bool] = []
        self._receiving = False
        self.document.on_update(self._spread)

    def integrate(self, update: bytes) -> bool:
        self.integrated.append(self.document.apply(update) is not ApplyResult.GAP)
        return self.integrated[-1]

    def diff(self, state_vector: bytes) -> bytes:
        return self.document.diff(state_vector)

    def state_vector(self) -> bytes:
        return self.document.state_vector()

    def _spread(self, update: bytes) -> None:
        if not self._receiving:
            self.outbox.append(encode_update(update))

    def start(self) -> None:
        self.session.start()
        self.flush()

    def is_synced(self) -> bool:
        return self.session.synced

    def flush(self) -> None:
        self.outbox += self.session.effects()

    def receive(self, frame: bytes) -> None:
        self._receiving = True
        try:
            self.session.receive(decode(frame))
        finally:
            self._receiving = False
        self.flush()

    def taken(self) -> list[bytes]:
        frames, self.outbox = self.outbox, []
        return frames


@pytest.fixture
def sides() -> Iterator[tuple[Side, Side]]:
    both = Side(1), Side(2)
    yield both
    for side in both:
        side.document.close()


def exchange(one: Side, other: Side) -> None:
    while one.outbox or other.outbox:
        for source, target in ((one, other), (other, one)):
            for frame in source.taken():
                target.receive(frame)


def equal(one: Side, other: Side) -> bool:
    same = one.document.read() == other.document.read()
    return same and not one.outbox and not other.outbox


def test_two_that_were_edited_apart_become_equal(sides: tuple[Side, Side]) -> None:
    one, other = sides
    for number, side in enumerate(sides):
        for n in range(20):
            side.document.set("jobs", f"{n}/name", f"by {number}")
            side.document.set("jobs", f"{n}/{number}", n)
        side.taken()
    for side in sides:
        side.start()
        assert not side.is_synced()
    exchange(one, other)
    assert equal(one, other)
    assert one.is_synced()
    assert other.is_synced()
    one.document.set("jobs", "a/name", "later")
    other.document.delete("jobs", "3/0")
    exchange(one, other)
    assert equal(one, other)
    assert other.document.get("jobs", "a/name") == "later"


@pytest.mark.parametrize("seed", range(30))
def test_edits_at_any_moment_reach_the_other_side(seed: int, sides: tuple[Side, Side]) -> None:
    chance = random.Random(seed)
    for side in sides:
        side.document.set("jobs", "before", chance.random())
        side.taken()
        side.start()
    for _ in range(200):
        side, other = chance.sample(sides, 2)
        if chance.random() < 0.4:
            side.document.set("jobs", f"{chance.randint(0, 5)}", chance.randint(0, 99))
        elif side.outbox:
            other.receive(side.outbox.pop(0))
    exchange(*sides)
    assert equal(*sides)
    assert all(side.is_synced() for side in sides)


def test_a_step_1_is_answered_with_what_is_missing(sides: tuple[Side, Side]) -> None:
    one, other = sides
    one.document.set("jobs", "a", 1)
    one.taken()
    one.receive(encode_sync_step_1(other.state_vector()))
    (frame,) = one.taken()
    answer = decode(frame)
    assert isinstance(answer, SyncStep2)
    assert other.integrate(answer.update)
    assert other.document.get("jobs", "a") == 1


def updates_with_gaps(writer: Side, count: int) -> list[bytes]:
    """Updates of which the first is not among them."""
    for n in range(count + 1):
        writer.document.set("jobs", str(n), n)
    return writer.taken()[1:]


def test_after_a_gap_it_asks_once_and_gets_everything(sides: tuple[Side, Side]) -> None:
    reader, writer = sides
    reader.start()
    exchange(reader, writer)
    for frame in updates_with_gaps(writer, 5):
        reader.receive(frame)
    assert not reader.is_synced()
    assert len(reader.outbox) == 1
    assert isinstance(decode(reader.outbox[0]), SyncStep1)
    exchange(reader, writer)
    assert reader.is_synced()
    assert equal(reader, writer)


def test_changes_that_are_passed_on_are_changes(sides: tuple[Side, Side]) -> None:
    reader, writer = sides
    reader.start()
    exchange(reader, writer)
    for n in range(3):
        writer.document.set("jobs", str(n), n)
    updates = [decode(frame) for frame in writer.taken()]
    reader.receive(encode_passed_on([u.update for u in updates if isinstance(u, Update)]))
    assert reader.outbox == []
    assert equal(reader, writer)


def test_a_gap_among_changes_that_are_passed_on_is_asked_about_once(
    sides: tuple[Side, Side],
) -> None:
    reader, writer = sides
    reader.start()
    exchange(reader, writer)
    updates = [decode(frame) for frame in updates_with_gaps(writer, 5)]
    reader.receive(encode_passed_on([u.update for u in updates if isinstance(u, Update)]))
    assert len(reader.outbox) == 1
    exchange(reader, writer)
    assert equal(reader, writer)


def test_gaps_before_the_first_answer_are_not_asked_about_again(sides: tuple[Side, Side]) -> None:
    reader, writer = sides
    reader.start()
    assert len(reader.taken()) == 1
    for frame in updates_with_gaps(writer, 3):
        reader.receive(frame)
    assert reader.taken() == []
    assert reader.integrated == [False] * 3


def gap(writer: Side) -> SyncStep2:
    (frame,) = updates_with_gaps(writer, 1)
    update = decode(frame)
    assert isinstance(update, Update)
    return SyncStep2(update=update.update)


def test_answers_that_leave_gaps_again_and_again_are_hostile(sides: tuple[Side, Side]) -> None:
    reader, writer = sides
    answer = gap(writer)
    reader.session.start()
    for _ in range(REPEATED_GAPS_MAX):
        reader.session.receive(answer)
        assert not reader.is_synced()
    assert len(reader.session.effects()) == REPEATED_GAPS_MAX + 1
    with pytest.raises(Hostile):
        reader.session.receive(answer)


def test_an_answer_without_a_gap_is_a_new_beginning(sides: tuple[Side, Side]) -> None:
    reader, writer = sides
    answer = gap(writer)
    for _ in range(3):
        for _ in range(REPEATED_GAPS_MAX):
            reader.session.receive(answer)
        reader.session.receive(SyncStep2(update=NOTHING))
        assert reader.is_synced()


@pytest.mark.parametrize(
    "frame",
    [
        SyncStep1(state_vector=b"\xff"),
        SyncStep2(update=b"\xff"),
        Update(update=b""),
        Update(update=b"\x01\x01\x05\x00\x28"),
    ],
)
def test_malformed_payloads_are_hostile_and_change_nothing(
    frame: SyncStep1 | SyncStep2 | Update, sides: tuple[Side, Side]
) -> None:
    side, _ = sides
    before = side.state_vector()
    with pytest.raises(Hostile):
        side.session.receive(frame)
    assert side.state_vector() == before
    assert side.session.effects() == []
    assert not side.is_synced()


def test_other_frames_are_left_alone(sides: tuple[Side, Side]) -> None:
    side, _ = sides
    side.session.receive(QueryAwareness())
    assert side.session.effects() == []
