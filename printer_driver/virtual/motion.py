"""The axes of the virtual printer: position, modes, limits, and its planner."""

import re
from dataclasses import dataclass
from math import atan2, hypot, pi, sqrt

from printer_driver.virtual.planner import (
    Block,
    Place,
    Planner,
    Starvation,
)

BLOCK_SLOTS = 16
"""Marlin's BLOCK_BUFFER_SIZE."""
FEEDRATE_MM_PER_MIN = 1500.0
FEEDRATE_MM_S_MIN = 0.05
COORDINATE_MM_MAX = 1e6
SPEEDS_MAX_MM_S = {"X": 500.0, "Y": 500.0, "Z": 12.0, "E": 120.0}
ACCELERATIONS_MAX_MM_S2 = {"X": 1500.0, "Y": 1500.0, "Z": 200.0, "E": 5000.0}
PRINT_ACCELERATION_MM_S2 = 1250.0
LIMIT_MIN, LIMIT_MAX = 0.1, 1e5

_AXES = "XYZE"
_WORD = re.compile(r"([A-Z])\s*(-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))")


def words(command: str) -> dict[str, float]:
    """The parameters of a command, as `{"X": 10.0}`; the command letter's own is among them."""
    return {letter: float(value) for letter, value in _WORD.findall(command.upper())}


@dataclass(kw_only=True, slots=True)
class Totals:
    """The sums over all planned moves; a reset of the board does not clear them."""

    x_mm: float = 0.0
    y_mm: float = 0.0
    z_mm: float = 0.0
    """Path along the axis, there and back."""
    e_mm: float = 0.0
    """Filament fed, less what was pulled back."""
    moves: int = 0

    def count(self, by: list[float]) -> None:
        """One more move, by so many mm along X, Y, Z and E."""
        self.x_mm += abs(by[0])
        self.y_mm += abs(by[1])
        self.z_mm += abs(by[2])
        self.e_mm += by[3]
        self.moves += 1


