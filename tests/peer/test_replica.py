"""A document in a real store: what survives a restart, a full disk, and damage."""

import asyncio
import random
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from crdtqueue.adapters.crdt import marks
from crdtqueue.adapters.crdt.facade import open_document
from crdtqueue.adapters.store import COMPACT_AFTER_UPDATES, Store
from crdtqueue.adapters.store_schema import row_crc
from crdtqueue.core.document.keys import (
    ROOTS,
    SCHEMA,
    Entry,
)
from crdtqueue.core.errors import Hostile, Invalid, Unavailable
from crdtqueue.core.ids import QueueName
from crdtqueue.core.yjs import update_loader
from crdtqueue.core.yjs.update_parser import (
    UpdateSummary,
    parse_state_vector,
    parse_update,
)
from crdtqueue.peer import replica
from crdtqueue.peer.replica import Replica
from tests.harness.loopback_peers import (
    fill_disk,
    free_disk,
)
from tests.harness.patience import HANG_S

QUEUE = QueueName("workshop")


def named(number: int, name: str = "x") -> Entry:
    return "jobs", f"{number:012x}/name", name


def run(folder: Path, use: Callable[[Store, Replica], Awaitable[None]]) -> list[bytes]:
    """Lets `use` have a replica in the store of `folder`; returns the updates it announced."""
    announced: list[bytes] = []

    async def scenario() -> None:
        store = Store(folder / "store.sqlite3")
        await store.open()
        opened = Replica(QUEUE, store, lambda update, _: announced.append(update))
        await opened.open()
        try:
            await use(store, opened)
        finally:
            opened.close()
            await store.close()

    asyncio.run(scenario())
    return announced


def names(opened: Replica) -> list[str]:
    return [job.name for job in opened.state.jobs]


def test_edits_are_announced_and_there_after_a_restart(tmp_path: Path) -> None:
    async def write(_: Store, opened: Replica) -> None:
        await opened.edit([named(1, "one"), named(2, "two")])
        await opened.delete("jobs", named(1)[1])

    async def read(_: Store, opened: Replica) -> None:
        assert names(opened) == ["two"]

    assert len(run(tmp_path, write)) == 2
    assert run(tmp_path, read) == []


def test_updates_that_were_stored_out_of_order_or_damaged_are_read_as_far_as_possible(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def write(store: Store, _: Replica) -> None:
        other = open_document(7, ROOTS)
        updates: list[bytes] = []
        other.on_update(updates.append)
        for number in range(4):
            other.set(*named(number))
        for update in (updates[1], b"garbage", updates[0], updates[3]):
            await store.append(QUEUE, update)
        other.close()

    async def read(_: Store, opened: Replica) -> None:
        assert len(names(opened)) == 2
        await opened.edit([named(9)])

    run(tmp_path, write)
    run(tmp_path, read)
    assert "1 stored changes of the queue workshop make no sense" in caplog.text
    assert "1 stored changes wait for others that are missing here" in caplog.text


def test_many_updates_are_made_one_at_the_next_start(tmp_path: Path) -> None:
    async def write(_: Store, opened: Replica) -> None:
        for number in range(COMPACT_AFTER_UPDATES + 1):
            opened.document.set(*named(number % 10, str(number)))
        await opened.durable()

    async def reopen(store: Store, opened: Replica) -> None:
        assert len(await store.updates(QUEUE)) == 1
        assert len(names(opened)) == 10

    run(tmp_path, write)
    for _ in range(2):
        run(tmp_path, reopen)


def test_many_updates_are_made_one_while_running(tmp_path: Path) -> None:
    async def write(store: Store, opened: Replica) -> None:
        for number in range(COMPACT_AFTER_UPDATES + 1):
            opened.document.set(*named(number % 7, str(number)))
        await opened.repair()
        await opened.edit([named(7, "last")])
        assert len(await store.updates(QUEUE)) == 2

    async def read(_: Store, opened: Replica) -> None:
        assert len(names(opened)) == 8

    run(tmp_path, write)
    run(tmp_path, read)


def test_a_document_too_large_for_one_update_is_never_made_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replica, "COMPACT_AFTER_UPDATES", 10)

    async def write(_: Store, opened: Replica) -> None:
        for number in range(200):
            opened.document.set("peers", f"{number:016x}", {"name": "x" * 50_000})
        await opened.durable()

    async def reopen(store: Store, opened: Replica) -> None:
        assert len(await store.updates(QUEUE)) == 200
        assert len(opened.state.roster) == 200

    run(tmp_path, write)
    for _ in range(2):
        run(tmp_path, reopen)
    assert "cannot be made short: an update of" in caplog.text


