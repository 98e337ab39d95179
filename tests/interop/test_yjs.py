"""The document against stock Yjs: same wire format, same content, nothing a Yjs peer chokes on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from crdtqueue.adapters.crdt.facade import ApplyResult, Document
from crdtqueue.core.yjs.lib0 import (
    JsonValue,
    Reader,
    write_json_value,
)
from crdtqueue.core.yjs.update_parser import parse_state_vector
from tests.interop.yjs_replica import Yjs, running

pytestmark = pytest.mark.e2e

ROOTS = frozenset({"jobs", "runs"})
BACKENDS = [name for name in ("y_py", "pycrdt") if find_spec(name)]
NESTED: list[JsonValue] = [[], {}, [1, [2.5, None]], {"a": {"b": [True, "é😀"]}}]
INTEGERS: list[JsonValue] = [0, 1, -1, 63, 64, -64, 2**31 - 1, 2**31, -(2**40), 2**53 - 1]
VALUES: list[JsonValue] = [None, True, 0.5, -1e-9, 1e-300, "", "\x00é😀", *INTEGERS, *NESTED]


@pytest.fixture
def yjs(yjs_folder: Path) -> Iterator[Yjs]:
    with running(yjs_folder) as replicas:
        replicas.ask("open", name="theirs", client_id=2**32 - 1)
        yield replicas


@pytest.fixture(params=BACKENDS)
def ours(request: pytest.FixtureRequest) -> Iterator[Document]:
    module = import_module(f"crdtqueue.adapters.crdt.{request.param}_backend")
    backend = module.open_backend(7, ROOTS)
    document = Document(backend=backend, client_id=7, roots=ROOTS)
    yield document
    document.close()


def state(document: Document) -> tuple[str, dict[int, int]]:
    content = json.dumps(document.read(), sort_keys=True)
    return content, parse_state_vector(document.state_vector())


def test_values_of_yjs_arrive_here(yjs: Yjs, ours: Document) -> None:
    for number, value in enumerate(VALUES):
        yjs.set("theirs", "jobs", f"key {number}", value)
    for update in yjs.take_updates("theirs"):
        assert ours.apply(update) is ApplyResult.APPLIED
    read = [ours.get("jobs", f"key {number}") for number in range(len(VALUES))]
    assert list(map(json.dumps, read)) == list(map(json.dumps, VALUES))


def test_our_values_arrive_at_yjs(yjs: Yjs, ours: Document) -> None:
    ours.on_update(lambda update: yjs.apply("theirs", update))
    for number, value in enumerate(VALUES):
        ours.set("jobs", f"key {number}", value)
    assert yjs.state("theirs", ROOTS) == state(ours)


def test_our_encoding_of_a_value_is_that_of_yjs(yjs: Yjs) -> None:
    for value in VALUES:
        yjs.set("theirs", "jobs", "k", value)
        written = write_json_value(value)
        update = yjs.take_updates("theirs")[-1]
        assert written in update
        assert Reader(written).json_value() == value


@pytest.mark.parametrize("seed", range(8))
def test_both_converge_after_concurrent_edits(yjs: Yjs, ours: Document, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(15):
        for _ in range(chance.randint(0, 6)):
            edit_at_random(yjs, ours, chance)
        from_ours = ours.diff(yjs.state_vector("theirs"))
        from_theirs = yjs.diff("theirs", ours.state_vector())
        yjs.apply("theirs", from_ours)
        assert ours.apply(from_theirs) is not ApplyResult.GAP
        assert state(ours) == yjs.state("theirs", ROOTS)


def edit_at_random(yjs: Yjs, ours: Document, chance: random.Random) -> None:
    root, key, value = chance.choice(("jobs", "runs")), chance.choice("abc"), chance.choice(VALUES)
    match chance.randrange(6):
        case 0:
            ours.delete(root, key)
        case 1:
            yjs.delete("theirs", root, key)
        case 2 | 3:
            ours.set(root, key, value)
        case _:
            yjs.set("theirs", root, key, value)


def test_merged_updates_of_yjs_are_taken_even_where_they_overlap(yjs: Yjs, ours: Document) -> None:
    for number in range(6):
        yjs.set("theirs", "jobs", "k", number)
        yjs.delete("theirs", "runs", "k")
        yjs.set("theirs", "runs", "k", number)
    updates = yjs.take_updates("theirs")
    assert ours.apply(updates[0]) is ApplyResult.APPLIED
    assert ours.apply(updates[1]) is ApplyResult.APPLIED
    merged = bytes.fromhex(yjs.ask("merge", updates=[update.hex() for update in updates]))
    assert ours.apply(merged) is ApplyResult.APPLIED
    assert ours.apply(yjs.diff("theirs", b"\x00")) is ApplyResult.NOTHING_NEW
    assert state(ours) == yjs.state("theirs", ROOTS)


def test_an_update_of_yjs_with_a_gap_waits_for_the_rest(yjs: Yjs, ours: Document) -> None:
    yjs.set("theirs", "jobs", "a", 1)
    yjs.set("theirs", "jobs", "a", 2)
    first, second = yjs.take_updates("theirs")
    assert ours.apply(second) is ApplyResult.GAP
    assert ours.read() == {"jobs": {}, "runs": {}}
    assert ours.apply(yjs.diff("theirs", ours.state_vector())) is ApplyResult.APPLIED
    assert ours.apply(first) is ApplyResult.NOTHING_NEW
    assert state(ours) == yjs.state("theirs", ROOTS)
