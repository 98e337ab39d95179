from itertools import pairwise
from math import cos, pi, sin

import pytest

from printer_driver.virtual.motion import Motion
from printer_driver.virtual.planner import (
    FIRST_MOVE_DELAY_S,
    Block,
    Planner,
)

SPEED, ACCELERATION = 100.0, 1000.0


def straight(start_mm: float, length_mm: float, speed_mm_s: float = SPEED) -> Block:
    return Block(
        start=(start_mm, 0.0, 0.0, 0.0),
        end=(start_mm + length_mm, 0.0, 0.0, 0.0),
        length_mm=length_mm,
        speed_mm_s=speed_mm_s,
        acceleration_mm_s2=ACCELERATION,
        direction=(1.0, 0.0, 0.0),
    )


def fed_at_once(*blocks: Block) -> Planner:
    planner = Planner(slots=64)
    for block in blocks:
        planner.add(block, 0.0)
    return planner


def test_a_lone_move_waits_then_accelerates_cruises_and_brakes() -> None:
    planner = fed_at_once(straight(0, 50))
    ramps_s, ramps_mm = 2 * SPEED / ACCELERATION, SPEED**2 / ACCELERATION
    expected_s = FIRST_MOVE_DELAY_S + ramps_s + (50 - ramps_mm) / SPEED
    assert planner.drained_s(0.0) == pytest.approx(expected_s)


def test_a_short_move_never_gets_fast() -> None:
    planner = fed_at_once(straight(0, 1))
    assert planner.drained_s(0.0) == pytest.approx(FIRST_MOVE_DELAY_S + 2 * (1 / 1000) ** 0.5)


def test_a_line_cut_in_pieces_takes_as_long_as_the_line() -> None:
    whole = fed_at_once(straight(0, 20), straight(20, 20), straight(40, 20))
    pieces = fed_at_once(*(straight(x, 1) for x in range(60)))
    # The first piece begins with two behind it, so it may not leave at full speed.
    assert pieces.drained_s(0.0) == pytest.approx(whole.drained_s(0.0), abs=0.05)


def test_a_corner_is_slower_than_a_straight_line() -> None:
    straight_on = fed_at_once(*(straight(x, 10) for x in range(0, 40, 10)))
    corners = [straight(0, 10) for _ in range(4)]
    for index, block in enumerate(corners):
        block.direction = (1.0, 0.0, 0.0) if index % 2 else (0.0, 1.0, 0.0)
    assert fed_at_once(*corners).drained_s(0.0) > straight_on.drained_s(0.0) + 0.1


def test_a_slow_host_is_counted_as_starvation_and_a_wait_that_is_meant_is_not() -> None:
    planner = Planner(slots=16)
    planner.add(straight(0, 1), 0.0)
    end_s = planner.drained_s(0.0)
    planner.add(straight(1, 1), end_s + 0.5)
    assert planner.starvation.times == 1
    assert planner.starvation.seconds == pytest.approx(0.5)
    planner.expect_pause()
    planner.add(straight(2, 1), end_s + 5)
    assert planner.starvation.times == 1


def test_slots_and_what_frees_them() -> None:
    planner = Planner(slots=4)
    for x in range(3):
        planner.add(straight(x * 10, 10), 0.0)
    assert planner.free == 0
    planner.advance(planner.next_end_s)
    assert planner.free == 1


def test_stop_says_where_the_head_is() -> None:
    planner = fed_at_once(straight(0, 100), straight(100, 100), straight(200, 100))
    place = planner.stop(1.0)
    assert place is not None
    assert 50 < place[0] < 100
    assert planner.drained_s(1.0) == 1.0
    assert planner.stop(2.0) is None


def test_speeds_are_continuous_and_within_limits_on_a_dense_circle() -> None:
    motion, now_s = Motion(), 0.0
    ends: list[float] = []
    for index in range(400):
        angle = index * 2 * pi / 200
        while motion.is_full:
            now_s = motion.next_end_s
            ends.append(now_s)
            motion.advance(now_s)
        motion.plan(f"G1 X{20 * cos(angle):.3f} Y{20 * sin(angle):.3f} E{index / 50} F6000", now_s)
    segment_mm = 2 * pi * 20 / 200
    speeds = [segment_mm / (b - a) for a, b in pairwise(ends[20:])]
    # Junction deviation: v² = a·r at most about 0.013 mm deviation; never above the feedrate.
    assert max(speeds) < 101
    assert max(abs(b - a) for a, b in pairwise(speeds)) < 15
    assert motion.starvation.times == 0
