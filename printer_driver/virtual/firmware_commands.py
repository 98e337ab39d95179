"""The commands of the virtual firmware, other than moves, and how each of them ends."""

import re
from dataclasses import dataclass
from enum import Enum
from math import inf

from printer_driver.virtual.firmware_machine import (
    HeaterName,
    Machine,
)
from printer_driver.virtual.motion import words
from printer_driver.virtual.virtual_dialects import FirmwareSetup

KEEPALIVE_S = 2.0
KEEPALIVE_S_MAX = 60.0
AUTOREPORT_S_MAX = 60.0
HOMING_S = 8.0
PROBING_S = 20.0

_SPOKEN = re.compile(r"M118 *((?:(?:[AE]1|P\d) *){0,3})(.*)")
"""`M118 [A1] [E1] [Pn] text`, as Marlin's `gcode/host/M118.cpp` takes it apart."""
_SILENT = re.compile(
    r"G(21|80)|T0|M(17|73|92|108|110|117|200|205|211|221|280|300|302|410|413|420|486|500|501|503"
    r"|851|900|907|999)"
)


class FirmwareWait(Enum):
    """What the firmware waits for before it takes its next command."""

    BUSY = "processing"
    HEATING = "heating"
    """Tells the temperatures; M108 ends it."""
    PLANNER = "planner"
    """A move waits for a slot."""
    USER = "paused for user"
    """M0; M108 ends it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """Done at once; `lines` come before the `ok`."""

    lines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """Done at once; the answer is the acknowledgement."""

    line: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waits:
    """Not done before `until_s`."""

    wait: FirmwareWait
    until_s: float
    heater: HeaterName | None = None
    also_cooling: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Halts:
    """The command was M112."""


Outcome = Done | Answered | Waits | Halts


@dataclass(kw_only=True, slots=True)
class Habits:
    """What M85, M113 and M155 set until the next reset."""

    keepalive_s: float = KEEPALIVE_S
    autoreport_s: float = 0.0
    report_at_s: float = inf
    inactivity_s: float = inf
    inactive_from_s: float = 0.0
    """When M85 was given; see `reset_stepper_timeout` in `M85.cpp`."""

    def set_inactivity(self, after_s: float, now_s: float) -> None:
        """M85: stop after so long without a move."""
        self.inactivity_s, self.inactive_from_s = after_s, now_s

    def set_reports(self, every_s: float, now_s: float) -> None:
        """M155: tell the temperatures so often; below 1 s never."""
        self.autoreport_s = every_s
        self.report_at_s = now_s + every_s if every_s >= 1 else inf

    def set_keepalive(self, every_s: float) -> None:
        """M113: say so often that a command takes long."""
        self.keepalive_s = every_s

    def note_report(self, now_s: float) -> None:
        """The temperatures are told now."""
        self.report_at_s = now_s + self.autoreport_s

    def stop_reports(self) -> None:
        """The firmware has stopped itself."""
        self.report_at_s = inf


class Commands:
    """Executes commands on a machine."""

    def __init__(self, setup: FirmwareSetup, machine: Machine, habits: Habits) -> None:
        self._setup = setup
        self._dialect = setup.dialect
        self._machine = machine
        self._habits = habits

    def execute(self, name: str, command: str, now_s: float) -> Outcome:
        """`name` is the code without leading zeros, empty where there is none."""
        if name.startswith("G"):
            return self._g(name, command, now_s)
        if name in ("M104", "M109", "M140", "M190"):
            return self._heat(name, command, now_s)
        return self._tune(name, command, now_s) or self._m(name, command, now_s)

    def _g(self, name: str, command: str, now_s: float) -> Outcome:
        motion, given = self._machine.motion, words(command)
        match name:
            case "G4":
                dwell_s = max(0.0, given.get("S", given.get("P", 0.0) / 1000))
                return self._standstill(now_s, dwell_s)
            case "G28":
                waits = self._standstill(now_s, HOMING_S)
                motion.home(command)
                return waits
            case "G29":
                return self._standstill(now_s, PROBING_S)
            case "G90" | "G91":
                motion.set_mode(name)
                return Done()
            case "G92":
                motion.set_position(command)
                return Done()
        return self._plainly(name, command)

    def _standstill(self, now_s: float, extra_s: float = 0.0) -> Waits:
        motion = self._machine.motion
        motion.expect_pause()
        return Waits(wait=FirmwareWait.BUSY, until_s=motion.last_end_s(now_s) + extra_s)

    def _m(self, name: str, command: str, now_s: float) -> Outcome:
        match name:
            case "M0" | "M1":
                return self._wait_for_user(command, now_s)
            case "M18" | "M84" | "M400":
                return self._standstill(now_s)
            case "M105":
                temperatures = self._machine.temperatures(now_s)
                return Answered(
                    line=self._dialect.ok_temperatures.format(temperatures=temperatures)
                )
            case "M112":
                return Halts()
            case "M114":
                return self._answer(name, self._machine.position())
            case "M115":
                emergency = int(self._setup.emergency_parser)
                return self._answer(name, self._dialect.information.format(emergency=emergency))
            case "M118":
                return Done(lines=(_spoken(command),))
        return self._plainly(name, command)

    def _tune(self, name: str, command: str, now_s: float) -> Done | None:
        """Settings; None for other commands."""
        machine, habits = self._machine, self._habits
        match name:
            case "M82" | "M83":
                machine.motion.set_mode(name)
            case "M85":
                habits.set_inactivity(words(command).get("S", 0.0) or inf, now_s)
            case "M106" | "M107":
                machine.set_fan(command)
            case "M113":
                return self._set_keepalive(words(command).get("S"))
            case "M155":
                every_s = min(AUTOREPORT_S_MAX, max(0.0, words(command).get("S", 0.0)))
                habits.set_reports(every_s, now_s)
            case "M201" | "M203" | "M204" | "M220":
                machine.motion.set_limits(name, command)
            case _:
                return None
        return Done()

    def _set_keepalive(self, given_s: float | None) -> Done:
        habits = self._habits
        if given_s is None:
            seconds = 0 if habits.keepalive_s == inf else habits.keepalive_s
            return Done(lines=(f"echo:M113 S{seconds:.0f}",))
        habits.set_keepalive(min(KEEPALIVE_S_MAX, given_s) if given_s >= 1 else inf)
        return Done()

    def _answer(self, name: str, text: str) -> Outcome:
        if name in self._dialect.answers_in_ok:
            return Answered(line=f"ok {text}")
        return Done(lines=tuple(text.split("\n")))

    def _wait_for_user(self, command: str, now_s: float) -> Waits:
        given = words(command)
        self._machine.motion.expect_pause()
        wait_s = given.get("S", 0.0) or given.get("P", 0.0) / 1000
        return Waits(wait=FirmwareWait.USER, until_s=now_s + wait_s if wait_s > 0 else inf)

    def _heat(self, name: str, command: str, now_s: float) -> Outcome:
        which = self._machine.set_target(name, command, now_s)
        if name in ("M104", "M140"):
            return Done()
        self._machine.motion.expect_pause()
        waits = Waits(
            wait=FirmwareWait.HEATING, until_s=inf, heater=which, also_cooling="R" in words(command)
        )
        return self.until_heated(waits, now_s)

    def until_heated(self, waits: Waits, now_s: float) -> Waits:
        """The same wait for a heater whose health has changed."""
        assert waits.heater is not None  # noqa: S101 - only heating waits come here
        heater = self._machine.heaters[waits.heater]
        reached_s = max(now_s, heater.reached_s(also_cooling=waits.also_cooling))
        return Waits(
            wait=waits.wait,
            until_s=reached_s + self._setup.residency_s,
            heater=waits.heater,
            also_cooling=waits.also_cooling,
        )

    def _plainly(self, name: str, command: str) -> Done:
        if _SILENT.fullmatch(name) or not self._dialect.unknown:
            return Done()
        text = self._dialect.unknown.format(command=command, letter=command[:1])
        return Done(lines=(text,))


def _spoken(command: str) -> str:
    match = _SPOKEN.match(command)
    options, text = match.groups() if match else ("", command[4:])
    echo, action = "echo:" if "E1" in options else "", "//" if "A1" in options else ""
    return f"{echo}{action}{text.strip()}"
