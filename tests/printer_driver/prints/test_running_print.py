import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import BinaryIO

import pytest

from printer_driver.core.gcode.gcode_lines import (
    NOT_YET,
    FileCommand,
)
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    Certainty,
    FilePlace,
    LineRecord,
    SentLine,
)
from printer_driver.core.streaming.stream_settings import ignored_lines
from printer_driver.errors import GcodeError, PrinterError
from printer_driver.printer import PrintReport, PrintState
from printer_driver.prints.file_check import (
    BLOCK_BYTES,
    FileIdentity,
    check_file,
    identity_of,
    open_gcode,
)
from printer_driver.prints.read_ahead import ReadAhead
from printer_driver.prints.running_print import (
    PrintFile,
    Reopened,
    RunningPrint,
    reopen,
)
from tests.harness.patience import HANG_S
from tests.printer_driver.prints.test_read_ahead import Disk

GCODE = b"G90 ; absolute\nM83\nM104 S200\nG1 X10 Y20\n\nG1 X30 E1\n; the end\n"
P1 = "p1"
PLACE = GCODE.index(b"\nG1 X30") + 1


class Ahead(ReadAhead):
    """The test waits for its thread, as the loop does."""

    def __init__(self, file: BinaryIO, identity: FileIdentity | None = None) -> None:
        self.has_more = Event()
        super().__init__(file, identity or identity_of(file, ""), self.has_more.set)


def ahead_of(reopened: Reopened) -> Ahead:
    return Ahead(reopened.file, reopened.identity)


def commands_of(printing: RunningPrint) -> Iterator[FileCommand]:
    """What the printer gets, one after the other."""
    file = printing._file
    assert isinstance(file, Ahead)
    for command in printing.commands():
        if command is not NOT_YET:
            yield command
        else:
            assert file.has_more.wait(HANG_S)
            file.has_more.clear()


@pytest.fixture
def what(tmp_path: Path) -> PrintFile:
    path = tmp_path / "a.gcode"
    path.write_bytes(GCODE)
    return PrintFile(
        print_id=P1,
        path=path,
        sha256=hashlib.sha256(GCODE).hexdigest(),
        gcode_bytes=GCODE.index(b"; the end"),
    )


def test_from_the_start(what: PrintFile) -> None:
    printing = RunningPrint(what=what, file=Ahead(what.path.open("rb")))
    commands = list(commands_of(printing))
    assert [x.text for x in commands] == ["G90", "M83", "M104 S200", "G1 X10 Y20", "G1 X30 E1"]
    report = PrintReport(print_id=P1, state=PrintState.STARTING)
    assert printing.completed(report) == report
    slow = replace(what, notice="Slow.")
    noted = RunningPrint(what=slow, file=printing._file)
    assert noted.completed(report).notice == "Slow."


def test_from_a_place_on_with_its_modes(what: PrintFile) -> None:
    reopened = reopen(what, PLACE)
    assert reopened.state.targets_c == {"T0": 200.0}
    base = LineRecord(number=9, lines=4, end_offset=PLACE)
    printing = RunningPrint(
        what=what,
        file=ahead_of(reopened),
        base=base,
        preamble=reopened.state.preamble(),
        elapsed_s=60.0,
    )
    commands = list(commands_of(printing))
    assert [x.text for x in commands] == ["G90", "M83", "G1 X30 E1"]
    assert [x.end_offset for x in commands] == [PLACE, PLACE, what.gcode_bytes]
    raw = PrintReport(print_id=P1, state=PrintState.STARTING, lines_done=1, elapsed_s=2.0)
    whole = printing.completed(raw)
    assert (whole.state, whole.lines_done, whole.bytes_done, whole.elapsed_s) == (
        PrintState.PRINTING,
        4,
        PLACE,
        62.0,
    )
    done = PrintReport(
        print_id=P1, state=PrintState.DONE, lines_done=3, bytes_done=what.gcode_bytes
    )
    assert printing.completed(done).lines_done == 5
    other = PrintReport(print_id="p2", state=PrintState.DONE)
    assert printing.completed(other) == other
    printing.close()


def test_a_file_that_changed_or_went(what: PrintFile) -> None:
    what.path.write_bytes(GCODE.replace(b"S200", b"S210"))
    with pytest.raises(PrinterError, match="changed"):
        reopen(what, PLACE)
    what.path.unlink()
    with pytest.raises(PrinterError, match="cannot be read"):
        reopen(what, PLACE)


LONG = b"".join(b"G1 X%d Y1 ; ours\n" % (n % 200) for n in range(60_000))
"""Longer than what is read ahead."""


