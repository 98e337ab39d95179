"""One queue: its document, the links to the peers that share it, and its claims."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from crdtqueue.adapters import clock
from crdtqueue.adapters.links import Address, Link
from crdtqueue.adapters.store import Store
from crdtqueue.core import claim_events as ce
from crdtqueue.core import messages as m
from crdtqueue.core.claims import Claims
from crdtqueue.core.document import Entry, claim_entry, end_entry
from crdtqueue.core.errors import Hostile, Unavailable
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile, QueueName, Sha256
from crdtqueue.core.model import QueueState
from crdtqueue.core.sync import SyncSession
from crdtqueue.core.yprotocol import (
    Binary,
    Json,
    decode,
    encode_binary,
    encode_json,
    encode_update,
)
from crdtqueue.peer.config import LOCAL
from crdtqueue.peer.replica import Replica

SYNC_TIMEOUT_S = 60.0
"""A link at whose other end nobody answers our sync step 1 would hold up every claim."""
REMOTES_MAX = 512
"""So many peers' last words are kept."""

_Written: TypeAlias = ce.Storing | ce.DropPromise | ce.WriteEnd

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who this peer process is, on every queue."""

    peer: PeerId
    incarnation: int
    name: str
    profile: Profile | None
    port: int


@dataclass(kw_only=True, slots=True)
class Session:
    """A link, how far it is in sync, and who is at its other end once they have said so."""

    link: Link
    sync: SyncSession
    synced_s: float
    """When it was last in sync, or began."""
    hello: m.Hello | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    pieces: int = 0
    """Pieces of files that it has asked for and that are not on their way yet."""

    @property
    def peer(self) -> PeerId | None:
        """The peer at the other end; None for a stock Yjs client."""
        return PeerId(self.hello.peer) if self.hello else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """What another peer said of itself in its last heartbeat, and when, on our clock."""

    heard_s: float
    printer: m.PrinterNews | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """What a queue tells the rest of the peer. None of them waits."""

    changed: Callable[[], None]
    claimed: Callable[[QueueName, Claim], None]
    missed: Callable[[QueueName, JobId, ce.No], None]
    asked_for_piece: Callable[["LanQueue", Session, m.WantPiece], None]
    got_piece: Callable[[Session, Sha256, int, bytes | None], None]
    news: Callable[[], m.PrinterNews | None]


class LanQueue:
    """Call `open`, keep `run` running, and give each new link to `serve`."""

    def __init__(
        self, name: QueueName, *, me: Identity, store: Store, times: ce.ClaimTimes, hooks: Hooks
    ) -> None:
        self.name = name
        self.me = me
        self.replica = Replica(name, store, self._on_update)
        self.remotes: dict[PeerId, Remote] = {}
        self.addresses: dict[Address, PeerId] = {}
        self.own_hosts: list[str] = []
        self.problem = ""
        self._problem_host = ""
        self._store = store
        self._times = times
        self._hooks = hooks
        self._claims: Claims | None = None
        self._sessions: list[Session] = []
        self._source: Session | None = None
        self._unread = True
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._waiting: list[_Written] = []
        self._wanted: JobId | None = None

    @property
    def is_local(self) -> bool:
        """Whether this queue has no other peers, ever."""
        return self.name == LOCAL

    @property
    def room(self) -> str:
        """The path of the queue's links. An open queue is known by its name alone."""
        return room_of(self.name)

    @property
    def claims(self) -> Claims:
        """The claims. Raises Unavailable before `open`."""
        if self._claims is None:
            raise Unavailable(f"The queue {self.name} is not open yet.")
        return self._claims

    @property
    def state(self) -> QueueState:
        """What the document says now."""
        return self.replica.state

    @property
    def synced(self) -> bool:
        """Whether everything that the linked peers had is here."""
        return all(session.sync.synced for session in self._sessions if session.hello)

    @property
    def ready(self) -> bool:
        """Whether jobs may be asked for."""
        return not self.holds_back

    @property
    def holds_back(self) -> str:
        """Why no job is asked for in this queue, as a sentence; empty if jobs are."""
        if self.replica.problem:
            return self.replica.problem
        if not self.synced:
            return f"Brings {self.name} in sync with the other peers first."
        if self.claims.is_cold(clock.now_s()):
            return f"Just started: waits up to a minute for the other peers of {self.name}."
        return ""

    @property
    def sessions(self) -> tuple[Session, ...]:
        """The open links."""
        return tuple(self._sessions)

    def session_of(self, peer: PeerId) -> Session | None:
        """The link to a peer; None if there is none."""
        alive = (s for s in self._sessions if s.peer == peer and not s.link.is_hung_up)
        return next(alive, None)

    async def open(self) -> None:
        """Reads the document and the promises from the store."""
        await self.replica.open()
        self._claims = Claims(
            me=self.me.peer,
            incarnation=self.me.incarnation,
            times=self._times,
            promises=await self._store.promises(self.name),
            now_s=clock.now_s(),
        )
        self._tell_claims(ce.SyncChanged(synced=True))

    async def run(self) -> None:
        """Heartbeats and time-outs, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(), name=f"heartbeat {self.name}")
            tasks.create_task(self._keep_time(), name=f"claims {self.name}")
            self._tasks = tasks
            self._store_waiting()
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    async def edit(self, entries: Iterable[Entry]) -> None:
        """Writes into the document; returns when it is durable."""
        await self.replica.edit(entries)

    def want(self, job: JobId) -> None:
        """Asks for a job; the answer comes through the hooks."""
        self._wanted = job
        self._tell_claims(ce.Want(job=job))

    @property
    def wanted(self) -> JobId | None:
        """The job that was asked for, until there is an answer."""
        return self._wanted

    async def end(self, claim: Claim, reason: str) -> None:
        """Ends a claim of ours, durably."""
        await self.edit([end_entry(claim, reason)])

    # Links

    async def serve(self, link: Link) -> None:
        """Talks over a link until it closes. Raises Hostile."""
        session = Session(link=link, sync=SyncSession(self.replica), synced_s=clock.now_s())
        self._sessions.append(session)
        try:
            session.sync.start()
            if link.dialled:
                self._send_hello(session)
            self._flush(session)
            await link.run(lambda frame: self._on_frame(session, frame))
        finally:
            self._drop(session)

    async def close(self) -> None:
        """Lets go of the links and of the document, once `run` is over."""
        await self._close_links()
        self.replica.close()
        if self._wanted:
            self._hooks.missed(self.name, self._wanted, ce.No.UNSYNCED)

    async def _close_links(self) -> None:
        sessions = self.sessions
        await asyncio.gather(*(s.link.close("this peer has left the queue") for s in sessions))
        await asyncio.gather(*(s.over.wait() for s in sessions))

    async def say_goodbye(self) -> None:
        """Tells the peers in sight that this one will claim nothing more."""
        frame = encode_json(m.encode(m.Bye()))
        await asyncio.gather(*(s.link.last_word(frame) for s in self._sessions if s.hello))

    def _drop(self, session: Session) -> None:
        self._sessions.remove(session)
        session.over.set()
        self._synced_changed()
        self._hooks.changed()

    async def _on_frame(self, session: Session, frame: bytes) -> None:
        match decode(frame):
            case Json(text=text):
                await self._on_message(session, m.decode(text))
            case Binary(payload=payload):
                sha256, offset, data = m.read_piece(payload)
                self._hooks.got_piece(session, sha256, offset, data)
            case other:
                self._sync(session, other)
                await self.replica.catch_up()

    def _sync(self, session: Session, frame: object) -> None:
        before, self._source = session.sync.synced, session
        try:
            session.sync.receive(frame)  # type: ignore[arg-type]  # the rest of decode's union
        finally:
            self._source = None
        self._flush(session)
        if session.sync.synced != before:
            self._synced_changed()

    async def _on_message(self, session: Session, message: m.Message) -> None:
        if isinstance(message, m.Hello):
            await self._on_hello(session, message)
            return
        if session.peer is None:
            raise Hostile("it does not say hello first")
        match message:
            case m.Heartbeat(held=held, printer=printer):
                self._remember(session.peer, printer)
                self._tell_claims(ce.HeardOf(peer=session.peer, held=tuple(held)))
                self._hooks.changed()
            case m.Bye():
                self._tell_claims(ce.PeerGone(peer=session.peer))
            case m.WantPiece():
                self._hooks.asked_for_piece(self, session, message)
            case m.NoPiece(sha256=sha256):
                self._hooks.got_piece(session, Sha256(sha256), 0, None)
            case _:
                self._tell_claims(ce.Said(peer=session.peer, message=message))

    async def _on_hello(self, session: Session, hello: m.Hello) -> None:
        peer = PeerId(hello.peer)
        if session.hello:
            raise Hostile("it says hello twice")
        if hello.version != m.PROTOCOL_VERSION:
            self.problem = f"{hello.name} runs another version of crdtqueue. Update both."
            self._problem_host = session.link.remote_host
            raise Hostile(f"it speaks version {hello.version}")
        if peer == self.me.peer:
            await self._on_own_hello(session, hello)
            return
        if session.link.remote_host == self._problem_host:
            self.problem = self._problem_host = ""
        other = self.session_of(peer)
        if session.link.dialled:
            self.addresses[session.link.dialled] = peer
        else:
            self._send_hello(session)
        session.hello = hello
        if other:
            worse = self._worse(other, session)
            worse.link.hang_up("a second link to the same peer")
        self._learn_own_host(session.link.local_host)
        self._synced_changed()
        self._tell_claims(ce.PeerSeen(peer=peer))
        self._send_heartbeat(session)
        self._hooks.changed()

    async def _on_own_hello(self, session: Session, hello: m.Hello) -> None:
        if session.link.dialled:
            self.addresses[session.link.dialled] = self.me.peer
        else:
            self._send_hello(session)
        if hello.incarnation != self.me.incarnation or hello.port != self.me.port:
            self.problem = (
                f"The peer at {session.link.remote_host} is a copy of this one, with the same"
                " identity. Stop one of them and delete the file store.sqlite3 in its folder."
            )
            self._problem_host = session.link.remote_host
            log.error("%s", self.problem)
        session.link.hang_up("that is me")

    def _worse(self, old: Session, new: Session) -> Session:
        """Of two links to one peer, the one that both sides close."""
        if old.hello and new.hello and old.hello.incarnation != new.hello.incarnation:
            return old
        if bool(old.link.dialled) == bool(new.link.dialled):
            return old
        mine, theirs = (old, new) if old.link.dialled else (new, old)
        return theirs if self.me.peer < str(new.peer) else mine

    def _remember(self, peer: PeerId, printer: m.PrinterNews | None) -> None:
        self.remotes.pop(peer, None)
        self.remotes[peer] = Remote(heard_s=clock.now_s(), printer=printer)
        if len(self.remotes) > REMOTES_MAX:
            del self.remotes[next(iter(self.remotes))]

    def _learn_own_host(self, host: str) -> None:
        if host not in self.own_hosts:
            self.own_hosts = [host, *self.own_hosts][:4]

    # Sending

    def _send_hello(self, session: Session) -> None:
        me = self.me
        self._say(
            session,
            m.Hello(peer=me.peer, incarnation=me.incarnation, name=me.name, port=me.port),
        )

    def _send_heartbeat(self, session: Session) -> None:
        held = [*self.claims.heartbeat(clock.now_s())]
        self._say(session, m.Heartbeat(held=held, printer=self._hooks.news()))

    @staticmethod
    def _say(session: Session, message: m.Message) -> None:
        session.link.send(encode_json(m.encode(message)))

    def say(self, session: Session, message: m.Message) -> None:
        """Sends a message over a link."""
        self._say(session, message)

    @staticmethod
    def send_piece(session: Session, payload: bytes) -> None:
        """Sends a piece of a file over a link."""
        session.link.send(encode_binary(payload))

    def _flush(self, session: Session) -> None:
        for frame in session.sync.effects():
            session.link.send(frame)

    def heartbeat(self) -> None:
        """Tells every peer in sight now how things stand."""
        for session in self._sessions:
            if session.hello:
                self._send_heartbeat(session)

    def _on_update(self, update: bytes) -> None:
        frame = encode_update(update)
        for session in self._sessions:
            if session is not self._source:
                session.link.send(frame)
        self._unread = True
        self._wake.set()
        self._hooks.changed()

    # Claims

    def _synced_changed(self) -> None:
        self._tell_claims(ce.SyncChanged(synced=self.synced))

    def _tell_claims(self, event: ce.Event) -> None:
        self._read_records()
        self.claims.receive(event, clock.now_s())
        self._carry_out()
        self._wake.set()

    def _read_records(self) -> None:
        """What the document says of claims must be known before anything is decided."""
        if self._unread:
            self._unread = False
            state = self.state
            others = frozenset(state.roster) - {self.me.peer}
            self.claims.receive(
                ce.RecordsRead(claims=state.claims, ended=state.ended, others=others),
                clock.now_s(),
            )

    def _carry_out(self) -> None:
        for effect in self.claims.effects():
            match effect:
                case ce.Tell(peer=peer, message=message):
                    session = self.session_of(peer)
                    if session:
                        self._say(session, message)
                case ce.MayHeat(claim=claim):
                    self._wanted = None
                    self._hooks.claimed(self.name, claim)
                case ce.Missed(job=job, reason=reason):
                    self._wanted = None
                    self._hooks.missed(self.name, job, reason)
                case _:
                    self._waiting.append(effect)
        self._store_waiting()

    def _store_waiting(self) -> None:
        """Promises are stored by `run`: before and after it they wait."""
        if self._tasks:
            waiting, self._waiting = self._waiting, []
            for effect in waiting:
                self._tasks.create_task(self._store_effect(effect), name="promise")

    async def _store_effect(self, effect: _Written) -> None:
        try:
            match effect:
                case ce.StorePromise(claim=claim):
                    await self._store.put_promise(self.name, claim, armed=False)
                case ce.StoreArmed(claim=claim):
                    await self._store.put_promise(self.name, claim, armed=True)
                case ce.StoreStart(claim=claim):
                    await self.edit([claim_entry(claim, at_s=clock.wall_s())])
                case ce.DropPromise(claim=claim):
                    await self._store.drop_promise(self.name, claim)
                case ce.WriteEnd(claim=claim, reason=reason):
                    await self.end(claim, reason)
        except Unavailable as error:
            log.error("%s", error)  # noqa: TRY400  # a full disk, not a defect
            if isinstance(effect, ce.Storing):
                self._tell_claims(ce.NotStored(effect=effect))
        else:
            if isinstance(effect, ce.Storing):
                self._tell_claims(ce.Stored(effect=effect))

    async def _beat(self) -> None:
        while True:
            self.heartbeat()
            self._hang_up_silent(clock.now_s())
            await self.replica.repair()
            self._hooks.changed()
            await asyncio.sleep(self._times.heartbeat_s)

    def _hang_up_silent(self, now_s: float) -> None:
        for session in self._sessions:
            if session.sync.synced:
                session.synced_s = now_s
            elif now_s - session.synced_s > SYNC_TIMEOUT_S:
                session.link.hang_up("no answer to sync step 1")

    async def _keep_time(self) -> None:
        while True:
            self._wake.clear()
            now_s = clock.now_s()
            self._read_records()
            self.claims.tick(now_s)
            self._carry_out()
            deadline_s = self.claims.next_deadline_s()
            wait_s = None if deadline_s is None else max(deadline_s - now_s, 0.01)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()


def room_of(name: QueueName) -> str:
    """The room of the open queue of this name: an id made from it, and its generation."""
    return f"open-{hashlib.sha256(name.casefold().encode()).hexdigest()[:24]}.1"
