"""A peer: its identity, its queues, its printer, and everything that keeps them going."""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from crdtqueue.adapters.files import FileStore
from crdtqueue.adapters.links import Address, Link, dial, listen, parse_address
from crdtqueue.adapters.printer_process import PrinterProcess, SerialPrinter
from crdtqueue.adapters.store import Store, StoredQueue
from crdtqueue.core.document import roster_entry
from crdtqueue.core.errors import Invalid, NotFound, Refused, Unavailable
from crdtqueue.core.ids import PEER_ID_CHARS, Claim, JobId, PeerId, QueueName, Sha256
from crdtqueue.core.messages import PrinterNews, WantPiece
from crdtqueue.core.model import RosterEntry
from crdtqueue.core.worker import Worker
from crdtqueue.core.worker_events import Claimed, NotClaimed
from crdtqueue.peer import operator
from crdtqueue.peer.changes import Changes
from crdtqueue.peer.config import (
    ADDRESSES_PER_QUEUE_MAX,
    LOCAL,
    QUEUES_MAX,
    PeerConfig,
    queue_name,
)
from crdtqueue.peer.fetching import Fetching
from crdtqueue.peer.lan_queue import Hooks, Identity, LanQueue, Session, room_of
from crdtqueue.peer.news import printer_news
from crdtqueue.peer.operator import Operator, PrinterSource

STORE_NAME = "store.sqlite3"
DIALS_MAX = 512
LOOK_FOR_ADDRESSES_S = 2.0

log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class Membership:
    """A queue that this peer takes part in, and what was found at the addresses given for it."""

    queue: LanQueue
    peers: tuple[Address, ...]
    problems: dict[Address, str] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None


