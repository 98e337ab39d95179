import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.gcode.gcode_lines import (
    COMMAND_BYTES_MAX,
    FILE_LINE_BYTES_MAX,
    NO_LINE_YET,
    NOT_YET,
    WIRE_LINE_BYTES_MAX,
    check_gcode,
    checksum,
    command_of,
    commands_of,
    compact,
    is_move,
    lays_filament,
    numbered_line,
)
from printer_driver.errors import GcodeError

GCODE = Path(__file__).parents[3] / "data" / "gcode"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"G1 X1 Y2 ; there\r\n", "G1 X1 Y2"),
        (b"\t G28 W \n", "G28 W"),
        (b"; only a comment\n", ""),
        (b"\n", ""),
        (b'M862.3 P "MINI" ; check', 'M862.3 P "MINI"'),
        (b'M117 "a;b"', 'M117 "a'),  # as Marlin would cut it
        (b"M117 Gr\xc3\xbc\xc3\x9fe\n", "M117 Gr??e"),
        (b"M117 " + b"x" * 200, "M117 " + "x" * (COMMAND_BYTES_MAX - 5)),
        (b"M118 a\\b", "M118 ab"),
        (b"N12 G1 X3*57\n", "G1 X3"),
        (b"M110 N5", ""),
        (b"M1100", "M1100"),
        (b"G1\tX3", "G1 X3"),
    ],
)
def test_command_of(line: bytes, command: str) -> None:
    assert command_of(line) == command


@pytest.mark.parametrize("line", [b"G1 X\x00", b"G1 \xb5", b"G1 X1\x08", b"G1 " + b"X1 " * 40])
def test_what_cannot_be_sent_is_refused(line: bytes) -> None:
    with pytest.raises(GcodeError):
        command_of(line)


@given(st.binary(max_size=200))
def test_every_line_fits_the_wire_or_is_refused(line: bytes) -> None:
    try:
        command = command_of(line)
    except GcodeError:
        return
    wire = numbered_line(999_999_999, command)
    assert len(wire.rstrip(b"\n")) <= WIRE_LINE_BYTES_MAX
    assert re.fullmatch(rb"N999999999 [ -~]*\*\d{1,3}\n", wire)
    assert not set(wire) & set(b"\\;")


def test_offsets_lie_behind_the_line() -> None:
    lines = [b"; head\n", b"G28\n", b"\n", b"G1 X1\n"]
    assert [(x.text, x.end_offset) for x in commands_of(lines)] == [("G28", 11), ("G1 X1", 18)]


def test_what_is_not_read_yet_counts_for_nothing() -> None:
    lines = [NO_LINE_YET, b"; head\n", NO_LINE_YET, b"G28\n", b"G1 \x00\n"]
    commands = commands_of(lines)
    found = [next(commands) for _ in range(3)]
    assert [x is NOT_YET for x in found] == [True, True, False]
    assert (found[2].text, found[2].end_offset) == ("G28", 11)
    with pytest.raises(GcodeError, match="Line 3"):
        next(commands)


def test_numbered_line_as_in_the_reprap_wiki() -> None:
    """The example of https://reprap.org/wiki/G-code#.2A:_Checksum."""
    assert numbered_line(3, "T0") == b"N3 T0*57\n"
    assert checksum(b"N3 T0") == 57


@pytest.mark.parametrize("path", sorted(GCODE.glob("*.gcode")), ids=lambda path: path.name)
def test_real_files_are_g_code(path: Path) -> None:
    with path.open("rb") as file:
        end_offset = check_gcode(file)
    text = path.read_bytes()
    assert not command_of(text[end_offset:].splitlines()[0])
    last = text[:end_offset].splitlines()[-1]
    assert command_of(last)
    assert [c.end_offset for c in commands_of(text.splitlines(keepends=True))][-1] == end_offset


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "no G or M command"),
        ([b"hello\n", b"world\n"], "no G or M command"),
        ([b"GCDE\x01\x00"], "binary g-code"),
        ([b"G28\n", b"G1 \x00\n"], "Line 2"),
        ([b";" * (FILE_LINE_BYTES_MAX + 1)], "longer than"),
    ],
)
def test_what_is_no_g_code(lines: list[bytes], message: str) -> None:
    with pytest.raises(GcodeError, match=message):
        check_gcode(lines)


def test_a_byte_order_mark_is_skipped() -> None:
    assert [x.text for x in commands_of([b"\xef\xbb\xbfG28\n"])] == ["G28"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [("G0 X1", True), ("G01X1", True), ("G3 I1", True), ("G28", False), ("G10", False)],
)
def test_is_move(command: str, *, expected: bool) -> None:
    assert is_move(command) is expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("G1 X10 Y2 E.04", True),
        ("G01Y2E3", True),
        ("G2 X1 I1 E0.5", True),
        ("G1 E5 X1", True),
        ("g1 x1 e1", True),
        ("G 1 X1 E1", True),
        ("G5 I0 J3 P0 Q-3 X1 Y1 E1", True),
        ("G2 I10 E5", True),
        ("G1 X10 Y200 F3000", False),
        ("G1 E5", False),
        ("G1 X1 Y1 E-.8", False),
        ("G10 X1 E1", False),
        ("G53 X1 E1", False),
        ("M118 X1 E1", False),
    ],
)
def test_lays_filament(command: str, *, expected: bool) -> None:
    assert lays_filament(command) is expected


WORD = re.compile(r"([A-Z])(-?(?:\d+\.?\d*|\.\d+))")


def values(command: str) -> list[tuple[str, Decimal]]:
    """The words as any firmware reads them."""
    return [(letter, Decimal(value)) for letter, value in WORD.findall(command.replace(" ", ""))]


numbers = st.from_regex(r"-?(\d{1,5}(\.\d{0,5})?|\.\d{1,5})", fullmatch=True)
words = st.tuples(st.sampled_from("XYZEFIJKR"), numbers).map("".join)
moves = st.tuples(
    st.sampled_from(["G0", "G1", "G2", "G3"]), st.lists(words, min_size=1, max_size=6)
)


@given(moves, st.integers(1, 3))
def test_no_value_changes(move: tuple[str, list[str]], blanks: int) -> None:
    command = (" " * blanks).join([move[0], *move[1]])
    short = compact(command)
    assert values(short) == values(command)
    assert len(short) <= len(command)
    assert compact(short) == short


@pytest.mark.parametrize(
    ("command", "short"),
    [
        ("G1 X10.500 Y0.20 E0.05", "G1X10.5Y.2 E.05"),
        ("G1 X10 Y100 F9000", "G1X10Y100F9000"),
        ("G1 X10.00 Z-0.30", "G1X10Z-.3"),
        ("G1 E-0.80000 F2100", "G1 E-.8F2100"),
        ("G0 X0.0 Y.0 Z-.00", "G0X0Y0Z-0"),
        ("M117 G1 X1.0", "M117 G1 X1.0"),
        ("G1 X1 ;", "G1 X1 ;"),
        ("G1 X{x}", "G1 X{x}"),
        ("G28 X0 Y0", "G28 X0 Y0"),
    ],
)
def test_compact(command: str, short: str) -> None:
    assert compact(command) == short


@given(st.text(alphabet="GMXYZEF0123456789.- +*", max_size=30))
def test_anything_else_keeps_its_values(text: str) -> None:
    assert values(compact(text)) == values(text)
