"""A document in a real store: what survives a restart, a full disk, and damage."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from crdtqueue.adapters.crdt.facade import open_document
from crdtqueue.adapters.store import COMPACT_AFTER_UPDATES, Store
from crdtqueue.core.document import ROOTS, SCHEMA, Entry
from crdtqueue.core.errors import Hostile, Invalid, Unavailable
from crdtqueue.core.ids import QueueName
from crdtqueue.peer import replica
from crdtqueue.peer.replica import Replica
from tests.peer.peers import fill_disk, free_disk

QUEUE = QueueName("workshop")


def named(number: int, name: str = "x") -> Entry:
    return "jobs", f"{number:012x}/name", name


def run(folder: Path, use: Callable[[Store, Replica], Awaitable[None]]) -> list[bytes]:
    """Lets `use` have a replica in the store of `folder`; returns the updates it announced."""
    announced: list[bytes] = []

    async def scenario() -> None:
        store = Store(folder / "store.sqlite3")
        await store.open()
        opened = Replica(QUEUE, store, announced.append)
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
