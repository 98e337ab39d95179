"""Records whether a print is paused or cancelled, so that it is the same after an interruption."""

from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.line_journal import LineJournal

PAUSE_NOTED_EVERY_S = 0.5


class PauseNotes:
    """A person's request counts at once; a pause at the printer's own panel when it is seen."""

    def __init__(self, line_journal: LineJournal) -> None:
        self._line_journal = line_journal
        self._is_paused = False
        self._seen = PrintState.STARTING
        self._due_s = 0.0

    def begin(self) -> None:
        """A print starts or goes on."""
        self._is_paused, self._seen = False, PrintState.STARTING

    def wish(self, *, is_paused: bool) -> None:
        """A person pauses or resumes."""
        self._is_paused, self._due_s = is_paused, 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether `note` has something to do while a print runs."""
        return now_s >= self._due_s

    def note(self, report: PrintReport, now_s: float) -> None:
        """Records the state of the running print."""
        self._due_s = now_s + PAUSE_NOTED_EVERY_S
        if report.state is PrintState.PAUSED:
            self._is_paused = True
        elif self._seen is PrintState.PAUSED:
            self._is_paused = False
        self._seen = report.state
        if report.state is PrintState.CANCELLING:  # perhaps from the printer's panel
            self._line_journal.note_cancelled(report.print_id)
            return
        self._line_journal.note_paused(report.print_id, is_paused=self._is_paused)
