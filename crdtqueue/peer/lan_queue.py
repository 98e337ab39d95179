"""One queue of this peer: its document, its links and its claims, put together."""

import asyncio
import hashlib
from collections.abc import Iterable

from crdtqueue.adapters.links import Link
from crdtqueue.adapters.store import Store
from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import Claims
from crdtqueue.core.document.keys import Entry
from crdtqueue.core.document.model import QueueState
from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import Claim, PeerId, QueueName, Sha256
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import Binary, Json, decode
from crdtqueue.peer.claim_readiness import ClaimReadiness
from crdtqueue.peer.claims_runner import ClaimsRunner
from crdtqueue.peer.config import LOCAL
from crdtqueue.peer.peer_link import PeerIdentity, PeerLink
from crdtqueue.peer.queue_links import QueueLinks
from crdtqueue.peer.queue_listener import QueueListener
from crdtqueue.peer.queue_sync import QueueSync
from crdtqueue.peer.replica import Replica
from printer_driver import clock


class LanQueue:
    """Call `open`, keep `run` running, and give each new websocket to `serve`.

    `links` are its links, `own_claims` asks for jobs and ends claims, `readiness` says whether jobs
    may be asked for.
    """

    def __init__(
        self,
        name: QueueName,
        *,
        me: PeerIdentity,
        store: Store,
        times: ce.ClaimTimes,
        listener: QueueListener,
    ) -> None:
        self.name = name
        self.me = me
        self.replica = Replica(name, store, self._updated)
        self.own_claims = ClaimsRunner(
            name, replica=self.replica, store=store, listener=listener, tell=self._tell
        )
        self.links = QueueLinks(me, self.own_claims, listener)
        self.readiness = ClaimReadiness(
            name, me.peer, replica=self.replica, links=self.links, claims=self.own_claims
        )
        self._sync = QueueSync(self.replica, self.links)
        self._times = times
        self._listener = listener

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
        """All claims of the queue. Raises Unavailable before `open`."""
        return self.own_claims.claims

    @property
    def state(self) -> QueueState:
        """What the document says now."""
        return self.replica.state

    @property
    def holds_back(self) -> str:
        """Why no job of this queue is asked for, as a sentence; empty if jobs are."""
        return self.readiness.holds_back

    async def open(self) -> None:
        """Reads the document and the promises from the store."""
        await self.replica.open()
        await self.own_claims.open(self.me.peer, self.me.incarnation, self._times)

    async def run(self) -> None:
        """Heartbeats, claims and the relay, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(), name=f"heartbeat {self.name}")
            tasks.create_task(self.own_claims.run(), name=f"claims {self.name}")
            tasks.create_task(self._sync.run(), name=f"relay {self.name}")

    async def close(self) -> None:
        """Lets go of the links and of the document, once `run` is over."""
        await self.links.close()
        self.replica.close()
        self.own_claims.give_up()

    async def edit(self, entries: Iterable[Entry]) -> None:
        """Writes into the document; returns when it is durable."""
        await self.replica.edit(entries)

    def still_owns(self, claim: Claim) -> bool:
        """Whether, as far as can be seen, this claim of ours still owns its job."""
        return self.own_claims.is_owner(claim) and not self.holds_back

    async def _beat(self) -> None:
        while True:
            self.links.heartbeat()
            self.links.hang_up_silent(clock.now_s())
            await self.replica.repair()
            self._listener.queue_changed()
            await asyncio.sleep(self._times.heartbeat_s)

    # What comes in

    async def serve(self, websocket: Link) -> None:
        """Talks over a websocket until it closes. Raises Hostile."""
        link = PeerLink(websocket, self._sync.session(websocket), clock.now_s())
        self.links.add(link)
        try:
            self._sync.start(link)
            link.flush()
            await websocket.run(lambda frame: self._on_frame(link, frame))
        finally:
            self.links.remove(link)

    async def _on_frame(self, link: PeerLink, frame: bytes) -> None:
        link.note_frame(frame)
        match decode(frame):
            case Json(text=text):
                await self._on_message(link, m.decode(text))
            case Binary(payload=payload):
                sha256, offset, data = m.read_piece(payload)
                self._listener.piece_received(link, sha256, offset, data)
            case other:
                self._sync.receive(link, other)
                await self.replica.catch_up()

    async def _on_message(self, link: PeerLink, message: m.Message) -> None:
        link.note_message(message)
        if isinstance(message, m.Hello):
            await self.links.receive_hello(link, message)
        elif isinstance(message, m.DuplicateIdentity):
            self.links.receive_duplicate(link, message.places)
        elif link.peer is None:
            raise Hostile("it does not say hello first")
        else:
            self._on_message_of_peer(link, link.peer, message)

    def _on_message_of_peer(self, link: PeerLink, peer: PeerId, message: m.Message) -> None:
        match message:
            case m.Heartbeat():
                self.links.receive_heartbeat(peer, message)
            case m.Bye():
                self.own_claims.receive(ce.PeerGone(peer=peer))
            case m.WantPiece():
                self._listener.piece_wanted(self.name, link, message)
            case m.NoPiece(sha256=sha256):
                self._listener.piece_received(link, Sha256(sha256), 0, None)
            case m.Ask() | m.Grant() | m.Deny() | m.Arm() | m.Armed() | m.Release():
                _check_speaker(link, message)
                self.own_claims.receive(ce.ClaimMessageReceived(peer=peer, message=message))

    def _updated(self, update: bytes, source: Link | None) -> None:
        """The document has a new update, of our own or from the websocket `source`."""
        self._sync.distribute(update, source)
        self.own_claims.document_changed()
        self._listener.queue_changed()

    def _tell(self, peer: PeerId, message: m.ClaimMessage) -> None:
        self.links.tell(peer, message)


def _check_speaker(link: PeerLink, message: m.ClaimMessage) -> None:
    """Raises Hostile if a peer speaks for the claim of another one, or of a start yet to come."""
    claim, hello = message.claim, link.hello
    asks = isinstance(message, m.Ask | m.Arm | m.Release)
    if asks and hello and (claim.peer, claim.incarnation) != (hello.peer, hello.incarnation):
        raise Hostile("it speaks for a claim that is not its own")


def room_of(name: QueueName) -> str:
    """The room of the open queue of this name: a hash of the name, and a generation."""
    return f"open-{hashlib.sha256(name.casefold().encode()).hexdigest()[:24]}.1"
