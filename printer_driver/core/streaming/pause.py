"""A pause: what is kept, how the head moves aside, and how it returns.

No answer of the printer is trusted alone, since noise may have altered it. The head moves aside
only if the firmware reports the position that the commands lead to, and printing continues only
where it stopped. Each wait for an answer ends after `ASKS_MAX` questions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import isnan, nan

from printer_driver.core.gcode.position import (
    Head,
    Position,
    differences,
)
from printer_driver.core.streaming.sent_line import REPORT_TEMPERATURES
from printer_driver.core.streaming.stream_settings import Park
from printer_driver.printer import Temperature

WAIT_FOR_MOVES = "M400"
REPORT_POSITION = "M114"
ASKS_MAX = 4
OFF_MAX = 2
"""Answers that do not fit, until the head counts as being elsewhere."""
Z_FEEDRATE_MM_PER_MIN = 600
RETRACT_FEEDRATE_MM_PER_MIN = 1800

_QUESTIONS = (REPORT_TEMPERATURES, REPORT_POSITION)
"""In this order: where `ok` only means received, the answer to M114 is the last to come."""
_NOT_PARKED = "The head is not where the file says: off in {off}; it is not parked."
_MOVED = "The head was moved in the pause: off in {off}; it goes back."
_ASTRAY = (
    "The head does not come back to where the print was paused: off in {off}. "
    "Look at the printer; then resume to try again, or cancel."
)


@dataclass(kw_only=True, slots=True)
class PositionCheck:
    """Compares answers to M114 with the expected position."""

    axes: str = "xyze"
    remark: str = ""
    """For a person, when the head is elsewhere."""
    reported: Position = field(default_factory=Position)
    off: dict[str, float] = field(default_factory=dict)
    """In mm, by axis; empty when an answer fits, and before the first."""
    is_answered: bool = False
    _misfits: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more must be asked."""
        return self.is_answered and (not self.off or self._misfits >= OFF_MAX)

    @property
    def is_elsewhere(self) -> bool:
        """Whether the head is elsewhere, and not only the count of its filament."""
        return bool(self.off.keys() - {"e"})

    def heard(self, expected: Position, reported: Position) -> str:
        """Takes in one answer. Returns a text for the log, empty for none."""
        was_over = self.is_over
        if not was_over and _is_place(reported):
            self.is_answered, self.reported = True, reported
            off = {a: mm for a, mm in differences(expected, reported).items() if a in self.axes}
            self.off = {**self.off, **off} if off else {}
            self._misfits += bool(off)
        is_news = self.is_over is not was_over
        return self.words() if is_news and self.is_elsewhere else ""

    def words(self) -> str:
        """The remark."""
        off = ", ".join(f"{axis.upper()} by {mm:+g} mm" for axis, mm in self.off.items())
        return self.remark.format(off=off)


