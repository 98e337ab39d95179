from math import isnan

import pytest

from printer_driver.core.gcode.command_kinds import CommandKind
from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.core.gcode.machine_state import (
    MachineState,
    state_behind,
)
from printer_driver.core.gcode.position import Position
from printer_driver.core.streaming.stream_settings import ignored_lines

FILE = b"""G28
G90
M83
M104 S200
M190 S60
G1 X10 Y20 Z0.3 E1
G1 X30 E2
M104 S210
"""


def state_at(file: bytes, end_offset: int) -> MachineState:
    return state_behind(commands_of(file.splitlines(keepends=True)), end_offset)


def test_the_state_at_a_place() -> None:
    place = FILE.index(b"M104 S210")
    state = state_at(FILE, place)
    assert state.targets_c == {"T0": 200.0, "B": 60.0}
    assert state.objection(Position(x=30, y=20, z=0.3)) == ""
    assert state.objection(Position(x=10, y=20, z=0.3)) == "X by -20 mm"
    assert state.preamble() == ["G90", "M83"]
    assert state_at(FILE, len(FILE)).targets_c["T0"] == 210.0


def test_what_the_file_does_not_say_is_not_compared() -> None:
    state = state_at(FILE, len(b"G28\n"))
    assert state.objection(Position(x=110, y=5, z=7, e=3)) == ""
    assert state.preamble() == []


def test_the_feedrate_as_the_file_has_set_it() -> None:
    state = state_at(b"G90\nM83\nG1 X1 F1200\nG1 X2 F4321.5\nG1 X3\n", 99)
    assert state.preamble() == ["G90", "M83", "G1 F4321.5"]
    before = state.objection(Position(x=3))
    state.execute("G1 F4321.5")
    assert state.objection(Position(x=3)) == before == ""
    assert state_at(b"M83\nG90\nG1 F600\n", 99).preamble() == ["G1 F600"]


def test_what_is_ignored_was_never_sent() -> None:
    commands = list(commands_of([b"G90\n", b"M82\n", b"m83 ; ours\n", b"M140 S60\n", b"G1 X1\n"]))
    ignored = ignored_lines(["M83", "M140 S60", "G1 X1"])
    state = state_behind(commands, commands[2].end_offset, 99, ignored)
    assert state.preamble() == ["G90", "M82"]
    assert not state.moves_ahead
    assert state_behind(commands, 99, 0, ignored).targets_c == {}


def test_modes_that_depend_on_the_firmware_are_not_said_again() -> None:
    """Marlin 2's G90 makes the extruder absolute, Prusa's does not."""
    state = state_at(b"M83\nG90\nG1 X1 E1\n", 99)
    assert state.preamble() == []
    assert state.objection(Position(x=1, e=50)) == ""


def test_what_was_sent_behind_the_place_may_have_moved_the_head() -> None:
    commands = list(commands_of(FILE.splitlines(keepends=True)))
    behind_homing, before_moves = commands[0].end_offset, commands[4].end_offset
    assert not state_behind(commands, behind_homing, before_moves).moves_ahead
    assert state_behind(commands, behind_homing, len(FILE)).moves_ahead
    assert state_behind(commands, 0, behind_homing).moves_ahead
    assert not state_behind(commands, behind_homing).knows_place
    assert state_behind(commands, len(FILE)).knows_place


def test_heaters_of_several_tools() -> None:
    state = state_at(b"M104 T1 S190\nT1\nM109 S200\nM104 T0 S150\nM141 S40\n", 99)
    assert state.targets_c == {"T1": 200.0, "T0": 150.0, "C": 40.0}


@pytest.mark.parametrize("g90_sets_extruder", [True, False])
def test_the_head_of_a_print_that_goes_on(*, g90_sets_extruder: bool) -> None:
    state = state_at(b"G90\nM83\nG92 X0 Y0 Z0 E0\nM106 S99\nG1 X9 Y2 Z3 E.5 F60\n", 99)
    head = state.head(g90_sets_extruder=g90_sets_extruder)
    assert head.g90_sets_extruder is g90_sets_extruder
    assert head.position == Position(x=9, y=2, z=3, e=0.5)
    assert (head.modes(), head.feedrate, head.fan) == (["G90", "M83"], 60, "M106 S99")
    assert head.moving_until_s == 0
    head.note_full_planner(100.0)
    assert head.moving_until_s == 100.0
    head.execute("G1 X1", CommandKind.MOVE, 100.0)
    assert state.head(g90_sets_extruder=g90_sets_extruder).position.x == 9


def test_of_an_unsure_extruder_the_head_knows_nothing() -> None:
    state = state_at(b"M83\nG90\nG92 X0 Y0 Z0 E0\nG1 X1 E1\n", 99)
    for g90_sets_extruder in (True, False):
        head = state.head(g90_sets_extruder=g90_sets_extruder)
        assert (head.x, head.y, head.z) == (1, 0, 0)
        assert isnan(head.e)
        assert head.is_extruder_relative is None
        assert not head.tells_relative
