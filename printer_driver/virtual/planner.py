"""The planner of the virtual printer: a ring of moves with look-ahead, and the time of each move.

As in Marlin (`Marlin/src/module/planner.cpp`): constant acceleration, junction deviation, and the
last planned move always ends at a standstill. So a host that feeds too slowly first slows the head
down and then stops it. A move that has begun is not planned again. Lengths in mm, speeds in mm/s,
accelerations in mm/s².
"""

from collections import deque
from dataclasses import dataclass
from math import inf, sqrt

JUNCTION_DEVIATION_MM = 0.013
FIRST_MOVE_DELAY_S = 0.1
"""BLOCK_DELAY_FOR_1ST_MOVE: a lone move waits for company, so that there is something to plan."""
FIRST_MOVES_ENOUGH = 3
COLLINEAR = 0.999999

Place = tuple[float, float, float, float]
"""X, Y, Z, E."""


@dataclass(kw_only=True, slots=True)
class Block:
    """One planned move."""

    start: Place
    end: Place
    length_mm: float
    speed_mm_s: float
    acceleration_mm_s2: float
    direction: tuple[float, float, float]
    """Unit vector; all zero where only the filament moves."""
    entry_mm_s: float = 0.0
    entry_max_mm_s: float = 0.0

    def limit_entry(self, mm_s: float) -> None:
        """The corner before it allows at most this speed."""
        self.entry_max_mm_s = mm_s

    def enter_at(self, mm_s: float) -> None:
        """It begins at this speed, as planned until now."""
        self.entry_mm_s = mm_s

    def settle_entry(self, mm_s: float) -> float:
        """Its speed at the beginning is fixed: as planned, or `mm_s` if that is less."""
        self.entry_mm_s = self.entry_max_mm_s = min(self.entry_mm_s, mm_s)
        return self.entry_mm_s

    def duration_s(self, exit_mm_s: float) -> float:
        """How long it takes: accelerate, cruise if there is room, brake."""
        entry, speed, acceleration = self.entry_mm_s, self.speed_mm_s, self.acceleration_mm_s2
        ramps_mm = (2 * speed * speed - entry * entry - exit_mm_s * exit_mm_s) / (2 * acceleration)
        if ramps_mm <= self.length_mm:
            ramps_s = (2 * speed - entry - exit_mm_s) / acceleration
            return ramps_s + (self.length_mm - ramps_mm) / speed
        peak = sqrt(acceleration * self.length_mm + (entry * entry + exit_mm_s * exit_mm_s) / 2)
        peak = max(peak, entry, exit_mm_s)
        return (2 * peak - entry - exit_mm_s) / acceleration or self.length_mm / peak

    def reachable_mm_s(self, from_mm_s: float) -> float:
        """The speed at the other end after a whole length of acceleration."""
        return sqrt(from_mm_s * from_mm_s + 2 * self.acceleration_mm_s2 * self.length_mm)


@dataclass(frozen=True, kw_only=True, slots=True)
class Starvation:
    """How often, and how long in all, the head stood still because the next move had not arrived.

    Waits that the file asks for (heating, homing, M400, G4) do not count.
    """

    times: int = 0
    seconds: float = 0.0


