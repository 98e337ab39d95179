"""Why a print in OctoPrint ended, by the events that were pushed about its own copy of the file.

OctoPrint's history only says whether a print succeeded. When a printer resets itself, history and
job state look as if a person had cancelled. Only the events tell the two apart:

    a person cancels        PrintCancelling with a user, PrintCancelled, PrintFailed
    the printer resets      PrintCancelling, PrintCancelled, PrinterReset, PrintFailed
    the file or the
    printer's panel cancels PrintCancelling, PrintCancelled, PrintFailed
    the printer is lost     PrintFailed with the reason "error"

PrinterReset names no file, and may come after PrintFailed, which another thread sends.
"""

from enum import StrEnum

from printer_driver.core.octoprint.push_messages import (
    EventKind,
    PrinterReset,
    PrintEvent,
)
from printer_driver.printer import PrintState

CANCELLED = "It was cancelled in OctoPrint."
CANCELLED_BY_NOBODY = (
    "It was cancelled, though nobody asked OctoPrint to: by the printer's own panel, the file, or "
    "because OctoPrint could not read the file. Look at the printer and at OctoPrint's log."
)
RESET = "The printer reset itself in mid-print. Check its power supply, and look at the bed."
DISCONNECTED = "OctoPrint lost the printer, or was told to disconnect it, in mid-print."


def reported(error: str) -> str:
    """The sentence for the reason that the printer itself has given."""
    return f"The printer reported to OctoPrint: {error}"


class Cause(StrEnum):
    """What the events have said so far."""

    NONE = "none"
    DONE = "done"
    USER = "user"
    NOBODY = "nobody"  # cancelled, and nobody is known to have asked for it: perhaps a reset
    RESET = "reset"
    ERROR = "error"


class TrackingStage(StrEnum):
    """Which events are still about our print."""

    OPEN = "open"
    CLOSED = "closed"  # it is over; only why may still be told
    GONE = "gone"  # OctoPrint is at another print, be it of the same file


class EndCauseTracker:
    """The first end of the print at `path`. A later print of the same copy by a person does not
    count."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stage = TrackingStage.OPEN
        self._cause = Cause.NONE
        self._error = ""

    def _enter(self, stage: TrackingStage) -> None:
        """The only place where the stage changes."""
        self._stage = stage

    def receive(self, event: PrintEvent | PrinterReset) -> None:
        """Takes in an event. An event of another print says at most that ours is past."""
        if self._stage is TrackingStage.GONE:
            return
        if isinstance(event, PrinterReset):
            if self._cause is Cause.NOBODY:
                self._cause = Cause.RESET
        elif event.path != self._path or self._is_again(event):
            if self._cause is not Cause.NONE:
                self._enter(TrackingStage.GONE)
        elif self._stage is TrackingStage.OPEN:
            self._learn(event)

    def _is_again(self, event: PrintEvent) -> bool:
        return self._stage is TrackingStage.CLOSED and event.kind is EventKind.STARTED

    def _learn(self, event: PrintEvent) -> None:
        match event.kind:
            case EventKind.DONE:
                self._cause = Cause.DONE
            case EventKind.CANCELLING | EventKind.CANCELLED | EventKind.FAILED:
                self._blame(event)
        if event.kind in (EventKind.DONE, EventKind.FAILED):
            self._enter(TrackingStage.CLOSED)

    def _blame(self, event: PrintEvent) -> None:
        if self._cause is not Cause.NONE:
            return
        if event.is_error:
            self._cause, self._error = Cause.ERROR, event.error
        else:
            self._cause = Cause.USER if event.has_user else Cause.NOBODY

    @property
    def is_done(self) -> bool:
        """Whether OctoPrint has said that the print is done."""
        return self._cause is Cause.DONE

    @property
    def is_settled(self) -> bool:
        """Whether no later event can change the verdict."""
        return self._cause not in (Cause.NONE, Cause.NOBODY)

    @property
    def verdict(self) -> tuple[PrintState, str] | None:
        """How an unsuccessful print has ended, and the reason; None if no event has said."""
        match self._cause:
            case Cause.USER:
                return PrintState.CANCELLED, CANCELLED
            case Cause.NOBODY:
                return PrintState.CANCELLED, CANCELLED_BY_NOBODY
            case Cause.RESET:
                return PrintState.FAILED, RESET
            case Cause.ERROR:
                return PrintState.FAILED, reported(self._error) if self._error else DISCONNECTED
        return None
