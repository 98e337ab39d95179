"""A peer: its identity, its queues, its printer, and the tasks that keep them running."""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from crdtqueue.adapters.crdt.facade import load_library
from crdtqueue.adapters.file_store import FileStore
from crdtqueue.adapters.history_store import HistoryStore
from crdtqueue.adapters.links import Link, listen
from crdtqueue.adapters.printer_source import Place, PrinterSource, source_of
from crdtqueue.adapters.store import Store, StoredQueue
from crdtqueue.core.claims.claim_events import MayHeat, No
from crdtqueue.core.errors import NotFound, Refused, Unavailable
from crdtqueue.core.ids import PEER_ID_CHARS, JobId, PeerId, QueueName, Sha256
from crdtqueue.core.sync.messages import (
    PrinterSummary,
    WantPiece,
)
from crdtqueue.core.worker.worker import Worker
from crdtqueue.core.worker.worker_events import (
    Claimed,
    NotClaimed,
)
from crdtqueue.peer import worker_store
from crdtqueue.peer.changes import Changes
from crdtqueue.peer.config import (
    LOCAL,
    QUEUES_MAX,
    PeerConfig,
    queue_name,
)
from crdtqueue.peer.draft_keeper import DraftKeeper
from crdtqueue.peer.file_fetcher import FileFetcher
from crdtqueue.peer.history_keeper import HistoryKeeper
from crdtqueue.peer.lan_queue import (
    LanQueue,
    room_of,
)
from crdtqueue.peer.peer_finder import (
    PeerFinder,
    PeerSources,
)
from crdtqueue.peer.peer_link import PeerIdentity, PeerLink
from crdtqueue.peer.printer_summary import printer_summary
from crdtqueue.peer.script_store import ScriptStore
from crdtqueue.peer.worker_runner import WorkerRunner
from printer_driver import clock

STORE_NAME = "store.sqlite3"
INCARNATIONS_SKIPPED = 1_000

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Membership:
    """A queue that this peer takes part in, with what finds its other peers and ends forgotten
    edits."""

    queue: LanQueue
    finder: PeerFinder
    drafts: DraftKeeper
    task: asyncio.Task[None] | None = None


