"""A print that has lost its printer or its process, until it goes on or ends."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from printer_driver.background import Background
from printer_driver.core.streaming.recovery import (
    GAP_S_MAX,
    FileUnusable,
    Recovery,
    Replayed,
    ReplayUpTo,
    ResumeBehind,
)
from printer_driver.errors import PrinterError
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.journal import Journal
from printer_driver.prints.line_journal import (
    JournalledLines,
    LineJournal,
)
from printer_driver.prints.read_ahead import close_aside
from printer_driver.prints.running_print import (
    PrintFile,
    Reopened,
    reopen,
)

RESUMABLE = (PrintState.STARTING, PrintState.PRINTING, PrintState.PAUSED)
START_S_MAX = 30.0
"""From the decision to go on until the printer is ready for it."""


class Interruption:
    """The interrupted print. `cause` is a sentence for people: what happened."""

    def __init__(
        self,
        *,
        what: PrintFile,
        report: PrintReport,
        journalled: JournalledLines,
        cause: str,
        now_s: float,
    ) -> None:
        self.what = what
        self.cause = cause
        self.lost_s = now_s - journalled.age_s
        self.recovery = self._recovery(journalled)
        self.reopened: Reopened | None = None
        self.final_state = PrintState.FAILED
        self._is_over = False
        self.decided_s = 0.0
        """When it was decided to go on; 0 before."""
        self._report = report
        self.is_paused = journalled.is_paused or report.state is PrintState.PAUSED

    def pause(self, *, is_paused: bool) -> None:
        """A person pauses or resumes the print, which takes effect once it goes on."""
        self.is_paused = is_paused

    def cancel(self) -> None:
        """A person cancels the print: it ends as cancelled instead of failed."""
        self.final_state = PrintState.CANCELLED

    def decide(self, now_s: float) -> None:
        """The print is to go on."""
        self.decided_s = now_s

    def hand_over_file(self) -> Reopened | None:
        """The reopened file, for its reader; this object does not close it any more."""
        reopened, self.reopened = self.reopened, None
        return reopened

    @property
    def report(self) -> PrintReport:
        """The print as it was, still running."""
        state = PrintState.PAUSED if self.is_paused else PrintState.PRINTING
        return replace(self._report, state=state)

    def ended(self, reason: str) -> PrintReport:
        """The report of the print as given up."""
        return replace(self._report, state=self.final_state, reason=reason)

    def explanation(self, port_problem: str) -> str:
        """What is happening, as a sentence for people."""
        if isinstance(self.recovery.verdict, ResumeBehind):
            return f"{self.cause} The printer has kept its place; the print goes on."
        if port_problem:
            return f"{self.cause} {port_problem}"
        return f"{self.cause} The printer is being asked whether it has kept its place."

    def ask_anew(self, journalled: JournalledLines, now_s: float) -> None:
        """The printer was lost again before the print went on."""
        self.close()
        self.lost_s = now_s - journalled.age_s
        self.recovery = self._recovery(journalled)
        self.decided_s = 0.0

    def _recovery(self, journalled: JournalledLines) -> Recovery:
        return Recovery(
            lines=journalled.lines, lost_s=self.lost_s, file_bytes=self.what.gcode_bytes
        )

    def reopen(
        self,
        wanted: ReplayUpTo,
        background: Background,
        call_soon: Callable[[Callable[[], None]], None],
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        """Opens the file again for the recovery, in the background: all of it is read.

        `ignored`: see `StreamSettings`.
        """
        recovery = self.recovery

        def work() -> None:
            try:
                reopened = reopen(self.what, wanted.end_offset, wanted.sent_offset, ignored)
            except PrinterError as error:
                refuse(str(error))
            except Exception:  # a hot nozzle waits for the answer, whatever it is
                refuse("The file cannot be looked through; see the log.")
                raise
            else:
                call_soon(lambda: self._take_file(recovery, reopened))

        def refuse(reason: str) -> None:
            answer = FileUnusable(reason=reason)
            call_soon(lambda: recovery.receive(answer, time.monotonic()))

        if not background.run(work):
            refuse("The disk is too slow to look through the file.")

    def _take_file(self, recovery: Recovery, reopened: Reopened) -> None:
        if self.recovery is not recovery or self._is_over or recovery.verdict:
            close_aside(reopened.file)
            return
        self.close()
        self.reopened = reopened
        event = Replayed(end_offset=reopened.end_offset, state=reopened.state)
        recovery.receive(event, time.monotonic())

    def end(self) -> None:
        """The print is given up."""
        self._is_over = True
        self.close()

    def close(self) -> None:
        """Closes the file."""
        if self.reopened:
            close_aside(self.reopened.file)
            self.reopened = None


def find_left(
    journal: Journal, line_journal: LineJournal, report: PrintReport, now_s: float
) -> Interruption | None:
    """A print that an earlier process has left; None if it was cancelled or its place is lost."""
    journalled = line_journal.recall(report.print_id)
    if journalled is None or journalled.is_cancelled or journalled.age_s > GAP_S_MAX:
        return None
    entry = journal.entry(report.print_id)
    what = PrintFile(
        print_id=report.print_id,
        path=Path(entry.path),
        sha256=entry.sha256,
        gcode_bytes=report.bytes_total,
        notice=report.notice,
    )
    reached = max(journalled.lines.values(), key=lambda record: record.lines)
    report = replace(
        report,
        lines_done=reached.lines,
        bytes_done=reached.end_offset,
        elapsed_s=round(journalled.elapsed_s, 3),
    )
    cause = "The printer process stopped in mid-print."
    return Interruption(what=what, report=report, journalled=journalled, cause=cause, now_s=now_s)
