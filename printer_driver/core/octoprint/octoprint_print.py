"""One print of this peer in OctoPrint: whether it has begun, is running, or is over, and how it
ended.

    ASKING → BEGUN → RUNNING → ENDING → OVER
                  ↘──────────↗    ↘ FENCING → OVER

Each print has its own copy of the file. So the path of OctoPrint's job says whose print it is, and
the history of the copy is the result of this print, also after a restart of either side. A print
without a result is given up only when its copy is deleted (FENCING): a start request that is still
on its way then finds no file, so the print cannot begin after it was given up.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from printer_driver.core.octoprint.end_cause import (
    CANCELLED,
    DISCONNECTED,
    RESET,
    EndCauseTracker,
    reported,
)
from printer_driver.core.octoprint.push_messages import (
    PrinterReset,
    PrintEvent,
    PushState,
)
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintFile,
    OctoPrintJob,
)
from printer_driver.printer import PrintReport, PrintState

OUTCOME_WAIT_S = 5.0
"""OctoPrint writes the result of a print in the background, after the print has ended."""
CAUSE_WAIT_S = 3.0
"""The history knows that a print has failed a moment before, or after, the events say why."""
LOST = (
    "OctoPrint does not say how this print ended: it was stopped, or lost the printer, in "
    "mid-print or before. Look at the bed."
)
DELETED = "The print's file was deleted in OctoPrint before its result was read. Look at the bed."
UNCLEAR = "It was cancelled in OctoPrint, or failed there, while nobody watched. Look at the bed."
TAKEN_OVER = (
    "It ended early while nobody watched, and somebody has chosen another file in OctoPrint since; "
    "so it counts as cancelled. Look at the bed."
)


class OctoPrintPhase(StrEnum):
    """The phases of a print in OctoPrint."""

    ASKING = "asking"  # in the journal; OctoPrint has not answered the request to begin
    BEGUN = "begun"  # asked for, not seen yet
    RUNNING = "running"
    ENDING = "ending"  # not at it any more; its result is awaited
    FENCING = "fencing"
    OVER = "over"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """OctoPrint was asked to begin; the result does not matter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSeen:
    """OctoPrint's present job."""

    job: OctoPrintJob


@dataclass(frozen=True, kw_only=True, slots=True)
class OutcomeSeen:
    """The print's own copy, None if it does not exist, and the last error of the printer."""

    file: OctoPrintFile | None
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyGone:
    """The print's own copy does not exist any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyInUse:
    """OctoPrint refuses to delete the copy, because it is using it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressPushed:
    """OctoPrint's job up to a second ago: used for progress only."""

    job: OctoPrintJob


@dataclass(frozen=True, kw_only=True, slots=True)
class EventPushed:
    """An event about a print, ours or another one, or about the printer."""

    event: PrintEvent | PrinterReset


@dataclass(frozen=True, kw_only=True, slots=True)
class TerminalLogSeen:
    """The end of the printer's terminal log, and whether a reset ended the last print there."""

    has_reset: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PushTurned:
    """Whether events can be expected has changed."""

    push: PushState


