"""Counts what happens on the wire during one print: throughput, resends, lost acknowledgements."""

from collections import deque
from dataclasses import dataclass, field

from printer_driver.printer import Telemetry

ROUND_TRIPS_KEPT = 1024


@dataclass(kw_only=True, slots=True)
class Counters:
    """The counts of the running print."""

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

    def count_round_trip(self, lines: int, round_trip_s: float) -> None:
        """An `ok` has acknowledged `lines` lines; those before the last had lost their own."""
        self.lost_oks += lines - 1
        self.round_trips_s.append(round_trip_s)

    def count_acknowledged(self, lines: int) -> None:
        """So many lines of the file are acknowledged."""
        self.acknowledged += lines

    def count_lost_oks(self, oks: int) -> None:
        """So many acknowledgements never came."""
        self.lost_oks += oks

    def count_phantom_ok(self) -> None:
        """An acknowledgement came for which no line had been sent."""
        self.phantom_oks += 1

    def count_resend(self) -> None:
        """The firmware has refused a line."""
        self.resends += 1

    def count_repeat(self) -> None:
        """A line was sent once more."""
        self.lines_repeated += 1

    def count_probe(self) -> None:
        """An M105 was sent because an acknowledgement seemed to be lost."""
        self.probes += 1

    def count_stray_line(self) -> None:
        """A piece of a refused line was executed."""
        self.stray_lines += 1

    def count_position_check(self) -> None:
        """The firmware was asked where the head is, or has told it."""
        self.position_checks += 1

    def count_starved(self, seconds: float) -> None:
        """The printer stood still for want of lines."""
        self.starved_s += seconds

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
