from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.virtual.firmware import (
    BUFSIZE,
    Executed,
    Firmware,
    Say,
)
from printer_driver.virtual.firmware_machine import HeaterName
from printer_driver.virtual.heaters import HeaterFault
from printer_driver.virtual.motion import BLOCK_SLOTS
from printer_driver.virtual.virtual_dialects import FirmwareSetup


def said(firmware: Firmware) -> str:
    return b"".join(x.data for x in firmware.effects() if isinstance(x, Say)).decode("latin-1")


def booted(**setup: Any) -> Firmware:
    firmware = Firmware(setup=FirmwareSetup(**setup))
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
    firmware, slots = booted(), BLOCK_SLOTS - 1
    for x in range(slots + 1):
        firmware.receive(f"G1 X{(x + 1) * 10} F600\n".encode(), 0.0)
    assert said(firmware).count("ok") == slots
    first_end_s = firmware.next_deadline_s()
    assert first_end_s == pytest.approx(1.0, abs=0.01)
    assert first_end_s
    firmware.tick(first_end_s)
    assert said(firmware) == "ok\n"
    firmware.receive(b"M400\n", 1.1)
    firmware.tick(15.9)
    assert "ok" not in said(firmware).replace("echo:", "")
    firmware.tick(16.1)
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


def test_no_more_than_bufsize_commands_wait_and_the_one_at_work_counts() -> None:
    firmware = booted()
    firmware.receive(b"G4 S100\n" + b"M83\n" * 10, 0.0)
    assert len(firmware._queue) == BUFSIZE
    firmware.tick(100.0)
    executed = [x for x in firmware.effects() if isinstance(x, Executed)]
    assert len(executed) == 11


def test_advanced_ok_tells_number_and_room() -> None:
    firmware = booted(advanced_ok=True)
    assert tell(firmware, numbered_line(1, "M83")) == "ok N1 P15 B3\n"
    assert tell(firmware, b"G1 X10 F60\n") == "ok P14 B3\n"
    assert tell(firmware, b"M105\n").startswith("ok T:")


def test_without_an_emergency_parser_a_full_queue_keeps_m112_and_m108_waiting() -> None:
    firmware = booted()
    tell(firmware, b"M109 S200\n", *[b"M83\n"] * (BUFSIZE - 1))
    assert tell(firmware, b"M108\n", b"M112\n", now_s=0.5) == ""
    assert firmware.condition.nozzle_target_c == 200


@pytest.mark.parametrize("is_numbered", [False, True])
def test_with_an_emergency_parser_they_act_at_once(is_numbered: bool) -> None:
    firmware = booted(emergency_parser=True)
    tell(firmware, numbered_line(1, "M109 S200"), *[b"M83\n"] * (BUFSIZE + 2))
    m108 = numbered_line(2, "M108") if is_numbered else b"M108\n"
    assert tell(firmware, m108, now_s=0.5).startswith("ok\n")
    assert "Printer halted" in tell(firmware, b"G4 S9\n", b"M112\n", now_s=1.0)


def test_m410_drops_what_is_planned() -> None:
    firmware = booted()
    tell(firmware, b"G1 X100 F600\n", b"G1 X200\n")
    assert tell(firmware, b"M410\n", now_s=5.1) == "ok\n"
    assert firmware.condition.position[0] == pytest.approx(50, abs=0.5)
    assert not firmware.condition.is_moving


def test_a_kill_lasts_until_a_reset_which_forgets_all_but_warmth() -> None:
    firmware = booted()
    tell(firmware, numbered_line(1, "M104 S100"), b"G1 X10\n")
    tell(firmware, b"M112\n", now_s=10.0)
    firmware.reset(20.0)
    assert tell(firmware, numbered_line(2, "M83"), now_s=20.5) == ""
    assert firmware.condition.nozzle_target_c == 0
    assert tell(firmware, now_s=21.0).startswith("start\n")
    assert "Resend: 1" in tell(firmware, numbered_line(2, "M83"), now_s=21.5)
    assert "X:0.00" in tell(firmware, b"M114\n", now_s=22.0)


def test_it_says_busy_as_often_as_m113_wants() -> None:
    firmware = booted()
    tell(firmware, b"G4 S10\n")
    firmware.tick(9.9)
    assert said(firmware) == "echo:busy: processing\n" * 4
    firmware.tick(10.0)
    assert tell(firmware, b"M113\n", now_s=10.0) == "ok\necho:M113 S2\nok\n"
    tell(firmware, b"M113 S0\n", b"G4 S10\n", now_s=10.0)
    firmware.tick(20.0)
    assert said(firmware) == "ok\n"


def test_m85_stops_a_printer_that_nobody_uses() -> None:
    firmware = booted()
    tell(firmware, b"M104 S100\n", b"M85 S30\n", b"G1 X60 F60\n")
    firmware.tick(89.0)
    assert said(firmware) == ""
    firmware.tick(90.2)
    assert "too much inactive time" in said(firmware)
    assert firmware.condition.nozzle_target_c == 0


def test_m0_waits_for_a_person() -> None:
    firmware = booted()
    firmware.receive(b"M0\n", 0.0)
    firmware.tick(3.0)
    assert said(firmware) == "echo:busy: paused for user\n"
    assert tell(firmware, b"M108\n", now_s=100.0).endswith("ok\nok\n")


def test_a_hang_hears_nothing_and_then_catches_up() -> None:
    firmware = booted()
    firmware.hang(5.0, 0.0)
    assert tell(firmware, b"M105\n", now_s=1.0) == ""
    firmware.tick(5.0)
    assert said(firmware).startswith("ok T:")


def test_a_broken_heater_stops_a_wait_for_it() -> None:
    firmware = booted()
    tell(firmware, b"M109 S200\n")
    firmware.break_heater(HeaterName.NOZZLE, HeaterFault.OPEN, 5.0)
    firmware.tick(100.0)
    words = said(firmware)
    assert "MINTEMP triggered" in words
    assert words.endswith("Error:Printer halted. kill() called!\n")
    assert firmware.condition.is_killed


def test_a_mended_heater_lets_the_wait_end() -> None:
    firmware = booted()
    tell(firmware, b"M109 S71\n")
    firmware.break_heater(HeaterName.NOZZLE, HeaterFault.CUT, 1.0)
    firmware.break_heater(HeaterName.NOZZLE, HeaterFault.NONE, 2.0)
    firmware.tick(20.0)
    assert said(firmware).endswith("ok\n")


def test_temperatures_are_held_before_a_wait_is_over() -> None:
    firmware = booted(residency_s=10.0)
    tell(firmware, b"M109 S71\n")
    firmware.tick(19.9)
    assert "ok" not in said(firmware)
    firmware.tick(20.0)
    assert said(firmware) == "ok\n"


def test_cold_extrusion_moves_without_filament() -> None:
    firmware = booted(extrude_min_c=170.0)
    assert tell(firmware, b"G1 X10 E5\n") == "echo: cold extrusion prevented\nok\n"
    assert firmware.condition.totals.e_mm == 0
    assert firmware.condition.position[3] == 5


def test_it_says_what_its_panel_wants() -> None:
    firmware = booted()
    firmware.say("// action:pause", 1.0)
    assert said(firmware) == "// action:pause\n"


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
