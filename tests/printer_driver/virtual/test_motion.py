from math import pi
from pathlib import Path

import pytest

from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.virtual.motion import (
    BLOCK_SLOTS,
    Motion,
    words,
)


def test_words() -> None:
    assert words("G1 X-1.5 Y.25E3 F1200") == {"G": 1, "X": -1.5, "Y": 0.25, "E": 3, "F": 1200}
    assert words("nan inf X1e999") == {"X": 1, "E": 999}


def planned(*commands: str) -> Motion:
    motion = Motion()
    for command in commands:
        if command[:3] in ("G90", "G91", "M82", "M83"):
            motion.set_mode(command)
        elif command.startswith("M"):
            motion.set_limits(command[:4], command)
        else:
            motion.plan(command, 0.0)
    return motion


def test_a_long_move_takes_distance_over_feedrate() -> None:
    motion = planned("G1 X3 Y4 F60")
    assert motion.last_end_s(0.0) == pytest.approx(5.1, abs=0.01)


def test_relative_and_absolute_moves_and_what_they_add_up_to() -> None:
    motion = planned("G1 X10 E5", "G91", "G1 X-4 Y2 E-1", "G90", "M83", "G1 X0 Z1 E2")
    assert motion.position == (0.0, 2.0, 1.0, 6.0)
    totals = motion.totals
    assert (totals.x_mm, totals.y_mm, totals.z_mm, totals.e_mm) == (20, 2, 1, 6)
    assert totals.moves == 3


def test_a_dry_move_goes_there_without_filament() -> None:
    motion = Motion()
    motion.plan("G1 X10 E5", 0.0, is_dry=True)
    assert motion.position == (10.0, 0.0, 0.0, 5.0)
    assert motion.totals.e_mm == 0


def test_a_move_to_where_the_head_is_takes_no_slot() -> None:
    motion = planned("G1 X5")
    free = motion.planner_free
    motion.plan("G1 X5 F3000", 0.0)
    assert motion.planner_free == free


def test_limits_of_an_axis_slow_the_whole_move() -> None:
    quick = planned("G1 X50 F6000").last_end_s(0.0)
    slow_axis = planned("M203 X10", "G1 X50 F6000").last_end_s(0.0)
    half = planned("M220 S50", "G1 X50 F6000").last_end_s(0.0)
    lazy = planned("M204 P10", "G1 X50 E1 F6000").last_end_s(0.0)
    assert quick < 1.0
    assert slow_axis == pytest.approx(5.1, abs=0.05)
    assert quick < half < slow_axis
    assert lazy > 4.0


@pytest.mark.parametrize(
    ("command", "length_mm"),
    [
        ("G3 X0 Y0 I10 J0 F60", 20 * pi),
        ("G3 X-10 Y10 I-10 J0 F60", 5 * pi),
        ("G2 X-10 Y10 I-10 J0 F60", 15 * pi),
        ("G2 X3 Y4 R10 F60", 5),
    ],
)
def test_arcs(command: str, length_mm: float) -> None:
    assert planned(command).last_end_s(0.0) == pytest.approx(length_mm + 0.1, abs=0.05)


def test_slots_become_free_when_moves_end() -> None:
    motion = Motion()
    for x in range(BLOCK_SLOTS - 1):
        assert not motion.is_full
        motion.plan(f"G1 X{x + 1} F60", 0.0)
    assert motion.is_full
    motion.advance(motion.next_end_s)
    assert not motion.is_full


def test_homing_only_what_is_named() -> None:
    motion = planned("G1 X5 Y6 Z7 E8")
    motion.home("G28 X")
    assert motion.position == (0.0, 6.0, 7.0, 8.0)
    motion.home("G28")
    assert motion.position == (0.0, 0.0, 0.0, 8.0)
    motion.set_position("G92 E1")
    assert motion.position == (0.0, 0.0, 0.0, 1.0)


def test_after_a_stop_the_head_is_on_its_way() -> None:
    motion = planned("G1 X100 F60", "G1 X200")
    motion.stop(50.1)
    assert motion.position[0] == pytest.approx(50, abs=1)
    assert motion.last_end_s(60.0) == 60.0


@pytest.mark.parametrize(
    ("name", "slicer_s"), [("pin_mk3s", 90), ("bracket_mini", 545), ("cube20_mk3s", 1737)]
)
def test_real_files_take_as_long_as_their_slicer_estimates(name: str, slicer_s: float) -> None:
    path = Path(__file__).parents[2] / "data" / "gcode" / f"{name}.gcode"
    with path.open("rb") as file:
        commands = [command.text for command in commands_of(file)]
    motion, now_s = Motion(), 0.0
    for command in commands:
        while motion.is_full:
            now_s = motion.next_end_s
            motion.advance(now_s)
        follow(motion, command, now_s)
    assert motion.last_end_s(now_s) == pytest.approx(slicer_s, rel=0.05)
    assert motion.starvation.times == 0


def follow(motion: Motion, command: str, now_s: float) -> None:
    match command.split(maxsplit=1)[0]:
        case "G0" | "G1":
            motion.plan(command, now_s)
        case "G90" | "G91" | "M82" | "M83" as mode:
            motion.set_mode(mode)
        case "G92":
            motion.set_position(command)
        case "M201" | "M203" | "M204" | "M220" as limit:
            motion.set_limits(limit, command)
