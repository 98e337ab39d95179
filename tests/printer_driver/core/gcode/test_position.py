from math import isnan

import pytest

from printer_driver.core.gcode.command_kinds import kind_of
from printer_driver.core.gcode.position import (
    Head,
    Position,
    differences,
    head_behind,
)


def test_absolute_and_relative_moves_add_up() -> None:
    head = head_behind(
        ["G90", "M83", "G92 E0", "G1 X10 Y5 Z.2 E1", "G1 X11 E.5", "G91", "M83", "G1 Z1"]
    )
    assert head.position == Position(x=11, y=5, z=1.2, e=1.5)


def test_nothing_is_known_before_modes_and_places_are_said() -> None:
    head = head_behind(["G1 X10", "G1 E1"])
    assert isnan(head.x)
    assert isnan(head.e)


def test_homing_forgets_the_axes_it_names() -> None:
    head = head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", "G28 X"])
    assert isnan(head.x)
    assert (head.y, head.z, head.e) == (2, 3, 4)


@pytest.mark.parametrize("command", ["G29", "T1", "M600", "START_PRINT", "G1 X1 Ybad"])
def test_what_may_move_by_itself_forgets_all(command: str) -> None:
    head = head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", command])
    assert all(map(isnan, (head.x, head.y, head.z, head.e)))


@pytest.mark.parametrize("command", ["M400", "G4 S1", "M104 S200", "M204 S500", "G21", "G60 S0"])
def test_what_does_not_move_changes_nothing(command: str) -> None:
    assert head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", command]).position == Position(
        x=1, y=2, z=3, e=4
    )


@pytest.mark.parametrize(
    "command", ["G1X5Y6E7", "G1 X5Y6 E7", "G1 X 5 Y 6 E 7", "G 1 X5 Y+6. E7", "G01 X5 Y6E07"]
)
def test_moves_without_the_usual_blanks(command: str) -> None:
    assert head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", command]).position == Position(
        x=5, y=6, z=3, e=7
    )


def test_an_extruder_word_is_no_exponent() -> None:
    assert head_behind(["G90", "M82", "G1 Y2 Z3", "G1 X1E2"]).position == Position(
        x=1, y=2, z=3, e=2
    )


def test_g92_without_blanks_sets_what_it_names() -> None:
    assert head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", "G92E0"]).position == Position(
        x=1, y=2, z=3, e=0
    )


@pytest.mark.parametrize("command", ["G1X", "G1X5Y", "G1X5.6.7", "G1X5;", "G92E"])
def test_words_that_are_none_forget_all(command: str) -> None:
    head = head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", command])
    assert all(map(isnan, (head.x, head.y, head.z, head.e)))


def test_firmware_retraction_hides_height_and_filament_until_it_is_undone() -> None:
    begin = ["G90", "M82", "G1 X1 Y2 Z3 E4", "G10", "G1 X5 Z3.2"]
    inside, outside = head_behind(begin).position, head_behind([*begin, "G11"]).position
    assert (inside.x, inside.y) == (5, 2)
    assert isnan(inside.z)
    assert isnan(inside.e)
    assert (outside.x, outside.y, outside.z) == (5, 2, 3.2)
    assert isnan(outside.e)


def test_what_the_firmware_says_while_retracted_is_not_where_the_file_is() -> None:
    head = head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", "G10 S1"])
    head.believe(Position(x=1, y=2, z=3.4, e=3))
    head.execute("G11", kind_of("G11"), 0.0)
    assert isnan(head.position.z)


@pytest.mark.parametrize("command", ["G10 P1 X2", "G10 L2 P1 Z1", "G61 S0"])
def test_offsets_and_returns_to_saved_places_forget_all(command: str) -> None:
    assert isnan(head_behind(["G90", "M82", "G1 X1 Y2 Z3 E4", command]).position.x)


def test_g90_and_the_extruder_depend_on_the_dialect() -> None:
    commands = ["M83", "G90"]
    assert head_behind(commands, g90_sets_extruder=True).is_extruder_relative is False
    assert head_behind(commands, g90_sets_extruder=False).is_extruder_relative is True


def test_g92_without_axes_is_zero_everywhere() -> None:
    assert head_behind(["G92"]).position == Position(x=0, y=0, z=0, e=0)


def test_modes_are_restored_in_an_order_that_keeps_both() -> None:
    assert head_behind(["G91", "M82"]).modes() == ["G91", "M82"]
    assert Head().modes() == []


def test_only_what_is_known_can_be_off() -> None:
    assert differences(Position(x=1, y=2), Position(x=1.01, y=2.5, z=9)) == {"y": 0.5}
    assert differences(Position(e=1), Position(e=1.04)) == {}


def test_how_long_moves_last() -> None:
    head = head_behind(["G90", "M83", "G92 X0 Y0 Z0 E0", "G1 X100 F6000", "G1 E-5 F300"])
    assert head.moving_until_s == pytest.approx(1.0 + 1.0)
    head.note_full_planner(10.0)
    assert head.moving_until_s == pytest.approx(12.0)


def test_when_the_extruder_tells_how_it_was_meant() -> None:
    """From the second relative move on, or when one follows another E than zero."""
    first = ["G90", "M83", "G92 E0", "G1 E5"]
    assert not head_behind(first).tells_relative
    assert head_behind([*first, "G1 E-.5"]).tells_relative
    assert not head_behind([*first[:1], "M82", "G1 E5", "G1 E6"]).tells_relative
    assert not head_behind(["M83", "G1 E5", "G1 E5"]).tells_relative