Event = (
    Asked
    | JobSeen
    | OutcomeSeen
    | CopyGone
    | CopyInUse
    | ProgressPushed
    | EventPushed
    | TerminalLogSeen
    | PushTurned
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadOutcome:
    """Ask for the print's own copy, and for the last error of the printer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeleteCopy:
    """Delete the print's own copy."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """Record the final report."""

    report: PrintReport


Effect = ReadOutcome | DeleteCopy | Over

_STATES = {
    JobPhase.STARTING: PrintState.STARTING,
    JobPhase.PAUSED: PrintState.PAUSED,
    JobPhase.CANCELLING: PrintState.CANCELLING,
}


def seen_in(report: PrintReport, job: OctoPrintJob) -> PrintReport:
    """The report of a print that is OctoPrint's present job."""
    bytes_total = report.bytes_total or job.size_bytes
    bytes_done = report.bytes_done if job.done_bytes is None else job.done_bytes
    elapsed_s = report.elapsed_s if job.print_time_s is None else job.print_time_s
    return replace(
        report,
        state=_STATES.get(job.phase, PrintState.PRINTING),
        bytes_done=min(bytes_done, bytes_total),
        bytes_total=bytes_total,
        elapsed_s=elapsed_s,
    )


class OctoPrintPrint:
    """Follows one print. It has no deadlines: nothing happens between events.

    `path` is the print's own copy. A print of an earlier process starts with `Asked`.
    """

    def __init__(self, report: PrintReport, path: str) -> None:
        self.report = report
        self.path = path
        self._phase = OctoPrintPhase.ASKING
        self._ended_s = 0.0
        self._last_job: OctoPrintJob | None = None
        self._is_checked = False
        self._is_complete = False
        self._is_cancelling = False
        self._evidence = EndCauseTracker(path)
        self._push = PushState.DOWN
        self._log: TerminalLogSeen | None = None
        self._failed_s: float | None = None
        self._effects: list[Effect] = []

    @property
    def phase(self) -> OctoPrintPhase:
        """The phase of the print."""
        return self._phase

    def effects(self) -> list[Effect]:
        """What must be done now, in order; each is handed out once."""
        effects, self._effects = self._effects, []
        return effects

    def _enter(self, phase: OctoPrintPhase) -> None:
        """The only place where the phase changes."""
        self._phase = phase

    def receive(self, event: Event, now_s: float) -> None:
        """Takes in what was seen; what is late or unasked for is ignored."""
        match event:
            case Asked() if self._phase is OctoPrintPhase.ASKING:
                self._enter(OctoPrintPhase.BEGUN)
            case JobSeen(job=job) if job.is_at(self.path):
                self._at_it(job)
            case JobSeen(job=job):
                self._not_at_it(job, now_s)
            case OutcomeSeen(file=file, error=error) if self._phase is OctoPrintPhase.RUNNING:
                self._is_checked = True
                if file and file.is_printed:  # a person prints the copy once more
                    self._conclude(file, error)
            case OutcomeSeen(file=file, error=error) if self._phase is OctoPrintPhase.ENDING:
                self._outcome(file, error, now_s)
            case CopyGone() if self._phase is OctoPrintPhase.FENCING:
                self._over(PrintState.FAILED, LOST)
            case CopyInUse() if self._phase is OctoPrintPhase.FENCING:
                self._ended_s = now_s
                self._enter(OctoPrintPhase.ENDING)
            case ProgressPushed(job=job) if self._phase is OctoPrintPhase.RUNNING and job.is_at(
                self.path
            ):
                self.report = replace(seen_in(self.report, job), state=self.report.state)
            case EventPushed(event=pushed):
                self._evidence.receive(pushed)
            case TerminalLogSeen() as log if (
                self._phase is OctoPrintPhase.ENDING
            ):  # else it is of another print
                self._log = log
            case PushTurned(push=push):
                self._push = push

    def _at_it(self, job: OctoPrintJob) -> None:
        if self._phase is OctoPrintPhase.OVER:
            return
        if (
            self._phase is not OctoPrintPhase.RUNNING
            or (job.print_time_s or 0.0) < self.report.elapsed_s
        ):
            self._is_checked = False
        self._last_job = job
        self._enter(OctoPrintPhase.RUNNING)
        self._failed_s = self._log = None
        self.report = seen_in(self.report, job)
        self._is_complete = job.phase is JobPhase.FINISHING and job.is_all_sent
        self._is_cancelling = job.phase is JobPhase.CANCELLING
        is_ending = job.phase in (JobPhase.FINISHING, JobPhase.CANCELLING)
        if not self._is_checked and not is_ending:
            self._effects.append(ReadOutcome())

    def _not_at_it(self, job: OctoPrintJob, now_s: float) -> None:
        if self._phase in (OctoPrintPhase.BEGUN, OctoPrintPhase.RUNNING):
            self._ended_s = now_s
            self._enter(OctoPrintPhase.ENDING)
            self._last_job = job
            is_selected = job.path == self.path and job.phase is JobPhase.IDLE
            self._is_complete |= is_selected and job.is_all_sent
            self._is_cancelling |= is_selected
        if self._phase in (
            OctoPrintPhase.ENDING,
            OctoPrintPhase.FENCING,
        ):  # FENCING: it got no answer
            self._enter(OctoPrintPhase.ENDING)
            self._effects.append(ReadOutcome())

    def _outcome(self, file: OctoPrintFile | None, error: str, now_s: float) -> None:
        if file and file.is_printed:
            if file.first_succeeded or not self._may_learn_why(now_s):
                self._conclude(file, error)
        elif file and now_s - self._ended_s < OUTCOME_WAIT_S:
            return
        elif self._is_complete or self._evidence.is_done:
            self._over(PrintState.DONE)
        elif verdict := self._evidence.verdict:
            self._over(*verdict)
        elif file is None:
            self._over(PrintState.FAILED, DELETED)
        else:
            self._enter(OctoPrintPhase.FENCING)
            self._effects.append(DeleteCopy())

    def _may_learn_why(self, now_s: float) -> bool:
        """Whether an event that explains this failure may still be pushed."""
        if self._failed_s is None:
            self._failed_s = now_s
        is_told = self._evidence.is_settled or self._log is not None
        return (
            not is_told
            and self._push is not PushState.DOWN
            and now_s - self._failed_s < CAUSE_WAIT_S
        )

    def _conclude(self, file: OctoPrintFile, error: str) -> None:
        if file.first_succeeded:
            self._over(PrintState.DONE, print_time_s=file.print_time_s)
        elif error and not self._evidence.is_settled:
            self._over(PrintState.FAILED, reported(error))
        elif verdict := self._evidence.verdict:
            self._over(*verdict)
        elif self._is_cancelling and self._log and self._log.has_reset and file.failures == 1:
            self._over(PrintState.FAILED, RESET)
        elif self._is_cancelling:
            self._over(PrintState.CANCELLED, CANCELLED)
        elif self._last_job and self._last_job.phase is JobPhase.OFFLINE:
            self._over(PrintState.FAILED, DISCONNECTED)
        elif self._phase is OctoPrintPhase.ENDING and self._last_job and self._last_job.path:
            self._over(PrintState.CANCELLED, TAKEN_OVER)
        else:
            self._over(PrintState.FAILED, UNCLEAR)

    def _over(
        self, state: PrintState, reason: str = "", *, print_time_s: float | None = None
    ) -> None:
        report = replace(self.report, state=state, reason=reason)
        if state is PrintState.DONE:
            elapsed_s = self.report.elapsed_s if print_time_s is None else print_time_s
            report = replace(report, bytes_done=report.bytes_total, elapsed_s=elapsed_s)
        self.report = report
        self._enter(OctoPrintPhase.OVER)
        self._effects.append(Over(report=report))