class Peer:
    """Everything that one peer process is. Use `running` as a context; then call its methods."""

    def __init__(
        self,
        config: PeerConfig,
        make_source: Callable[[SerialPrinter, Path], PrinterSource] = PrinterProcess,
    ) -> None:
        self.config = config
        self._make_source = make_source
        self.changes = Changes()
        self.files = FileStore(config.folder / "files")
        self.store = Store(config.folder / STORE_NAME)
        self.memberships: dict[QueueName, Membership] = {}
        self.operator: Operator | None = None
        self._identity: Identity | None = None
        self._fetching: Fetching | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._told: object = None
        self._changing_queues = asyncio.Lock()

    @property
    def me(self) -> Identity:
        """Who this process is. Raises Unavailable before it runs."""
        if self._identity is None:
            raise Unavailable("The peer is not running yet.")
        return self._identity

    @property
    def fetching(self) -> Fetching:
        """The file traffic. Raises Unavailable before the peer runs."""
        if self._fetching is None:
            raise Unavailable("The peer is not running yet.")
        return self._fetching

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
            self._fetching = Fetching(self.files, self.me.peer, lambda: self.queues)
            with _single_error_as_itself():
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    services = await self._start(tasks, listener)
                    try:
                        yield self
                    finally:
                        self._tasks = None
                        services += [m.task for m in self.memberships.values() if m.task]
                        for task in services:
                            task.cancel()
        finally:
            if self.operator:
                await self.operator.let_printer_go()
            for each in self.memberships.values():
                each.queue.replica.close()
            await self.store.close()

    async def _start(
        self, tasks: asyncio.TaskGroup, listener: socket.socket
    ) -> list[asyncio.Task[None]]:
        services = [
            tasks.create_task(self._listen(listener), name="listen"),
            tasks.create_task(self.fetching.copy_ahead(), name="copy files"),
        ]
        await self._open_queues()
        if self.config.printer:
            self.operator = await self._make_operator()
            services.append(tasks.create_task(self.operator.run(), name="operator"))
        return services

    async def _identify(self) -> Identity:
        peer = await self.store.meta("peer") or secrets.token_hex(PEER_ID_CHARS // 2)
        incarnation = int(await self.store.meta("incarnation") or 0) + 1
        await self.store.set_meta("peer", peer)
        await self.store.set_meta("incarnation", str(incarnation))
        printer = self.config.printer
        return Identity(
            peer=PeerId(peer),
            incarnation=incarnation,
            name=self.config.name,
            profile=printer.profile if printer else None,
            port=self.config.listen.port,
        )

    async def _make_operator(self) -> Operator:
        printer, fetching = self.config.printer, self._fetching
        if printer is None or fetching is None:
            raise Unavailable("This peer has no printer.")
        return Operator(
            worker=Worker(
                me=self.me.peer,
                profile=printer.profile,
                self_clearing=printer.self_clearing,
                saved=await operator.load(self.store),
            ),
            source=self._make_source(printer.serial, self.config.folder),
            store=self.store,
            files=self.files,
            fetching=fetching,
            queues=lambda: self.queues,
            changed=self._printer_changed,
        )

    # Queues

    async def _open_queues(self) -> None:
        await self._join(LOCAL, ())
        for stored in await self.store.queues():
            await self._join(stored.name, tuple(parse_address(a) for a in stored.peers))

    async def add_queue(self, name: str, peers: list[str]) -> LanQueue:
        """Makes a LAN queue, or joins that of this name at these addresses.

        Raises Invalid for a bad name or address, Refused if this peer has a queue of that name.
        """
        async with self._changing_queues:
            return await self._add_queue(name, peers)

    async def _add_queue(self, name: str, peers: list[str]) -> LanQueue:
        wanted, addresses = queue_name(name), tuple(parse_address(text) for text in peers)
        if len(addresses) > ADDRESSES_PER_QUEUE_MAX:
            raise Invalid(f"Give at most {ADDRESSES_PER_QUEUE_MAX} addresses; peers find the rest.")
        if any(wanted.casefold() == taken.casefold() for taken in self.memberships):
            raise Refused(
                f"There is a queue named {wanted} already. Choose another name, or leave that one"
                " first.",
                code="queue_name_taken",
            )
        if len(self.memberships) >= QUEUES_MAX:
            raise Refused(f"A peer has at most {QUEUES_MAX} queues. Leave one first.")
        stored = StoredQueue(name=wanted, peers=tuple(str(each) for each in addresses))
        await self.store.put_queue(stored)
        return await self._join(wanted, addresses)

    async def add_addresses(self, name: str, peers: list[str]) -> None:
        """Adds addresses to a queue that is there already."""
        membership = self._membership(name)
        new = [parse_address(text) for text in peers]
        merged = tuple(dict.fromkeys([*membership.peers, *new]))[:ADDRESSES_PER_QUEUE_MAX]
        membership.peers = merged
        stored = StoredQueue(name=membership.queue.name, peers=tuple(str(a) for a in merged))
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
        if membership.task:
            membership.task.cancel()
            await asyncio.wait([membership.task])
        await queue.close()
        self._changed()

    def _check_may_leave(self, queue: LanQueue) -> None:
        if queue.is_local:
            raise Refused("The queue local is this peer's own and cannot be left.")
        held = self.operator.worker.held if self.operator else None
        if held and held[0] == queue.name:
            raise Refused(f"This printer is printing a job of {queue.name}. Leave when it is done.")
        if queue.wanted:
            raise Refused(
                f"This printer is asking for a job of {queue.name}. Try again in a few seconds, or"
                " stop managing the printer first."
            )

    async def _join(self, name: QueueName, peers: tuple[Address, ...]) -> LanQueue:
        hooks = Hooks(
            changed=self._changed,
            claimed=self._claimed,
            missed=self._missed,
            asked_for_piece=self._asked_for_piece,
            got_piece=self._got_piece,
            news=self._news,
        )
        queue = LanQueue(name, me=self.me, store=self.store, times=self.config.times, hooks=hooks)
        await queue.open()
        membership = Membership(queue=queue, peers=peers)
        self.memberships[name] = membership
        if self._tasks:
            membership.task = self._tasks.create_task(self._live(membership), name=f"queue {name}")
        self._changed()
        return queue

    async def _live(self, membership: Membership) -> None:
        """One queue's life in this process."""
        queue = membership.queue
        if self._fetching:
            await self._fetching.correct_holders(queue)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(queue.run(), name=f"run {queue.name}")
            if not queue.is_local:
                tasks.create_task(self._find_peers(membership), name=f"find {queue.name}")

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

    async def _find_peers(self, membership: Membership) -> None:
        """Keeps a link to every address that was given, or that the roster names."""
        queue = membership.queue
        dialled: set[Address] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._announce(queue)
                for address in [*membership.peers, *self._roster_addresses(queue)]:
                    if address not in dialled and len(dialled) < DIALS_MAX:
                        dialled.add(address)
                        tasks.create_task(self._dial(membership, address), name=f"dial {address}")
                await asyncio.sleep(LOOK_FOR_ADDRESSES_S)

    async def _dial(self, membership: Membership, address: Address) -> None:
        queue = membership.queue

        def wanted() -> bool:
            peer = queue.addresses.get(address) or self._on_roster(queue, address)
            return peer is None or (peer != self.me.peer and queue.session_of(peer) is None)

        def on_problem(problem: str) -> None:
            if membership.problems.get(address, "") != problem:
                membership.problems[address] = problem
                self._changed()

        await dial(address, queue.room, wanted=wanted, on_link=queue.serve, on_problem=on_problem)

    def _roster_addresses(self, queue: LanQueue) -> list[Address]:
        found = []
        for entry in queue.state.roster.values():
            if entry.peer != self.me.peer:
                for text in entry.addresses:
                    with suppress(Invalid):
                        found.append(parse_address(text))
        return found

    def _on_roster(self, queue: LanQueue, address: Address) -> PeerId | None:
        roster = queue.state.roster.values()
        return next((e.peer for e in roster if str(address) in e.addresses), None)

    async def _announce(self, queue: LanQueue) -> None:
        """Keeps this peer's own entry in the roster true."""
        addresses = [str(Address(host=host, port=self.me.port)) for host in queue.own_hosts]
        entry = RosterEntry(
            peer=self.me.peer,
            name=self.me.name,
            profile=self.me.profile,
            addresses=tuple(sorted(addresses)),
        )
        if queue.state.roster.get(self.me.peer) != entry:
            with suppress(Unavailable):
                await queue.edit([roster_entry(entry)])

    # What the queues tell

    def _changed(self) -> None:
        self.changes.notify()
        if self.operator:
            self.operator.look()
        if self._fetching:
            self._fetching.look()

    def _printer_changed(self) -> None:
        self.changes.notify()
        news = self._news()
        told = (news.state, news.text, news.job) if news else None
        if told != self._told:
            # What others show would be wrong until the next heartbeat.
            self._told = told
            for queue in self.queues.values():
                queue.heartbeat()

    def _claimed(self, queue: QueueName, claim: Claim) -> None:
        if self.operator:
            self.operator.look()
            self.operator.post(Claimed(queue=queue, claim=claim))

    def _missed(self, queue: QueueName, job: JobId, reason: object) -> None:
        log.debug("%s: %s not claimed: %s", queue, job, reason)
        if self.operator:
            self.operator.post(NotClaimed(queue=queue, job=job))

    def _asked_for_piece(self, queue: LanQueue, session: Session, want: WantPiece) -> None:
        if self._tasks and self._fetching:
            self._tasks.create_task(self._fetching.answer(queue, session, want), name="send piece")

    def _got_piece(self, session: Session, sha256: Sha256, offset: int, data: bytes | None) -> None:
        if self._fetching:
            self._fetching.arrived(session, sha256, offset, data)

    def _news(self) -> PrinterNews | None:
        if self.operator is None:
            return None
        return printer_news(self.operator.worker, self.operator.status)


@contextmanager
def _single_error_as_itself() -> Iterator[None]:
    """An error that a TaskGroup has wrapped although it is the only one comes out unwrapped."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        raise error from None
