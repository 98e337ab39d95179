"""Which jobs of the queues a printer could take, and which one it holds."""

from collections.abc import Iterable, Mapping

from crdtqueue.core.document.model import Job
from crdtqueue.core.document.progress import (
    Copy,
    next_copy,
    next_set,
    why_nobody_may_take,
)
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile, QueueName
from crdtqueue.core.worker.strategy import (
    Offer,
    Overtaken,
    after_taking,
    in_turn,
)
from crdtqueue.core.worker.worker_events import (
    QueueView,
    WorkerMemory,
)

_Known = dict[tuple[QueueName, JobId], tuple[Job, Offer | None]]


class Choice:
    """The queues, as a printer of this profile sees them. Unchanged queues are not read again.

    `queues` is None until they have been read.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._known: _Known = {}
        self._offers: dict[QueueName, tuple[Offer, ...]] = {}
        self.queues: tuple[QueueView, ...] | None = None

    def read(self, queues: tuple[QueueView, ...]) -> None:
        """Takes in what the queues say now."""
        before, self._known = self._known, {}
        self.queues = queues
        self._offers = {queue.name: self._read(queue, before) for queue in queues}

    def _read(self, queue: QueueView, before: _Known) -> tuple[Offer, ...]:
        found = []
        for job in queue.state.jobs:
            known = before.get((queue.name, job.id))
            if known is None or known[0] is not job:
                known = job, offer_of(job, self._profile)
            self._known[queue.name, job.id] = known
            if known[1] and job.id not in queue.held:
                found.append(known[1])
        return tuple(found)

    def view(self, name: QueueName) -> QueueView | None:
        """One queue, if this peer still takes part in it."""
        return next((each for each in self.queues or () if each.name == name), None)

    @property
    def all_ready(self) -> bool:
        """Whether every queue can be asked."""
        return bool(self.queues) and not any(each.holds_back for each in self.queues or ())

    # What could be taken

    def in_turn(self, saved: WorkerMemory) -> Iterable[tuple[QueueName, JobId]]:
        """The jobs that could be taken now, in order: queue after queue, each by its strategy."""
        for queue in self.queues or ():
            offers = self._offers[queue.name]
            if queue.holds_back or not offers:
                continue
            turn = in_turn(
                offers,
                strategy=queue.state.settings.strategy,
                loaded=saved.loaded,
                overtaken=_overtaken_in(queue.name, saved),
            )
            for offer in turn:
                yield queue.name, offer.job

    def next_job(self, saved: WorkerMemory) -> JobId | None:
        """The first job of the queues that this printer would take; None if there is none."""
        return next((job for _, job in self.in_turn(saved)), None)

    def overtaken_by(self, queue: QueueName, job: JobId, saved: WorkerMemory) -> Overtaken | None:
        """The job that is overtaken if `job` is taken now."""
        before = _overtaken_in(queue, saved)
        return after_taking(job, self._offers[queue], queue=queue, overtaken=before)

    # What is in hand

    def in_hand(self, saved: WorkerMemory) -> tuple[QueueView, Job, Copy] | None:
        """The queue, the held job and its next copy; None if no job is held."""
        view = self.view(saved.held[0]) if saved.held else None
        job = view.state.job(saved.held[1].job) if view and saved.held else None
        copy = next_copy(job, self._profile) if job else None
        return (view, job, copy) if view and job and copy else None

    def missing(self, saved: WorkerMemory) -> Mapping[int, str]:
        """The materials that the next copy in hand waits for, by tool."""
        hand = self.in_hand(saved) if saved.loaded.said else None
        return saved.loaded.missing(hand[2].set.materials) if hand else {}

    def reason_to_end(self, saved: WorkerMemory) -> str:
        """Why the claim must be given back before the next copy; empty if it is kept."""
        if saved.held is None or self.queues is None:
            return ""
        name, claim = saved.held
        view = self.view(name)
        reason = _lost(view, claim) if view else "deleted"
        job = view.state.job(claim.job) if view else None
        if reason or job is None:
            return reason or "deleted"
        if next_set(job, self._profile) is None:
            return "completed"
        if why_nobody_may_take(job):
            return "paused"
        return "" if saved.managing else "stopped managing"


def offer_of(job: Job, profile: Profile) -> Offer | None:
    """The job as a printer of this profile could take it if it were free; None if it could not."""
    following = None if why_nobody_may_take(job) else next_set(job, profile)
    return Offer(job=job.id, materials=following.materials) if following else None


def why_not_taken(job: Job, profile: Profile, owners: Mapping[JobId, PeerId]) -> str:
    """Why a printer of this profile does not take the job, in a few words, for the log."""
    if job.id in owners:
        return f"is claimed by {owners[job.id]}"
    if reason := why_nobody_may_take(job):
        return f"cannot be taken: {reason}"
    if offer_of(job, profile) is None:
        return f"has nothing left for {profile}"
    return "could be taken"


def _lost(view: QueueView, claim: Claim) -> str:
    if view.state.job(claim.job) is None:
        return "deleted"
    if claim in view.state.lost:
        return "given up by a person"
    owner = view.held.get(claim.job)
    if owner and owner != claim and owner.peer == claim.peer:
        return ""  # A later claim of our own, of an attempt at a further print, takes its place.
    if claim in view.state.ended:
        return "ended"
    return "replaced" if owner and owner.rank > claim.rank else ""


def _overtaken_in(queue: QueueName, saved: WorkerMemory) -> Overtaken | None:
    return next((each for each in saved.overtaken if each.queue == queue), None)