class Peer:
    """One peer process. Enter `running` as a context, then call the methods."""

    def __init__(
        self,
        config: PeerConfig,
        make_source: Callable[[Place, Path], PrinterSource] = source_of,
    ) -> None:
        self.config = config
        self._make_source = make_source
        self.changes = Changes()
        self.files = FileStore(config.folder / "files")
        self.store = Store(config.folder / STORE_NAME)
        self.history = HistoryStore(self.store)
        self._history_keeper = HistoryKeeper(self.history, lambda: self.queues)
        self.memberships: dict[QueueName, Membership] = {}
        self.runner: WorkerRunner | None = None
        self._identity: PeerIdentity | None = None
        self._file_fetcher: FileFetcher | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._told: object = None
        self._changing_queues = asyncio.Lock()

    @property
    def me(self) -> PeerIdentity:
        """Who this process is. Raises Unavailable before it runs."""
        if self._identity is None:
            raise Unavailable("The peer is not running yet.")
        return self._identity

    @property
    def file_fetcher(self) -> FileFetcher:
        """The file traffic. Raises Unavailable before the peer runs."""
        if self._file_fetcher is None:
            raise Unavailable("The peer is not running yet.")
        return self._file_fetcher

    @property
    def queues(self) -> dict[QueueName, LanQueue]:
        """The queues in the order in which the printer walks them."""
        return {name: each.queue for name, each in self.memberships.items()}

    def queue(self, name: str) -> LanQueue:
        """The queue of this name. Raises NotFound."""
        return self._membership(name).queue

    def _membership(self, name: str) -> Membership:
        wanted = name.casefold()
        found = next((m for n, m in self.memberships.items() if n.casefold() == wanted), None)
        if found is None:
            known = ", ".join(self.memberships)
            raise NotFound(f"There is no queue {name[:60]!r} here. There are: {known}.")
        return found

    @asynccontextmanager
    async def running(self, listener: socket.socket) -> AsyncIterator["Peer"]:
        """Runs the peer, with `listener` bound for other peers, until the context is left.

        Raises Refused if the folder is in use or of a newer version, Unavailable if the disk fails.
        """
        await self.store.open()
        try:
            self._identity = await self._identify()
            await self.files.open()
            await asyncio.to_thread(load_library)
            self._file_fetcher = FileFetcher(self.files, self.me.peer, lambda: self.queues)
            with _single_error_as_itself():
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    services = await self._start(tasks, listener)
                    try:
                        yield self
                    finally:
                        self._tasks = None
                        await asyncio.gather(*(q.links.say_goodbye() for q in self.queues.values()))
                        services += [m.task for m in self.memberships.values() if m.task]
                        for task in services:
                            task.cancel()
        finally:
            if self.runner:
                await self.runner.let_printer_go()
            for each in self.memberships.values():
                each.queue.replica.close()
            await self.store.close()

    async def _start(
        self, tasks: asyncio.TaskGroup, listener: socket.socket
    ) -> list[asyncio.Task[None]]:
        services = [
            tasks.create_task(self._listen(listener), name="listen"),
            tasks.create_task(self.file_fetcher.copy_ahead(), name="copy files"),
        ]
        await self._open_queues()
        services.append(tasks.create_task(self._history_keeper.run(), name="history"))
        if self.config.printer:
            self.runner = await self._make_runner()
            services.append(tasks.create_task(self.runner.run(), name="worker"))
        return services

    async def _identify(self) -> PeerIdentity:
        peer, last = await self.store.meta("peer"), await self.store.meta("incarnation")
        if peer is None or last is None:
            peer, last = secrets.token_hex(PEER_ID_CHARS // 2), "0"
        # A damaged store may have lost the last starts, and no claim's token may come twice.
        incarnation = int(last) + (INCARNATIONS_SKIPPED if self.store.damage else 1)
        await self.store.set_meta("peer", peer)
        await self.store.set_meta("incarnation", str(incarnation))
        printer = self.config.printer
        return PeerIdentity(
            peer=PeerId(peer),
            incarnation=incarnation,
            name=self.config.name,
            profile=printer.profile if printer else None,
            port=self.config.listen.port,
        )

    async def _make_runner(self) -> WorkerRunner:
        printer, file_fetcher = self.config.printer, self._file_fetcher
        if printer is None or file_fetcher is None:
            raise Unavailable("This peer has no printer.")
        script_store = ScriptStore(self.store, self.config.folder / "scripts")
        await script_store.open(printer.scripts)
        return WorkerRunner(
            worker=Worker(
                me=self.me.peer,
                instance=self.me.instance,
                config=printer.worker,
                scripts=dict(script_store.refs),
                saved=await worker_store.load(self.store),
            ),
            source=self._make_source(printer.place, self.config.folder),
            store=self.store,
            files=self.files,
            script_store=script_store,
            file_fetcher=file_fetcher,
            queues=lambda: self.queues,
            changed=self._printer_changed,
        )

    async def accept_damage(self) -> None:
        """A person has read what the store has lost: this peer may ask for jobs again."""
        await self.store.forget_damage()
        self.queue_changed()

    # Queues

    async def _open_queues(self) -> None:
        await self._join(LOCAL, PeerSources())
        for stored in await self.store.queues():
            await self._join(stored.name, PeerSources.parse(stored.peers))

    async def add_queue(self, name: str, peers: list[str]) -> LanQueue:
        """Makes a LAN queue, or joins that of this name at these addresses.

        Raises Invalid for a bad name or address, Refused if this peer has a queue of that name.
        """
        async with self._changing_queues:
            return await self._add_queue(name, peers)

    async def _add_queue(self, name: str, peers: list[str]) -> LanQueue:
        wanted, where = queue_name(name), PeerSources.parse(peers)
        if any(wanted.casefold() == taken.casefold() for taken in self.memberships):
            raise Refused(
                f"There is a queue named {wanted} already. Choose another name, or leave that one"
                " first.",
                code="queue_name_taken",
            )
        if len(self.memberships) >= QUEUES_MAX:
            raise Refused(f"A peer has at most {QUEUES_MAX} queues. Leave one first.")
        await self.store.put_queue(StoredQueue(name=wanted, peers=where.texts()))
        return await self._join(wanted, where)

    async def add_addresses(self, name: str, peers: list[str]) -> None:
        """Adds addresses to a queue that this peer takes part in."""
        membership = self._membership(name)
        where = PeerSources.parse([*membership.finder.where.texts(), *peers])
        membership.finder.where = where
        stored = StoredQueue(name=membership.queue.name, peers=where.texts())
        await self.store.put_queue(stored)

    async def leave_queue(self, name: str) -> None:
        """Leaves a queue; the other peers keep it. Raises NotFound or Refused."""
        async with self._changing_queues:
            await self._leave_queue(self._membership(name))

    async def _leave_queue(self, membership: Membership) -> None:
        queue = membership.queue
        self._check_may_leave(queue)
        await self.store.remove_queue(queue.name)
        del self.memberships[queue.name]
        await queue.links.say_goodbye()
        if membership.task:
            membership.task.cancel()
            await asyncio.wait([membership.task])
        await queue.close()
        self.queue_changed()

    def _check_may_leave(self, queue: LanQueue) -> None:
        if queue.is_local:
            raise Refused("The queue local is this peer's own and cannot be left.")
        saved = self.runner.worker.saved if self.runner else None
        prints = saved and saved.printing and saved.printing.queue == queue.name
        holds = saved and saved.held and saved.held[0] == queue.name
        if prints or holds:
            raise Refused(f"This printer is printing a job of {queue.name}. Leave when it is done.")
        if self.runner and self.runner.may_begin_yet(queue.name):
            raise Refused(
                f"This printer was told to print a job of {queue.name} and did not answer; it may"
                " begin it yet. Leave a minute after it answers again."
            )
        if queue.own_claims.wanted:
            raise Refused(
                f"This printer is asking for a job of {queue.name}. Try again in a few seconds, or"
                " stop managing the printer first."
            )

    async def _join(self, name: QueueName, where: PeerSources) -> LanQueue:
        queue = LanQueue(name, me=self.me, store=self.store, times=self.config.times, listener=self)
        await queue.open()
        finder = PeerFinder(
            queue=queue, where=where, listen=self.config.listen, changed=self.queue_changed
        )
        membership = Membership(queue=queue, finder=finder, drafts=DraftKeeper(queue))
        self.memberships[name] = membership
        if self._tasks:
            membership.task = self._tasks.create_task(self._live(membership), name=f"queue {name}")
        self.queue_changed()
        return queue

    async def _live(self, membership: Membership) -> None:
        """Runs one queue in this process."""
        queue = membership.queue
        if self._file_fetcher:
            await self._file_fetcher.correct_holders(queue)
        if self.config.printer is None:
            await self._end_stray_claims(queue)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(queue.run(), name=f"run {queue.name}")
            tasks.create_task(membership.drafts.run(), name=f"drafts {queue.name}")
            if not queue.is_local:
                tasks.create_task(membership.finder.run(), name=f"find {queue.name}")

    async def _end_stray_claims(self, queue: LanQueue) -> None:
        """Ends the claims of an earlier process with a printer: without one nobody continues
        them."""
        for claim in queue.claims.held(clock.now_s()).values():
            if claim.peer == self.me.peer:
                with suppress(Unavailable):
                    await queue.own_claims.end(claim, "no printer any more")

    # Links

    async def _listen(self, listener: socket.socket) -> None:
        await listen(listener, lambda room: self._of_room(room) is not None, self._serve)

    def _of_room(self, room: str) -> LanQueue | None:
        found = (q for n, q in self.queues.items() if room_of(n) == room and not q.is_local)
        return next(found, None)

    async def _serve(self, link: Link) -> None:
        queue = self._of_room(link.room)
        if queue:
            await queue.serve(link)

    # What the queues tell: `QueueListener`

    def queue_changed(self) -> None:
        """Something of a queue has changed: whoever depends on it looks again."""
        self.changes.notify()
        self._history_keeper.look()
        if self.runner:
            self.runner.look()
        if self._file_fetcher:
            self._file_fetcher.look()

    def _printer_changed(self) -> None:
        self.changes.notify()
        summary = self.summary()
        told = (summary.state, summary.text, summary.job, summary.next_job) if summary else None
        if told != self._told:
            # What others show would be wrong until the next heartbeat.
            self._told = told
            for queue in self.queues.values():
                queue.links.heartbeat()

    def claimed(self, queue: QueueName, armed: MayHeat) -> None:
        """The printer may heat for a job of this queue."""
        if self.runner:
            self.runner.look()
            claim, begin_until_s = armed.claim, armed.begin_until_s
            self.runner.post(Claimed(queue=queue, claim=claim, begin_until_s=begin_until_s))

    def missed(self, queue: QueueName, job: JobId, reason: No) -> None:
        """A job that was asked for is not ours."""
        log.debug("%s: %s not claimed: %s", queue, job, reason)
        if self.runner:
            self.runner.post(NotClaimed(queue=queue, job=job))

    def piece_wanted(self, queue: QueueName, link: PeerLink, want: WantPiece) -> None:
        """Another peer asks for a piece of a file."""
        if self._tasks and self._file_fetcher and queue in self.memberships:
            answer = self._file_fetcher.answer(self.memberships[queue].queue, link, want)
            self._tasks.create_task(answer, name="send piece")

    def piece_received(
        self, link: PeerLink, sha256: Sha256, offset: int, data: bytes | None
    ) -> None:
        """A piece of a file has arrived, or the other peer does not have the file."""
        if self._file_fetcher:
            self._file_fetcher.arrived(link, sha256, offset, data)

    def summary(self) -> PrinterSummary | None:
        """What this peer's printer is doing; None if it has none."""
        if self.runner is None:
            return None
        waits = (text for queue in self.queues.values() if (text := queue.holds_back))
        return printer_summary(self.runner.worker, self.runner.status, next(waits, ""))


@contextmanager
def _single_error_as_itself() -> Iterator[None]:
    """Unwraps an error that a TaskGroup has wrapped although it is the only one."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None
