from math import inf

import pytest

from printer_driver.core.streaming.wire_estimate import (
    WireSpeed,
    estimate,
)

BEGIN = ["G90", "M83", "G92 X0 Y0 Z0 E0", "G1 F6000"]


def line(step_mm: float, count: int) -> list[str]:
    return [f"G1 X{number * step_mm:07.3f} Y000.000 E.01000" for number in range(1, count + 1)]


def test_a_window_gets_all_of_the_wire_unless_latency_is_long() -> None:
    assert WireSpeed(baud=115200, latency_s=0.001).lines_per_s(20) == pytest.approx(384)
    assert WireSpeed(baud=115200, latency_s=0.016).lines_per_s(20) < 100
    assert WireSpeed(baud=115200, latency_s=0.001, window_lines=1).lines_per_s(20) < 210
    assert WireSpeed(baud=0, latency_s=0).lines_per_s(20) == inf


def test_long_moves_are_not_limited() -> None:
    found = estimate([*BEGIN, *line(5.0, 100)], WireSpeed(baud=115200))
    assert found.limited_share == 0
    assert found.sentence == ""


def test_fine_curves_are() -> None:
    """0.1 mm at 100 mm/s are 1000 lines/s; the wire has about 320."""
    found = estimate([*BEGIN, *line(0.1, 1000)], WireSpeed(baud=115200))
    assert found.limited_share > 0.9
    assert 25 < found.speed_mm_per_s < 40
    assert found.speed_mm_per_s == pytest.approx(0.1 * found.lines_per_s, rel=0.1)
    assert "higher baud rate" in found.sentence


def test_a_short_burst_hides_in_the_planner() -> None:
    mixed = [*BEGIN, *line(5.0, 20), *line(0.1, 5), *line(5.0, 20)]
    assert estimate(mixed, WireSpeed(baud=115200)).limited_share == 0


def test_an_empty_file() -> None:
    assert estimate([], WireSpeed(baud=115200)).lines_per_s == 0
