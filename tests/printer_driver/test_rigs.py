import pytest

from printer_driver.core.gcode import FileCommand, numbered_line
from printer_driver.core.line_map import UNMATCHED_MAX, Certainty, LineMap, shortened


def command(text: str, end_offset: int) -> FileCommand:
    return FileCommand(text=text, end_offset=end_offset)


def place(line_map: LineMap, number: int, text: str) -> tuple[int, int, Certainty]:
    (record,) = line_map.sent(numbered_line(number, text))
    assert record.number == number
    return record.lines, record.end_offset, record.certainty


def test_lines_of_the_file_and_lines_of_the_driver() -> None:
    line_map = LineMap()
    line_map.read(command("G28", 4))
    line_map.read(command("G1 X1 Y2", 13))
    assert place(line_map, 1, "G28") == (1, 4, Certainty.EXACT)
    assert place(line_map, 2, "M105") == (1, 4, Certainty.EXACT)
    assert place(line_map, 3, "G1 X1 Y2") == (2, 13, Certainty.EXACT)
    assert place(line_map, 4, "M400") == (2, 13, Certainty.EXACT)


def test_a_repeat_gives_no_record_and_a_new_numbering_does() -> None:
    line_map = LineMap()
    line_map.read(command("G1 X1", 6))
    line_map.read(command("G1 X2", 12))
    data = numbered_line(5, "G1 X1")
    assert len(line_map.sent(data)) == 1
    assert line_map.sent(data) == []
    (renumbered,) = line_map.sent(numbered_line(0, "M110 N0"))
    assert (renumbered.number, renumbered.lines) == (0, 1)
    assert place(line_map, 1, "G1 X2") == (2, 12, Certainty.EXACT)
    newest = line_map.newest()
    assert newest
    assert newest.number == 1


def test_bursts_unnumbered_lines_and_what_was_left_out() -> None:
    line_map = LineMap()
    for text, end_offset in (("M900 K0.1", 10), ("G1 X1", 16), ("G1 X2", 22)):
        line_map.read(command(text, end_offset))
    burst = b"M108\n" + numbered_line(1, "G1 X1") + numbered_line(2, "G1 X2")
    assert [(x.number, x.lines) for x in line_map.sent(burst)] == [(1, 2), (2, 3)]


def test_what_fits_nowhere_is_no_proof_of_a_place() -> None:
    line_map = LineMap()
    line_map.read(command("G1 X1", 6))
    assert place(line_map, 1, "G92 E3")[2] is Certainty.UNSURE
    assert place(line_map, 2, "G1 X1") == (1, 6, Certainty.EXACT)


def test_beside_the_part_no_place_is_sure_until_the_file_goes_on() -> None:
    line_map = LineMap()
    line_map.read(command("G1 X1", 6))
    assert place(line_map, 1, "M400")[2] is Certainty.EXACT
    assert place(line_map, 2, "G1 X0 Y200 F6000")[2] is Certainty.UNSURE
    assert place(line_map, 3, "M105")[2] is Certainty.UNSURE
    assert place(line_map, 4, "G1 X1") == (1, 6, Certainty.EXACT)
    assert place(line_map, 5, "M105") == (1, 6, Certainty.EXACT)


def test_a_file_that_never_shows_on_the_wire_makes_all_unsure() -> None:
    line_map = LineMap()
    for number in range(UNMATCHED_MAX + 1):
        line_map.read(command(f"G1 X{number}", number))
    assert place(line_map, 1, "M105")[2] is Certainty.UNSURE


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("G1 X10.500 Y0.050 E-0.10", "G1X10.5Y.05 E-.1"),
        ("G1 X-0.000 Y+5 Z007", "G1 X0 Y5 Z7"),
        ("G1 X100 Y20.0 F1200", "G1X100Y20F1200"),
        ("M117 done", "M117 done"),
    ],
)
def test_all_spellings_of_the_same_values_are_one(text: str, short: str) -> None:
    assert shortened(text.encode()) == shortened(short.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [("G1 X10", "G1 X1"), ("G1 X.1", "G1 X1"), ("G1 X100", "G1 X10"), ("G1 X-1", "G1 X1")],
)
def test_other_values_are_others(one: str, other: str) -> None:
    assert shortened(one.encode()) != shortened(other.encode())


def test_a_print_that_goes_on_counts_from_its_place() -> None:
    line_map = LineMap()
    line_map.restart(lines=100, end_offset=5000)
    (hello,) = line_map.sent(numbered_line(300, "M110 N300"))
    assert (hello.lines, hello.end_offset) == (100, 5000)
    line_map.read_ahead(command("G90", 5000))
    line_map.read(command("G1 X1", 5006))
    assert place(line_map, 301, "G90") == (100, 5000, Certainty.EXACT)
    assert place(line_map, 302, "G1 X1") == (101, 5006, Certainty.EXACT)
