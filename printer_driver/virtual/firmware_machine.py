"""The motion and the heaters of the virtual firmware, and its reports about them."""

from dataclasses import dataclass
from enum import Enum
from math import inf

from printer_driver.virtual.heaters import (
    Heater,
    HeaterFault,
)
from printer_driver.virtual.motion import (
    Motion,
    Totals,
    words,
)
from printer_driver.virtual.planner import (
    Place,
    Starvation,
)
from printer_driver.virtual.virtual_dialects import FirmwareSetup

TARGET_MAX_C = 300.0
STEPS_PER_MM = {"sx": 80, "sy": 80, "sz": 400}
FAN_MAX = 255.0


class HeaterName(Enum):
    """As `M104`/`M109` and `M140`/`M190` mean."""

    NOZZLE = "nozzle"
    BED = "bed"


_MARLIN_IDS = {HeaterName.NOZZLE: "0", HeaterName.BED: "bed"}
_NOZZLE_COMMANDS = frozenset({"M104", "M109"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """The state of the machine at one moment, for tests and people."""

    position: Place
    totals: Totals
    starvation: Starvation
    nozzle_c: float
    nozzle_target_c: float
    bed_c: float
    bed_target_c: float
    fan: float
    is_killed: bool
    is_moving: bool


class Machine:
    """Motion, heaters and the fan of one printer."""

    def __init__(self, setup: FirmwareSetup) -> None:
        self._setup = setup
        self._dialect = setup.dialect
        self.motion = Motion(setup.block_slots)
        self.fan = 0.0
        self.alarm_s = inf
        """When a heater makes the firmware stop everything."""
        self.alarm_text = ""
        self.heaters = {
            HeaterName.NOZZLE: Heater(heating_c_per_s=5.0, cooling_c_per_s=1.0),
            HeaterName.BED: Heater(
                heating_c_per_s=2.0, cooling_c_per_s=0.3, watch_s=60.0, runaway_s=20.0
            ),
        }

    def forget(self, now_s: float) -> None:
        """A reset: nothing known of the position, all off; what is warm stays warm."""
        self.motion = Motion(self._setup.block_slots, self.motion.totals)
        self.switch_off(now_s)

    def switch_off(self, now_s: float) -> None:
        """Heaters and fan."""
        self.fan = 0.0
        for which, heater in list(self.heaters.items()):
            self._replace(which, heater.with_target(0.0, now_s))

    def is_too_cold_for(self, move: str, now_s: float) -> bool:
        """Whether filament is asked for that cannot flow."""
        least_c = self._setup.extrude_min_c
        if least_c is None or self.heaters[HeaterName.NOZZLE].at(now_s) >= least_c:
            return False
        return self.motion.extrudes(move)

    def set_fan(self, command: str) -> None:
        """M106 and M107."""
        is_on = command.startswith("M106")
        self.fan = max(0.0, min(FAN_MAX, words(command).get("S", FAN_MAX))) if is_on else 0.0

    def set_target(self, name: str, command: str, now_s: float) -> HeaterName:
        """M104, M109, M140 or M190."""
        given = words(command)
        which = HeaterName.NOZZLE if name in _NOZZLE_COMMANDS else HeaterName.BED
        target_c = given.get("S", given.get("R"))
        if target_c is not None:
            target_c = min(TARGET_MAX_C, max(0.0, target_c))
            self._replace(which, self.heaters[which].with_target(target_c, now_s))
        return which

    def break_heater(self, which: HeaterName, fault: HeaterFault, now_s: float) -> None:
        """Let something happen to a heater."""
        self._replace(which, self.heaters[which].with_fault(fault, now_s))

    def _replace(self, which: HeaterName, heater: Heater) -> None:
        self.heaters[which] = heater
        found = [(h.alarm(), name) for name, h in self.heaters.items()]
        due = [(alarm[0], alarm[1], name) for alarm, name in found if alarm]
        self.alarm_s, why, name = min(due, key=lambda alarm: alarm[0], default=(inf, "", which))
        self.alarm_text = self._dialect.alarm.format(why=why, heater=_MARLIN_IDS[name])

    def temperatures(self, now_s: float) -> str:
        """As M105 tells."""
        nozzle, bed = self.heaters[HeaterName.NOZZLE], self.heaters[HeaterName.BED]
        return self._dialect.temperatures.format(
            nozzle=nozzle.at(now_s),
            nozzle_target=nozzle.target_c,
            bed=bed.at(now_s),
            bed_target=bed.target_c,
        )

    def heating(self, now_s: float, done_s: float) -> str:
        """What M109 and M190 tell each second; `W` counts the seconds at temperature."""
        left_s = done_s - now_s
        wait = f"{left_s:.0f}" if left_s <= self._setup.residency_s else "?"
        nozzle = self.heaters[HeaterName.NOZZLE].at(now_s)
        return self._dialect.heating.format(
            temperatures=self.temperatures(now_s), nozzle=nozzle, wait=wait
        )

    def position(self) -> str:
        """As M114 tells: where the last planned move ends."""
        x, y, z, e = self.motion.position
        steps = dict(zip(STEPS_PER_MM, (x, y, z), strict=True))
        counts = {axis: round(mm * STEPS_PER_MM[axis]) for axis, mm in steps.items()}
        return self._dialect.position.format(x=x, y=y, z=z, e=e, **counts)

    def condition(self, now_s: float, *, is_killed: bool) -> Condition:
        """Look at it."""
        nozzle, bed = self.heaters[HeaterName.NOZZLE], self.heaters[HeaterName.BED]
        return Condition(
            position=self.motion.position,
            totals=self.motion.totals,
            starvation=self.motion.starvation,
            nozzle_c=nozzle.at(now_s),
            nozzle_target_c=nozzle.target_c,
            bed_c=bed.at(now_s),
            bed_target_c=bed.target_c,
            fan=self.fan,
            is_killed=is_killed,
            is_moving=self.motion.last_end_s(now_s) > now_s,
        )
