"""The state of a machine behind a part of a file: position, modes, temperatures.

It is computed from the file when it is needed, so nothing of it has to be journalled.
"""

import re
from collections.abc import Iterable
from math import isnan

from printer_driver.core.gcode.command_kinds import kind_of
from printer_driver.core.gcode.gcode_lines import FileCommand, normalised_command
from printer_driver.core.gcode.position import (
    FEEDRATE_MM_PER_MIN,
    Head,
    Position,
    differences,
    may_move,
)

EXTRUDER_TOLERANCE_MM = 1.0
"""Single precision adds up; the line number, not the filament, is what proves the place."""

_TARGET = re.compile(r"M(104|109|140|190|141|191)(?![\d.])")
_TOOL = re.compile(r"T(\d{1,2})$")
_WORD = re.compile(r"([SRT]) ?(-?\d{1,4}(?:\.\d*)?)")
_HEATER = {"104": "T", "109": "T", "140": "B", "190": "B", "141": "C", "191": "C"}


class MachineState:
    """The state for both kinds of firmware: those whose G90 also sets the mode of the extruder, and
    others."""

    def __init__(self) -> None:
        self._heads = (Head(g90_sets_extruder=True), Head(g90_sets_extruder=False))
        self._tool = 0
        self.targets_c: dict[str, float] = {}
        """`T0`, `B`, … as `printer_driver.printer.Temperature` names them."""
        self.moves_ahead = False
        """Whether what was sent behind this place may have moved the head."""

    def look_ahead(self, command: str) -> None:
        """A command behind this state may have been executed, too."""
        self.moves_ahead |= may_move(command)

    def execute(self, command: str) -> None:
        """Takes in one command of the file."""
        kind = kind_of(command)
        for head in self._heads:
            head.execute(command, kind, 0.0)
        if tool := _TOOL.match(command):
            self._tool = int(tool[1])
        elif target := _TARGET.match(command):
            self._set_target(_HEATER[target[1]], command[target.end() :])

    def _set_target(self, heater: str, words: str) -> None:
        given = dict(_WORD.findall(words))
        target = given.get("S", given.get("R"))
        if target is not None:
            name = f"T{int(float(given.get('T', self._tool)))}" if heater == "T" else heater
            self.targets_c[name] = float(target)

    @property
    def knows_place(self) -> bool:
        """Whether the file says where the head is, so that a report of it can be compared."""
        place = self._heads[0].position
        return not any(isnan(mm) for mm in (place.x, place.y, place.z))

    @property
    def _is_sure_of_modes(self) -> bool:
        with_g90, without = (head.modes() for head in self._heads)
        return with_g90 == without and len(with_g90) == 2

    def head(self, *, g90_sets_extruder: bool) -> Head:
        """The head for a print that continues here on such firmware; a new object each time.

        Its extruder is unknown if the mode is not known for sure; see `preamble`.
        """
        with_g90, without = self._heads
        head = (with_g90 if g90_sets_extruder else without).standing()
        if not self._is_sure_of_modes:
            head.forget_extruder()
        return head

    def objection(self, reported: Position) -> str:
        """Where the head should be instead, in words; empty if `reported` fits."""
        off = differences(self._heads[0].position, reported)
        if not self._is_sure_of_modes or abs(off.get("e", 0.0)) < EXTRUDER_TOLERANCE_MM:
            off.pop("e", None)
        return ", ".join(
            f"{axis.upper()} by {mm:+g} mm" for axis, mm in off.items() if not isnan(mm)
        )

    def preamble(self) -> list[str]:
        """The commands that set modes and feedrate as they are here, for firmware whose host has
        not seen the beginning of the file. None of them moves anything.

        Modes that are not known for sure are left out: a wrong one would ruin the print.
        """
        modes = self._heads[0].modes() if self._is_sure_of_modes else []
        feedrate = self._heads[0].feedrate
        if feedrate == FEEDRATE_MM_PER_MIN:  # what every host begins with
            return modes
        return [*modes, "G1 F" + f"{feedrate:.3f}".rstrip("0").rstrip(".")]


def state_behind(
    commands: Iterable[FileCommand],
    end_offset: int,
    sent_offset: int = 0,
    ignored: frozenset[str] = frozenset(),
) -> MachineState:
    """The state when the commands up to `end_offset` are executed. Raises what `commands` raises.

    The commands from there to `sent_offset` may have been executed, too. Commands in `ignored` were
    never sent; see `StreamSettings`.
    """
    state = MachineState()
    for command in commands:
        if ignored and normalised_command(command.text) in ignored:
            continue
        if command.end_offset <= end_offset:
            state.execute(command.text)
        elif command.end_offset <= sent_offset:
            state.look_ahead(command.text)
        else:
            break
    return state
