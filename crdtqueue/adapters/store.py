"""What a peer stores: one SQLite file, written by one thread in the order of the calls.

A write returns once it is durable. Writes that wait at the same time are committed together: one
promise costs one `fsync`, and many cost hardly more. On a read-only or full disk a write raises
Unavailable and changes nothing. Damaged data is set aside when the store is opened; see `damage`.
"""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from crdtqueue.adapters import store_rescue
from crdtqueue.adapters.store_opening import open_store
from crdtqueue.adapters.store_schema import Value, row_crc
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.ids import Claim, QueueName

COMPACT_AFTER_UPDATES = 2_000
_MARK_KEY = "checked/"

log = logging.getLogger(__name__)

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredQueue:
    """A queue that this peer takes part in, and the addresses that were given for it."""

    name: QueueName
    peers: tuple[str, ...]


Statement: TypeAlias = tuple[str, tuple[Value, ...]]
"""SQL, and the values for its question marks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Write:
    statements: Sequence[Statement]
    done: "asyncio.Future[None]"


class Store:
    """Call `open` before anything else, and `close` at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._database: sqlite3.Connection | None = None
        self._waiting: list[_Write] = []
        self._flushing: asyncio.Task[None] | None = None
        self._damage = ""

    async def open(self) -> None:
        """Opens or makes the file.

        Raises Refused if another process has it or a newer crdtqueue wrote it, Unavailable if the
        disk fails.
        """
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._open)
            self._damage = await self.meta(store_rescue.DAMAGE_KEY) or ""
        except BaseException:
            await self.close()
            raise

    def _open(self) -> None:
        opened = open_store(self._path)
        self._database = opened.database
        if opened.notices:
            log.warning("%s", opened.notices)

    @property
    def damage(self) -> str:
        """What was lost, and what to do, as a sentence; empty if nothing was.

        Promises to other peers may be among it, so its peer must not claim or grant until
        `forget_damage`. It outlives a restart.
        """
        return self._damage

    def forget_damage(self) -> "asyncio.Future[None]":
        """Somebody has dealt with the damage."""
        self._damage = ""
        return self.write(("DELETE FROM meta WHERE key = ?", (store_rescue.DAMAGE_KEY,)))

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
        rows = await self.read("SELECT value FROM meta WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_meta(self, key: str, value: str) -> "asyncio.Future[None]":
        """Keeps a value under a key."""
        return self.write(_meta(key, value))

    # Queues

    async def queues(self) -> list[StoredQueue]:
        """The queues, in their order."""
        rows = await self.read("SELECT name, peers FROM queues ORDER BY position, name")
        return [
            StoredQueue(name=QueueName(name), peers=tuple(json.loads(peers)))
            for name, peers in rows
        ]

    def put_queue(self, queue: StoredQueue) -> "asyncio.Future[None]":
        """Keeps a queue, at the end of the order if it is new."""
        sql = (
            "INSERT INTO queues (name, peers, position, crc)"
            " SELECT ?, ?, coalesce(max(position), 0) + 1, ? FROM queues WHERE true"
            " ON CONFLICT (name) DO UPDATE SET peers = excluded.peers, crc = excluded.crc"
        )
        peers = json.dumps(queue.peers)
        return self.write((sql, (queue.name, peers, row_crc(queue.name, peers))))

    def remove_queue(self, name: QueueName) -> "asyncio.Future[None]":
        """Forgets a queue; its document stays, for the day it is joined again."""
        return self.write(("DELETE FROM queues WHERE name = ?", (name,)))

    # Documents

    async def updates(self, queue: QueueName) -> list[bytes]:
        """All updates of a queue's document, oldest first."""
        rows = await self.read("SELECT data FROM updates WHERE queue = ? ORDER BY id", (queue,))
        return [bytes(row[0]) for row in rows]

    def append(self, queue: QueueName, update: bytes) -> "asyncio.Future[None]":
        """Adds an update to a queue's document."""
        return self.write(_appended(queue, update))

    async def mark(self, queue: QueueName) -> str:
        """The mark that `compact` was given last; empty if there is none."""
        return await self.meta(_MARK_KEY + queue) or ""

    def compact(
        self, queue: QueueName, whole: bytes, others: Sequence[bytes] = (), mark: str = ""
    ) -> "asyncio.Future[None]":
        """Puts one update in the place of all that were appended so far.

        `others` are those of them that are not in `whole`, because something before them is
        missing or they are newer; they stay. `mark` is kept with `whole`.
        """
        forget = ("DELETE FROM updates WHERE queue = ?", (queue,))
        updates = (_appended(queue, each) for each in (whole, *others))
        return self.write(forget, *updates, _meta(_MARK_KEY + queue, mark))

    async def set_aside(self, queue: QueueName, updates: Sequence[bytes]) -> None:
        """Takes updates that make no sense out of a queue's document, and keeps a copy with them.

        That is damage, too: see `damage`.
        """
        await self._flushed()
        kept = await self._run(lambda database: store_rescue.keep_copy(database, self._path))
        self._damage = (
            f"{len(updates)} stored changes of the queue {queue} make no sense and are left out;"
            f" the store with them is kept as {kept.name}. {store_rescue.ADVICE}"
        )
        log.warning("%s", self._damage)
        forget = "DELETE FROM updates WHERE queue = ? AND data = ?"
        await self.write(
            *((forget, (queue, update)) for update in updates),
            _meta(store_rescue.DAMAGE_KEY, self._damage),
        )

    # Promises to other peers

    async def promises(self, queue: QueueName) -> list[tuple[Claim, bool]]:
        """The promises of a queue, and whether each is of an armed claim."""
        rows = await self.read("SELECT claim, armed FROM promises WHERE queue = ?", (queue,))
        found = [(Claim.from_key(str(claim)), bool(armed)) for claim, armed in rows]
        return [(claim, armed) for claim, armed in found if claim]

    def put_promise(self, queue: QueueName, claim: Claim, *, armed: bool) -> "asyncio.Future[None]":
        """Keeps the promise of a job, in the place of an earlier one."""
        values = (queue, claim.job, claim.key, int(armed))
        sql = "INSERT OR REPLACE INTO promises VALUES (?, ?, ?, ?, ?)"
        return self.write((sql, (*values, row_crc(*values))))

    def drop_promise(self, queue: QueueName, claim: Claim) -> "asyncio.Future[None]":
        """Forgets the promise to a claim; one to another claim of the job stays."""
        sql = "DELETE FROM promises WHERE queue = ? AND claim = ?"
        return self.write((sql, (queue, claim.key)))

    # For the adapters that keep tables of their own here

    async def read(self, sql: str, values: Sequence[Value] | Mapping[str, Value] = ()) -> list[Any]:
        """The rows of a SELECT, with all writes before it in them."""
        await self._flushed()
        return await self._run(lambda database: database.execute(sql, values).fetchall())

    def write(self, *statements: Statement) -> "asyncio.Future[None]":
        """Carries out all of the statements or none. Done when they are durable."""
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Write(statements=statements, done=done))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="store flush")
        return done

    # The thread

    async def _flushed(self) -> None:
        if self._flushing:
            await asyncio.shield(self._flushing)

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            error: Unavailable | None = Unavailable("The store is closing.")
            try:
                await self._run(partial(_commit, batch=batch))
                error = None
            except Unavailable as caught:
                error = caught
            except asyncio.CancelledError:
                pass
            finally:
                _tell(batch, error)

    async def _run(self, work: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._thread is None or self._database is None:
            raise Unavailable("The store is closed.")
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._guarded, work, self._database
        )

    def _guarded(
        self, work: Callable[[sqlite3.Connection], _T], database: sqlite3.Connection
    ) -> _T:
        try:
            return work(database)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if store_rescue.is_damage(error):
                raise Unavailable(
                    f"The store {self._path} is damaged: {error}. Start crdtqueue again: it sets"
                    " the damaged part aside and keeps the rest."
                ) from error
            raise Unavailable(
                f"The store {self._path} cannot be written: {error}. Make room on the disk; until"
                " then nothing new is accepted."
            ) from error


def _appended(queue: QueueName, update: bytes) -> Statement:
    sql = "INSERT INTO updates (queue, data, crc) VALUES (?, ?, ?)"
    return sql, (queue, update, row_crc(queue, update))


def _meta(key: str, value: str) -> Statement:
    return "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", (key, value, row_crc(key, value))


def _commit(database: sqlite3.Connection, batch: list[_Write]) -> None:
    with database:
        for write in batch:
            for sql, values in write.statements:
                database.execute(sql, values)


def _tell(batch: list[_Write], error: Unavailable | None) -> None:
    for write in batch:
        if write.done.done():
            continue
        if error:
            write.done.set_exception(error)
        else:
            write.done.set_result(None)
