"""Numbered writes of every kind, and whether a store still has what was promised of them."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crdtqueue.adapters.history_store import HistoryStore
from crdtqueue.adapters.store import Store, StoredQueue
from crdtqueue.core.document.model import Result
from crdtqueue.core.history import HistoryEntry, HistoryFilter
from crdtqueue.core.ids import Claim, JobId, PeerId, QueueName

QUEUE = QueueName("workshop")
JOB = JobId("0123456789ab")
PEER = PeerId("a" * 16)
STORE_NAME = "store.sqlite3"
LARGE_BYTES = 9_000

VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE queues (name TEXT PRIMARY KEY, peers TEXT NOT NULL, position INTEGER NOT NULL);
CREATE TABLE updates (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX updates_of_queue ON updates (queue, id);
CREATE TABLE promises (
    queue TEXT NOT NULL, job TEXT NOT NULL, claim TEXT NOT NULL, armed INTEGER NOT NULL,
    PRIMARY KEY (queue, job)
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""


def claim_of(number: int) -> Claim:
    return Claim(job=JOB, epoch=number, peer=PEER, incarnation=1)


def entry_of(number: int) -> HistoryEntry:
    return HistoryEntry(
        print_id=claim_of(number).print_id(1),
        queue=QUEUE,
        job_id=JOB,
        job_name=f"job {number}",
        file_name="part.gcode",
        sha256="",
        peer=PEER,
        printer_name="",
        profile="MK3S",
        result=Result.DONE,
        reason="",
        started_at_s=1.0,
        ended_at_s=float(number),
        bytes=number,
        filament_mm=0.0,
        generation=0,
        run=1,
        double=False,
    )


def write_version_1(folder: Path, numbers: int) -> None:
    """A store as the first version wrote it, with so many numbers in it."""
    database = sqlite3.connect(folder / STORE_NAME)
    database.executescript(VERSION_1)
    with database:
        for number in range(1, numbers + 1):
            database.execute(
                "INSERT INTO updates (queue, data) VALUES (?, ?)", (QUEUE, _update(number))
            )
        database.execute("INSERT INTO meta VALUES ('number', ?)", (str(numbers),))
        database.execute(
            "INSERT INTO promises VALUES (?, ?, ?, 1)", (QUEUE, JOB, claim_of(numbers).key)
        )
    database.close()


async def write_number(store: Store, number: int) -> None:
    """One number, everywhere; promised when this returns."""
    writes = [
        store.append(QUEUE, _update(number)),
        store.set_meta("number", str(number)),
        store.put_promise(QUEUE, claim_of(number), armed=True),
    ]
    await HistoryStore(store).record([entry_of(number)])
    await asyncio.gather(*writes)


async def compact(store: Store, last: int) -> None:
    """Numbers up to `last` become one update."""
    await store.compact(QUEUE, b" ".join(_update(number) for number in range(1, last + 1)))


def _update(number: int) -> bytes:
    filler = b"x" * (LARGE_BYTES if number % 10 == 0 else 20)
    return b"%d:%s" % (number, filler)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """The numbers that a store has; `history` are those of 1, 2, 3, … without a hole."""

    numbers: tuple[int, ...]
    meta: int
    epoch: int
    history: int
    damage: str

    @property
    def is_a_prefix(self) -> bool:
        """Whether what is there is all that was written up to some moment."""
        return self.has(len(self.numbers) - 1, history_from=len(self.numbers))

    def has(self, number: int, *, history_from: int = 1) -> bool:
        """Whether everything up to `number` is there, in order, and nothing that never was."""
        return (
            self.numbers == tuple(range(1, len(self.numbers) + 1))
            and len(self.numbers) >= number
            and self.meta >= number
            and self.epoch >= number
            and self.history >= number - history_from + 1
        )


async def read(path: Path, use: Callable[[Store], None] = lambda _: None) -> Content:
    """What a store has after it was opened anew. Raises only what `Store.open` does."""
    store = Store(path)
    await store.open()
    try:
        use(store)
        updates = b" ".join(await store.updates(QUEUE)).split()
        promises = await store.promises(QUEUE)
        ended = [e.ended_at_s async for e in HistoryStore(store).all(HistoryFilter())]
        await store.put_queue(StoredQueue(name=QUEUE, peers=()))
        return Content(
            numbers=tuple(_number(update) for update in updates),
            meta=int(await store.meta("number") or 0),
            epoch=promises[0][0].epoch if promises else 0,
            history=len(ended),
            damage=store.damage,
        )
    finally:
        await store.close()


def _number(update: bytes) -> int:
    number = int(update.partition(b":")[0])
    assert update == _update(number), "an update was changed"
    return number
