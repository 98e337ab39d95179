"""Honest numbers about one print: how fast lines went, and what went wrong on the wire."""

from collections import deque
from dataclasses import dataclass, field

from printer_driver.printer import Telemetry

ROUND_TRIPS_KEPT = 1024


@dataclass(kw_only=True, slots=True)
class Counters:
    """Counts while the print goes on."""

    started_s: float = 0.0
    idle_s: float = 0.0
    acknowledged: int = 0
    starved_s: float = 0.0
    resends: int = 0
    lines_repeated: int = 0
    lost_oks: int = 0
    phantom_oks: int = 0
    probes: int = 0
    stray_lines: int = 0
    position_checks: int = 0
    round_trips_s: deque[float] = field(default_factory=lambda: deque(maxlen=ROUND_TRIPS_KEPT))

    def summary(self, now_s: float, window_lines: int) -> Telemetry:
        """The numbers at this moment."""
        spent_s = now_s - self.started_s - self.idle_s
        trips_s = sorted(self.round_trips_s) or [0.0]
        return Telemetry(
            lines_per_s=round(self.acknowledged / spent_s, 1) if spent_s > 0 else 0.0,
            window_lines=window_lines,
            round_trip_p50_s=round(trips_s[len(trips_s) // 2], 6),
            round_trip_p99_s=round(trips_s[len(trips_s) * 99 // 100], 6),
            starved_s=round(self.starved_s, 3),
            resends=self.resends,
            lines_repeated=self.lines_repeated,
            lost_oks=self.lost_oks,
            phantom_oks=self.phantom_oks,
            probes=self.probes,
            stray_lines=self.stray_lines,
            position_checks=self.position_checks,
        )
