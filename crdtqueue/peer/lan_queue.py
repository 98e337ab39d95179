"""One queue: its document and the links to the peers that share it."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from crdtqueue.adapters.links import Address, Link
from crdtqueue.adapters.store import Store
from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import Claims
from crdtqueue.core.claims.quorum import VoterList
from crdtqueue.core.document.keys import (
    Entry,
    end_entry,
)
from crdtqueue.core.document.model import QueueState
from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile, QueueName, Sha256
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import (
    Binary,
    Json,
    decode,
    encode_awareness,
    encode_binary,
    encode_json,
    encode_update,
)
from crdtqueue.core.sync.sync_session import SyncSession
from crdtqueue.core.sync.update_relay import (
    FORWARD_S,
    UpdateRelay,
)
from crdtqueue.peer.admission import (
    Admission,
    Welcome,
)
from crdtqueue.peer.claims_runner import (
    ClaimHooks,
    ClaimsRunner,
)
from crdtqueue.peer.config import LOCAL
from crdtqueue.peer.replica import Replica
from printer_driver import clock

SYNC_TIMEOUT_S = 60.0
"""A link at whose other end nobody answers our sync step 1 would hold up every claim."""
STOCK_HEARTBEAT = encode_awareness(b"\0")
"""To who has said no hello: y-websocket's client hangs up after 30 s without any message. The
awareness of no client says nothing."""
REMOTES_MAX = 512
"""So many peers' last words are kept."""

