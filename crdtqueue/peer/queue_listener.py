"""What a queue tells the rest of its peer."""

from typing import Protocol

from crdtqueue.core.claims.claim_events import MayHeat, No
from crdtqueue.core.ids import JobId, QueueName, Sha256
from crdtqueue.core.sync.messages import PrinterSummary, WantPiece
from crdtqueue.peer.peer_link import PeerLink


class QueueListener(Protocol):
    """The peer, as its queues see it. No method waits."""

    def queue_changed(self) -> None:
        """The document, a link or a claim of a queue has changed."""

    def claimed(self, queue: QueueName, armed: MayHeat) -> None:
        """A claim of this peer is armed: its printer may heat until `armed.begin_until_s`."""

    def missed(self, queue: QueueName, job: JobId, reason: No) -> None:
        """A job that this peer has asked for is not its own."""

    def piece_wanted(self, queue: QueueName, link: PeerLink, want: WantPiece) -> None:
        """Another peer asks for a piece of a file."""

    def piece_received(
        self, link: PeerLink, sha256: Sha256, offset: int, data: bytes | None
    ) -> None:
        """A piece of a file has arrived; `data` is None if the other peer lacks the file."""

    def summary(self) -> PrinterSummary | None:
        """What the printer of this peer is doing; None if the peer has no printer."""
