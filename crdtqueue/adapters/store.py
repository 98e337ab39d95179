"""The peer's memory: one SQLite file, written by one thread in the order of the calls.

What a write returns is done once the write is durable. Writes that wait at the same time are
committed together, so that a promise costs one `fsync` and many cost hardly more. A read-only or
full disk raises Unavailable and changes nothing.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from crdtqueue.core.errors import Refused, Unavailable
from crdtqueue.core.ids import Claim, QueueName

SCHEMA = 1
COMPACT_AFTER_UPDATES = 2_000

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE queues (name TEXT PRIMARY KEY, peers TEXT NOT NULL, position INTEGER NOT NULL);
CREATE TABLE updates (id INTEGER PRIMARY KEY, queue TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX updates_of_queue ON updates (queue, id);
CREATE TABLE promises (
    queue TEXT NOT NULL, job TEXT NOT NULL, claim TEXT NOT NULL, armed INTEGER NOT NULL,
    PRIMARY KEY (queue, job)
) WITHOUT ROWID;
"""

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredQueue:
    """A queue that this peer takes part in, and the addresses that were given for it."""

    name: QueueName
    peers: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class _Write:
    sql: str
    values: tuple[object, ...]
    done: "asyncio.Future[None]"


class Store:
    """Call `open` before anything else, and `close` at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._database: sqlite3.Connection | None = None
        self._waiting: list[_Write] = []
        self._flushing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Opens or makes the file. Raises Refused if a newer crdtqueue wrote it."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            await self._run(self._connect)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Commits what waits, then closes the file."""
        if self._flushing:
            await asyncio.shield(self._flushing)
        if self._thread and self._database:
            await self._run(lambda database: database.close())
        if self._thread:
            await asyncio.to_thread(self._thread.shutdown)
        self._thread = self._database = None

    # Facts of this peer

    async def meta(self, key: str) -> str | None:
        """A value of `set_meta`; None if there is none."""
        rows = await self._read("SELECT value FROM meta WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> "asyncio.Future[None]":
        """Keeps a value under a key."""
        return self._write("INSERT OR REPLACE INTO meta VALUES (?, ?)", key, value)

    # Queues

    async def queues(self) -> list[StoredQueue]:
        """The queues, in their order."""
        rows = await self._read("SELECT name, peers FROM queues ORDER BY position, name")
        return [
            StoredQueue(name=QueueName(name), peers=tuple(json.loads(peers)))
            for name, peers in rows
        ]

    def put_queue(self, queue: StoredQueue) -> "asyncio.Future[None]":
        """Keeps a queue, at the end of the order if it is new."""
        return self._write(
            "INSERT INTO queues SELECT ?, ?, coalesce(max(position), 0) + 1 FROM queues WHERE true"
            " ON CONFLICT (name) DO UPDATE SET peers = excluded.peers",
            queue.name,
            json.dumps(queue.peers),
        )

    def remove_queue(self, name: QueueName) -> "asyncio.Future[None]":
        """Forgets a queue; its document stays, for the day it is joined again."""
        return self._write("DELETE FROM queues WHERE name = ?", name)

    # Documents

    async def updates(self, queue: QueueName) -> list[bytes]:
        """All updates of a queue's document, oldest first."""
        rows = await self._read("SELECT data FROM updates WHERE queue = ? ORDER BY id", queue)
        return [bytes(row[0]) for row in rows]

    def append(self, queue: QueueName, update: bytes) -> "asyncio.Future[None]":
        """Adds an update to a queue's document."""
        return self._write("INSERT INTO updates (queue, data) VALUES (?, ?)", queue, update)

    async def compact(self, queue: QueueName, whole: bytes) -> None:
        """Puts one update in the place of all that were read, at the start."""

        def replace(database: sqlite3.Connection) -> None:
            with database:
                database.execute("DELETE FROM updates WHERE queue = ?", (queue,))
                database.execute("INSERT INTO updates (queue, data) VALUES (?, ?)", (queue, whole))

        await self._run(replace)

    # Promises to other peers

    async def promises(self, queue: QueueName) -> list[tuple[Claim, bool]]:
        """The promises of a queue, and whether each is of an armed claim."""
        rows = await self._read("SELECT claim, armed FROM promises WHERE queue = ?", queue)
        found = [(Claim.from_key(str(claim)), bool(armed)) for claim, armed in rows]
        return [(claim, armed) for claim, armed in found if claim]

    def put_promise(self, queue: QueueName, claim: Claim, *, armed: bool) -> "asyncio.Future[None]":
        """Keeps the promise of a job, in the place of an earlier one."""
        return self._write(
            "INSERT OR REPLACE INTO promises VALUES (?, ?, ?, ?)",
            queue,
            claim.job,
            claim.key,
            int(armed),
        )

    def drop_promise(self, queue: QueueName, claim: Claim) -> "asyncio.Future[None]":
        """Forgets the promise to a claim; one to another claim of the job stays."""
        return self._write("DELETE FROM promises WHERE queue = ? AND claim = ?", queue, claim.key)

    # The thread

    def _connect(self, _: object) -> None:
        try:
            self._database = database = sqlite3.connect(
                self._path, check_same_thread=False, timeout=1.0
            )
            # Two peers with one identity must never run: the lock goes when the process does.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = FULL")
            self._prepare(database)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY:
                raise Refused(
                    f"Another crdtqueue is running with the folder {self._path.parent}. Stop it, or"
                    " give another folder with --data."
                ) from error
            raise Unavailable(
                f"The store {self._path} cannot be opened: {error}. Check that its disk has room"
                " and its folder may be written. If the file is damaged, put it aside and start"
                " anew."
            ) from error

    def _prepare(self, database: sqlite3.Connection) -> None:
        (schema,) = database.execute("PRAGMA user_version").fetchone()
        if schema > SCHEMA:
            raise Refused(
                f"The store {self._path} was written by a newer crdtqueue. Update crdtqueue, or"
                " give another folder with --data."
            )
        if schema == 0:
            database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")

    async def _read(self, sql: str, *values: object) -> list[Any]:
        await self._flushed()
        return await self._run(lambda database: database.execute(sql, values).fetchall())

    def _write(self, sql: str, *values: object) -> "asyncio.Future[None]":
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(sql=sql, values=values, done=done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="store flush")
        return done

    async def _flushed(self) -> None:
        if self._flushing:
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: BaseException | None = None
            try:
                await self._run(lambda database, batch=batch: _commit(database, batch))  # type: ignore[misc]
            except (Unavailable, asyncio.CancelledError) as caught:
                error = caught
            for write in batch:
                if write.done.done():
                    continue
                if error:
                    write.done.set_exception(Unavailable(str(error) or "The store is closing."))
                else:
                    write.done.set_result(None)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._thread is None:
            raise Unavailable("The store is closed.")

        def guarded() -> _T:
            try:
                return work(self._database)  # type: ignore[arg-type]  # `_connect` is given None
            except sqlite3.Error as error:
                raise Unavailable(
                    f"The store {self._path} cannot be written: {error}. Make room on the disk;"
                    " until then nothing new is accepted."
                ) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)


def _commit(database: sqlite3.Connection, batch: list[_Write]) -> None:
    with database:
        for write in batch:
            database.execute(write.sql, write.values)
