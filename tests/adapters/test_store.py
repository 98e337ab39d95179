"""The store on a real SQLite file: order, durability, a full disk, and files that are none."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from crdtqueue.adapters.store import Store, StoredQueue
from crdtqueue.core.errors import Refused, Unavailable
from crdtqueue.core.ids import Claim, JobId, PeerId, QueueName
from tests.harness.loopback_peers import (
    fill_disk,
    free_disk,
)
from tests.harness.recording_vfs import (
    Kind,
    Step,
    recorded,
)

QUEUE, OTHER = QueueName("workshop"), QueueName("garage")
JOB = JobId("0123456789ab")
CLAIM = Claim(job=JOB, epoch=1, peer=PeerId("a" * 16), incarnation=3)


def run(folder: Path, use: Callable[[Store], Awaitable[None]]) -> None:
    async def scenario() -> None:
        store = Store(folder / "store.sqlite3")
        await store.open()
        try:
            await use(store)
        finally:
            await store.close()

    asyncio.run(scenario())


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async def write(store: Store) -> None:
        await store.set_meta("peer", "first")
        await store.set_meta("peer", "second")
        await store.put_queue(StoredQueue(name=QUEUE, peers=("a:1", "b:2")))
        await store.put_queue(StoredQueue(name=OTHER, peers=()))
        await store.put_queue(StoredQueue(name=QUEUE, peers=("c:3",)))
        await store.append(QUEUE, b"one")
        await store.append(OTHER, b"of another queue")
        await store.append(QUEUE, b"two")
        await store.put_promise(QUEUE, CLAIM, armed=False)
        await store.put_promise(QUEUE, CLAIM, armed=True)

    async def read(store: Store) -> None:
        assert await store.meta("peer") == "second"
        assert await store.meta("nothing") is None
        assert await store.queues() == [
            StoredQueue(name=QUEUE, peers=("c:3",)),
            StoredQueue(name=OTHER, peers=()),
        ]
        assert await store.updates(QUEUE) == [b"one", b"two"]
        assert await store.promises(QUEUE) == [(CLAIM, True)]
        assert await store.promises(OTHER) == []

    run(tmp_path, write)
    run(tmp_path, read)


def test_what_is_forgotten_stays_forgotten_and_a_document_outlives_its_queue(
    tmp_path: Path,
) -> None:
    async def use(store: Store) -> None:
        await store.put_queue(StoredQueue(name=QUEUE, peers=()))
        await store.append(QUEUE, b"kept")
        await store.put_promise(QUEUE, CLAIM, armed=True)
        await store.remove_queue(QUEUE)
        await store.remove_queue(QUEUE)
        await store.drop_promise(QUEUE, CLAIM)
        assert await store.queues() == []
        assert await store.promises(QUEUE) == []
        assert await store.updates(QUEUE) == [b"kept"]

    run(tmp_path, use)


def test_a_thousand_writes_at_once_keep_their_order(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        writes = [store.append(QUEUE, str(number).encode()) for number in range(1_000)]
        await writes[-1]
        assert all(write.done() for write in writes)
        assert await store.updates(QUEUE) == [str(number).encode() for number in range(1_000)]

    run(tmp_path, use)


def test_a_read_sees_the_writes_before_it(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        write = store.set_meta("key", "value")
        assert await store.meta("key") == "value"
        assert write.done()

    run(tmp_path, use)


def test_closing_waits_for_what_is_on_its_way(tmp_path: Path) -> None:
    async def write(store: Store) -> None:
        store.append(QUEUE, b"last words")

    async def read(store: Store) -> None:
        assert await store.updates(QUEUE) == [b"last words"]

    run(tmp_path, write)
    run(tmp_path, read)


def test_compacting_replaces_the_updates_of_one_queue(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        for data in (b"one", b"two"):
            await store.append(QUEUE, data)
            await store.append(OTHER, data)
        await store.compact(QUEUE, b"whole", [b"waiting"])
        await store.append(QUEUE, b"three")
        assert await store.updates(QUEUE) == [b"whole", b"waiting", b"three"]
        assert await store.updates(OTHER) == [b"one", b"two"]

    run(tmp_path, use)


def test_a_mark_is_of_the_update_that_it_came_with(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        assert await store.mark(QUEUE) == ""
        await store.compact(QUEUE, b"whole", mark="first")
        await store.compact(OTHER, b"whole", mark="other")
        assert (await store.mark(QUEUE), await store.mark(OTHER)) == ("first", "other")
        await store.compact(QUEUE, b"more")
        assert (await store.mark(QUEUE), await store.mark(OTHER)) == ("", "other")

    run(tmp_path, use)


def test_compacting_keeps_its_place_among_the_writes_around_it(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        store.append(QUEUE, b"one")
        store.compact(QUEUE, b"whole")
        await store.append(QUEUE, b"two")
        assert await store.updates(QUEUE) == [b"whole", b"two"]

    run(tmp_path, use)


def test_writes_that_wait_together_reach_the_disk_together(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        before = syncs(steps)
        await store.set_meta("key", "alone")
        assert syncs(steps) == before + 1
        writes = [store.set_meta("key", str(number)) for number in range(1_000)]
        await writes[-1]
        assert syncs(steps) <= before + 3

    try:
        with recorded() as steps:
            run(tmp_path, use)
    except OSError as error:
        pytest.skip(str(error))


def syncs(steps: list[Step]) -> int:
    return sum(step.kind is Kind.SYNC for step in steps)


def test_a_value_that_cannot_be_stored_fails_its_write_and_not_those_after_it(
    tmp_path: Path,
) -> None:
    async def use(store: Store) -> None:
        bad = store.write(("INSERT INTO meta (key, value) VALUES (?, ?)", ("key", 2**70)))
        with pytest.raises(Unavailable):
            await bad
        await store.set_meta("key", "value")
        assert await store.meta("key") == "value"

    run(tmp_path, use)


def test_a_full_disk_fails_the_whole_batch_and_changes_nothing(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        await store.set_meta("key", "before")
        fill_disk(store)
        small, large = store.set_meta("key", "after"), store.append(QUEUE, bytes(100_000))
        for write in (small, large):
            with pytest.raises(Unavailable, match="Make room on the disk"):
                await write
        with pytest.raises(Unavailable, match="Make room on the disk"):
            await store.compact(QUEUE, bytes(100_000))
        assert await store.meta("key") == "before"
        assert await store.updates(QUEUE) == []
        free_disk(store)
        await store.append(QUEUE, b"room again")
        assert await store.updates(QUEUE) == [b"room again"]

    run(tmp_path, use)


def test_a_store_that_became_read_only_says_so(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        assert store._database
        store._database.execute("PRAGMA query_only = ON")
        with pytest.raises(Unavailable, match="readonly"):
            await store.set_meta("key", "value")

    run(tmp_path, use)


def test_one_folder_is_for_one_process(tmp_path: Path) -> None:
    async def use(_: Store) -> None:
        with pytest.raises(Refused, match="Another crdtqueue is running with the folder"):
            await Store(tmp_path / "store.sqlite3").open()

    run(tmp_path, use)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Refused, match="Update crdtqueue"):
        asyncio.run(Store(path).open())


def test_a_damaged_store_says_so_until_somebody_has_dealt_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "store.sqlite3").write_bytes(b"no database at all" * 100)

    async def damaged(store: Store) -> None:
        assert "damaged" in store.damage
        assert "Check the disk" in store.damage

    async def deal(store: Store) -> None:
        await damaged(store)
        await store.forget_damage()
        assert store.damage == ""

    async def sound(store: Store) -> None:
        assert store.damage == ""

    for use in (damaged, deal, sound):
        run(tmp_path, use)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_updates_without_sense_are_set_aside(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        for data in (b"one", b"bad", b"two"):
            await store.append(QUEUE, data)
        await store.set_aside(QUEUE, [b"bad"])
        assert await store.updates(QUEUE) == [b"one", b"two"]
        assert "1 stored changes" in store.damage

    async def read(store: Store) -> None:
        assert store.damage
        assert await store.updates(QUEUE) == [b"one", b"two"]

    run(tmp_path, use)
    run(tmp_path, read)
    kept = sqlite3.connect(tmp_path / "store.sqlite3.damaged-1")
    assert kept.execute("SELECT data FROM updates").fetchall() == [(b"one",), (b"bad",), (b"two",)]
    kept.close()


def test_damage_that_shows_later_says_to_start_again(tmp_path: Path) -> None:
    async def use(store: Store) -> None:
        assert store._database
        await store.append(QUEUE, bytes(9_000))
        store._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store._database.execute("PRAGMA shrink_memory")
        (root,) = store._database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'updates'"
        ).fetchone()
        with (tmp_path / "store.sqlite3").open("r+b") as file:
            file.seek((root - 1) * 4096)
            file.write(b"\xff" * 4096)
        with pytest.raises(Unavailable, match="Start crdtqueue again"):
            await store.updates(QUEUE)

    run(tmp_path, use)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        asyncio.run(Store(tmp_path / "nowhere" / "store.sqlite3").open())


def test_a_closed_store_takes_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        store = Store(tmp_path / "store.sqlite3")
        await store.open()
        await store.close()
        await store.close()
        with pytest.raises(Unavailable, match="closed"):
            await store.set_meta("key", "value")
        with pytest.raises(Unavailable, match="closed"):
            await store.meta("key")

    asyncio.run(scenario())
