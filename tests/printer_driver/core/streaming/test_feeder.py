from dataclasses import replace

import pytest

from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.core.gcode.position import Position
from printer_driver.core.replies.reply_parser import Ok
from printer_driver.core.replies.reported_state import ReportedState
from printer_driver.core.streaming.feeder import (
    TRIALS_MAX,
    Feeder,
)
from printer_driver.core.streaming.line_sender import (
    QUIET_S,
    LineSender,
)
from printer_driver.core.streaming.print_sequence import PrintSequence
from printer_driver.core.streaming.resend_count import WireBrokenError
from printer_driver.printer import Temperature

OK = Ok()
WARM = Ok(temperatures=(Temperature(name="T0", actual_c=20, target_c=0),))
FILE = ["G90", "M83", "G92 X0 Y0 Z0 E0", "G1 X0 E.5", "G1 X1 E.5", "G1 X2 E.5", "G1 X3 E.5"]
FILE += [f"G1 X{x} E.5" for x in range(4, 10)]
TRIAL = "G1 X1 E.5"
"""From here on the E of firmware that does not know M83 would be another."""


class Desk:
    """A feeder and its wire; the test is the firmware."""

    def __init__(self, *lines: str) -> None:
        self.lines = LineSender()
        self.lines.hello(0.0)
        self.lines.acknowledge(OK, 0.0)
        self.lines.take_outgoing()
        job = PrintSequence(
            print_id="p",
            commands=commands_of([f"{line}\n".encode() for line in lines]),
            bytes_total=1,
            started_s=0.0,
        )
        self.reported = ReportedState()
        self.feeder = Feeder(job=job, lines=self.lines, reported=self.reported)
        self.now_s = 0.0
        self.sent: list[str] = []
        self.go_on()

    def go_on(self) -> None:
        self.lines.tick(self.now_s)
        self.feeder.go_on(self.now_s)
        for line in self.lines.take_outgoing().decode().split("\n"):
            if line:
                self.sent.append(line.partition("*")[0])

    def answer(self) -> None:
        """Acknowledge the oldest line."""
        is_m105 = self.lines.in_flight[0].reports_temperatures
        self.lines.acknowledge(WARM if is_m105 else OK, self.now_s)
        self.go_on()

    def until(self, command: str) -> None:
        """Acknowledge until this was sent."""
        while not any(command in sent for sent in self.sent):
            self.answer()

    def try_extruder(self, e: float | None = None) -> list[str]:
        """Go on until E is looked at, and tell this one; returns what is noted."""
        self.until("M114")
        at = self.feeder.job.head.position
        notes = [self.feeder.heard_position(at if e is None else replace(at, e=e))]
        self.sent.clear()
        self.answer()
        return notes

    def refuse_in_the_middle(self) -> None:
        """A move is damaged; all is repeated until the head is looked for."""
        self.until("G1 X2")
        self.sent.clear()
        number = next(x.number for x in self.lines.in_flight if "X2" in x.command)
        self.lines.refuse(number, self.now_s)
        self.feeder.refused()
        self.now_s += 2 * QUIET_S
        self.go_on()
        self.until("M114")


def test_after_a_recovery_the_head_is_looked_for_and_nothing_else_is_sent() -> None:
    desk = Desk(*FILE)
    desk.try_extruder()
    desk.refuse_in_the_middle()
    assert desk.lines.in_flight[-1].command == "M114"
    assert len(desk.lines.in_flight) == 1
    expected = desk.feeder.job.head.position
    assert desk.feeder.heard_position(expected) == ""
    desk.answer()
    desk.until("M400")
    assert desk.lines.counters.position_checks == 2


def test_what_a_stray_piece_has_extruded_is_taken_back() -> None:
    desk = Desk(*FILE)
    desk.try_extruder()
    desk.refuse_in_the_middle()
    at = desk.feeder.job.head.position
    surplus = Position(x=at.x, y=at.y, z=at.z, e=at.e + 0.5)
    assert desk.feeder.heard_position(surplus) == ""  # noise may have altered it: asked again
    desk.sent.clear()
    desk.answer()
    desk.until("M114")
    assert "E by +0.5 mm" in desk.feeder.heard_position(surplus)
    desk.answer()
    desk.until("G1 E-0.50000")
    assert desk.feeder.job.head.e == pytest.approx(at.e)
    assert desk.lines.counters.stray_lines == 1


def test_at_the_end_another_place_is_only_noted() -> None:
    desk = Desk("G90", "G92 X0", "G1 X-5")
    desk.until("M114")
    clamped = Position(x=0, y=0, z=0, e=0)
    assert desk.feeder.heard_position(clamped) == ""
    desk.sent.clear()
    desk.until("M114")
    assert "X by +5 mm" in desk.feeder.heard_position(clamped)
    desk.until("M105")
    desk.answer()
    desk.feeder.job.heard_proof()
    desk.answer()
    assert desk.feeder.is_over


