from collections.abc import Iterator
from math import nan

import pytest

from printer_driver.core.gcode.command_kinds import kind_of
from printer_driver.core.gcode.position import (
    Head,
    Position,
    head_behind,
)
from printer_driver.core.streaming.pause import (
    ASKS_MAX,
    Pause,
    PositionCheck,
)
from printer_driver.core.streaming.stream_settings import Park
from printer_driver.printer import Temperature

PARK = Park(x=0, y=200)
PLACE = Position(x=1, y=2, z=3, e=4)
KNOWN = ("G90", "M82", "G92 E4", "G1 X1 Y2 Z3 F900")
ASKING = ["M105", "M114"]


def heater(name: str, target_c: float) -> Temperature:
    return Temperature(name=name, actual_c=20, target_c=target_c)


class Printing:
    """A pause whose scripts are executed; what M114 then tells is `told`, or nothing."""

    def __init__(self, pause: Pause) -> None:
        self.pause = pause
        self.told: list[Position | None] = []
        self.notes: list[str] = []

    def settle(self) -> list[str]:
        return self._do(self.pause.settling())

    def park(self) -> list[str]:
        return self._do(iter([self.pause.parking()]))

    def come_back(self, *targets: Temperature) -> list[str]:
        return self._do(self.pause.returning(targets))

    def _do(self, scripts: Iterator[list[str]]) -> list[str]:
        done = []
        for script in scripts:
            for command in script:
                done.append(command)
                if self.pause.head:
                    self.pause.head.execute(command, kind_of(command), 0.0)
                if command == "M114" and self.told and (place := self.told.pop(0)):
                    self.notes.append(self.pause.heard_position(place))
        return done


def paused(head: Head, *told: Position, park: Park | None = PARK) -> Printing:
    printing = Printing(Pause(head=head, park=park))
    printing.told = list(told)
    printing.settle()
    return printing


def test_without_a_reported_place_nothing_moves() -> None:
    printing = Printing(Pause(head=head_behind(KNOWN), park=PARK))
    assert printing.settle() == ["M400", *ASKING * ASKS_MAX]
    assert (printing.park(), printing.come_back()) == ([], [])


def test_where_the_file_has_told_no_place_the_printer_is_not_believed() -> None:
    printing = Printing(Pause(head=head_behind(["G90", "M83", "G28", "G1 X1 Y2"]), park=PARK))
    printing.told = [PLACE]
    assert printing.settle() == ["M400", *ASKING]
    assert (printing.park(), printing.come_back()) == ([], [])


def test_unknown_modes_cannot_be_restored_so_nothing_moves() -> None:
    head = head_behind(KNOWN)
    head.is_extruder_relative = None
    assert paused(head, PLACE).park() == []


def test_the_modes_of_the_pause_are_restored_not_those_of_the_parking() -> None:
    printing = paused(head_behind([*KNOWN, "G91", "M82"]), PLACE)
    assert printing.park()
    assert printing.come_back()[-3:] == ["G91", "M82", "G1 F900"]


def test_an_answer_that_does_not_fit_is_asked_for_again() -> None:
    printing = Printing(Pause(head=head_behind(KNOWN), park=PARK))
    printing.told = [Position(x=1, y=2, z=0.3, e=4), PLACE]
    assert printing.settle() == ["M400", *ASKING * 2]
    assert printing.park()
    assert printing.notes == ["", ""]


def test_two_answers_that_do_not_fit_are_believed_to_be_elsewhere() -> None:
    elsewhere = Position(x=1, y=2, z=5, e=4)
    printing = paused(head_behind(KNOWN), elsewhere, elsewhere)
    assert (printing.park(), printing.come_back()) == ([], [])
    assert "off in Z by +2 mm; it is not parked" in printing.notes[-1]


def test_firmware_that_counts_filament_otherwise_parks_and_keeps_its_count() -> None:
    otherwise = Position(x=1, y=2, z=3, e=400)
    printing = paused(head_behind(KNOWN), otherwise, otherwise)
    assert printing.park()
    printing.told = [Position(x=0, y=200, z=8, e=399)]
    assert not any(x.startswith("G92") for x in printing.come_back())
    assert not any(printing.notes)


