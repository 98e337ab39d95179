"""Where the head should be after the commands sent; the answer to M114 is compared with it.

Unknown values are NaN. They stay NaN in sums, and a comparison with NaN is never a difference.
After homing, probing, a tool change, or a command that may move by itself, the position is unknown.
"""

import re
from collections import deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from math import hypot, isnan, nan

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    code_of,
    kind_of,
)

TOLERANCE_MM = 0.02
"""M114 has two decimals."""
EXTRUDER_TOLERANCE_MM = 0.05
"""The firmware adds up relative extrusion in single precision."""
TELLING_MM = 0.2
PLANNER_MOVES = 16
"""Marlin's BLOCK_BUFFER_SIZE."""
FEEDRATE_MM_PER_MIN = 1500.0
"""Until the first F."""

_STILL_G = frozenset({"G4", "G17", "G18", "G19", "G21", "G60", "G80"})
_RETRACTION = re.compile(r"G1[01](?: ?S[01])?")
"""Firmware retraction; G10 with other words sets offsets or temperatures."""
_CODE = re.compile(r"G ?\d+")
_WORD = re.compile(r" *([A-Z]) *([-+]?(?:\d+\.?\d*|\.\d+))")
_MOVING_M = re.compile(r"M(?:48|125|206|290|428|60[0-3]|66[56]|70[12]|851|911|999)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Millimetres; NaN for an axis that was not reported or is unknown."""

    x: float = nan
    y: float = nan
    z: float = nan
    e: float = nan


class Head:
    """Position, modes and feedrate after every command sent. `g90_sets_extruder`: as in Marlin 2.

    `moving_until_s` is the end of all moves sent so far at their nominal speed. Real moves take
    longer, since they accelerate.
    """

    __slots__ = (
        "_durations_s",
        "_extruded",
        "_is_retracted",
        "e",
        "fan",
        "feedrate",
        "g90_sets_extruder",
        "is_absolute",
        "is_extruder_relative",
        "moving_until_s",
        "x",
        "y",
        "z",
    )

    def __init__(self, *, g90_sets_extruder: bool = True) -> None:
        self.g90_sets_extruder = g90_sets_extruder
        self.x = self.y = self.z = self.e = nan
        self._extruded = nan
        self._is_retracted = False
        self.is_absolute: bool | None = None
        self.is_extruder_relative: bool | None = None
        self.feedrate = FEEDRATE_MM_PER_MIN
        self.fan = ""
        self.moving_until_s = 0.0
        self._durations_s: deque[float] = deque(maxlen=PLANNER_MOVES - 1)

    @property
    def position(self) -> Position:
        """The position of the head once everything sent is executed.

        Between G10 and G11 it may or may not contain the firmware's own hop and retraction.
        """
        if self._is_retracted:
            return Position(x=self.x, y=self.y)
        return Position(x=self.x, y=self.y, z=self.z, e=self.e)

    @property
    def tells_relative(self) -> bool:
        """Whether its E now differs from that of firmware which takes relative extrusion for
        absolute."""
        return self.is_extruder_relative is True and abs(self.e - self._extruded) > TELLING_MM

    def believe(self, position: Position) -> None:
        """Takes over the position that the firmware reports."""
        self.x, self.y, self.z, self.e = position.x, position.y, position.z, position.e
        if self._is_retracted:
            self._forget("ZE")

    def believe_extruder(self, e: float) -> None:
        """Takes over another E that the firmware reports; nothing is moved."""
        self.e = e

    def drop_moves(self, now_s: float) -> None:
        """The firmware is told to throw its planned moves away."""
        self.moving_until_s = now_s

    def standing(self) -> "Head":
        """A copy for another host: as far as that host knows, no move is ahead."""
        other = copy(self)
        other.moving_until_s = 0.0
        other._durations_s = deque(maxlen=PLANNER_MOVES - 1)  # noqa: SLF001 - of its own class
        return other

    def forget_extruder(self) -> None:
        """E and its mode are unknown from now on."""
        self.e = self._extruded = nan
        self.is_extruder_relative = None

    def execute(self, command: str, kind: CommandKind, now_s: float) -> None:
        """Takes in one command that is being sent."""
        if kind is CommandKind.MOVE:
            self._move(command, now_s)
        elif kind is not CommandKind.HARMLESS:
            self._change(command)
        elif command.startswith(("M106", "M107")):
            self.fan = command

    def _move(self, command: str, now_s: float) -> None:
        try:
            given = _words_of(command)
        except ValueError:
            self._forget("XYZE")
            return
        old_x, old_y, old_z, old_e = self.x, self.y, self.z, self.e
        if self.is_absolute:
            self.x = given.get("X", old_x)
            self.y = given.get("Y", old_y)
            self.z = given.get("Z", old_z)
        else:
            self._move_unlike_absolute(given)
        if "E" in given:
            self._extrude(given["E"])
        if "F" in given and given["F"] > 0:
            self.feedrate = given["F"]
        length = hypot(self.x - old_x, self.y - old_y, self.z - old_z)
        if not length > 0:  # or NaN: an axis is not known yet
            length = abs(self.e - old_e)
        self._plan(length if length > 0 else 0.0, now_s)

    def _plan(self, length: float, now_s: float) -> None:
        duration_s = length * 60 / self.feedrate
        begins_s = max(now_s, self.moving_until_s)
        self.moving_until_s = begins_s + duration_s
        self._durations_s.append(duration_s)

    def note_full_planner(self, now_s: float) -> None:
        """The firmware has just made room for a move: as many as it can hold are still ahead."""
        self.moving_until_s = max(self.moving_until_s, now_s + sum(self._durations_s))

    def _move_unlike_absolute(self, given: dict[str, float]) -> None:
        known = nan if self.is_absolute is None else 0.0
        for axis in "XYZ":
            if axis in given:
                name = axis.lower()
                setattr(self, name, getattr(self, name) + given[axis] + known)

    def _extrude(self, value: float) -> None:
        if self.is_extruder_relative is None:
            self.e = nan
        else:
            self.e = self.e + value if self.is_extruder_relative else value
        self._extruded = value

    def _change(self, command: str) -> None:
        code = code_of(command)
        match code:
            case "G90" | "G91":
                self._set_mode(is_absolute=code == "G90")
            case "M82" | "M83":
                self.is_extruder_relative = code == "M83"
            case "G92":
                self._set_position(command)
            case "G28":
                named = [axis for axis in "XYZ" if axis in command]
                self._forget("".join(named) or "XYZ")
            case "G10" | "G11" if _RETRACTION.fullmatch(command):
                self._is_retracted = code == "G10"
                self._forget("E")
            case _:
                if may_move(command):
                    self._forget("XYZE")

    def _set_mode(self, *, is_absolute: bool) -> None:
        self.is_absolute = is_absolute
        if self.g90_sets_extruder:
            self.is_extruder_relative = not is_absolute

    def _set_position(self, command: str) -> None:
        try:
            given = _words_of(command)
        except ValueError:
            self._forget("XYZE")
            return
        for axis in "XYZE":
            if axis in given or not given:
                setattr(self, axis.lower(), given.get(axis, 0.0))

    def _forget(self, axes: str) -> None:
        for axis in axes.lower():
            setattr(self, axis, nan)

    def modes(self) -> list[str]:
        """The commands that restore the modes and the feedrate."""
        codes = []
        if self.is_absolute is not None:
            codes.append("G90" if self.is_absolute else "G91")
        if self.is_extruder_relative is not None:
            codes.append("M83" if self.is_extruder_relative else "M82")
        return codes


def _words_of(command: str) -> dict[str, float]:
    """The values by their letters. Raises `ValueError` for anything else in the command."""
    # X1E2 is X1 and E2, no power of ten.
    if command[2:3] == " " and command.count("E") == command.count(" E"):
        try:
            return {word[0]: float(word[1:]) for word in command.split()[1:]}
        except ValueError:
            pass  # perhaps X1Y2 or X 1
    code = _CODE.match(command)
    place = code.end() if code else 0
    given = {}
    while word := _WORD.match(command, place):
        given[word[1]], place = float(word[2]), word.end()
    if place < len(command.rstrip()):
        raise ValueError(command)
    return given


def may_move(command: str) -> bool:
    """Whether the command may move the head; a tool change and a macro may."""
    kind, code = kind_of(command), code_of(command)
    if kind is not CommandKind.LONG:
        return kind is CommandKind.MOVE
    is_still = code in _STILL_G or code.startswith("M")
    return not is_still or _MOVING_M.fullmatch(code) is not None


def differences(expected: Position, reported: Position) -> dict[str, float]:
    """Reported minus expected, in mm, of each axis that differs; unknown axes never differ."""
    found = {}
    for axis in "xyze":
        off = getattr(reported, axis) - getattr(expected, axis)
        allowed = EXTRUDER_TOLERANCE_MM if axis == "e" else TOLERANCE_MM
        if not isnan(off) and abs(off) > allowed:
            found[axis] = round(off, 5)
    return found


def head_behind(commands: Iterable[str], *, g90_sets_extruder: bool = True) -> Head:
    """The head after these commands, as for a host that has not sent them itself."""
    head = Head(g90_sets_extruder=g90_sets_extruder)
    for command in commands:
        head.execute(command, kind_of(command), 0.0)
    return head
