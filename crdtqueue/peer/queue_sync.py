"""Keeps the document of one queue in sync over its links, and passes updates on."""

import asyncio
from dataclasses import dataclass

from crdtqueue.adapters.links import Link
from crdtqueue.core.sync.frames import Frame, encode_update
from crdtqueue.core.sync.sync_session import SyncSession
from crdtqueue.core.sync.update_relay import FORWARD_S, UpdateRelay
from crdtqueue.peer.peer_link import PeerLink
from crdtqueue.peer.queue_links import QueueLinks
from crdtqueue.peer.replica import Replica


@dataclass(frozen=True, kw_only=True, slots=True)
class _LinkedReplica:
    """The document as the sync session of one link sees it: its updates come from that link."""

    replica: Replica
    websocket: Link

    def integrate(self, update: bytes) -> bool:
        """Applies an update of the other side; False if it has a gap. Raises Hostile."""
        return self.replica.integrate(update, self.websocket)

    def diff(self, state_vector: bytes) -> bytes:
        """What the owner of this state vector lacks. Raises Hostile."""
        return self.replica.diff(state_vector)

    def state_vector(self) -> bytes:
        """Which updates are here."""
        return self.replica.state_vector()


class QueueSync:
    """Call `receive` with each sync frame, `distribute` with each update; keep `run` running."""

    def __init__(self, replica: Replica, links: QueueLinks) -> None:
        self._replica = replica
        self._links = links
        self._relay: UpdateRelay[PeerLink] = UpdateRelay()
        self._relaying = asyncio.Event()

    def session(self, websocket: Link) -> SyncSession:
        """A new sync session for this websocket."""
        return SyncSession(_LinkedReplica(replica=self._replica, websocket=websocket))

    def start(self, link: PeerLink) -> None:
        """Asks the other side for everything that is missing here."""
        link.sync.start()

    def receive(self, link: PeerLink, frame: Frame) -> None:
        """Takes in a sync frame. Raises Hostile."""
        before = link.sync.synced
        link.sync.receive(frame)
        link.flush()
        if link.sync.synced != before:
            self._links.report_sync()

    def distribute(self, update: bytes, source: Link | None) -> None:
        """Sends an update that is new here to the other links.

        `source` is the websocket that it came by; None for an update of our own. An update of this
        peer, or of a stock Yjs client, goes out at once. That of another peer has gone to everybody
        who is linked to its author; it is relayed to further peers a moment later.
        """
        origin = self._links.of(source) if source else None
        is_by_peer = origin is not None and origin.hello is not None
        if not is_by_peer:
            self._pass_on()
        for link in self._links.all:
            if link is not origin and not (is_by_peer and link.hello):
                link.send(encode_update(update))
        if origin and is_by_peer:
            self._relay.put(update, origin)
            self._relaying.set()
        if self._relay.is_full:
            self._pass_on()

    def _pass_on(self) -> None:
        for link, frame in self._relay.take(self._links.admitted):
            link.send(frame)

    async def run(self) -> None:
        """Relays the updates of other peers, until cancelled."""
        while True:
            await self._relaying.wait()
            self._relaying.clear()
            await asyncio.sleep(FORWARD_S)
            self._pass_on()