def test_a_full_disk_refuses_edits_and_loses_none_that_was_shown(tmp_path: Path) -> None:
    async def use(store: Store, opened: Replica) -> None:
        await opened.edit([named(1, "before")])
        fill_disk(store)
        with pytest.raises(Unavailable, match="Make room"):
            await opened.edit([named(2, "x" * 9_000)])
        with pytest.raises(Unavailable, match="Make room"):
            await opened.edit([named(3)])
        with pytest.raises(Unavailable, match="Make room"):
            await opened.delete("jobs", named(1)[1])
        assert len(names(opened)) == 2
        await opened.repair()
        assert opened.problem
        free_disk(store)
        await opened.repair()
        assert opened.problem == ""
        await opened.edit([named(3)])

    async def read(_: Store, opened: Replica) -> None:
        assert len(names(opened)) == 3

    run(tmp_path, use)
    run(tmp_path, read)


def test_an_edit_is_not_durable_while_an_earlier_one_is_not(tmp_path: Path) -> None:
    async def use(store: Store, opened: Replica) -> None:
        fill_disk(store)
        opened.document.set(*named(1, "x" * 9_000))
        await asyncio.sleep(0)  # the first write is on its way, alone
        free_later = asyncio.get_running_loop().run_in_executor(store._thread, free_disk, store)
        with pytest.raises(Unavailable):
            await opened.edit([named(2)])
        await free_later
        await opened.repair()
        await opened.edit([named(3)])

    async def read(_: Store, opened: Replica) -> None:
        assert len(names(opened)) == 3

    run(tmp_path, use)
    run(tmp_path, read)


def test_hostile_and_too_large_changes_change_nothing(tmp_path: Path) -> None:
    async def use(_: Store, opened: Replica) -> None:
        with pytest.raises(Hostile):
            opened.integrate(b"\x01\x01\xff\xff\xff\xff\x0f")
        with pytest.raises(Hostile):
            opened.diff(b"\xff\xff\xff\xff\xff\xff\xff")
        with pytest.raises(Invalid, match="split"):
            await opened.edit([named(n, "x" * 60_000) for n in range(30)])
        assert names(opened) == []

    assert run(tmp_path, use) == []


def test_a_closed_replica_says_so(tmp_path: Path) -> None:
    async def use(_: Store, opened: Replica) -> None:
        opened.close()
        opened.close()
        with pytest.raises(Unavailable, match="closed"):
            opened.state_vector()

    run(tmp_path, use)


def test_a_document_of_a_later_schema_is_shown_and_nothing_of_it_is_claimed(
    tmp_path: Path,
) -> None:
    async def write(_: Store, opened: Replica) -> None:
        await opened.edit([named(1, "one"), ("queue", "schema", SCHEMA + 1)])
        assert names(opened) == ["one"]
        assert "Update this one" in opened.problem
        await opened.edit([("queue", "schema", SCHEMA)])
        assert opened.problem == ""

    run(tmp_path, write)


# Starting without the check -----------------------------------------------------------------------


async def repair(_: Store, opened: Replica) -> None:
    await opened.repair()


