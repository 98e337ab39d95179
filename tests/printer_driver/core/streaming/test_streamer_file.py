"""A file that is not read fast enough, or not at all for a while: simulated time, virtual board."""

from collections.abc import Iterator

import pytest

from printer_driver.core.gcode.gcode_lines import (
    NO_LINE_YET,
    FileCommand,
    commands_of,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.file_wait import (
    SHOWN_S,
    WAIT_S_MAX,
    WAITS,
)
from printer_driver.printer import PrintState
from tests.printer_driver.core.streaming.test_streamer_control import (
    SQUARE,
    Desk,
)

MOVES = [*SQUARE, *[f"G1 X{number} E.01 F6000" for number in range(60)]]
HEAT = "M104 S60"


class Disk:
    """Its lines up to `there` have been read."""

    def __init__(self, lines: list[str], there: int) -> None:
        self.there = there
        self.asked = 0
        self._lines = lines

    def commands(self) -> Iterator[FileCommand]:
        return commands_of(self._read())

    def _read(self) -> Iterator[bytes]:
        for number, line in enumerate(self._lines):
            while number >= self.there:
                self.asked += 1
                yield NO_LINE_YET
            yield f"{line}\n".encode()


class Hung(Desk):
    """A print whose file hangs behind its 30th move."""

    def __init__(self, lines: list[str] | None = None, there: int = 35) -> None:
        super().__init__()
        self.disk = Disk(lines or [HEAT, *MOVES], there)
        self.tell(ev.StartPrint(print_id="p", commands=self.disk.commands(), bytes_total=1))
        self.run(lambda: self.disk.asked > 0)

    @property
    def shown(self) -> str:
        return self.streamer.status(self.now_s).notification

    def notes(self) -> list[str]:
        return [effect.text for effect in self.effects if isinstance(effect, ev.Note)]

    def is_cold(self) -> bool:
        return not self.board.condition.nozzle_target_c


def test_the_print_stays_as_it_is_and_goes_on_when_the_file_is_there() -> None:
    desk = Hung()
    desk.wait(60.0)
    asked = desk.disk.asked
    assert asked < 3000, "it turns in circles"
    assert (desk.state(), desk.board.condition.nozzle_target_c) == (PrintState.PRINTING, 60)
    assert 25 <= desk.executed.count("M105") <= 35  # or whoever heats would not be watched
    desk.disk.there = 1000
    assert desk.run(desk.over) < 30.0
    assert desk.report
    assert (desk.report.state, desk.report.lines_done) == (PrintState.DONE, len(MOVES) + 1)
    moves = [command for command in desk.executed if command.startswith("G1 X")]
    assert moves == MOVES[len(SQUARE) :]
    assert 55 < desk.streamer.telemetry(desk.now_s).starved_s < 62


def test_people_are_told_after_some_seconds_and_until_it_is_over() -> None:
    desk = Hung()
    desk.wait(SHOWN_S / 2)
    assert (desk.shown, desk.notes()) == ("", [])
    desk.wait(SHOWN_S)
    assert (desk.shown, desk.notes()) == (WAITS, [WAITS])
    desk.wait(20.0)
    desk.disk.there = 1000
    desk.run(desk.over)
    assert desk.shown == ""
    assert len(desk.notes()) == 2
    assert "no longer" in desk.notes()[1]


@pytest.mark.parametrize("waits_s", [1.0, 60.0])
def test_a_cancel_is_as_quick_as_ever(waits_s: float) -> None:
    desk = Hung()
    desk.wait(waits_s)
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.over) < 1.0
    assert desk.report
    assert (desk.report.state, desk.is_cold(), desk.shown) == (PrintState.CANCELLED, True, "")


def test_a_pause_and_an_emergency_stop_are_as_quick_as_ever() -> None:
    desk = Hung()
    desk.wait(60.0)
    desk.tell(ev.PausePrint())
    assert desk.run(lambda: "M400" in desk.executed) < 0.1
    desk.run(lambda: desk.state() is PrintState.PAUSED)
    assert desk.shown == ""
    desk.wait(2 * WAIT_S_MAX)  # a person who pauses may take all the time there is
    assert desk.state() is PrintState.PAUSED
    desk.tell(ev.ResumePrint())
    desk.run(lambda: desk.state() is PrintState.PRINTING)
    desk.wait(WAIT_S_MAX / 2)
    assert desk.shown == WAITS
    desk.tell(ev.HaltFirmware())
    sends = [x.data for x in desk.streamer.effects() if isinstance(x, ev.Send)]
    assert sends == [b"\nM112\n"]


def test_after_ten_minutes_it_fails_and_cools() -> None:
    desk = Hung()
    assert WAIT_S_MAX - 3 < desk.run(desk.over) < WAIT_S_MAX + 3
    assert desk.report
    assert desk.report.state is PrintState.FAILED
    assert "for 10 minutes; look after the disk" in desk.report.reason
    assert desk.run(desk.is_cold) < 10.0
    assert desk.shown == ""


def test_a_file_that_came_while_something_long_went_on_is_not_missed() -> None:
    """Behind a long command there is no room to send, so nothing is looked for."""
    desk = Hung([*SQUARE, "G4 S1200", *MOVES], there=len(SQUARE) + 1)
    assert "G4 S1200" not in desk.executed
    desk.wait(SHOWN_S + 5)
    desk.disk.there = 1000
    desk.wait(5.0)
    assert desk.shown == ""
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE


def test_a_slow_disk_only_slows_the_print_down() -> None:
    desk = Hung(there=1)
    while not desk.over():
        desk.disk.there += 1
        desk.wait(0.5)
    assert desk.report
    assert (desk.report.state, desk.report.lines_done) == (PrintState.DONE, len(MOVES) + 1)
    assert desk.notes() == []
