from printer_driver.core.pausing import Pause
from printer_driver.core.position import Position, replay
from printer_driver.core.settings import Park
from printer_driver.printer import Temperature

PARK = Park(x=0, y=200)


def heater(name: str, target_c: float) -> Temperature:
    return Temperature(name=name, actual_c=20, target_c=target_c)


def test_without_a_reported_place_nothing_moves() -> None:
    pause = Pause(head=replay(["G90", "M83"]))
    assert pause.parking(PARK) == []
    assert pause.restoring((), PARK) == []


def test_unknown_modes_cannot_be_restored_so_nothing_moves() -> None:
    pause = Pause(head=replay([]), position=Position(x=1, y=2, z=3, e=4))
    assert pause.parking(PARK) == []


def test_the_modes_of_the_pause_are_restored_not_those_of_the_parking() -> None:
    head = replay(["G91", "M82", "G1 F900"])
    pause = Pause(head=head, position=Position(x=1, y=2, z=3, e=4))
    assert pause.parking(PARK)
    head.is_absolute = head.is_extruder_relative = True
    assert pause.restoring((), PARK)[-3:] == ["G91", "M82", "G1 F900"]


def test_only_heaters_that_cooled_are_warmed_the_bed_first() -> None:
    before = (heater("T0", 210), heater("T1", 0), heater("B", 60), heater("C", 40))
    pause = Pause(targets=before)
    now = (heater("T0", 0), heater("T1", 0), heater("B", 0), heater("C", 40))
    assert pause.restoring(now, None) == ["M190 S60", "M109 S210"]
    assert pause.restoring(before, None) == []


def test_a_printer_that_reports_nothing_is_not_heated() -> None:
    assert Pause(targets=(heater("T1", 210),)).restoring((), None) == []
