"""Incidents of the virtual printer: resets, hangs, broken heaters, a pulled cable."""

from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite

from printer_driver.virtual.firmware_machine import HeaterName
from printer_driver.virtual.heaters import HeaterFault

INCIDENTS_HELP = (
    "reset | hang SECONDS | unplug [SECONDS] | plug | say TEXT | "
    "open|short|cut|mend nozzle|bed | stop"
)


class IncidentKind(Enum):
    """The kinds of incidents."""

    RESET = "reset"
    """The button on the board."""
    HANG = "hang"
    """For `seconds` it neither hears nor says anything."""
    UNPLUG = "unplug"
    """The USB cable; for `seconds`, else until PLUG."""
    PLUG = "plug"
    SAY = "say"
    """`text`, as `// action:pause` from its own panel."""
    HEATER = "heater"
    """`fault` befalls `heater`."""
    STOP = "stop"
    """The virtual printer ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """One incident, and its moment."""

    kind: IncidentKind
    seconds: float = inf
    text: str = ""
    heater: HeaterName = HeaterName.NOZZLE
    fault: HeaterFault = HeaterFault.NONE


def parse_incident(text: str) -> Incident:
    """From words as INCIDENTS_HELP lists them. Raises `ValueError` with what to write instead."""
    word, _, rest = text.strip().partition(" ")
    incident = _parse(word, rest.strip())
    if incident is None:
        raise ValueError(f"{text.strip()!r} is none of: {INCIDENTS_HELP}")
    return incident


def _parse(word: str, rest: str) -> Incident | None:
    match word:
        case "reset" | "plug" | "stop" | "unplug" if not rest:
            return Incident(kind=IncidentKind(word))
        case "say" if rest:
            return Incident(kind=IncidentKind.SAY, text=rest)
        case "hang" | "unplug":
            seconds = _seconds(rest)
            return None if seconds is None else Incident(kind=IncidentKind(word), seconds=seconds)
        case "open" | "short" | "cut" | "mend" if rest in {heater.value for heater in HeaterName}:
            fault, heater = HeaterFault(word), HeaterName(rest)
            return Incident(kind=IncidentKind.HEATER, heater=heater, fault=fault)
    return None


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) and value >= 0 else None
