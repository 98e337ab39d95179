"""Why a job is, or is not, being printed now, as a sentence for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from crdtqueue.core.ids import Claim, PeerId, Profile
from crdtqueue.core.messages import PrinterNews
from crdtqueue.core.model import Job
from crdtqueue.core.profile import ANY
from crdtqueue.core.progress import on_hold, progress, sets_for


class JobState(StrEnum):
    """How a job stands, in one word."""

    WAITING = "waiting"
    PRINTING = "printing"
    PAUSED = "paused"
    HELD = "held"
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class Printer:
    """A printer as its peer describes it; `news` is None while it is out of sight."""

    peer: PeerId
    name: str
    profile: Profile
    news: PrinterNews | None


def explain(
    job: Job, claim: Claim | None, silent_s: float, printers: Sequence[Printer]
) -> tuple[JobState, str]:
    """How the job stands and why. `claim` is the one that owns the job, if there is one."""
    if claim:
        owner = next((p for p in printers if p.peer == claim.peer), None)
        return _owned(job, owner, silent_s)
    if progress(job).complete:
        return JobState.DONE, "Printed."
    held = on_hold(job)
    if held:
        return (JobState.PAUSED if job.paused else JobState.HELD), held
    return JobState.WAITING, _waits(job, printers)


def _owned(job: Job, owner: Printer | None, silent_s: float) -> tuple[JobState, str]:
    if owner is None:
        return JobState.PRINTING, "A printer that is no longer known has it."
    news = owner.news
    if news is None:
        minutes = f"{silent_s / 60:.0f} min ago" if silent_s >= 60 else f"{silent_s:.0f} s ago"
        return JobState.PRINTING, f"{owner.name} has it, and was last heard of {minutes}."
    if news.job != job.id:
        return JobState.WAITING, f"{owner.name} has it. {news.text}"
    if news.state == "paused":
        return JobState.PAUSED, f"Paused on {owner.name}."
    if news.state in {"printing", "starting", "cancelling"}:
        return JobState.PRINTING, f"{news.state.capitalize()} on {owner.name}."
    return JobState.WAITING, f"{owner.name} has it. {news.text}"


def _waits(job: Job, printers: Sequence[Printer]) -> str:
    if not job.runs or not any(each.copies for each in job.sets):
        return "There is nothing to print in it."
    fitting = [p for p in printers if sets_for(job, p.profile)]
    in_sight = [(p, p.news) for p in fitting if p.news]
    if not in_sight:
        wanted = sorted({p for each in job.sets for p in each.profiles if p != ANY})
        kind = f" with profile {' or '.join(wanted)}" if wanted else ""
        absent = ", ".join(p.name for p in fitting)
        return f"No printer{kind} is in sight." + (f" Switch on {absent}." if absent else "")
    return " ".join(_cannot(p, news) for p, news in in_sight)


def _cannot(printer: Printer, news: PrinterNews) -> str:
    match news.state:
        case "printing" | "starting" | "paused" | "cancelling" | "claiming" | "fetching":
            return f"Waits for {printer.name}, which is busy."
        case "waiting_for_bed":
            return f"Waits until the bed of {printer.name} is clear."
        case "stopped":
            return f"{printer.name} takes no jobs; start managing it."
        case "offline":
            return f"{printer.name} is not ready: {news.text}"
        case _:
            return f"Next for {printer.name}."
