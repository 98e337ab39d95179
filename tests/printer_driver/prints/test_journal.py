from dataclasses import replace
from pathlib import Path

import pytest

from printer_driver.errors import PrintRefused
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.journal import (
    PRINTS_MAX,
    STOPPED,
    Journal,
)


def begin(journal: Journal, name: str) -> PrintReport:
    report = PrintReport(print_id=name, state=PrintState.STARTING, bytes_total=10)
    journal.begin(report, path="/x.gcode", sha256="a" * 64, started_unix_s=1.0)
    return report


def loaded(path: Path) -> Journal:
    journal = Journal(path)
    journal.load()
    return journal


def test_a_finished_print_is_remembered(tmp_path: Path) -> None:
    journal = loaded(tmp_path / "deep" / "journal")
    done = replace(begin(journal, "a"), state=PrintState.DONE, lines_done=7)
    journal.end(done)
    assert not journal.is_flushed
    journal.flush()
    assert loaded(tmp_path / "deep" / "journal").report("a") == done


def test_an_unfinished_print_has_failed(tmp_path: Path) -> None:
    begin(loaded(tmp_path / "journal"), "a")
    journal = Journal(tmp_path / "journal")
    (stopped,) = journal.load()
    assert (stopped.state, stopped.reason) == (PrintState.FAILED, STOPPED)
    assert Journal(tmp_path / "journal").load() == []


def test_heaters_that_may_be_on_outlive_the_process(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = loaded(path)
    failed = replace(begin(journal, "a"), state=PrintState.FAILED)
    journal.owe_cooling(is_owed=True)
    journal.end(failed)
    journal.flush()
    again = loaded(path)  # which writes the file anew
    assert (again.owes_cooling, again.report("a")) == (True, failed)
    assert loaded(path).owes_cooling
    again.owe_cooling(is_owed=True)
    assert again.is_flushed
    again.owe_cooling(is_owed=False)
    again.flush()
    assert not loaded(path).owes_cooling


def test_a_print_is_never_over_on_disk_before_its_heat_is(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = loaded(path)
    failed = replace(begin(journal, "a"), state=PrintState.FAILED)
    journal.owe_cooling(is_owed=True)
    journal.end(failed)
    journal.flush()
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(len(lines) + 1):
        (tmp_path / "torn").write_bytes(b"".join(lines[:count]))
        torn = Journal(tmp_path / "torn")
        is_open = bool(torn.load_open())
        assert is_open or torn.owes_cooling or torn.last is None


@pytest.mark.parametrize("tail", [b'{"print_id":"b","sta', b"\xff\n[]\n7\n{}\n", b"\0" * 100])
def test_torn_and_strange_lines_are_skipped(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "journal"
    journal = loaded(path)
    begin(journal, "a")
    with path.open("ab") as file:
        file.write(tail)
    begin(journal, "c")
    again = loaded(path)
    assert again.report("a")
    assert again.report("c")


def test_it_keeps_the_last_prints_only(tmp_path: Path) -> None:
    journal = loaded(tmp_path / "journal")
    for number in range(PRINTS_MAX + 5):
        journal.end(replace(begin(journal, str(number)), state=PrintState.DONE))
        journal.flush()
    again = loaded(tmp_path / "journal")
    assert again.report("4") is None
    assert again.report("5")
    assert (tmp_path / "journal").read_bytes().count(b"\n") == PRINTS_MAX


def test_a_full_disk_refuses_the_print(tmp_path: Path) -> None:
    journal = Journal(Path("/dev/full"))
    with pytest.raises(PrintRefused, match="make room"):
        begin(journal, "a")
    assert journal.report("a") is None


def test_an_unfinished_print_of_a_printer_that_goes_on(tmp_path: Path) -> None:
    begun = begin(loaded(tmp_path / "journal"), "a")
    for _ in range(2):
        journal = Journal(tmp_path / "journal")
        assert journal.load_open() == [begun]
        assert journal.reports() == [begun]


def test_a_withdrawn_print_may_begin_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = loaded(path)
    begin(journal, "a")
    journal.withdraw("a")
    assert journal.report("a") is None
    journal.flush()
    assert Journal(path).load_open() == []
    begun = begin(journal, "a")
    assert Journal(path).load_open() == [begun]


@pytest.mark.parametrize("line", [b'{"withdrawn":["a"]}', b'{"withdrawn":7}', b'["withdrawn"]'])
def test_strange_withdrawals_are_skipped(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal"
    begun = begin(loaded(path), "a")
    with path.open("ab") as file:
        file.write(line + b"\n")
    assert Journal(path).load_open() == [begun]


def test_the_last_print_and_its_bed(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = loaded(path)
    assert journal.last is None
    done = replace(begin(journal, "a"), state=PrintState.DONE)
    journal.end(done)
    journal.end(replace(done, bed_cleared=True))
    journal.flush()
    assert loaded(path).last == replace(done, bed_cleared=True)


def test_the_print_that_began_last_is_the_last(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = loaded(path)
    first = begin(journal, "a")
    second = begin(journal, "b")
    journal.end(replace(first, state=PrintState.DONE))
    assert journal.last == second
    journal.withdraw("b")
    journal.flush()
    for each in (journal, loaded(path)):
        assert each.last == replace(first, state=PrintState.DONE)
