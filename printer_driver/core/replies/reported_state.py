"""What the printer has reported: temperatures, name, abilities, requests, faults."""

from collections import Counter, deque
from dataclasses import dataclass, replace
from enum import StrEnum
from math import nan

from printer_driver.core.replies.dialects import (
    UNKNOWN,
    Dialect,
    recognise,
)
from printer_driver.core.replies.faults import (
    TEXT_CHARS_MAX,
    Fault,
)
from printer_driver.core.replies.reply_parser import OwnProgress
from printer_driver.printer import Temperature

TEMPERATURES_MAX = 16
CAPABILITIES_MAX = 64
MISSING_MAX = 5
"""Reports of other heaters, until one that they do not name does not exist."""
FAULTS_MAX = 20
CHOICES_MAX = 16


class HostAction(StrEnum):
    """A request of the printer to its host (`//action:…`)."""

    PAUSE = "pause"
    PAUSED = "paused"
    RESUME = "resume"
    RESUMED = "resumed"
    CANCEL = "cancel"
    DISCONNECT = "disconnect"
    FILAMENT_RUNOUT = "filament_runout"
    OUT_OF_FILAMENT = "out_of_filament"
    POWEROFF = "poweroff"
    NOTIFICATION = "notification"  # see `Voice.notification`
    PROMPT = "prompt"  # shown, changed or taken away: see `Voice.prompt`
    BED_CLEAR = "bed_clear"  # the part was taken off


BED_CLEAR_SPELLINGS = ("bed_clear", "bed-clear", "bedclear", "bed_cleared")
"""No firmware and no host has a name for it yet, so what people are likely to write counts."""
_WISHES = {wish.value: wish for wish in HostAction} | dict.fromkeys(
    BED_CLEAR_SPELLINGS, HostAction.BED_CLEAR
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A question that the firmware asks through its host; answered with M876 S<choice>."""

    text: str
    choices: tuple[str, ...] = ()
    is_shown: bool = False


class ReportedState:
    """The state as reported. Everything is bounded: a printer may repeat anything any number of
    times."""

    def __init__(self) -> None:
        self.firmware = ""
        self.dialect: Dialect = UNKNOWN
        self.temperatures: dict[str, Temperature] = {}
        self._told: set[str] = set()
        self._missing: Counter[str] = Counter()
        self.reports = 0
        """Of temperatures, ever."""
        self.capabilities: dict[str, bool] = {}
        self.was_asked_to_report = False
        """M155 was sent since it booted; the abilities may be told anew, and damaged."""
        self.faults: deque[Fault] = deque(maxlen=FAULTS_MAX)
        self.prompt: Prompt | None = None
        self.notification = ""
        """The last text for people; empty when there was none since it was greeted."""
        self.progress: OwnProgress | None = None
        self.activity = ""
        """Why it is busy, in its own words; empty when it is not."""

    def note_temperatures(self, temperatures: tuple[Temperature, ...]) -> None:
        """Takes in a report, of all heaters or of one."""
        self.reports += 1
        self._told |= {each.name for each in temperatures if each.is_target_told}
        self._forget_made_up(temperatures)
        for temperature in temperatures:
            name = temperature.name
            known = self.temperatures.get(name)
            if known and not temperature.is_target_told:
                self.temperatures[name] = replace(temperature, target_c=known.target_c)
            elif known or len(self.temperatures) < TEMPERATURES_MAX:
                self.temperatures[name] = temperature

    def _forget_made_up(self, temperatures: tuple[Temperature, ...]) -> None:
        """Forgets a heater whose name was noise: whole reports then do not have it."""
        names = {each.name for each in temperatures}
        if len(names) < 2:
            return
        for name in [name for name in self.temperatures if name not in names]:
            self._missing[name] += 1
            if self._missing[name] >= MISSING_MAX:
                del self.temperatures[name]
        for name in names:
            self._missing[name] = 0

    def note_activity(self, activity: str) -> None:
        """What the firmware is busy with, in its own words; empty if with nothing."""
        self.activity = activity

    def note_progress(self, progress: OwnProgress) -> None:
        """The progress that the printer shows by itself."""
        self.progress = progress

    def expect_reports(self) -> None:
        """The firmware is asked to tell its temperatures now and then (M155)."""
        self.was_asked_to_report = True

    def expect_no_reports(self) -> None:
        """The firmware has restarted, and forgotten that it was asked (M155)."""
        self.was_asked_to_report = False

    def note_firmware(self, name: str) -> None:
        """Takes in the answer to M115."""
        self.firmware = name[:TEXT_CHARS_MAX]
        self.dialect = recognise(name)
        self.capabilities.clear()
        self.prompt, self.notification = None, ""

    def note_capability(self, name: str, *, is_on: bool) -> None:
        """A `Cap:` line; they follow the name."""
        if len(self.capabilities) < CAPABILITIES_MAX:
            self.capabilities[name] = is_on

    def can(self, name: str, *, otherwise: bool) -> bool:
        """Whether the firmware has an ability: by its own word, else by its dialect."""
        return self.capabilities.get(name, otherwise)

    @property
    def said(self) -> str:
        """What people should know, in the words of the printer if it has some."""
        waits = self.activity.startswith("paused for")
        return self.notification or ("It waits for somebody at its panel." if waits else "")

    @property
    def reports_temperatures(self) -> bool:
        """Whether it reports temperatures by itself after M155."""
        return self.can("AUTOREPORT_TEMP", otherwise=self.dialect.reports_temperatures)

    @property
    def targets_c(self) -> list[float]:
        """The targets of all heaters; NaN where the last report left one out, or targets are
        never told."""
        return [self._target_c(each) for each in self.temperatures.values()]

    def _target_c(self, heater: Temperature) -> float:
        if heater.is_target_told:
            return heater.target_c
        is_a_mere_sensor = heater.name not in self._told and bool(self._told)
        return 0.0 if is_a_mere_sensor else nan

    def heaters_off(self) -> list[str]:
        """The commands that switch off every heater that was ever reported."""
        nozzles = [name for name in self.temperatures if name.startswith("T")]
        others = [f"M104 {name} S0" for name in nozzles] if len(nozzles) > 1 else []
        chamber = ["M141 S0"] if "C" in self.temperatures else []
        return ["M104 S0", "M140 S0", *others, *chamber]

    def take_action(self, name: str, argument: str) -> HostAction | None:
        """The typed action of an `//action:` line, in any case; None for an unknown one."""
        name, argument = name.lower(), argument[:TEXT_CHARS_MAX]
        if name.startswith("prompt_"):
            return self._take_prompt(name, argument)
        wish = _WISHES.get(name)
        if wish is HostAction.NOTIFICATION:
            self.notification = argument
        return wish

    def _take_prompt(self, name: str, argument: str) -> HostAction | None:
        prompt = self.prompt
        if name == "prompt_begin":
            self.prompt = Prompt(text=argument)
        elif name == "prompt_end":
            self.prompt = None
        elif prompt and name in ("prompt_button", "prompt_choice"):
            if len(prompt.choices) < CHOICES_MAX:
                self.prompt = replace(prompt, choices=(*prompt.choices, argument))
        elif prompt and name == "prompt_show":
            self.prompt = replace(prompt, is_shown=True)
        else:
            return None
        return HostAction.PROMPT if name in ("prompt_show", "prompt_end") else None