def fill(folder: Path) -> None:
    """A store whose log is one checked update."""

    async def write(_: Store, opened: Replica) -> None:
        for number in range(20):
            await opened.edit([named(number % 7, f"job {number}")])

    run(folder, write)
    run(folder, repair)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The updates that are checked when a document is loaded."""
    seen: list[bytes] = []

    def parse(update: bytes, roots: frozenset[str]) -> UpdateSummary:
        seen.append(update)
        return parse_update(update, roots)

    monkeypatch.setattr(update_loader, "parse_update", parse)
    return seen


def change(folder: Path, sql: str, *values: bytes | int) -> None:
    with closing(sqlite3.connect(folder / "store.sqlite3")) as database, database:
        assert database.execute(sql, values).rowcount == 1


def unmark(folder: Path) -> None:
    sql = "UPDATE meta SET value = '', crc = ? WHERE key = 'checked/workshop'"
    change(folder, sql, row_crc("checked/workshop", ""))


def stored(folder: Path) -> bytes:
    with closing(sqlite3.connect(folder / "store.sqlite3")) as database:
        ((data,),) = database.execute("SELECT data FROM updates").fetchall()
    return bytes(data)


def found(folder: Path) -> tuple[list[str], dict[int, int], list[bytes], str]:
    """All that a start finds in a store, and what it says of damage."""
    outcome: list[tuple[list[str], dict[int, int], list[bytes], str]] = []

    async def look(store: Store, opened: Replica) -> None:
        damage = store.damage.replace(str(folder), "")
        known = parse_state_vector(opened.state_vector())
        outcome.append((names(opened), known, await store.updates(QUEUE), damage))

    run(folder, look)
    return outcome[0]


def test_a_log_is_checked_once_and_what_comes_later_when_it_is_loaded(
    tmp_path: Path, checked: list[bytes]
) -> None:
    async def write(_: Store, opened: Replica) -> None:
        await opened.edit([named(9, "later")])

    fill(tmp_path)
    checked.clear()
    announced = run(tmp_path, write)
    assert checked == []
    before = found(tmp_path)
    assert checked == announced
    run(tmp_path, repair)
    assert found(tmp_path) == before, "what is checked is not made one again"
    unmark(tmp_path)
    assert found(tmp_path) == before, "checked or not, it is the same document"
    assert len(checked) == 5
    run(tmp_path, repair)
    checked.clear()
    assert found(tmp_path)[:2] == before[:2]
    assert checked == []


@pytest.mark.parametrize("seed", range(30))
def test_a_flipped_bit_is_found_as_if_there_were_no_mark(
    tmp_path: Path, checked: list[bytes], seed: int
) -> None:
    chance = random.Random(seed)
    marked, plain = tmp_path / "marked", tmp_path / "plain"
    marked.mkdir()
    fill(marked)
    flipped = bytearray(stored(marked))
    flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    sql = "UPDATE updates SET data = ?, crc = ?"
    crc = row_crc(QUEUE, bytes(flipped)) if seed % 3 else row_crc(QUEUE, stored(marked))
    change(marked, sql, bytes(flipped), crc)
    shutil.copytree(marked, plain)
    unmark(plain)
    checked.clear()
    with_mark = found(marked)
    assert checked == ([bytes(flipped)] if seed % 3 else [])
    assert with_mark == found(plain)
    assert "1 damaged rows in updates" in with_mark[3] or seed % 3


def test_what_another_version_has_checked_is_checked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checked: list[bytes]
) -> None:
    fill(tmp_path)
    monkeypatch.setattr(marks, "_rules", lambda _: b"other rules")
    checked.clear()
    before = found(tmp_path)
    run(tmp_path, repair)
    assert checked == [stored(tmp_path)] * 2
    assert found(tmp_path) == before
    assert len(checked) == 2


class _SlowCheck:
    """The check of a whole document, which is let go on by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._goes_on = threading.Event()
        monkeypatch.setattr(replica, "checked_mark", self._check)

    def _check(self, whole: bytes, roots: frozenset[str]) -> str:
        assert self._goes_on.wait(HANG_S)
        return marks.checked_mark(whole, roots)

    def go_on(self) -> None:
        self._goes_on.set()


def test_what_is_written_during_the_check_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checked: list[bytes]
) -> None:
    async def write(store: Store, opened: Replica) -> None:
        repaired = asyncio.create_task(opened.repair())
        await asyncio.sleep(0)
        await opened.edit([named(99, "newer")])
        assert len(await store.updates(QUEUE)) == 21
        check.go_on()
        await repaired
        assert len(await store.updates(QUEUE)) == 2
        await opened.edit([named(99, "newest")])

    async def first(_: Store, opened: Replica) -> None:
        for number in range(20):
            await opened.edit([named(number)])

    run(tmp_path, first)
    check = _SlowCheck(monkeypatch)
    run(tmp_path, write)
    checked.clear()
    assert found(tmp_path)[0][-1] == "newest"
    assert len(checked) == 2


def test_a_replica_that_is_closed_during_the_check_leaves_the_log_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leave_and_join(store: Store, opened: Replica) -> None:
        repaired = asyncio.create_task(opened.repair())
        await asyncio.sleep(0)
        opened.close()
        other = Replica(QUEUE, store, lambda *_: None)
        await other.open()
        await other.edit([named(2, "of the next")])
        check.go_on()
        await repaired
        other.close()

    async def first(_: Store, opened: Replica) -> None:
        await opened.edit([named(1, "of the first")])

    run(tmp_path, first)
    check = _SlowCheck(monkeypatch)
    run(tmp_path, leave_and_join)
    assert found(tmp_path)[0] == ["of the first", "of the next"]


def test_a_client_id_that_the_document_has_is_not_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 7, 7, 8])
    monkeypatch.setattr(secrets, "randbits", lambda _: next(drawn))

    async def write(_: Store, opened: Replica) -> None:
        await opened.edit([named(1), named(2)])

    async def edit(store: Store, opened: Replica) -> None:
        await opened.edit([named(2, "changed")])
        assert store.damage == ""
        assert names(opened) == ["x", "changed"]

    run(tmp_path, write)
    run(tmp_path, edit)
    assert next(drawn, None) is None