@dataclass(kw_only=True, slots=True)
class Pause:
    """One pause of the file.

    `settling`, `parking` and `returning` return scripts, whose next command is to be sent when the
    one before it is executed.
    """

    head: Head | None = None
    """None: the printer pauses by itself and knows where it was."""
    park: Park | None = None
    heaters: tuple[Temperature, ...] = ()
    """As last reported; what they have to be after the pause is asked for."""
    problem: str = ""
    """Why the print cannot go on, for a person."""
    _are_targets_sure: bool = False
    _look: PositionCheck = field(default_factory=PositionCheck)
    _place: Position = field(default_factory=Position)
    """Where the print goes on; unknown unless the firmware has told the same."""
    _modes: list[str] = field(default_factory=list)
    _feedrate: float = nan
    _is_parked: bool = False

    # --- what the firmware says --------------------------------------------------------------

    def heard_targets(self, targets_c: list[float]) -> None:
        """Takes in a report that is younger than the last line of the file, in the order of
        `heaters`. NaN: this heater was left out."""
        pairs = list(zip(self.heaters, targets_c, strict=False))
        told = [(heater, target_c) for heater, target_c in pairs if not isnan(target_c)]
        self._are_targets_sure = all(heater.target_c == target_c for heater, target_c in told)
        self.heaters = tuple(
            heater if isnan(target_c) else replace(heater, target_c=target_c)
            for heater, target_c in pairs
        )

    def heard_position(self, position: Position) -> str:
        """Takes in an answer to M114 while the head stands still. Returns a text for the log."""
        return self._look.heard(self.head.position, position) if self.head else ""

    # --- leaving -----------------------------------------------------------------------------

    def settling(self) -> Iterator[list[str]]:
        """The commands until the place and the targets to come back to are known."""
        self._look = PositionCheck(remark=_NOT_PARKED if self.park else "")
        yield [WAIT_FOR_MOVES, *_QUESTIONS]
        for _ in range(ASKS_MAX - 1):
            if self._is_settled:
                break
            yield [*_QUESTIONS]
        self._remember()

    @property
    def _is_settled(self) -> bool:
        is_known = self.head is not None and _is_place(self.head.position)
        are_targets_sure = self._are_targets_sure or not self.heaters
        return are_targets_sure and (self._look.is_over or not is_known)

    def _remember(self) -> None:
        if self.head is None:
            return
        self._modes, self._feedrate = self.head.modes(), self.head.feedrate
        place, look = self.head.position, self._look
        if not look.is_answered or look.is_elsewhere or not _is_place(place):
            return
        self._place = replace(place, e=nan) if look.off else place

    def parking(self) -> list[str]:
        """The commands that lift the head and move it aside; none without a sure place."""
        park = self.park
        if park is None or not self._can_come_back:
            return []
        self._is_parked = True
        return [
            "M83",
            f"G1 E{-park.retract:g} F{RETRACT_FEEDRATE_MM_PER_MIN}",
            "G90",
            f"G1 Z{self._place.z + park.lift:g} F{Z_FEEDRATE_MM_PER_MIN}",
            f"G1 X{park.x:g} Y{park.y:g} F{park.feedrate_mm_per_min:g}",
        ]

    @property
    def _can_come_back(self) -> bool:
        """Whether the modes are known, so that they can be restored."""
        return _is_place(self._place) and len(self._modes) == len(("G90", "M83"))

    # --- coming back -------------------------------------------------------------------------

    def returning(self, targets: tuple[Temperature, ...]) -> Iterator[list[str]]:
        """The commands until everything is as it was, or `problem` says why not; `targets` are
        the present ones."""
        self.problem = ""
        yield from self._looking(PositionCheck(remark=_MOVED, axes=self._axes))
        seen = self._look
        yield self._warming(targets)
        has_to_move = self._is_parked or seen.is_elsewhere
        if has_to_move:
            yield self._way_back(seen)
            yield from self._looking(PositionCheck(remark=_ASTRAY, axes="xyz"))
            if self._look.off:
                self.problem = self._look.words()
                return
        yield self._restoring(has_moved=has_to_move, is_extruder_off="e" in seen.off)

    @property
    def _axes(self) -> str:
        """The axes to compare; E too, unless it was unknown when the pause began."""
        return "xyz" if isnan(self._place.e) else "xyze"

    def _looking(self, look: PositionCheck) -> Iterator[list[str]]:
        self._look = look
        if not self._can_come_back:
            return
        for _ in range(ASKS_MAX):
            yield [REPORT_POSITION]
            if look.is_over:
                return

    def _warming(self, targets: tuple[Temperature, ...]) -> list[str]:
        """Heats again what the firmware or a person has switched off meanwhile."""
        if not self._are_targets_sure:
            return []
        now_c = {x.name: x.target_c for x in targets}
        cold = [x for x in self.heaters if x.target_c > 0 and now_c.get(x.name) != x.target_c]
        waits = [_wait_for(x) for x in cold if now_c]
        return sorted(waits, reverse=True)  # the bed first, M190: it takes longer

    def _way_back(self, seen: PositionCheck) -> list[str]:
        """The way back; above the part if it is not sure that the head is above it."""
        at = self._place
        park = self.park or Park(x=at.x, y=at.y)
        height = max(at.z + park.lift, seen.reported.z)
        lift = [f"G1 Z{height:.3f} F{Z_FEEDRATE_MM_PER_MIN}"] if seen.is_elsewhere else []
        return [
            "G90",
            *lift,
            f"G1 X{at.x:.3f} Y{at.y:.3f} F{park.feedrate_mm_per_min:g}",
            f"G1 Z{at.z:.3f} F{Z_FEEDRATE_MM_PER_MIN}",
        ]

    def _restoring(self, *, has_moved: bool, is_extruder_off: bool) -> list[str]:
        """Feeds what was retracted; sets E if a person has fed filament."""
        extruded = [f"G92 E{self._place.e:.5f}"] if is_extruder_off else []
        if not has_moved or self.head is None:
            return extruded
        fan = [self.head.fan] if self.head.fan else []
        return [*self._priming(), *extruded, *self._modes, f"G1 F{self._feedrate:g}", *fan]

    def _priming(self) -> list[str]:
        if self.park is None or not self._is_parked:
            return []
        return ["M83", f"G1 E{self.park.retract:g} F{RETRACT_FEEDRATE_MM_PER_MIN}"]


def _is_place(position: Position) -> bool:
    return not any(map(isnan, (position.x, position.y, position.z)))


def _wait_for(heater: Temperature) -> str:
    if heater.name == "B":
        return f"M190 S{heater.target_c:g}"
    if heater.name == "C":
        return f"M141 S{heater.target_c:g}"
    tool = heater.name.removeprefix("T")
    which = f" T{tool}" if tool != "0" else ""
    return f"M109{which} S{heater.target_c:g}"
