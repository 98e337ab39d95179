"""Estimates, before a print starts, whether the wire is fast enough for the file."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot, inf, isnan

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.gcode.position import (
    PLANNER_MOVES,
    Head,
)
from printer_driver.core.replies.dialects import BUFSIZE

BITS_PER_BYTE = 10
OVERHEAD_BYTES = len("N123 *123\n")
OK_BYTES = len("ok\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class WireSpeed:
    """The wire. `latency_s` is that of the USB adapter, one way; `baud` is 0 for native USB."""

    baud: int
    latency_s: float = 0.001
    window_lines: int = BUFSIZE - 1

    def lines_per_s(self, command_bytes: float) -> float:
        """How many lines of this length go through per second, with the window full."""
        byte_s = BITS_PER_BYTE / self.baud if self.baud else 0.0
        line_s = (command_bytes + OVERHEAD_BYTES) * byte_s
        round_trip_s = line_s + OK_BYTES * byte_s + 2 * self.latency_s
        slowest_s = max(line_s, round_trip_s / self.window_lines)
        return 1 / slowest_s if slowest_s else inf


@dataclass(frozen=True, kw_only=True, slots=True)
class WireEstimate:
    """The result for one file."""

    lines_per_s: float
    """That go through, at this file's mean length of a line."""
    limited_share: float
    """Of the moves, those that the printer could make faster than they arrive; 0 to 1."""
    speed_mm_per_s: float
    """"Limited by the link": what the densest such piece can be printed at; 0 if nothing is."""

    @property
    def sentence(self) -> str:
        """A sentence for a person; empty when nothing is limited."""
        if not self.limited_share:
            return ""
        return (
            f"Limited by the link: the finest curves print at {self.speed_mm_per_s:.0f} mm/s "
            f"({self.limited_share:.0%} of the moves); a higher baud rate would help."
        )


def estimate(commands: Iterable[str], link: WireSpeed) -> WireEstimate:
    """Estimates with nominal speeds, without acceleration, in one pass: "fast enough" is certain.

    A piece of the file is as many moves as the planner holds; it hides shorter bursts.
    """
    head = Head(g90_sets_extruder=False)
    piece: deque[tuple[float, float, int]] = deque(maxlen=PLANNER_MOVES)  # mm, s, bytes
    moves = limited = lines = line_bytes = 0
    slowest_mm_per_s = inf
    for command in commands:
        kind = kind_of(command)
        lines, line_bytes = lines + 1, line_bytes + len(command)
        x, y, moving_until_s = head.x, head.y, head.moving_until_s
        head.execute(command, kind, 0.0)
        length = hypot(head.x - x, head.y - y)
        if kind is not CommandKind.MOVE or isnan(length) or not length:
            continue
        piece.append((length, head.moving_until_s - moving_until_s, len(command)))
        moves += 1
        if len(piece) == PLANNER_MOVES and (speed := _limited_to(piece, link)):
            limited += 1
            slowest_mm_per_s = min(slowest_mm_per_s, speed)
    return WireEstimate(
        lines_per_s=round(link.lines_per_s(line_bytes / lines), 1) if lines else 0.0,
        limited_share=round(limited / moves, 4) if moves else 0.0,
        speed_mm_per_s=round(slowest_mm_per_s, 1) if limited else 0.0,
    )


def _limited_to(piece: deque[tuple[float, float, int]], link: WireSpeed) -> float:
    """The speed in mm/s at which this piece arrives; 0 if it arrives faster than it is printed."""
    length, duration_s = sum(x[0] for x in piece), sum(x[1] for x in piece)
    lines_per_s = link.lines_per_s(sum(x[2] for x in piece) / len(piece))
    arrival_s = len(piece) / lines_per_s
    return length / arrival_s if arrival_s > duration_s else 0.0
