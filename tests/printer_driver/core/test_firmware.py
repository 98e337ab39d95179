import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.firmware import BUFSIZE, Executed, Firmware, Say
from printer_driver.core.gcode import numbered_line
from printer_driver.core.motion import PLANNER_MOVES_MAX


def said(firmware: Firmware) -> str:
    return b"".join(x.data for x in firmware.effects() if isinstance(x, Say)).decode("latin-1")


def booted() -> Firmware:
    firmware = Firmware()
    assert said(firmware).startswith("start\n")
    return firmware


def tell(firmware: Firmware, *lines: bytes, now_s: float = 0.0) -> str:
    firmware.receive(b"".join(lines), now_s)
    return said(firmware)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"N1 M83*99\n", "checksum mismatch"),
        (b"N1 M83\n", "No Checksum with line number"),
        (numbered_line(5, "M83"), "Line Number is not Last Line Number+1"),
    ],
)
def test_a_bad_line_is_asked_for_again(line: bytes, error: str) -> None:
    firmware = booted()
    assert tell(firmware, line) == f"Error:{error}, Last Line: 0\nResend: 1\nok\n"


def test_a_repeat_is_dropped_without_a_word() -> None:
    firmware = booted()
    assert tell(firmware, numbered_line(1, "M83")) == "ok\n"
    assert tell(firmware, numbered_line(1, "M83")) == ""


def test_a_bad_line_empties_the_receive_buffer() -> None:
    firmware = booted()
    answer = tell(firmware, b"N1 M83*99\n", numbered_line(2, "M83"))
    assert answer.count("Resend: 1") == 1
    assert "Resend: 2" not in answer


def test_m110_sets_the_number() -> None:
    firmware = booted()
    assert tell(firmware, numbered_line(41, "M110 N41"), numbered_line(42, "M83")) == "ok\nok\n"


def test_comments_and_empty_lines_get_no_ok() -> None:
    assert tell(booted(), b"; nothing\n\n\r\n") == ""


def test_moves_are_acknowledged_when_planned_and_take_their_time() -> None:
    firmware = booted()
    moves = [f"G1 X{x * 10} F600\n".encode() for x in range(1, PLANNER_MOVES_MAX + 3)]
    for move in moves[:-1]:
        firmware.receive(move, 0.0)
    assert said(firmware).count("ok") == PLANNER_MOVES_MAX
    assert firmware.next_deadline_s() == pytest.approx(1.0)
    firmware.tick(1.0)
    assert said(firmware) == "ok\n"
    firmware.receive(b"M400\n", 1.0)
    firmware.tick(16.9)
    assert "ok" not in said(firmware).replace("echo:", "")
    firmware.tick(17.1)
    assert said(firmware) == "ok\n"


def test_heating_reports_and_m108_ends_it() -> None:
    firmware = booted()
    firmware.receive(b"M109 S200\n", 0.0)
    firmware.tick(3.5)
    assert said(firmware).count("T:") == 3
    assert tell(firmware, b"M108\n", now_s=3.9) == "ok\nok\n"


def test_heating_takes_its_time() -> None:
    firmware = booted()
    firmware.receive(b"M190 S61\n", 0.0)
    firmware.tick(19.9)
    assert "ok" not in said(firmware)
    firmware.tick(20.1)
    assert said(firmware).endswith("ok\n")
    assert "B:61.00 /61.00" in tell(firmware, b"M105\n", now_s=21.0)


def test_no_more_than_bufsize_commands_wait() -> None:
    firmware = booted()
    firmware.receive(b"G4 S100\n" + b"M83\n" * 10, 0.0)
    assert len(firmware._queue) == BUFSIZE
    firmware.tick(100.0)
    executed = [x for x in firmware.effects() if isinstance(x, Executed)]
    assert len(executed) == 11


def test_m112_halts() -> None:
    firmware = booted()
    assert "Printer halted" in tell(firmware, b"M112\n")
    assert tell(firmware, b"M105\n", now_s=1.0) == ""
    assert firmware.next_deadline_s() is None


def test_m155_reports_by_itself() -> None:
    firmware = booted()
    tell(firmware, b"M155 S2\n")
    firmware.tick(7.0)
    assert said(firmware).count("T:") == 3


@given(st.lists(st.tuples(st.binary(max_size=60), st.floats(0, 5)), max_size=20))
def test_random_bytes_never_break_it(chunks: list[tuple[bytes, float]]) -> None:
    firmware, now_s = Firmware(), 0.0
    for data, pause_s in chunks:
        now_s += pause_s
        firmware.receive(data, now_s)
        firmware.effects()


letters = st.sampled_from("GMTNXYZEFSPR*;.- 0123456789\n")


@given(st.text(letters, max_size=200))
def test_random_commands_never_break_it(text: str) -> None:
    firmware = Firmware()
    firmware.receive(text.encode(), 0.0)
    firmware.tick(1000.0)
    assert firmware.effects()