def test_filament_that_a_person_has_fed_is_not_counted() -> None:
    printing = paused(head_behind(KNOWN), PLACE, park=None)
    fed = Position(x=1, y=2, z=3, e=34)
    printing.told = [fed, fed]
    assert printing.come_back() == ["M114", "M114", "G92 E4.00000"]
    assert not any(printing.notes)


def test_a_head_that_was_moved_goes_up_then_back_and_is_looked_for() -> None:
    printing = paused(head_behind(KNOWN), PLACE, park=None)
    moved = Position(x=50, y=2, z=1, e=4)
    printing.told = [moved, moved, PLACE]
    assert printing.come_back() == [
        "M114",
        "M114",
        "G90",
        "G1 Z8.000 F600",
        "G1 X1.000 Y2.000 F6000",
        "G1 Z3.000 F600",
        "M114",
        "G90",
        "M82",
        "G1 F900",
    ]
    assert "off in X by +49 mm, Z by -2 mm; it goes back" in printing.notes[-2]
    assert printing.pause.problem == ""


def test_a_head_that_stays_elsewhere_is_a_problem_and_can_be_tried_again() -> None:
    printing = paused(head_behind(KNOWN), PLACE)
    printing.park()
    aside, lower = Position(x=0, y=200, z=8, e=3), Position(x=1, y=2, z=2, e=3)
    printing.told = [aside, lower, lower]
    assert printing.come_back()[-2:] == ["M114", "M114"]
    assert "off in Z by -1 mm" in printing.pause.problem
    printing.told = [lower, lower, Position(x=1, y=2, z=3, e=3)]
    again = printing.come_back()
    assert again[2:4] == ["G90", "G1 Z8.000 F600"]
    assert again[-5:] == ["M83", "G1 E1 F1800", "G90", "M82", "G1 F900"]
    assert printing.pause.problem == ""


@pytest.mark.parametrize("lost", range(ASKS_MAX))
def test_lost_answers_are_asked_for_again(lost: int) -> None:
    printing = Printing(Pause(head=head_behind(KNOWN), park=PARK))
    printing.told = [*[None] * lost, PLACE]
    assert printing.settle() == ["M400", *ASKING * (lost + 1)]
    assert printing.park()


def test_an_answer_without_an_axis_says_nothing() -> None:
    look = PositionCheck()
    assert look.heard(PLACE, Position(x=1, y=2, z=nan, e=4)) == ""
    assert not look.is_answered


def heard(before: tuple[Temperature, ...], *reports: list[float]) -> Pause:
    pause = Pause(heaters=before)
    for report in reports:
        pause.heard_targets(report)
    return pause


def warmed(pause: Pause, *now: Temperature) -> list[str]:
    return [command for script in pause.returning(now) for command in script]


def test_only_heaters_that_cooled_are_warmed_the_bed_first() -> None:
    before = (heater("T0", 210), heater("T1", 0), heater("B", 60), heater("C", 40))
    pause = heard(before, [210, 0, 60, 40])
    now = (heater("T0", 0), heater("T1", 0), heater("B", 0), heater("C", 40))
    assert warmed(pause, *now) == ["M190 S60", "M109 S210"]
    assert warmed(pause, *before) == []


def test_targets_are_those_of_the_pause_and_asked_for_until_two_reports_agree() -> None:
    before, off = (heater("T0", 210), heater("B", 60)), (heater("T0", 0), heater("B", 0))
    assert warmed(heard(before, [0, 0], [0, 0]), *before) == []
    assert warmed(heard(before), *off) == []  # never told again
    assert warmed(heard(before, [290, 60]), *off) == []  # noise?
    assert warmed(heard(before, [290, 60], [210, 60], [210, 60]), *off) == ["M190 S60", "M109 S210"]


def test_a_heater_that_comes_to_be_known_in_the_pause_is_left_alone() -> None:
    pause = heard((heater("T0", 210),), [210, 60])
    assert warmed(pause, heater("T0", 0), heater("B", 0)) == ["M109 S210"]


def test_a_printer_that_reports_nothing_is_not_heated() -> None:
    assert warmed(heard((heater("T1", 210),), [210])) == []


def test_the_printers_own_pause_is_the_printers() -> None:
    assert warmed(Pause(), heater("T0", 0)) == []
