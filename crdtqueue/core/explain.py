"""Why a job is printed now or why not, as a sentence for people.

What a printer waits for comes from its own worker (`PrinterSummary`). What a job waits for comes
from the functions by which the worker chooses (`why_nobody_may_take`, `sets_for`, `offer_of`). So
the reason that is shown is the reason that decided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crdtqueue.core.document.model import (
    Job,
    QueueState,
    Strategy,
)
from crdtqueue.core.document.profiles import ANY
from crdtqueue.core.document.progress import (
    progress,
    sets_for,
    why_nobody_may_take,
)
from crdtqueue.core.durations import (
    Sentence,
    Span,
)
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile
from crdtqueue.core.sync.messages import PrinterSummary
from crdtqueue.core.worker.choice import offer_of
from crdtqueue.core.worker.strategy import OVERTAKEN_MAX

SILENT_AFTER_S = 8.0
"""Who has a job is heard of every 2 s; after this it is out of sight of all that are in sight."""


class JobState(StrEnum):
    """The state of a job, in one word."""

    WAITING = "waiting"
    PRINTING = "printing"
    PAUSED = "paused"
    BLOCKED = "blocked"
    """It is being edited, or has failed too often, or is deleted after its present copy."""
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterInSight:
    """A printer as its peer describes it; `summary` is None while the peer is out of sight.

    `holds_back` is the reason, as a sentence, for which the printer asks for no job of this queue.
    """

    peer: PeerId
    name: str
    profile: Profile
    summary: PrinterSummary | None
    holds_back: str = ""
    own: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What a peer sees around one job.

    `claim` owns the job; its owner was last heard `silent_s` ago. Others may take over in
    `takeover_in_s`, or never by time alone (None). `obstacle` is the reason, as a sentence, for
    which nobody can ask for the job. It has been edited for `edited_for_s`. The printers of
    `overtaking` take another job first that stands behind this one.
    """

    printers: Sequence[PrinterInSight]
    claim: Claim | None = None
    silent_s: float = 0.0
    takeover_in_s: float | None = None
    obstacle: str = ""
    edited_for_s: float | None = None
    overtaking: frozenset[PeerId] = frozenset()

    @property
    def is_silent(self) -> bool:
        """Whether nobody has heard of the owner for a while."""
        return self.claim is not None and self.silent_s >= SILENT_AFTER_S


def explain(job: Job, sight: Sight) -> tuple[JobState, Sentence]:
    """The state of the job, and the reason as a sentence."""
    claim = sight.claim
    if claim:
        owner = next((p for p in sight.printers if p.peer == claim.peer), None)
        return _owned(job, owner, sight)
    if progress(job).complete:
        return JobState.DONE, Sentence("Printed.")
    held = why_nobody_may_take(job)
    if held and not job.paused and job.draft and sight.edited_for_s is not None:
        since = Span(seconds=sight.edited_for_s)
        by = f"Being edited on {job.draft.by} for "
        return JobState.BLOCKED, Sentence(by, since, ". It goes on when that is finished.")
    if held:
        return (JobState.PAUSED if job.paused else JobState.BLOCKED), Sentence(held)
    return JobState.WAITING, Sentence(sight.obstacle or _waits(job, sight))


def overtaking(state: QueueState, printers: Sequence[PrinterInSight]) -> dict[PeerId, int]:
    """The place in the queue of the job that a printer takes first, where it overtakes others."""
    if state.settings.strategy is not Strategy.LEAST_CHANGES:
        return {}
    place_of = {job.id: place for place, job in enumerate(state.jobs)}
    nexts = ((p.peer, JobId(p.summary.next_job or "")) for p in printers if p.summary)
    return {peer: place_of[job] for peer, job in nexts if job in place_of}


def _owned(job: Job, owner: PrinterInSight | None, sight: Sight) -> tuple[JobState, Sentence]:
    name = owner.name if owner else "A printer that is no longer known"
    summary = owner.summary if owner else None
    heard = Span(seconds=sight.silent_s)
    if sight.is_silent:
        return JobState.PRINTING, _silent(name, sight)
    if summary is None:
        return JobState.PRINTING, Sentence(f"{name} has it, and was last heard of ", heard, " ago.")
    if summary.job == job.id and summary.state == "paused":
        return JobState.PAUSED, Sentence(f"Paused on {name}.")
    if summary.job == job.id and summary.state in {"printing", "starting", "cancelling"}:
        return JobState.PRINTING, Sentence(f"{summary.state.capitalize()} on {name}.")
    if owner and owner.own:
        return JobState.WAITING, Sentence(f"Claimed by {name}. {summary.text}")
    seen = f"Claimed by {name} (lease seen "
    return JobState.WAITING, Sentence(seen, heard, f" ago). {summary.text}")


def _silent(name: str, sight: Sight) -> Sentence:
    since = f"{name} has it and has been silent for ", Span(seconds=sight.silent_s)
    if sight.takeover_in_s is None:
        end = ". In safe mode no silence ends its claim: look at the printer, then mark it lost."
        return Sentence(*since, end)
    left = Span(seconds=sight.takeover_in_s, is_left=True)
    end = "; or look at the printer, and mark it lost."
    return Sentence(*since, ". Another printer may take over in ", left, end)


def _waits(job: Job, sight: Sight) -> str:
    if not job.runs or not any(each.copies for each in job.sets):
        return "There is nothing to print in it."
    fitting = [p for p in sight.printers if sets_for(job, p.profile)]
    in_sight = [(p, p.summary) for p in fitting if p.summary]
    if not in_sight:
        wanted = sorted({p for each in job.sets for p in each.profiles if p != ANY})
        kind = f" with profile {' or '.join(wanted)}" if wanted else ""
        absent = ", ".join(p.name for p in fitting)
        return f"No printer{kind} is in sight." + (f" Switch on {absent}." if absent else "")
    return " ".join(_cannot(job, p, summary, sight) for p, summary in in_sight)


def _cannot(job: Job, printer: PrinterInSight, summary: PrinterSummary, sight: Sight) -> str:
    name = printer.name
    match summary.state:
        case "printing" | "starting" | "paused" | "cancelling" | "claiming" | "fetching":
            return f"Waits for {name}, which is busy."
        case "busy":
            return f"Waits for {name}, which prints something that is not of the queues."
        case "script":
            return f"Waits for {name}: {summary.text}"
        case "cooling":
            return f"Waits until the bed of {name} has cooled down."
        case "waiting_for_bed":
            return f"Waits until the bed of {name} is clear."
        case "waiting_for_material":
            return f"Waits for {name}, to which another job has come first. {summary.text}"
        case "stopped":
            return f"{name} takes no jobs; start managing it."
        case "offline":
            return f"{name} is not ready: {summary.text}"
        case _:
            return _turn(job, printer, summary, sight)


def _turn(job: Job, printer: PrinterInSight, summary: PrinterSummary, sight: Sight) -> str:
    """Why a printer that could begin does not begin with this job."""
    if summary.next_job == job.id:
        return f"Next for {printer.name}."
    because = printer.holds_back or (summary.text if summary.state == "holding_back" else "")
    if because:
        return f"{printer.name} asks for no job: {because}"
    if printer.peer in sight.overtaking and offer_of(job, printer.profile):
        return (
            f"{printer.name} first takes a job that needs fewer changes of material, but not more"
            f" than {OVERTAKEN_MAX} times in a row."
        )
    return f"Waits its turn on {printer.name}."