OUTDATED = (
    "{queue} has records of a later start of this peer: its store was put back from a backup, or"
    " copied. Stop crdtqueue, delete the file store.sqlite3 in its folder, and join the queue anew."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerIdentity:
    """Who this peer process is, on every queue."""

    peer: PeerId
    incarnation: int
    name: str
    profile: Profile | None
    port: int
    instance: str = field(default_factory=lambda: secrets.token_hex(8))
    """This start of the process, and never stored: a copy of our store has another."""


@dataclass(kw_only=True, slots=True, eq=False)
class PeerLink:
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
    printer: m.PrinterSummary | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hooks:
    """What a queue tells the rest of the peer. None of them waits."""

    changed: Callable[[], None]
    claimed: Callable[[QueueName, ce.MayHeat], None]
    missed: Callable[[QueueName, JobId, ce.No], None]
    asked_for_piece: Callable[["LanQueue", PeerLink, m.WantPiece], None]
    got_piece: Callable[[PeerLink, Sha256, int, bytes | None], None]
    summary: Callable[[], m.PrinterSummary | None]


class LanQueue:
    """Call `open`, keep `run` running, and give each new link to `serve`."""

    def __init__(
        self, name: QueueName, *, me: PeerIdentity, store: Store, times: ce.ClaimTimes, hooks: Hooks
    ) -> None:
        self.name = name
        self.me = me
        self.replica = Replica(name, store, self._on_update)
        self.remotes: dict[PeerId, Remote] = {}
        self.addresses: dict[Address, PeerId] = {}
        self.own_hosts: list[str] = []
        self._store = store
        self._times = times
        self._hooks = hooks
        self._admission = Admission(me.peer, me.instance)
        self._sessions: list[PeerLink] = []
        self._source: PeerLink | None = None
        self._relay: UpdateRelay[PeerLink] = UpdateRelay()
        self._passing = asyncio.Event()
        claim_hooks = ClaimHooks(
            tell=self._tell,
            claimed=lambda armed: hooks.claimed(name, armed),
            missed=lambda job, reason: hooks.missed(name, job, reason),
        )
        self._claims_runner = ClaimsRunner(
            name, replica=self.replica, store=store, hooks=claim_hooks
        )

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
        return self._claims_runner.claims

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
        now_s = clock.now_s()
        if self.replica.problem:
            return self.replica.problem
        if duplicate := self._admission.holds_back(now_s):
            return duplicate
        if self.claims.is_outdated:
            return OUTDATED.format(queue=self.name)
        if not self.synced:
            return f"Brings {self.name} in sync with the other peers first."
        if short := self.claims.short_of():
            return self._short_of(short)
        if self.claims.is_cold(now_s):
            return f"Just started: waits up to a minute for the other peers of {self.name}."
        return ""

    def _short_of(self, voters: VoterList) -> str:
        if not voters.peers:
            return f"{self.name} is in safe mode and has no voters. Name them, best three or more."
        seen = self.claims.in_sight() | {self.me.peer}
        absent = ", ".join(sorted(self._name_of(peer) for peer in voters.peers - seen))
        return (
            f"{self.name} is in safe mode, and only {len(voters.peers & seen)} of its"
            f" {len(voters.peers)} voters are in sight. Switch on {absent}, or name other voters."
        )

    def _name_of(self, peer: PeerId) -> str:
        entry = self.state.roster.get(peer)
        return entry.name if entry else f"a peer unknown here ({peer})"

    def obstacle(self, job: JobId) -> str:
        """Why this peer cannot ask for one job, though it can for others; empty if it can."""
        no = self.claims.why_not(job, clock.now_s())
        return f"Cannot be taken: {no.value}." if no is ce.No.EXHAUSTED else ""

    @property
    def problem(self) -> str:
        """What a person must put right between peers, as a sentence; empty if nothing."""
        return self._admission.problem(clock.now_s())

    @property
    def sessions(self) -> tuple[PeerLink, ...]:
        """The open links."""
        return tuple(self._sessions)

    def session_of(self, peer: PeerId) -> PeerLink | None:
        """The link to a peer; None if there is none."""
        alive = (s for s in self._sessions if s.peer == peer and not s.link.is_hung_up)
        return next(alive, None)

    async def open(self) -> None:
        """Reads the document and the promises from the store."""
        await self.replica.open()
        await self._claims_runner.open(self.me.peer, self.me.incarnation, self._times)

    async def run(self) -> None:
        """Heartbeats and claims, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(), name=f"heartbeat {self.name}")
            tasks.create_task(self._claims_runner.run(), name=f"claims {self.name}")
            tasks.create_task(self._keep_passing_on(), name=f"passing on {self.name}")

    async def edit(self, entries: Iterable[Entry]) -> None:
        """Writes into the document; returns when it is durable."""
        await self.replica.edit(entries)

    def want(self, job: JobId) -> None:
        """Asks for a job; the answer comes through the hooks."""
        self._claims_runner.want(job)

    def may_begin(self, claim: Claim) -> bool:
        """Whether a print may begin under this claim of ours now; if not, `want` the job again."""
        return self.claims.may_begin(claim, clock.now_s())

    def still_owns(self, claim: Claim) -> bool:
        """Whether, as far as can be seen, this claim of ours still owns its job."""
        self._claims_runner.catch_up()
        owner = self.claims.held_by(claim.job, clock.now_s())
        return owner == claim and not self.holds_back

    @property
    def wanted(self) -> JobId | None:
        """The job that was asked for, until there is an answer."""
        return self._claims_runner.wanted

    async def end(self, claim: Claim, reason: str) -> None:
        """Ends a claim of ours, durably."""
        await self.edit([end_entry(claim, reason)])

    # Links

    async def serve(self, link: Link) -> None:
        """Talks over a link until it closes. Raises Hostile."""
        session = PeerLink(link=link, sync=SyncSession(self.replica), synced_s=clock.now_s())
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
        if self.wanted:
            self._hooks.missed(self.name, self.wanted, ce.No.UNSYNCED)

    async def _close_links(self) -> None:
        sessions = self.sessions
        await asyncio.gather(*(s.link.close("this peer has left the queue") for s in sessions))
        await asyncio.gather(*(s.over.wait() for s in sessions))

    async def say_goodbye(self) -> None:
        """Tells the peers in sight that this one will claim nothing more."""
        frame = encode_json(m.encode(m.Bye()))
        await asyncio.gather(*(s.link.last_word(frame) for s in self._sessions if s.hello))

    def _drop(self, session: PeerLink) -> None:
        self._sessions.remove(session)
        session.over.set()
        self._synced_changed()
        self._hooks.changed()

    async def _on_frame(self, session: PeerLink, frame: bytes) -> None:
        match decode(frame):
            case Json(text=text):
                await self._on_message(session, m.decode(text))
            case Binary(payload=payload):
                sha256, offset, data = m.read_piece(payload)
                self._hooks.got_piece(session, sha256, offset, data)
            case other:
                self._sync(session, other)
                await self.replica.catch_up()

    def _sync(self, session: PeerLink, frame: object) -> None:
        before, self._source = session.sync.synced, session
        try:
            session.sync.receive(frame)  # type: ignore[arg-type]  # the rest of decode's union
        finally:
            self._source = None
        self._flush(session)
        if session.sync.synced != before:
            self._synced_changed()

    async def _on_message(self, session: PeerLink, message: m.Message) -> None:
        if isinstance(message, m.Hello):
            await self._on_hello(session, message)
            return
        if isinstance(message, m.DuplicateIdentity):
            self._told_of_duplicate(session, message.places)
            return
        if session.peer is None:
            raise Hostile("it does not say hello first")
        match message:
            case m.Heartbeat(held=held, printer=printer):
                self._remember(session.peer, printer)
                self._claims_runner.receive(ce.HeardOf(peer=session.peer, held=tuple(held)))
                self._hooks.changed()
            case m.Bye():
                self._claims_runner.receive(ce.PeerGone(peer=session.peer))
            case m.WantPiece():
                self._hooks.asked_for_piece(self, session, message)
            case m.NoPiece(sha256=sha256):
                self._hooks.got_piece(session, Sha256(sha256), 0, None)
            case _:
                self._check_speaker(session, message)
                self._claims_runner.receive(
                    ce.ClaimMessageReceived(peer=session.peer, message=message)
                )

    @staticmethod
    def _check_speaker(session: PeerLink, message: m.ClaimMessage) -> None:
        """Nobody speaks for another peer's claim, nor for one of a start yet to come."""
        claim, hello = message.claim, session.hello
        asks = isinstance(message, m.Ask | m.Arm | m.Release)
        if asks and hello and (claim.peer, claim.incarnation) != (hello.peer, hello.incarnation):
            raise Hostile("it speaks for a claim that is not its own")

    async def _on_hello(self, session: PeerLink, hello: m.Hello) -> None:
        if session.hello:
            raise Hostile("it says hello twice")
        peer, link = PeerId(hello.peer), session.link
        welcome = self._admission.hello(hello, link.remote_host, clock.now_s())
        if not link.dialled:
            self._send_hello(session)
        elif welcome is not Welcome.TWIN:
            self.addresses[link.dialled] = peer
        match welcome:
            case Welcome.MYSELF:
                link.hang_up("that is me")
            case Welcome.TWIN:
                await self._refuse_duplicate(session, peer)
            case Welcome.IN:
                self._let_in(session, hello)
        self._hooks.changed()

    def _let_in(self, session: PeerLink, hello: m.Hello) -> None:
        other = self.session_of(PeerId(hello.peer))
        session.hello = hello
        if other:
            worse = self._worse(other, session)
            worse.link.hang_up("a second link to the same peer")
        self._learn_own_host(session.link.local_host)
        self._synced_changed()
        self._claims_runner.receive(ce.PeerSeen(peer=PeerId(hello.peer)))
        self._send_heartbeat(session)

    async def _refuse_duplicate(self, session: PeerLink, peer: PeerId) -> None:
        """Both are refused, and told so: neither may claim, here or alone."""
        other = self.session_of(peer)
        frame = encode_json(
            m.encode(m.DuplicateIdentity(places=[*self._admission.duplicates_of(peer)]))
        )
        for each in (session, *([other] if other else [])):
            await each.link.last_word(frame)
            each.link.hang_up("two peers have this identity")

    def _told_of_duplicate(self, session: PeerLink, places: list[str]) -> None:
        self._admission.duplicate_of_ours(" and ".join(places) or "another address", clock.now_s())
        session.link.hang_up("two peers have this identity")
        self._hooks.changed()

    def _worse(self, old: PeerLink, new: PeerLink) -> PeerLink:
        """Of two links to one peer, the one that both sides close."""
        if old.hello and new.hello and old.hello.incarnation != new.hello.incarnation:
            return old
        if bool(old.link.dialled) == bool(new.link.dialled):
            return old
        mine, theirs = (old, new) if old.link.dialled else (new, old)
        return theirs if self.me.peer < str(new.peer) else mine

    def _remember(self, peer: PeerId, printer: m.PrinterSummary | None) -> None:
        self.remotes.pop(peer, None)
        self.remotes[peer] = Remote(heard_s=clock.now_s(), printer=printer)
        if len(self.remotes) > REMOTES_MAX:
            del self.remotes[next(iter(self.remotes))]

    def _learn_own_host(self, host: str) -> None:
        if host not in self.own_hosts:
            self.own_hosts = [host, *self.own_hosts][:4]

    # Sending

    def _send_hello(self, session: PeerLink) -> None:
        me = self.me
        self._say(
            session,
            m.Hello(
                peer=me.peer,
                incarnation=me.incarnation,
                name=me.name,
                port=me.port,
                instance=me.instance,
            ),
        )

    def _send_heartbeat(self, session: PeerLink) -> None:
        held = [*self.claims.heartbeat(clock.now_s())]
        self._say(session, m.Heartbeat(held=held, printer=self._hooks.summary()))

    @staticmethod
    def _say(session: PeerLink, message: m.Message) -> None:
        session.link.send(encode_json(m.encode(message)))

    def say(self, session: PeerLink, message: m.Message) -> None:
        """Sends a message over a link."""
        self._say(session, message)

    @staticmethod
    def send_piece(session: PeerLink, payload: bytes) -> None:
        """Sends a piece of a file over a link."""
        session.link.send(encode_binary(payload))

    def _flush(self, session: PeerLink) -> None:
        for frame in session.sync.effects():
            session.link.send(frame)

    def heartbeat(self) -> None:
        """Tells every peer in sight now how things stand."""
        for session in self._sessions:
            if session.hello:
                self._send_heartbeat(session)
            else:
                session.link.send(STOCK_HEARTBEAT)

    def _on_update(self, update: bytes) -> None:
        source = self._source
        is_by_peer = source is not None and source.hello is not None
        if not is_by_peer:
            self._pass_on()
        for session in self._sessions:
            if session is not source and not (is_by_peer and session.hello):
                session.link.send(encode_update(update))
        if source and is_by_peer:
            self._relay.put(update, source)
            self._passing.set()
        if self._relay.is_full:
            self._pass_on()
        self._claims_runner.document_changed()
        self._hooks.changed()

    def _pass_on(self) -> None:
        targets = [session for session in self._sessions if session.hello]
        for session, frame in self._relay.take(targets):
            session.link.send(frame)

    async def _keep_passing_on(self) -> None:
        while True:
            await self._passing.wait()
            self._passing.clear()
            await asyncio.sleep(FORWARD_S)
            self._pass_on()

    def _tell(self, peer: PeerId, message: m.ClaimMessage) -> None:
        session = self.session_of(peer)
        if session:
            self._say(session, message)

    def _synced_changed(self) -> None:
        self._claims_runner.receive(ce.SyncChanged(synced=self.synced))

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


def room_of(name: QueueName) -> str:
    """The room of the open queue of this name: an id made from it, and its generation."""
    return f"open-{hashlib.sha256(name.casefold().encode()).hexdigest()[:24]}.1"
