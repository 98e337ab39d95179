"""Pauses that people, panels and a bad wire disturb, against the virtual board."""

import re
from collections.abc import Callable

import pytest

from printer_driver.core.gcode.machine_state import state_behind
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from printer_driver.printer import PrintState
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
    VirtualDialect,
)
from tests.printer_driver.core.streaming.test_streamer_control import (
    SHORT_MOVES,
    Desk,
    made,
)

PARKS = StreamSettings(park=Park(x=150, y=150))
HEATED = ["M109 S60", *SHORT_MOVES]
ABSOLUTE = ["G90", "M82", "G92 X0 Y0 Z0 E1000", "G1 Z10.3 F600"]
ABSOLUTE += [f"G1 X{number / 10:g} E{1000 + number / 100:g} F60" for number in range(1, 100)]
PLACE = b" Count X:"
"""In each answer to M114."""
Alter = Callable[[bytes], bytes]


class Wire(Desk):
    """A desk that changes what the printer says, line by line, once there is an `alter`."""

    alter: Alter | None = None
    _rest = b""

    def tell(self, event: ev.Event) -> None:
        if not isinstance(event, ev.Received) or not self.alter:
            super().tell(event)
            return
        *lines, self._rest = (self._rest + event.data).split(b"\n")
        for line in lines:
            super().tell(ev.Received(data=self.alter(line + b"\n")))

    def pause_at(self, command: str) -> None:
        self.run(lambda: command in self.executed)
        self.pause()

    def pause(self) -> None:
        self.tell(ev.PausePrint())
        self.run(self.is_paused, limit_s=30.0)

    def resume(self) -> None:
        self.tell(ev.ResumePrint())

    def finish(self) -> None:
        self.resume()
        self.run(self.over)

    def is_paused(self) -> bool:
        return self.state() is PrintState.PAUSED

    def at_panel(self, commands: str) -> None:
        """A person moves the head or sets a temperature."""
        for command in commands.splitlines():
            self.board.receive(f"{command}\n".encode(), self.now_s)
            self.wait(5.0)

    def notes(self) -> str:
        return " ".join(x.text for x in self.effects if isinstance(x, ev.Note))


def first(count: int, pattern: bytes, becomes: bytes) -> Alter:
    """Noise in so many answers to M114."""
    left = count

    def alter(line: bytes) -> bytes:
        nonlocal left
        if PLACE not in line or not left:
            return line
        left -= 1
        return re.sub(pattern, becomes, line)

    return alter


def printed(lines: list[str], settings: StreamSettings | None = None) -> Wire:
    desk = Wire(settings=settings)
    desk.start(lines)
    return desk


def assert_as_without_a_pause(desk: Desk, lines: list[str], fed_mm: float = 0.0) -> None:
    calm = Desk()
    calm.start(lines)
    calm.run(calm.over)
    assert desk.report
    assert (desk.report.state, desk.report.reason) == (PrintState.DONE, "")
    ends = [each.board.condition for each in (desk, calm)]
    assert ends[0].position == pytest.approx(ends[1].position, abs=0.011)
    assert ends[0].totals.e_mm == pytest.approx(ends[1].totals.e_mm + fed_mm, abs=0.011)
    assert [x for x in desk.executed if x in lines[4:]] == lines[4:]


# --- temperatures ----------------------------------------------------------------------------


def test_heaters_that_the_file_has_just_switched_off_stay_off() -> None:
    off = ["M104 S0", "M140 S0", "G1 X10 F60", "G1 X11"]
    desk = printed(["M140 S40", *HEATED[:60], *off])
    desk.pause_at("M140 S0")
    desk.wait(5.0)
    desk.finish()
    assert (desk.board.condition.nozzle_target_c, desk.board.condition.bed_target_c) == (0, 0)
    assert desk.executed.count("M109 S60") == 1
    assert not any(x.startswith("M190") for x in desk.executed)


def test_heaters_that_the_file_has_just_switched_on_are_kept() -> None:
    desk = printed([*SHORT_MOVES[:60], "M104 S50", *SHORT_MOVES[60:]])
    desk.pause_at("M104 S50")
    desk.at_panel("M104 S0")
    desk.finish()
    assert "M109 S50" in desk.executed


