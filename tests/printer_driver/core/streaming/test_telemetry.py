import pytest

from printer_driver.core.streaming.telemetry import (
    ROUND_TRIPS_KEPT,
    Counters,
)
from printer_driver.printer import Telemetry


def test_a_summary() -> None:
    counters = Counters(started_s=10.0, acknowledged=400, resends=2)
    counters.round_trips_s.extend([0.01] * 98 + [0.5, 0.5])
    telemetry = counters.summary(12.0, window_lines=3)
    assert telemetry.lines_per_s == 200.0
    assert (telemetry.round_trip_p50_s, telemetry.round_trip_p99_s) == (0.01, 0.5)
    assert (telemetry.window_lines, telemetry.resends) == (3, 2)


def test_nothing_yet() -> None:
    assert Counters(started_s=1.0).summary(1.0, window_lines=0) == Telemetry()


def test_it_is_bounded() -> None:
    counters = Counters()
    counters.round_trips_s.extend(map(float, range(ROUND_TRIPS_KEPT * 3)))
    assert len(counters.round_trips_s) == ROUND_TRIPS_KEPT
    assert counters.summary(1.0, 1).round_trip_p50_s == pytest.approx(2.5 * ROUND_TRIPS_KEPT)