class Motion:
    """Takes moves and modes as the firmware executes them."""

    def __init__(self, slots: int = BLOCK_SLOTS, totals: Totals | None = None) -> None:
        self.totals = totals or Totals()
        self._planner = Planner(slots)
        self._position = dict.fromkeys(_AXES, 0.0)
        self._is_relative = False
        self._is_extruder_relative = False
        self._feedrate_mm_s = FEEDRATE_MM_PER_MIN / 60
        self._feedrate_share = 1.0
        self._speeds_max = dict(SPEEDS_MAX_MM_S)
        self._accelerations_max = dict(ACCELERATIONS_MAX_MM_S2)
        self._acceleration = self._retraction = self._travel = PRINT_ACCELERATION_MM_S2

    @property
    def position(self) -> Place:
        """Where the head will be when all moves are done, as M114 tells."""
        return _place(self._position)

    @property
    def starvation(self) -> Starvation:
        """See `Starvation`."""
        return self._planner.starvation

    @property
    def planner_free(self) -> int:
        """Free slots."""
        return self._planner.free

    @property
    def is_full(self) -> bool:
        """No slot for another move."""
        return self._planner.free <= 0

    @property
    def next_end_s(self) -> float:
        """When the next slot becomes free."""
        return self._planner.next_end_s

    def advance(self, now_s: float) -> None:
        """Let time pass."""
        self._planner.advance(now_s)

    def last_end_s(self, now_s: float) -> float:
        """When everything planned is over."""
        return self._planner.drained_s(now_s)

    def expect_pause(self) -> None:
        """What now keeps the head still is meant so."""
        self._planner.expect_pause()

    def extrudes(self, command: str) -> bool:
        """Whether the move asks for filament."""
        value = words(command).get("E")
        return value is not None and self._target("E", value) != self._position["E"]

    def plan(self, command: str, now_s: float, *, is_dry: bool = False) -> None:
        """G0 to G3; an arc is one move of its own length. `is_dry` leaves the filament out."""
        given = words(command)
        if "F" in given:
            self._feedrate_mm_s = max(FEEDRATE_MM_S_MIN, given["F"] / 60)
        start = dict(self._position)
        for axis in _AXES:
            if axis in given:
                self._position[axis] = self._target(axis, given[axis])
        by = [self._position[axis] - start[axis] for axis in _AXES]
        if is_dry:
            by[3] = 0.0
        if block := self._block(given, start, by):
            self._planner.add(block, now_s)
        self.totals.count(by)

    def _target(self, axis: str, value: float) -> float:
        is_relative = self._is_extruder_relative if axis == "E" else self._is_relative
        target = self._position[axis] + value if is_relative else value
        return max(-COORDINATE_MM_MAX, min(COORDINATE_MM_MAX, target))

    def _block(
        self, given: dict[str, float], start: dict[str, float], by: list[float]
    ) -> Block | None:
        """None for a move to where the head already is: Marlin drops it."""
        x, y, z, e = by
        chord_mm = sqrt(x * x + y * y + z * z)
        length_mm = _arc_mm(given, x, y, z) if given.get("G") in (2.0, 3.0) else chord_mm
        length_mm = length_mm or abs(e)
        if not length_mm:
            return None
        speed = self._feedrate_mm_s * self._feedrate_share
        acceleration = self._acceleration_for(chord_mm, e)
        for axis, distance in zip(_AXES, by, strict=True):
            if distance:
                share = length_mm / abs(distance)
                speed = min(speed, self._speeds_max[axis] * share)
                acceleration = min(acceleration, self._accelerations_max[axis] * share)
        scale = 1 / chord_mm if chord_mm else 0.0
        return Block(
            start=_place(start),
            end=_place(self._position),
            length_mm=length_mm,
            speed_mm_s=speed,
            acceleration_mm_s2=acceleration,
            direction=(x * scale, y * scale, z * scale),
        )

    def _acceleration_for(self, chord_mm: float, e: float) -> float:
        if not chord_mm:
            return self._retraction
        return self._acceleration if e else self._travel

    def set_mode(self, code: str) -> None:
        """G90, G91, M82 or M83."""
        if code in ("G90", "G91"):
            self._is_relative = self._is_extruder_relative = code == "G91"
        else:
            self._is_extruder_relative = code == "M83"

    def set_limits(self, code: str, command: str) -> None:
        """M201 and M203 (each axis), M204 (accelerations), M220 (per cent of every feedrate)."""
        given = {k: max(LIMIT_MIN, min(LIMIT_MAX, v)) for k, v in words(command).items()}
        if code == "M220":
            self._feedrate_share = given.get("S", self._feedrate_share * 100) / 100
        elif code == "M204":
            self._acceleration = given.get("P", given.get("S", self._acceleration))
            self._travel = given.get("T", given.get("S", self._travel))
            self._retraction = given.get("R", self._retraction)
        else:
            limits = self._speeds_max if code == "M203" else self._accelerations_max
            limits.update({axis: given[axis] for axis in _AXES if axis in given})

    def set_position(self, command: str) -> None:
        """G92."""
        given = words(command)
        self._position.update({axis: given[axis] for axis in _AXES if axis in given})

    def home(self, command: str) -> None:
        """G28, of the axes named or of all."""
        named = [axis for axis in "XYZ" if axis in command.upper()[3:]]
        self._position.update(dict.fromkeys(named or "XYZ", 0.0))

    def stop(self, now_s: float) -> None:
        """M410 or the end: the head stands where it is."""
        place = self._planner.stop(now_s)
        if place is not None:
            self._position = dict(zip(_AXES, place, strict=True))


def _place(position: dict[str, float]) -> Place:
    return position["X"], position["Y"], position["Z"], position["E"]


def _arc_mm(given: dict[str, float], x: float, y: float, z: float) -> float:
    """The length of G2 (clockwise) or G3 with its centre at I, J; else the chord's."""
    i, j = given.get("I", 0.0), given.get("J", 0.0)
    radius = hypot(i, j)
    if not radius:
        return sqrt(x * x + y * y + z * z)
    turn = atan2(y - j, x - i) - atan2(-j, -i)
    if given["G"] == 2.0:
        turn = -turn
    turn %= 2 * pi
    return hypot(radius * (turn or 2 * pi), z)
