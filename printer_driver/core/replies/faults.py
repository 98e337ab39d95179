"""What can be wrong with the printer, as typed states with a sentence for a person."""

import re
from dataclasses import dataclass
from enum import StrEnum

TEXT_CHARS_MAX = 200
"""Of the firmware's own words that are kept."""


class FaultKind(StrEnum):
    """The kinds of faults: one for each thing that a person would do about them."""

    HEATING_FAILED = "heating_failed"
    THERMAL_RUNAWAY = "thermal_runaway"
    MINTEMP = "mintemp"
    MAXTEMP = "maxtemp"
    PROBING_FAILED = "probing_failed"
    HOMING_FAILED = "homing_failed"
    ENDSTOP = "endstop"
    LEFT_ALONE = "left_alone"
    HALTED = "halted"
    COLD_EXTRUSION = "cold_extrusion"
    CHECKSUM = "checksum"
    UNKNOWN_COMMAND = "unknown_command"
    OTHER = "other"


class Severity(StrEnum):
    """What can still go on after a fault."""

    REMARK = "remark"  # everything
    PRINT_ENDS = "print_ends"  # the firmware, but not this print
    NEEDS_RESET = "needs_reset"  # nothing, before a person resets the printer


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One error of the machine."""

    kind: FaultKind
    severity: Severity
    text: str
    """The firmware's own words, shortened."""

    @property
    def advice(self) -> str:
        """What is wrong and what to do, in one or two sentences."""
        return _ADVICE[self.kind]

    @property
    def sentence(self) -> str:
        """For a person: the firmware's words, then what to do."""
        text = self.text.rstrip(" .!")
        return f"The printer reports: {text}. {self.advice}"


_ADVICE = {
    FaultKind.HEATING_FAILED: "A heater does not get warm. Check its cable and its thermistor, "
    "then switch the printer off and on.",
    FaultKind.THERMAL_RUNAWAY: "A heater does not hold its temperature. Check that heater and "
    "thermistor sit tight and no fan blows at them, then switch the printer off and on.",
    FaultKind.MINTEMP: "A thermistor reads too low, mostly a broken cable. Check it, then switch "
    "the printer off and on.",
    FaultKind.MAXTEMP: "A thermistor reads too high, mostly a short circuit or a heater that "
    "stays on. Switch the printer off and check both.",
    FaultKind.PROBING_FAILED: "The bed probe did not trigger. Clean nozzle and bed, check the "
    "probe's cable, then print again.",
    FaultKind.HOMING_FAILED: "An axis did not find its end. Move the head by hand to see whether "
    "something blocks it, check the endstops, then print again.",
    FaultKind.ENDSTOP: "An endstop was hit in mid-print. Look for what blocks the head, then "
    "print again.",
    FaultKind.LEFT_ALONE: "Nothing has moved for as long as it may without its host (M85). Take "
    "the part off, then switch the printer off and on.",
    FaultKind.HALTED: "Find the cause, then switch the printer off and on.",
    FaultKind.COLD_EXTRUSION: "The nozzle is too cold to extrude. Heat it in the start g-code "
    "before the first extrusion.",
    FaultKind.CHECKSUM: "A line was damaged on its way and is sent again. If this comes often, "
    "use another USB cable and keep it away from the motor cables.",
    FaultKind.UNKNOWN_COMMAND: "The firmware does not know a command of the file. Choose the right "
    "g-code flavour in the slicer.",
    FaultKind.OTHER: "Look at the printer, then print again.",
}

_RULES: tuple[tuple[re.Pattern[str], FaultKind, Severity], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind, severity)
    for pattern, kind, severity in (
        (
            r"heating failed|not heating at expected|too long to be reached|reading is unreliable",
            FaultKind.HEATING_FAILED,
            Severity.NEEDS_RESET,
        ),
        (
            r"heater \d+ fault|heating fault|temperature (?:sensor|control)|thermistor",
            FaultKind.HEATING_FAILED,
            Severity.PRINT_ENDS,
        ),
        (r"^TM: error", FaultKind.THERMAL_RUNAWAY, Severity.PRINT_ENDS),
        (r"runaway", FaultKind.THERMAL_RUNAWAY, Severity.NEEDS_RESET),
        (r"min\s?temp", FaultKind.MINTEMP, Severity.NEEDS_RESET),
        (r"max\s?temp", FaultKind.MAXTEMP, Severity.NEEDS_RESET),
        (
            r"probing failed|probe failed|bl-?touch|no trigger on probe",
            FaultKind.PROBING_FAILED,
            Severity.PRINT_ENDS,
        ),
        (
            r"homing failed|unhomed|no trigger on|must home",
            FaultKind.HOMING_FAILED,
            Severity.PRINT_ENDS,
        ),
        (
            r"hard limit|limit switch|soft endstop \w was|endstops? hit",
            FaultKind.ENDSTOP,
            Severity.NEEDS_RESET,
        ),
        (r"inactive time", FaultKind.LEFT_ALONE, Severity.NEEDS_RESET),
        (
            r"halted|\bhalt\b|kill|stopped|emergency stop|or M999|shutdown|fatal|state: disconnect",
            FaultKind.HALTED,
            Severity.NEEDS_RESET,
        ),
        (r"cold extru|too cold|below minimum temp", FaultKind.COLD_EXTRUSION, Severity.REMARK),
        (
            r"checksum|line number|expected line|format error",
            FaultKind.CHECKSUM,
            Severity.REMARK,
        ),
        (
            r"unknown command|unknown [gmtd] code|unsupported|not supported|bad command",
            FaultKind.UNKNOWN_COMMAND,
            Severity.REMARK,
        ),
    )
)


def fault_of(text: str, *, is_grave: bool) -> Fault:
    """The fault in an error's text; `is_grave` when the firmware marks it as one (`!!`)."""
    for pattern, kind, severity in _RULES:
        if pattern.search(text):
            return Fault(kind=kind, severity=severity, text=text[:TEXT_CHARS_MAX])
    severity = Severity.PRINT_ENDS if is_grave else Severity.REMARK
    return Fault(kind=FaultKind.OTHER, severity=severity, text=text[:TEXT_CHARS_MAX])


def remark_of(text: str) -> Fault | None:
    """The fault in a remark (`echo:`, `//`), which firmware uses for what it goes on after."""
    for pattern, kind, severity in _RULES:
        if severity is Severity.REMARK and pattern.search(text):
            return Fault(kind=kind, severity=severity, text=text[:TEXT_CHARS_MAX])
    return None
