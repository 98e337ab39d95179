"""Axes and planner of the virtual printer: how long moves take, without acceleration."""

import re
from collections import deque
from math import dist

PLANNER_MOVES_MAX = 16
"""Marlin's BLOCK_BUFFER_SIZE."""
FEEDRATE_MM_PER_MIN = 1500.0
FEEDRATE_MM_PER_MIN_MIN = 1.0
COORDINATE_MM_MAX = 1e6

_AXES = "XYZE"
_WORD = re.compile(r"([A-Z])\s*(-?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}))")


def words(command: str) -> dict[str, float]:
    """The parameters of a command, as `{"X": 10.0}`; the command letter's own is among them."""
    return {letter: float(value) for letter, value in _WORD.findall(command.upper())}


class Motion:
    """Where the head is, and when each planned move ends."""

    def __init__(self) -> None:
        self._position = dict.fromkeys(_AXES, 0.0)
        self._is_relative = False
        self._is_extruder_relative = False
        self._feedrate = FEEDRATE_MM_PER_MIN
        self._ends_s: deque[float] = deque()

    def forget_finished(self, now_s: float) -> None:
        """Free the planner's slots of moves that are over."""
        while self._ends_s and self._ends_s[0] <= now_s:
            self._ends_s.popleft()

    @property
    def next_end_s(self) -> float:
        """When the oldest planned move ends."""
        return self._ends_s[0]

    @property
    def is_full(self) -> bool:
        """No slot for another move."""
        return len(self._ends_s) >= PLANNER_MOVES_MAX

    def last_end_s(self, now_s: float) -> float:
        """When everything planned is over."""
        return self._ends_s[-1] if self._ends_s else now_s

    def plan(self, command: str, now_s: float) -> None:
        """G0 to G3; an arc counts as its chord."""
        given = words(command)
        feedrate = given.get("F", self._feedrate)
        self._feedrate = max(FEEDRATE_MM_PER_MIN_MIN, feedrate)
        start = dict(self._position)
        for axis in _AXES:
            if axis in given:
                self._move(axis, given[axis])
        length_mm = dist([start[a] for a in "XYZ"], [self._position[a] for a in "XYZ"])
        length_mm = length_mm or abs(self._position["E"] - start["E"])
        self._ends_s.append(self.last_end_s(now_s) + length_mm * 60 / self._feedrate)

    def _move(self, axis: str, value: float) -> None:
        is_relative = self._is_extruder_relative if axis == "E" else self._is_relative
        target = self._position[axis] + value if is_relative else value
        self._position[axis] = max(-COORDINATE_MM_MAX, min(COORDINATE_MM_MAX, target))

    def set_mode(self, code: str) -> None:
        """G90, G91, M82 or M83."""
        if code in ("G90", "G91"):
            self._is_relative = self._is_extruder_relative = code == "G91"
        else:
            self._is_extruder_relative = code == "M83"

    def set_position(self, command: str) -> None:
        """G92."""
        given = words(command)
        self._position.update({axis: given[axis] for axis in _AXES if axis in given})

    def home(self) -> None:
        """G28."""
        self._position.update(X=0.0, Y=0.0, Z=0.0)
