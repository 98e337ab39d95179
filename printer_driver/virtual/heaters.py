"""The heaters of the virtual printer: steady rates, faults, and Marlin's protection.

Protection as in `Marlin/src/module/temperature.cpp`, with the limits of its example configuration.
Temperatures in °C.
"""

from dataclasses import dataclass, replace
from enum import Enum
from math import inf

AMBIENT_C = 21.0
OPEN_C, SHORTED_C = -14.0, 415.0
"""What a broken and a shorted thermistor read as."""
SENSED_AFTER_S = 1.0
HYSTERESIS_C = 4.0


class HeaterFault(Enum):
    """The ways in which a heater can be broken."""

    NONE = "mend"
    OPEN = "open"
    """The thermistor's wire is broken: MINTEMP as soon as it should heat."""
    SHORT = "short"
    """The thermistor is shorted: MAXTEMP."""
    CUT = "cut"
    """It gets no power: heating failed, or thermal runaway when it had been hot."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heater:
    """One heater since its target or its health last changed."""

    since_s: float = 0.0
    from_c: float = AMBIENT_C
    target_c: float = 0.0
    fault: HeaterFault = HeaterFault.NONE
    heating_c_per_s: float
    cooling_c_per_s: float
    watch_s: float = 20.0
    """WATCH_TEMP_PERIOD: it must have become warmer by then."""
    runaway_s: float = 40.0
    """THERMAL_PROTECTION_PERIOD: how long it may be too cold."""

    def at(self, now_s: float) -> float:
        """Its temperature as measured."""
        if self.fault is HeaterFault.OPEN:
            return OPEN_C
        return SHORTED_C if self.fault is HeaterFault.SHORT else self._real_c(now_s)

    @property
    def _goal_c(self) -> float:
        has_power = self.fault is HeaterFault.NONE
        return max(self.target_c, AMBIENT_C) if has_power else AMBIENT_C

    def _real_c(self, now_s: float) -> float:
        goal_c, elapsed_s = self._goal_c, max(0.0, now_s - self.since_s)
        if goal_c >= self.from_c:
            return min(goal_c, self.from_c + elapsed_s * self.heating_c_per_s)
        return max(goal_c, self.from_c - elapsed_s * self.cooling_c_per_s)

    def with_target(self, target_c: float, now_s: float) -> "Heater":
        """The heater after M104 or M140."""
        return replace(self, since_s=now_s, from_c=self._real_c(now_s), target_c=target_c)

    def with_fault(self, fault: HeaterFault, now_s: float) -> "Heater":
        """The heater after something broke, or was mended."""
        return replace(self, since_s=now_s, from_c=self._real_c(now_s), fault=fault)

    def reached_s(self, *, also_cooling: bool) -> float:
        """When the target is reached; at once when it only has to cool and need not wait."""
        if self.fault is not HeaterFault.NONE and self.target_c > self.from_c:
            return inf
        goal_c = self._goal_c
        if goal_c >= self.from_c:
            return self.since_s + (goal_c - self.from_c) / self.heating_c_per_s
        if not also_cooling:
            return self.since_s
        return self.since_s + (self.from_c - goal_c) / self.cooling_c_per_s

    def alarm(self) -> tuple[float, str] | None:
        """When the firmware stops everything because of this heater, and what it then says."""
        match self.fault:
            case HeaterFault.SHORT:
                return self.since_s + SENSED_AFTER_S, "MAXTEMP triggered"
            case HeaterFault.OPEN if self.target_c > 0:
                return self.since_s + SENSED_AFTER_S, "MINTEMP triggered"
            case HeaterFault.CUT if self.target_c > AMBIENT_C:
                return self._cut_alarm()
        return None

    def _cut_alarm(self) -> tuple[float, str]:
        if self.from_c < self.target_c - HYSTERESIS_C:
            return self.since_s + self.watch_s, "Heating failed"
        cold_s = (self.from_c - self.target_c + HYSTERESIS_C) / self.cooling_c_per_s
        return self.since_s + cold_s + self.runaway_s, "Thermal Runaway"
