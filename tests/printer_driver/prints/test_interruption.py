from dataclasses import replace
from pathlib import Path

import pytest

from printer_driver.background import Background, Task
from printer_driver.core.gcode.machine_state import MachineState
from printer_driver.core.streaming.recovery import (
    GAP_S_MAX,
    ReplayUpTo,
    ResumeBehind,
    StopSafely,
)
from printer_driver.core.streaming.sent_line import LineRecord
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.file_check import identity_of
from printer_driver.prints.interruption import (
    Interruption,
    find_left,
)
from printer_driver.prints.journal import Journal
from printer_driver.prints.line_journal import (
    JournalledLines,
    LineJournal,
)
from printer_driver.prints.running_print import (
    PrintFile,
    Reopened,
)

P1 = "p1"
REPORT = PrintReport(print_id=P1, state=PrintState.STARTING, bytes_total=100)
LINES = {7: LineRecord(number=7, lines=4, end_offset=40)}
WHAT = PrintFile(print_id=P1, path=Path("/x.gcode"), sha256="a" * 64, gcode_bytes=100)


def interruption(*, is_paused: bool = False, age_s: float = 1.0) -> Interruption:
    journalled = JournalledLines(lines=LINES, is_paused=is_paused, age_s=age_s)
    return Interruption(
        what=WHAT, report=REPORT, journalled=journalled, cause="It broke.", now_s=50.0
    )


def test_what_a_person_sees_meanwhile() -> None:
    broken = interruption()
    assert broken.report.state is PrintState.PRINTING
    assert interruption(is_paused=True).report.state is PrintState.PAUSED
    assert broken.explanation("No port.") == "It broke. No port."
    assert "asked" in broken.explanation("")
    ended = broken.ended("It broke. It was moved.")
    assert (ended.state, ended.reason) == (PrintState.FAILED, "It broke. It was moved.")


def test_lost_again_it_is_decided_again() -> None:
    broken = interruption()
    broken.decided_s = 60.0
    broken.ask_anew(JournalledLines(lines=LINES, age_s=0.0), 61.0)
    assert broken.decided_s == 0
    assert broken.recovery.next_deadline_s() == 61.0 + GAP_S_MAX


class Shelf(Background):
    """Does nothing, or a task at once."""

    def __init__(self, *, is_full: bool) -> None:
        super().__init__()
        self.is_full = is_full
        self.failed: list[Exception] = []

    def run(self, task: Task) -> bool:
        if not self.is_full:
            try:
                task()
            except Exception as error:  # noqa: BLE001 - as the thread does
                self.failed.append(error)
        return not self.is_full


@pytest.mark.parametrize("is_full", [False, True])
def test_a_file_that_cannot_be_looked_through_ends_it(
    monkeypatch: pytest.MonkeyPatch, *, is_full: bool
) -> None:
    def fail(*_: object) -> Reopened:
        raise ValueError("a defect")

    monkeypatch.setattr("printer_driver.prints.interruption.reopen", fail)
    broken = interruption()
    shelf = Shelf(is_full=is_full)
    broken.reopen(ReplayUpTo(end_offset=40, sent_offset=40), shelf, lambda action: action())
    assert isinstance(broken.recovery.verdict, StopSafely)
    assert len(shelf.failed) == (0 if is_full else 1)


def test_a_file_that_comes_after_the_verdict_is_let_go(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Asked for twice, since the port was lost in between; the first is being printed."""
    (tmp_path / "a.gcode").write_text("G90\n")
    files = [(tmp_path / "a.gcode").open("rb") for _ in range(2)]
    identity = identity_of(files[0], WHAT.sha256)
    opened = [
        Reopened(file=file, identity=identity, end_offset=40, state=MachineState())
        for file in files
    ]
    arriving = iter(opened)
    monkeypatch.setattr("printer_driver.prints.interruption.reopen", lambda *_: next(arriving))
    broken = interruption()
    shelf, wanted = Shelf(is_full=False), ReplayUpTo(end_offset=40, sent_offset=40)
    broken.reopen(wanted, shelf, lambda action: action())
    broken.recovery.verdict = ResumeBehind(record=LINES[7], state=opened[0].state)
    broken.reopen(wanted, shelf, lambda action: action())
    assert [x.file.closed for x in opened] == [False, True]
    broken.end()


@pytest.fixture
def journals(tmp_path: Path) -> tuple[Journal, LineJournal]:
    journal, lines = Journal(tmp_path / "journal"), LineJournal(tmp_path / "lines")
    journal.load()
    journal.begin(REPORT, path="/x.gcode", sha256="a" * 64, started_unix_s=1.0)
    lines.begin(P1)
    return journal, lines


def test_a_print_that_an_earlier_process_left(journals: tuple[Journal, LineJournal]) -> None:
    journal, lines = journals
    assert find_left(journal, lines, REPORT, 10.0) is None
    lines.write(list(LINES.values()))
    found = find_left(journal, lines, REPORT, 10.0)
    assert found
    assert found.what == WHAT
    assert (found.report.lines_done, found.report.bytes_done) == (4, 40)
    assert found.report.state is PrintState.PRINTING


def test_a_print_that_was_cancelled_does_not_go_on(journals: tuple[Journal, LineJournal]) -> None:
    journal, lines = journals
    lines.write(list(LINES.values()))
    lines.note_cancelled(P1)
    assert find_left(journal, lines, REPORT, 10.0) is None


def test_too_long_ago_or_another_print(
    journals: tuple[Journal, LineJournal], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, lines = journals
    lines.write(list(LINES.values()))
    assert find_left(journal, lines, replace(REPORT, print_id="p2"), 10.0) is None
    journalled = lines.recall(P1)
    assert journalled
    old = replace(journalled, age_s=GAP_S_MAX + 1)
    monkeypatch.setattr(lines, "recall", lambda _: old)
    assert find_left(journal, lines, REPORT, 10.0) is None
