"""How fast the store is: `python -m tests.benchmarks.store_bench [folder]`.

Durable writes alone and together, against plain SQLite on the same disk in the same run; the start
with a large queue, before and after its updates have become one; and the history at its longest.
"""

import asyncio
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from crdtqueue.adapters.crdt.facade import open_document
from crdtqueue.adapters.history_store import HistoryStore
from crdtqueue.adapters.store import Store
from crdtqueue.core.document.keys import (
    ROOTS,
    Entry,
)
from crdtqueue.core.history import HISTORY_ROWS_MAX, HistoryFilter
from crdtqueue.core.ids import QueueName
from crdtqueue.core.yjs.lib0 import JsonValue
from crdtqueue.peer.replica import Replica
from tests.harness.store_load import (
    STORE_NAME,
    entry_of,
)

QUEUE: Final = QueueName("workshop")
JOBS, SETS, TOUCHES = 1_000, 3, 50
ALONE: Final = 1_000
TOGETHER: Final = 20_000
UPDATE: Final = bytes(60)


@contextmanager
def timed(what: str, count: int = 0) -> Iterator[None]:
    start = time.perf_counter()
    yield
    took_s = time.perf_counter() - start
    rate = f"{count / took_s:12,.0f} /s" if count else " " * 15
    print(f"{what:<58}{took_s * 1e3:10.1f} ms{rate}", flush=True)


def plain_sqlite(folder: Path, synchronous: str) -> None:
    """What SQLite itself does, with one transaction for each write."""
    database = sqlite3.connect(folder / f"plain-{synchronous}")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(f"PRAGMA synchronous = {synchronous}")
    database.execute("CREATE TABLE updates (id INTEGER PRIMARY KEY, data BLOB)")
    with timed(f"plain SQLite, {synchronous}, {ALONE} writes alone", ALONE):
        for _ in range(ALONE):
            with database:
                database.execute("INSERT INTO updates (data) VALUES (?)", (UPDATE,))
    database.close()


async def durable_writes(folder: Path) -> None:
    store = Store(folder / STORE_NAME)
    await store.open()
    with timed(f"store, {ALONE} writes, each awaited", ALONE):
        for _ in range(ALONE):
            await store.append(QUEUE, UPDATE)
    with timed(f"store, {TOGETHER} writes at once", TOGETHER):
        writes = [store.append(QUEUE, UPDATE) for _ in range(TOGETHER)]
        await writes[-1]
    await store.close()


def large_queue() -> list[bytes]:
    """The updates of a queue that was used for a while: each job with its sets, then touched."""
    document = open_document(7, ROOTS)
    updates: list[bytes] = []
    document.on_update(updates.append)
    for job in range(JOBS):
        with document.edit():
            for root, key, value in job_entries(job):
                document.set(root, key, value)
    for touch in range(TOUCHES):
        for job in range(JOBS):
            document.set("jobs", f"{job:012x}/order", f"V{touch:02}{job:04}")
    document.close()
    return updates


def job_entries(job: int) -> Iterator[Entry]:
    fields: dict[str, JsonValue] = {
        "name": f"job {job}",
        "runs": 2,
        "order": f"V{job:04}",
        "by": "me",
        "at": 1.7e9,
    }
    yield from (("jobs", f"{job:012x}/{name}", value) for name, value in fields.items())
    for number in range(SETS):
        key = f"{job:012x}/{number:06x}"
        file: JsonValue = {
            "sha256": f"{job * SETS + number:064x}",
            "name": "part.gcode",
            "size": 1_000_000,
        }
        yield "sets", f"{key}/file", file
        yield "sets", f"{key}/copies", 3
        yield "sets", f"{key}/profiles", ["MK3S"]
        yield "sets", f"{key}/order", f"V{number}"


async def start(folder: Path, what: str) -> None:
    store = Store(folder / STORE_NAME)
    with timed(f"{what}: open the file"):
        await store.open()
    replica = Replica(QUEUE, store, lambda *_: None)
    with timed(f"{what}: read the document"):
        await replica.open()
    with timed(f"{what}: first state"):
        assert len(replica.state.jobs) == JOBS
    replica.close()
    await store.close()


async def load(folder: Path) -> None:
    updates = large_queue()
    store = Store(folder / STORE_NAME)
    await store.open()
    with timed(f"store the {len(updates)} updates of the large queue", len(updates)):
        for update in updates:
            last = store.append(QUEUE, update)
        await last
    await store.close()
    await start(folder, f"start with {len(updates)} updates")
    await start(folder, "start with one update")
    size = (folder / STORE_NAME).stat().st_size
    print(f"{'size of the store':<58}{size / 1e6:10.1f} MB")


async def long_history(folder: Path) -> None:
    store = Store(folder / STORE_NAME)
    await store.open()
    history = HistoryStore(store)
    entries = [
        replace(entry_of(number), job_name=f"bracket {number % 100}")
        for number in range(1, HISTORY_ROWS_MAX + 1)
    ]
    with timed(f"record a history of {HISTORY_ROWS_MAX}", HISTORY_ROWS_MAX):
        await history.record(entries)
    with timed("record one more"):
        await history.record([entry_of(HISTORY_ROWS_MAX + 1)])
    for wanted in (HistoryFilter(), HistoryFilter(text="BRACKET 7"), HistoryFilter(text="nothing")):
        with timed(f"a page of it, filtered by {wanted.text!r}"):
            await history.page(wanted)
    await store.close()
    await start_only(folder, "open the file with it")


async def start_only(folder: Path, what: str) -> None:
    store = Store(folder / STORE_NAME)
    with timed(what):
        await store.open()
    await store.close()


def in_folder(where: Path | None, run: Callable[[Path], None]) -> None:
    folder = Path(tempfile.mkdtemp(dir=where))
    try:
        run(folder)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    where = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    for synchronous in ("FULL", "NORMAL"):
        in_folder(where, lambda folder, how=synchronous: plain_sqlite(folder, how))  # type: ignore[misc]
    for part in (durable_writes, load, long_history):
        in_folder(where, lambda folder, part=part: asyncio.run(part(folder)))  # type: ignore[misc]


if __name__ == "__main__":
    main()
