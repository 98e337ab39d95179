"""The links of one queue: who is linked, what hello says, heartbeats and goodbyes."""

import asyncio
from dataclasses import dataclass

from crdtqueue.adapters.links import Address, Link
from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import PeerId
from crdtqueue.core.sync import messages as m
from crdtqueue.peer.admission import Admission, Welcome
from crdtqueue.peer.claims_runner import ClaimsRunner
from crdtqueue.peer.peer_link import STOCK_HEARTBEAT, PeerIdentity, PeerLink
from crdtqueue.peer.queue_listener import QueueListener
from printer_driver import clock

REMOTES_MAX = 512
"""The last heartbeats of so many peers are kept."""
OWN_HOSTS_MAX = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """What another peer said of its printer in its last heartbeat, and when, on our clock."""

    heard_s: float
    printer: m.PrinterSummary | None


class QueueLinks:
    """All links of a queue. `add` each new one, `remove` it when its websocket is closed."""

    def __init__(self, me: PeerIdentity, claims: ClaimsRunner, listener: QueueListener) -> None:
        self.remotes: dict[PeerId, Remote] = {}
        self.addresses: dict[Address, PeerId] = {}
        """Which peer has answered at each address that was dialled."""
        self.own_hosts: list[str] = []
        """The hosts at which other peers have reached this one, the latest first."""
        self._me = me
        self._claims = claims
        self._listener = listener
        self._admission = Admission(me.peer, me.instance)
        self._links: list[PeerLink] = []

    @property
    def all(self) -> tuple[PeerLink, ...]:
        """The open links."""
        return tuple(self._links)

    @property
    def admitted(self) -> list[PeerLink]:
        """The links at whose other end a peer is; the others lead to stock Yjs clients."""
        return [link for link in self._links if link.hello]

    @property
    def synced(self) -> bool:
        """Whether everything that the linked peers had is here."""
        return all(link.sync.synced for link in self.admitted)

    @property
    def problem(self) -> str:
        """What a person must put right between peers, as a sentence; empty if nothing."""
        return self._admission.problem(clock.now_s())

    @property
    def holds_back(self) -> str:
        """Why this peer must not claim anything, as a sentence; empty if it may."""
        return self._admission.holds_back(clock.now_s())

    def to(self, peer: PeerId) -> PeerLink | None:
        """The link to a peer; None if there is none."""
        return next((each for each in self._links if each.peer == peer and each.is_alive), None)

    def of(self, websocket: Link) -> PeerLink | None:
        """The link over this websocket; None once it is closed."""
        return next((each for each in self._links if each.websocket is websocket), None)

    # A link's life

    def add(self, link: PeerLink) -> None:
        """Takes in a new link. Who has dialled says hello first."""
        self._links.append(link)
        if link.websocket.dialled:
            self._say_hello(link)

    def remove(self, link: PeerLink) -> None:
        """Forgets a link whose websocket is closed."""
        self._links.remove(link)
        link.note_closed()
        self.report_sync()
        self._listener.queue_changed()

    async def close(self) -> None:
        """Closes all links, and returns once they are closed."""
        links = self.all
        reason = "this peer has left the queue"
        await asyncio.gather(*(each.websocket.close(reason) for each in links))
        await asyncio.gather(*(each.closed() for each in links))

    def hang_up_silent(self, now_s: float) -> None:
        """Closes the links that do not get in sync."""
        for each in self._links:
            each.hang_up_if_not_synced(now_s)

    def report_sync(self) -> None:
        """Tells the claims whether this peer is in sync with those that it is linked to."""
        self._claims.receive(ce.SyncChanged(synced=self.synced))

    # Hello

    async def receive_hello(self, link: PeerLink, hello: m.Hello) -> None:
        """Decides about a hello. Raises Hostile."""
        if link.hello:
            raise Hostile("it says hello twice")
        peer, websocket = PeerId(hello.peer), link.websocket
        welcome = self._admission.hello(hello, websocket.remote_host, clock.now_s())
        if not websocket.dialled:
            self._say_hello(link)
        elif welcome is not Welcome.DUPLICATE:
            self.addresses[websocket.dialled] = peer
        match welcome:
            case Welcome.MYSELF:
                link.hang_up("that is me")
            case Welcome.DUPLICATE:
                await self._refuse_duplicate(link, peer)
            case Welcome.IN:
                self._let_in(link, hello)
        self._listener.queue_changed()

    def _let_in(self, link: PeerLink, hello: m.Hello) -> None:
        other = self.to(PeerId(hello.peer))
        link.admit(hello)
        if other:
            self._worse(other, link).hang_up("a second link to the same peer")
        self._learn_own_host(link.websocket.local_host)
        self.report_sync()
        self._claims.receive(ce.PeerSeen(peer=PeerId(hello.peer)))
        self._say_heartbeat(link)

    def _worse(self, old: PeerLink, new: PeerLink) -> PeerLink:
        """Of two links to one peer, the one that both sides close."""
        if old.hello and new.hello and old.hello.incarnation != new.hello.incarnation:
            return old
        if bool(old.websocket.dialled) == bool(new.websocket.dialled):
            return old
        mine, theirs = (old, new) if old.websocket.dialled else (new, old)
        return theirs if self._me.peer < str(new.peer) else mine

    async def _refuse_duplicate(self, link: PeerLink, peer: PeerId) -> None:
        """Refuses both processes with this identity, and tells them: neither may claim."""
        other = self.to(peer)
        message = m.DuplicateIdentity(places=[*self._admission.duplicates_of(peer)])
        for each in (link, *([other] if other else [])):
            await each.say_last(message)
            each.hang_up("two peers have this identity")

    def receive_duplicate(self, link: PeerLink, places: list[str]) -> None:
        """The other side hears two processes with the identity of this peer."""
        for place in places or ["another address"]:
            self._admission.duplicate_of_ours(place, clock.now_s())
        link.hang_up("two peers have this identity")
        self._listener.queue_changed()

    def _learn_own_host(self, host: str) -> None:
        if host not in self.own_hosts:
            self.own_hosts = [host, *self.own_hosts][:OWN_HOSTS_MAX]

    def _say_hello(self, link: PeerLink) -> None:
        me = self._me
        link.say(
            m.Hello(
                peer=me.peer,
                incarnation=me.incarnation,
                name=me.name,
                port=me.port,
                instance=me.instance,
            )
        )

    # Heartbeats

    def heartbeat(self) -> None:
        """Tells every peer in sight which claims are open and what the printer is doing."""
        for each in self._links:
            if each.hello:
                self._say_heartbeat(each)
            else:
                each.send(STOCK_HEARTBEAT)

    def _say_heartbeat(self, link: PeerLink) -> None:
        held = [*self._claims.claims.heartbeat(clock.now_s())]
        link.say(m.Heartbeat(held=held, printer=self._listener.summary()))

    def receive_heartbeat(self, peer: PeerId, heartbeat: m.Heartbeat) -> None:
        """Remembers what a peer says of its printer, and tells the claims of its claims."""
        self.remotes.pop(peer, None)
        self.remotes[peer] = Remote(heard_s=clock.now_s(), printer=heartbeat.printer)
        if len(self.remotes) > REMOTES_MAX:
            del self.remotes[next(iter(self.remotes))]
        self._claims.receive(ce.HeardOf(peer=peer, held=tuple(heartbeat.held)))
        self._listener.queue_changed()

    async def say_goodbye(self) -> None:
        """Tells the peers in sight that this one will claim nothing more."""
        await asyncio.gather(*(each.say_last(m.Bye()) for each in self.admitted))

    def tell(self, peer: PeerId, message: m.ClaimMessage) -> None:
        """Sends a claim message to a peer, if there is a link."""
        link = self.to(peer)
        if link:
            link.say(message)
