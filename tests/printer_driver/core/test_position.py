from math import isnan

import pytest

from printer_driver.core.position import Head, Position, differences, replay


def test_absolute_and_relative_moves_add_up() -> None:
    head = replay(["G90", "M83", "G92 E0", "G1 X10 Y5 Z.2 E1", "G1 X11 E.5", "G91", "M83", "G1 Z1"])
    assert head.position == Position(x=11, y=5, z=1.2, e=1.5)


def test_nothing_is_known_before_modes_and_places_are_said() -> None:
    head = replay(["G1 X10", "G1 E1"])
    assert isnan(head.x)
    assert isnan(head.e)


def test_homing_forgets_the_axes_it_names() -> None:
    head = replay(["G90", "M82", "G1 X1 Y2 Z3 E4", "G28 X"])
    assert isnan(head.x)
    assert (head.y, head.z, head.e) == (2, 3, 4)


@pytest.mark.parametrize("command", ["G29", "T1", "M600", "START_PRINT", "G1 X1 Ybad"])
def test_what_may_move_by_itself_forgets_all(command: str) -> None:
    head = replay(["G90", "M82", "G1 X1 Y2 Z3 E4", command])
    assert all(map(isnan, (head.x, head.y, head.z, head.e)))


@pytest.mark.parametrize("command", ["M400", "G4 S1", "M104 S200", "M204 S500", "G21"])
def test_what_does_not_move_changes_nothing(command: str) -> None:
    assert replay(["G90", "M82", "G1 X1 Y2 Z3 E4", command]).position == Position(
        x=1, y=2, z=3, e=4
    )


def test_g90_and_the_extruder_depend_on_the_dialect() -> None:
    commands = ["M83", "G90"]
    assert replay(commands, g90_sets_extruder=True).is_extruder_relative is False
    assert replay(commands, g90_sets_extruder=False).is_extruder_relative is True


def test_g92_without_axes_is_zero_everywhere() -> None:
    assert replay(["G92"]).position == Position(x=0, y=0, z=0, e=0)


def test_modes_are_restored_in_an_order_that_keeps_both() -> None:
    assert replay(["G91", "M82"]).modes() == ["G91", "M82"]
    assert Head().modes() == []


def test_only_what_is_known_can_be_off() -> None:
    assert differences(Position(x=1, y=2), Position(x=1.01, y=2.5, z=9)) == {"y": 0.5}
    assert differences(Position(e=1), Position(e=1.04)) == {}


def test_how_long_moves_last() -> None:
    head = replay(["G90", "M83", "G92 X0 Y0 Z0 E0", "G1 X100 F6000", "G1 E-5 F300"])
    assert head.moving_until_s == pytest.approx(1.0 + 1.0)
    head.note_full_planner(10.0)
    assert head.moving_until_s == pytest.approx(12.0)


def test_when_the_extruder_tells_how_it_was_meant() -> None:
    """From the second relative move on, or when one follows another E than zero."""
    first = ["G90", "M83", "G92 E0", "G1 E5"]
    assert not replay(first).tells_relative
    assert replay([*first, "G1 E-.5"]).tells_relative
    assert not replay([*first[:1], "M82", "G1 E5", "G1 E6"]).tells_relative
    assert not replay(["M83", "G1 E5", "G1 E5"]).tells_relative
