from pathlib import Path

from printer_driver.core.streaming.sent_line import LineRecord
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.line_journal import LineJournal
from printer_driver.prints.pause_notes import (
    PAUSE_NOTED_EVERY_S,
    PauseNotes,
)

P = "p"


def test_wishes_and_the_printers_own_pauses(tmp_path: Path) -> None:
    journal = LineJournal(tmp_path / "lines")
    journal.begin(P)
    journal.write([LineRecord(number=1, lines=1, end_offset=5)])
    notes = PauseNotes(journal)
    notes.begin()

    def noted(state: PrintState, now_s: float) -> bool:
        notes.note(PrintReport(print_id=P, state=state), now_s)
        journalled = journal.recall(P)
        assert journalled
        return journalled.is_paused

    assert not noted(PrintState.PRINTING, 0.0)
    notes.wish(is_paused=True)
    assert noted(PrintState.PRINTING, 1.0)  # not there yet, but wanted
    assert noted(PrintState.PAUSED, 2.0)
    assert not noted(PrintState.PRINTING, 3.0)
    assert noted(PrintState.PAUSED, 4.0)  # from the printer's panel
    notes.wish(is_paused=False)
    notes.begin()
    assert not noted(PrintState.PRINTING, 5.0)
    assert not notes.is_due(5.0)
    assert notes.is_due(5.0 + PAUSE_NOTED_EVERY_S)


def test_a_cancel_from_the_printers_panel(tmp_path: Path) -> None:
    journal = LineJournal(tmp_path / "lines")
    journal.begin(P)
    journal.write([LineRecord(number=1, lines=1, end_offset=5)])
    PauseNotes(journal).note(PrintReport(print_id=P, state=PrintState.CANCELLING), 0.0)
    journalled = journal.recall(P)
    assert journalled
    assert journalled.is_cancelled