def test_e_is_tried_as_soon_as_it_can_tell_and_only_once() -> None:
    desk = Desk(*FILE)
    desk.until("M114")
    assert desk.sent[-2].endswith(TRIAL)
    assert desk.try_extruder() == [""]
    desk.until("M400")
    assert not any("M114" in sent for sent in desk.sent)


def test_firmware_whose_e_is_another_is_never_corrected() -> None:
    """As OctoPrint's virtual printer, which takes relative extrusion for absolute."""
    desk = Desk(*FILE)
    assert desk.try_extruder(e=0.5) == [""]  # noise may have altered it: asked again
    assert "another E" in desk.try_extruder(e=0.5)[0]
    desk.refuse_in_the_middle()
    at = desk.feeder.job.head.position
    for _ in range(2):
        assert desk.feeder.heard_position(replace(at, e=0.5)) == ""
        desk.answer()
    desk.until("M400")
    assert not any("E-" in sent or "E0" in sent for sent in desk.sent)
    assert desk.lines.counters.stray_lines == 0


def test_before_e_was_tried_nothing_is_taken_back() -> None:
    desk = Desk(*FILE)
    desk.until("G1 X0")
    number = next(x.number for x in desk.lines.in_flight if "X0" in x.command)
    desk.lines.refuse(number, desk.now_s)
    desk.feeder.refused()
    desk.now_s += 2 * QUIET_S
    desk.go_on()
    surplus = replace(desk.feeder.job.head.position, e=1.5)
    desk.try_extruder(e=surplus.e)
    desk.try_extruder(e=surplus.e)
    desk.until("M400")
    assert not any("E-" in sent for sent in desk.sent)


def test_without_trouble_the_place_of_the_head_is_not_judged_by_the_way() -> None:
    desk = Desk(*FILE)
    desk.until("M114")
    for _ in range(2):
        elsewhere = replace(desk.feeder.job.head.position, x=77)
        assert desk.feeder.heard_position(elsewhere) == ""
        desk.answer()
    desk.until("M400")


def test_a_head_at_another_place_ends_the_print() -> None:
    desk = Desk(*FILE)
    desk.try_extruder()
    desk.refuse_in_the_middle()
    desk.feeder.heard_position(Position(x=77, y=0, z=0, e=0))
    desk.sent.clear()
    desk.answer()
    desk.until("M114")
    with pytest.raises(WireBrokenError, match="not where the file says"):
        desk.feeder.heard_position(Position(x=77, y=0, z=0, e=0))


def test_one_wrong_answer_is_forgiven() -> None:
    desk = Desk(*FILE)
    desk.try_extruder()
    desk.refuse_in_the_middle()
    desk.feeder.heard_position(Position(x=77, y=0, z=0, e=0))
    desk.sent.clear()
    desk.answer()
    desk.until("M114")
    assert desk.feeder.heard_position(desk.feeder.job.head.position) == ""
    desk.answer()
    desk.until("M400")


def test_firmware_without_m114_is_not_asked_for_ever() -> None:
    desk = Desk(*FILE)
    desk.refuse_in_the_middle()
    desk.answer()
    desk.until("M400")


def test_a_place_that_was_lost_on_the_way_is_asked_for_again() -> None:
    desk = Desk(*FILE)
    desk.try_extruder()
    desk.refuse_in_the_middle()
    desk.answer()
    desk.sent.clear()
    desk.until("M114")
    at = desk.feeder.job.head.position
    elsewhere = Position(x=at.x + 5, y=at.y, z=at.z, e=at.e)
    desk.feeder.heard_position(elsewhere)
    desk.answer()
    desk.until("M114")
    with pytest.raises(WireBrokenError, match="off in X"):
        desk.feeder.heard_position(elsewhere)


def test_firmware_without_m114_is_not_asked_behind_every_move() -> None:
    desk = Desk(*FILE, *(f"G1 X{x} E.5" for x in range(20)))
    desk.until("M400")
    assert sum("M114" in sent for sent in desk.sent) == TRIALS_MAX


def test_cancel_breaks_waits_first_and_moves_after_a_moment() -> None:
    desk = Desk("M109 S200")
    desk.reported.note_firmware("Marlin 2.1")
    desk.feeder.cancel("Enough.", 1.0)
    desk.now_s = 1.0
    desk.go_on()
    assert desk.sent[-1] == "M108"
    desk = Desk("G90", "G1 X900 F60", "G1 X0")
    desk.reported.note_firmware("Marlin 2.1")
    desk.until("G1 X900")
    desk.now_s = 1.0
    desk.feeder.cancel("Enough.", 1.0)
    desk.go_on()
    assert "M410" not in desk.sent
    desk.now_s = desk.feeder.next_deadline_s()
    desk.go_on()
    assert desk.sent[-1] == "M410"
    assert desk.now_s < 1.5
