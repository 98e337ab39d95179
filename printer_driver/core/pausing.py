"""What is kept over a pause, and the commands that leave the place and come back to it."""

from dataclasses import dataclass, field
from math import isnan, nan

from printer_driver.core.position import Head, Position
from printer_driver.core.settings import Park
from printer_driver.printer import Temperature

Z_FEEDRATE_MM_PER_MIN = 600
RETRACT_FEEDRATE_MM_PER_MIN = 1800


@dataclass(kw_only=True, slots=True)
class Pause:
    """One pause; `position` is what the firmware reports once the head stands still."""

    targets: tuple[Temperature, ...] = ()
    head: Head | None = None
    position: Position = field(default_factory=Position)
    _modes: list[str] = field(default_factory=list)
    _feedrate: float = nan
    _is_parked: bool = False

    def parking(self, park: Park | None) -> list[str]:
        """The commands that lift the head and move it aside; none without a known place."""
        at = self.position
        if self.head is None or park is None or any(map(isnan, (at.x, at.y, at.z))):
            return []
        self._modes, self._feedrate = self.head.modes(), self.head.feedrate
        self._is_parked = len(self._modes) == len(("G90", "M83"))
        if not self._is_parked:
            return []  # modes that are not known could not be restored
        return [
            "M83",
            f"G1 E{-park.retract:g} F{RETRACT_FEEDRATE_MM_PER_MIN}",
            "G90",
            f"G1 Z{at.z + park.lift:g} F{Z_FEEDRATE_MM_PER_MIN}",
            f"G1 X{park.x:g} Y{park.y:g} F{park.feedrate_mm_per_min:g}",
        ]

    def restoring(self, targets: tuple[Temperature, ...], park: Park | None) -> list[str]:
        """The commands that make everything as it was; `targets` are the present ones."""
        return [*self._warming(targets), *self._returning(park)]

    def _warming(self, targets: tuple[Temperature, ...]) -> list[str]:
        """Firmware may have switched the heaters off meanwhile (idle time-out, a person)."""
        now_c = {x.name: x.target_c for x in targets}
        cold = [x for x in self.targets if x.target_c > 0 and now_c.get(x.name) != x.target_c]
        waits = [_wait_for(x) for x in cold if now_c]
        return sorted(waits, reverse=True)  # the bed first, M190: it takes longer

    def _returning(self, park: Park | None) -> list[str]:
        at = self.position
        if self.head is None or park is None or not self._is_parked:
            return []
        extruded = [] if isnan(at.e) else [f"G92 E{at.e:.5f}"]
        return [
            "G90",
            f"G1 X{at.x:.3f} Y{at.y:.3f} F{park.feedrate_mm_per_min:g}",
            f"G1 Z{at.z:.3f} F{Z_FEEDRATE_MM_PER_MIN}",
            "M83",
            f"G1 E{park.retract:g} F{RETRACT_FEEDRATE_MM_PER_MIN}",
            *extruded,
            *self._modes,
            f"G1 F{self._feedrate:g}",
            *([self.head.fan] if self.head.fan else []),
        ]


def _wait_for(heater: Temperature) -> str:
    if heater.name == "B":
        return f"M190 S{heater.target_c:g}"
    if heater.name == "C":
        return f"M141 S{heater.target_c:g}"
    tool = heater.name.removeprefix("T")
    which = f" T{tool}" if tool != "0" else ""
    return f"M109{which} S{heater.target_c:g}"
