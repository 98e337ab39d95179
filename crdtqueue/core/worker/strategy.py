"""The order in which a printer takes the jobs of a queue.

*least-changes* takes the job whose next print needs the fewest changes of material. So that no job
starves, the first job that the printer could take is overtaken at most `OVERTAKEN_MAX` times in a
row; then it is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crdtqueue.core.document.model import Strategy
from crdtqueue.core.ids import JobId, QueueName
from crdtqueue.core.worker.materials import Loaded

OVERTAKEN_MAX = 4
"""So often may a printer take other jobs before the first one that it could take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A job that a printer could take, and the material that its next print needs in each tool."""

    job: JobId
    materials: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Overtaken:
    """The first job of a queue, and how often in a row this printer has taken another one."""

    queue: QueueName
    job: JobId
    times: int


def in_turn(
    offers: tuple[Offer, ...], *, strategy: Strategy, loaded: Loaded, overtaken: Overtaken | None
) -> tuple[Offer, ...]:
    """`offers`, given in the order of the queue, in the order in which this printer takes them."""
    if strategy is Strategy.IN_ORDER or not offers:
        return offers
    if overtaken and overtaken.job == offers[0].job and overtaken.times >= OVERTAKEN_MAX:
        return offers
    return tuple(sorted(offers, key=lambda offer: loaded.changes(offer.materials)))


def after_taking(
    taken: JobId, offers: Sequence[Offer], *, queue: QueueName, overtaken: Overtaken | None
) -> Overtaken | None:
    """The overtaken job, once this printer has `taken` one of `offers`; None if there is none."""
    first = offers[0].job if offers else taken
    if taken == first:
        return None
    before = overtaken.times if overtaken and overtaken.job == first else 0
    return Overtaken(queue=queue, job=first, times=before + 1)