def test_one_altered_report_heats_nothing() -> None:
    desk = printed(HEATED)
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    left = [1]

    def alter(line: bytes) -> bytes:
        is_due = line.startswith(b"ok T:") and "M400" in desk.executed and left
        return line.replace(b"/60.00", b"/260.00") if is_due and left.pop() else line

    desk.alter = alter
    desk.pause()
    desk.at_panel("M104 S0")
    desk.finish()
    assert not left
    assert desk.executed.count("M109 S60") == 2
    assert "M109 S260" not in desk.executed


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda x: x.name[:20])
@pytest.mark.parametrize("settings", [StreamSettings(), PARKS], ids=["stays", "parks"])
def test_every_dialect_pauses_and_goes_on(
    dialect: VirtualDialect, settings: StreamSettings
) -> None:
    desk = Wire(FirmwareSetup(dialect=dialect), settings)
    desk.start(["M104 S60", *SHORT_MOVES, "M104 S0"])
    desk.wait(10.0)
    desk.pause()
    desk.wait(5.0)
    desk.finish()
    assert desk.report
    assert (desk.report.state, desk.report.reason) == (PrintState.DONE, "")
    assert desk.board.condition.totals.e_mm == pytest.approx(4.0)
    assert desk.board.condition.nozzle_target_c == 0


class Mute(Wire):
    """It never tells a temperature."""

    @staticmethod
    def alter(line: bytes) -> bytes:
        return re.sub(rb" *T:.*", b"", line)


def test_firmware_that_tells_no_temperatures_does_not_hold_up_the_pause() -> None:
    desk = Mute(settings=PARKS)
    desk.start(HEATED)
    desk.pause_at("G1 X1 E.01 F60")
    assert not desk.streamer.reported.temperatures
    assert desk.executed.count("M114") <= 2  # of the print, and one for the pause
    desk.finish()
    assert_as_without_a_pause(desk, HEATED)


# --- the place -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "becomes"),
    [(rb"Z:10.30", b"Z:0.30"), (rb"E:1\d{3}", b"E:0"), (rb"X:\d", b"X:9"), (rb"Y:0.00", b"")],
)
@pytest.mark.parametrize("settings", [StreamSettings(), PARKS], ids=["stays", "parks"])
def test_one_altered_answer_moves_no_place(
    pattern: bytes, becomes: bytes, settings: StreamSettings
) -> None:
    desk = printed(ABSOLUTE, settings)
    desk.run(lambda: ABSOLUTE[20] in desk.executed)
    desk.alter = first(1, pattern, becomes)
    desk.pause()
    assert desk.board.condition.position[2] == pytest.approx(15.3 if settings.park else 10.3)
    desk.alter = first(1, pattern, becomes)
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE)


def test_a_head_that_firmware_tells_elsewhere_is_not_parked_and_not_moved() -> None:
    desk = printed(ABSOLUTE, PARKS)
    desk.run(lambda: ABSOLUTE[20] in desk.executed)
    desk.alter = first(99, rb"Z:10.30", b"Z:5.30")
    desk.pause()
    assert desk.board.condition.position[2] == pytest.approx(10.3)
    assert "off in Z by -5 mm; it is not parked" in desk.notes()
    desk.alter = None
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE)


def test_a_machine_that_is_not_homed_is_not_moved() -> None:
    desk = printed(["G90", "M83", "M190 S30", "G28", "G1 Z5 F600", "G1 X10 Y10 F6000"], PARKS)
    desk.wait(1.0)
    desk.pause()
    assert not any(x.startswith("G1") for x in desk.executed)
    desk.finish()
    assert desk.report
    assert desk.report.state is PrintState.DONE


@pytest.mark.parametrize("settings", [StreamSettings(), PARKS], ids=["stays", "parks"])
def test_lost_answers_hold_nothing_up(settings: StreamSettings) -> None:
    desk = printed(ABSOLUTE, settings)
    desk.run(lambda: ABSOLUTE[20] in desk.executed)
    desk.alter = lambda line: b"" if PLACE in line else line
    desk.pause()
    assert desk.board.condition.position[2] == pytest.approx(10.3)
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE)


def test_parked_and_no_answers_any_more_it_comes_back_all_the_same() -> None:
    desk = printed(ABSOLUTE, PARKS)
    desk.pause_at(ABSOLUTE[20])
    desk.alter = lambda line: b"" if PLACE in line else line
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE)


# --- a person at the panel -------------------------------------------------------------------


@pytest.mark.parametrize("jog", ["G1 Z40 F6000", "G1 Z10.5 F6000", "G1 X90 Y90 F6000"])
@pytest.mark.parametrize("settings", [StreamSettings(), PARKS], ids=["stays", "parks"])
def test_a_head_that_was_moved_in_the_pause_goes_back(jog: str, settings: StreamSettings) -> None:
    desk = printed(ABSOLUTE, settings)
    desk.pause_at(ABSOLUTE[20])
    desk.at_panel(jog)
    before = len(desk.executed)
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE)
    assert "moved in the pause" in desk.notes()
    moves = [x for x in desk.executed[before:] if x.startswith("G1")][:3]
    height = float(moves[0].partition(" F")[0].removeprefix("G1 Z"))
    assert height >= 15.3  # above the part before it goes along it
    assert moves[2] == "G1 Z10.300 F600"


