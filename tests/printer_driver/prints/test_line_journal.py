import os
from pathlib import Path

import pytest

from printer_driver.core.streaming.sent_line import (
    Certainty,
    LineRecord,
)
from printer_driver.prints import line_journal as module
from printer_driver.prints.line_journal import (
    RECENT,
    RECORDS,
    LineJournal,
)

P1 = "p1"


def record(number: int, lines: int | None = None) -> LineRecord:
    lines = number if lines is None else lines
    return LineRecord(number=number, lines=lines, end_offset=10 * lines)


def begun(path: Path) -> LineJournal:
    journal = LineJournal(path)
    journal.begin(P1)
    return journal


def test_another_process_finds_the_newest_lines(tmp_path: Path) -> None:
    journal = begun(tmp_path / "lines")
    journal.write([record(number) for number in range(RECORDS - 3, RECORDS + 500)])
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert len(journalled.lines) == RECENT
    assert journalled.lines[RECORDS + 499] == record(RECORDS + 499)
    assert not journalled.is_paused
    assert 0 <= journalled.age_s < 5


def test_numbers_given_anew_mean_the_newer_place(tmp_path: Path) -> None:
    journal = begun(tmp_path / "lines")
    journal.write([record(number) for number in range(600)])
    journal.write([record(number, 600 + number) for number in range(10)])
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert journalled.lines[3].lines == 603
    assert 300 not in journalled.lines


def test_it_goes_on_in_the_next_process(tmp_path: Path) -> None:
    begun(tmp_path / "lines").write([record(number) for number in range(400)])
    second = LineJournal(tmp_path / "lines")
    assert second.recall(P1)
    second.go_on(P1)
    second.note_paused(P1, is_paused=True)
    second.write([record(0, 399), record(1, 399)])
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert (journalled.lines[1].lines, journalled.lines[399].lines) == (399, 399)
    assert journalled.is_paused
    assert journalled.elapsed_s >= 0


def test_a_cancel_outlives_the_process_and_what_is_noted_later(tmp_path: Path) -> None:
    journal = begun(tmp_path / "lines")
    journal.write([record(1)])
    journal.note_cancelled(P1)
    journal.note_paused(P1, is_paused=False)
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert journalled.is_cancelled
    journal.begin(P1)
    journal.write([record(1)])
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert not journalled.is_cancelled


def test_a_print_of_an_earlier_process_may_be_cancelled(tmp_path: Path) -> None:
    begun(tmp_path / "lines").write([record(1)])
    second = LineJournal(tmp_path / "lines")
    assert second.recall(P1)
    second.note_cancelled(P1)
    second.close()
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert journalled.is_cancelled
    assert set(journalled.lines) == {1}


def test_a_print_of_an_earlier_process_may_be_paused(tmp_path: Path) -> None:
    begun(tmp_path / "lines").write([record(1)])
    second = LineJournal(tmp_path / "lines")
    assert second.recall(P1)
    for is_paused in (True, False, True):
        second.note_paused(P1, is_paused=is_paused)
        journalled = LineJournal(tmp_path / "lines").recall(P1)
        assert journalled
        assert journalled.is_paused is is_paused
    second.go_on(P1, is_paused=True)
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert (journalled.is_paused, set(journalled.lines)) == (True, {1})


def test_unsure_stays_unsure(tmp_path: Path) -> None:
    unsure = LineRecord(number=7, lines=1, end_offset=2, certainty=Certainty.UNSURE)
    begun(tmp_path / "lines").write([unsure])
    journalled = LineJournal(tmp_path / "lines").recall(P1)
    assert journalled
    assert journalled.lines == {7: unsure}


def test_another_print_another_boot_and_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begun(tmp_path / "lines")
    assert LineJournal(tmp_path / "lines").recall(P1) is None
    journal.write([record(1)])
    assert LineJournal(tmp_path / "lines").recall("p2") is None
    assert LineJournal(tmp_path / "none").recall(P1) is None
    boot_id = tmp_path / "boot_id"
    boot_id.write_text("00000000-0000-0000-0000-000000000001\n")
    monkeypatch.setattr(module, "_BOOT_ID", boot_id)
    assert LineJournal(tmp_path / "lines").recall(P1) is None


@pytest.mark.parametrize("spoilt", [b"", b"x" * 100, os.urandom(40_000)])
def test_a_spoilt_file_is_no_trail(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "lines").write_bytes(spoilt)
    assert LineJournal(tmp_path / "lines").recall(P1) is None


def test_a_torn_record_is_missing_and_the_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    begun(path).write([record(number) for number in range(10)])
    data = bytearray(path.read_bytes())
    data[512 + 5 * 56 + 16] ^= 1
    path.write_bytes(data)
    journalled = LineJournal(path).recall(P1)
    assert journalled
    assert set(journalled.lines) == set(range(10)) - {5}


def test_without_a_print_nothing_is_written(tmp_path: Path) -> None:
    journal = LineJournal(tmp_path / "lines")
    journal.write([record(1)])
    journal.note_paused(P1, is_paused=True)
    journal.note_cancelled(P1)
    assert not (tmp_path / "lines").exists()


def test_a_full_disk_is_told_at_the_beginning(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"No space|Invalid argument|not supported|No such device"):
        LineJournal(Path("/dev/full")).begin(P1)