class Planner:
    """`slots` is Marlin's BLOCK_BUFFER_SIZE; one of them always stays empty."""

    def __init__(self, slots: int) -> None:
        self._moves_max = slots - 1
        self._waiting: deque[Block] = deque()
        self._running: Block | None = None
        self._begun_s = 0.0
        self._ends_s = 0.0
        """Of the running move; if there is none: when the first begins, or the last has ended."""
        self._pause_is_meant = True
        self.starvation = Starvation()

    @property
    def free(self) -> int:
        """Slots left, as `ok … P` tells."""
        return self._moves_max - len(self._waiting) - (self._running is not None)

    @property
    def next_end_s(self) -> float:
        """When the next slot becomes free; never, when nothing is planned."""
        if self._running:
            return self._ends_s
        return self._ends_s + self._duration_s(0) if self._waiting else inf

    def _duration_s(self, index: int) -> float:
        """Of a move that waits, as planned so far."""
        block, following = self._waiting[index], 0.0
        if index + 1 < len(self._waiting):
            following = self._waiting[index + 1].entry_mm_s
        return block.duration_s(min(following, block.reachable_mm_s(block.entry_mm_s)))

    def drained_s(self, now_s: float) -> float:
        """When everything planned is over."""
        if not self._running and not self._waiting:
            return now_s
        return self._ends_s + sum(self._duration_s(i) for i in range(len(self._waiting)))

    def expect_pause(self) -> None:
        """A standstill up to the next move is what the file asks for."""
        self._pause_is_meant = True

    def add(self, block: Block, now_s: float) -> None:
        """Plan a move behind the others; there must be a free slot."""
        self.advance(now_s)
        last = self._waiting[-1] if self._waiting else self._running
        if last is None:
            self._count_starvation(now_s)
            self._ends_s = now_s + FIRST_MOVE_DELAY_S
        else:
            block.limit_entry(self._junction_mm_s(last, block))
        self._waiting.append(block)
        if not self._running and len(self._waiting) >= FIRST_MOVES_ENOUGH:
            self._ends_s = min(self._ends_s, now_s)
        self._plan_backwards()
        self.advance(now_s)

    def _count_starvation(self, now_s: float) -> None:
        if not self._pause_is_meant:
            gap_s = now_s - self._ends_s
            told = self.starvation
            self.starvation = Starvation(times=told.times + 1, seconds=told.seconds + gap_s)
        self._pause_is_meant = False

    def _junction_mm_s(self, last: Block, block: Block) -> float:
        """The speed that the corner between two moves allows."""
        if last is self._running:
            return 0.0
        x, y, z = last.direction
        u, v, w = block.direction
        cosine = -(x * u + y * v + z * w)
        fastest = min(last.speed_mm_s, block.speed_mm_s)
        if cosine > COLLINEAR or not any(last.direction) or not any(block.direction):
            return 0.0
        if cosine < -COLLINEAR:
            return fastest
        half_sine = sqrt((1 - cosine) / 2)
        bend = JUNCTION_DEVIATION_MM * half_sine / (1 - half_sine)
        return min(fastest, sqrt(block.acceleration_mm_s2 * bend))

    def _plan_backwards(self) -> None:
        """Raise the entry speeds as far as the moves behind them allow to stop in time."""
        exit_mm_s = 0.0
        for block in reversed(self._waiting):
            entry = min(block.entry_max_mm_s, block.reachable_mm_s(exit_mm_s))
            if entry == block.entry_mm_s and exit_mm_s:
                return
            exit_mm_s = entry
            block.enter_at(entry)

    def advance(self, now_s: float) -> None:
        """Let moves end and begin up to `now_s`."""
        while True:
            if self._ends_s > now_s or not (self._running or self._waiting):
                return
            self._running = None
            if not self._waiting:
                return
            self._begin(self._waiting.popleft())

    def _begin(self, block: Block) -> None:
        exit_mm_s = self._settle_exit(block)
        self._running, self._begun_s = block, self._ends_s
        self._ends_s += block.duration_s(exit_mm_s)

    def _settle_exit(self, block: Block) -> float:
        """From now on the next move's entry speed is fixed."""
        if not self._waiting:
            return 0.0
        return self._waiting[0].settle_entry(block.reachable_mm_s(block.entry_mm_s))

    def stop(self, now_s: float) -> Place | None:
        """Drop everything (M410, kill); where the head then is, None if it stood still."""
        self.advance(now_s)
        running, self._running = self._running, None
        first = running or (self._waiting[0] if self._waiting else None)
        self._waiting.clear()
        self._pause_is_meant = True
        if running is None:
            return first.start if first else None
        share = (now_s - self._begun_s) / (self._ends_s - self._begun_s)
        self._ends_s = now_s
        x, y, z, e = (a + (b - a) * share for a, b in zip(running.start, running.end, strict=True))
        return x, y, z, e