@pytest.mark.parametrize("settings", [StreamSettings(), PARKS], ids=["stays", "parks"])
def test_filament_that_was_fed_in_the_pause_is_not_sucked_back(settings: StreamSettings) -> None:
    desk = printed(ABSOLUTE, settings)
    desk.pause_at(ABSOLUTE[20])
    desk.at_panel("M83\nG1 E30 F6000\nM82")
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE, fed_mm=30.0)
    assert "moved" not in desk.notes()


def test_a_head_that_does_not_come_back_waits_for_a_person() -> None:
    desk = printed(ABSOLUTE, PARKS)
    desk.pause_at(ABSOLUTE[20])
    desk.alter = first(99, rb"Z:10.30", b"Z:12.30")
    before = desk.executed.count(ABSOLUTE[30])
    desk.resume()
    desk.wait(30.0)
    report = desk.streamer.status(desk.now_s).print
    assert report
    assert report.state is PrintState.PAUSED
    assert "off in Z by +2 mm" in report.reason
    assert desk.executed.count(ABSOLUTE[30]) == before
    desk.alter = None
    desk.finish()
    assert_as_without_a_pause(desk, ABSOLUTE)


def test_a_head_elsewhere_at_the_end_is_in_the_report() -> None:
    desk = printed(ABSOLUTE)
    desk.run(lambda: ABSOLUTE[20] in desk.executed)
    desk.alter = first(99, rb"Z:10.30", b"Z:30.30")
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE
    assert "off in Z by +20 mm" in desk.report.reason


# --- a pause on the way back -----------------------------------------------------------------


def resumed_cold() -> Wire:
    desk = printed(HEATED)
    desk.pause_at("G1 X1 E.01 F60")
    desk.at_panel("M104 S0")
    desk.wait(60.0)
    desk.resume()
    desk.wait(1.0)
    assert desk.state() is PrintState.PRINTING
    return desk


@pytest.mark.parametrize(
    "event",
    [
        ev.PausePrint(),
        ev.Received(data=b"//action:filament_runout\n"),
        ev.Received(data=b"//action:paused\n"),
    ],
    ids=["person", "runout", "panel"],
)
def test_a_pause_while_the_print_warms_up_is_kept(event: ev.Event) -> None:
    desk = resumed_cold()
    moves = [x for x in desk.executed if x in SHORT_MOVES]
    desk.tell(event)
    desk.run(desk.is_paused)
    desk.wait(30.0)
    assert [x for x in desk.executed if x in SHORT_MOVES] == moves
    desk.finish()
    assert_as_without_a_pause(desk, HEATED)


def test_a_pause_while_the_print_warms_up_can_be_taken_back() -> None:
    desk = resumed_cold()
    desk.tell(ev.PausePrint())
    desk.resume()
    desk.run(desk.over)
    assert desk.executed.count("M400") == 2  # the first pause, and the end


# --- a print that goes on behind a break -------------------------------------------------------


def found_again(lines: list[str], count: int, *, is_paused: bool = False) -> Wire:
    """Another host has sent so many of the lines."""
    desk = Wire(settings=PARKS)
    desk.tell(ev.SendCommands(commands=tuple(lines[:count])))
    desk.run(lambda: desk.executed.count(lines[count - 1]) > 0)
    desk.wait(5.0)
    offset = sum(len(line) + 1 for line in lines[:count])
    state = state_behind(made(lines), offset)
    desk.tell(
        ev.StartPrint(
            print_id="p",
            commands=made([*state.preamble(), *lines[count:]]),
            bytes_total=1,
            head=state.head(g90_sets_extruder=True),
            is_paused=is_paused,
        )
    )
    return desk


@pytest.mark.parametrize("lines", [ABSOLUTE, SHORT_MOVES], ids=["absolute", "relative"])
def test_a_print_that_goes_on_parks_and_comes_back_to_its_place(lines: list[str]) -> None:
    desk = found_again(lines, 12)
    desk.pause()
    assert desk.board.condition.position[:2] == pytest.approx((150, 150))
    desk.at_panel("G91\nG1 X20 Y20 Z30 F6000\nG90")
    desk.finish()
    assert "moved in the pause" in desk.notes()
    assert_as_without_a_pause(desk, lines)


def test_a_print_that_was_paused_comes_back_paused_before_any_line_of_it() -> None:
    desk = found_again(SHORT_MOVES, 12, is_paused=True)
    desk.run(lambda: desk.state() is PrintState.PAUSED)
    assert desk.executed.count(SHORT_MOVES[12]) == 0
    assert desk.board.condition.position[:2] == pytest.approx((150, 150))
    desk.finish()
    assert_as_without_a_pause(desk, SHORT_MOVES)