@pytest.mark.parametrize(
    "other",
    [LONG.replace(b"Y1", b"Y9"), LONG.replace(b"Y1", b"Y9") * 2, LONG[:-100], b""],
    ids=["as long", "longer", "shorter", "empty"],
)
@pytest.mark.parametrize("place", [0, 100, 15_000])
def test_nothing_of_another_file_in_its_place_is_printed(
    tmp_path: Path, other: bytes, place: int
) -> None:
    path = tmp_path / "a.gcode"
    path.write_bytes(LONG)
    os.utime(path, ns=(1, 1))
    sha256 = hashlib.sha256(LONG).hexdigest()
    file = open_gcode(path)
    checked = check_file(file, sha256)
    what = PrintFile(print_id=P1, path=path, sha256=sha256, gcode_bytes=checked.gcode_bytes)
    commands = commands_of(RunningPrint(what=what, file=Ahead(file, checked.identity)))
    found = [next(commands).text for _ in range(place)]
    path.write_bytes(other)
    with pytest.raises(GcodeError, match="changed in mid-print; "):
        found.extend(command.text for command in commands)
    assert not any("Y9" in text for text in found)


def test_what_follows_the_last_command_is_not_waited_for(tmp_path: Path) -> None:
    """A card that dies in the slicer's settings has given the whole part."""
    gcode = b"G1 X1\nG1 X2\n"
    path = tmp_path / "a.gcode"
    path.write_bytes(gcode + b"; settings\n" * BLOCK_BYTES)
    disk = Disk(path, hangs_at=BLOCK_BYTES)
    what = PrintFile(print_id=P1, path=path, sha256="", gcode_bytes=len(gcode))
    printing = RunningPrint(what=what, file=Ahead(disk.file))
    assert [x.text for x in commands_of(printing)] == ["G1 X1", "G1 X2"]
    disk.comes_back.set()
    printing.close()


def test_a_feedrate_said_again_is_none_of_the_files_lines(tmp_path: Path) -> None:
    gcode = b"G90\nM83\nM140 S60\nG1 X1 F900\nG1 X2\n"
    path = tmp_path / "a.gcode"
    path.write_bytes(gcode)
    sha256 = hashlib.sha256(gcode).hexdigest()
    what = PrintFile(print_id=P1, path=path, sha256=sha256, gcode_bytes=len(gcode))
    place = gcode.index(b"G1 X2")
    reopened = reopen(what, place, 0, ignored_lines(["M140 S60"]))
    assert reopened.state.targets_c == {}
    base = LineRecord(number=9, lines=4, end_offset=place)
    printing = RunningPrint(
        what=what, file=ahead_of(reopened), base=base, preamble=reopened.state.preamble()
    )
    texts = [x.text for x in commands_of(printing)]
    assert texts == ["G90", "M83", "G1 F900", "G1 X2"]
    lines = [sent(100 + n, FilePlace(P1, n, place + (n > 3))) for n in range(1, 5)]
    assert [x.lines for x in printing.records(lines)] == [4, 4, 4, 5]
    printing.close()


def test_what_goes_on_is_the_file_that_was_found_right(what: PrintFile) -> None:
    base = LineRecord(number=9, lines=4, end_offset=PLACE)
    printing = RunningPrint(what=what, file=ahead_of(reopen(what, PLACE)), base=base)
    assert [x.text for x in commands_of(printing)] == ["G1 X30 E1"]
    printing = RunningPrint(what=what, file=ahead_of(reopen(what, PLACE)), base=base)
    what.path.write_bytes(GCODE + b"G1 X0\n")
    with pytest.raises(GcodeError, match="changed in mid-print; "):
        list(commands_of(printing))


def test_a_file_that_gets_shorter_ends_in_an_error(what: PrintFile) -> None:
    what.path.write_bytes(GCODE[:PLACE])
    printing = RunningPrint(what=what, file=Ahead(what.path.open("rb")))
    with pytest.raises(GcodeError, match="shorter"):
        list(commands_of(printing))


def sent(number: int, progress: FilePlace) -> SentLine:
    return SentLine(
        number=number, command="", data=b"", progress=progress, follows=True, sent_s=0.0
    )


def test_every_line_sent_has_its_place(what: PrintFile) -> None:
    printing = RunningPrint(what=what, file=Ahead(what.path.open("rb")))
    aside = FilePlace(P1, 3, 30, is_aside=True)
    lines = [sent(100, NO_PLACE), sent(101, FilePlace(P1, 3, 30)), sent(102, aside)]
    assert printing.records(lines) == [
        LineRecord(100, 0, 0),
        LineRecord(101, 3, 30),
        LineRecord(102, 3, 30, Certainty.UNSURE),
    ]
    printing.close()


def test_a_print_that_goes_on_counts_from_its_place(what: PrintFile) -> None:
    reopened = reopen(what, PLACE)
    base = LineRecord(number=9, lines=4, end_offset=PLACE)
    printing = RunningPrint(
        what=what, file=ahead_of(reopened), base=base, preamble=reopened.state.preamble()
    )
    lines = [
        sent(100, NO_PLACE),
        sent(101, FilePlace(P1)),
        sent(102, FilePlace(P1, 2, PLACE)),
        sent(103, FilePlace(P1, 3, PLACE + 10)),
    ]
    assert [(x.lines, x.end_offset) for x in printing.records(lines)] == [
        (4, PLACE),
        (4, PLACE),
        (4, PLACE),
        (5, PLACE + 10),
    ]
    printing.close()
