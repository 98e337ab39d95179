"""The configuration of a peer, as a person gives it at the start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crdtqueue.adapters.links import Address
from crdtqueue.adapters.printer_source import Place
from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.document.model import NAME_CHARS_MAX
from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import Profile, QueueName
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.worker_events import WorkerConfig

LOCAL = QueueName("local")
"""The queue that every peer has for itself alone."""
RESERVED_NAMES = frozenset({"local", "archive"})
QUEUES_MAX = 32
ADDRESSES_PER_QUEUE_MAX = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterConfig:
    """The printer of this peer."""

    place: Place
    worker: WorkerConfig
    scripts: Mapping[CycleStep, str | None] = field(default_factory=dict)
    """Scripts to set, or to take away (None); the others are as they were."""

    @property
    def profile(self) -> Profile:
        """The model of the printer."""
        return self.worker.profile


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerConfig:
    """Everything that a peer is started with. `printer` is None for a peer without a printer."""

    folder: Path
    name: str
    listen: Address
    http: Address
    printer: PrinterConfig | None
    times: ClaimTimes


def queue_name(text: str) -> QueueName:
    """`text` as the name of a LAN queue. Raises Invalid."""
    name = " ".join(text.split())
    if not name or len(name) > NAME_CHARS_MAX or not name.isprintable() or "/" in name:
        raise Invalid(
            f"A queue's name has 1 to {NAME_CHARS_MAX} printable characters and no slash."
            " Choose another name.",
            code="queue_name",
        )
    if name.casefold() in RESERVED_NAMES:
        raise Invalid(
            f"The name {name} is reserved. Choose another name for the queue.", code="queue_name"
        )
    return QueueName(name)
