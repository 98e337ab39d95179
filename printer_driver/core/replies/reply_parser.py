"""Parses what a printer says, line by line, into typed replies.

Anything may come: noise at power-up, half lines, other dialects. Every line becomes exactly one
reply, `UnknownReply` when nothing better fits.
"""

import re
from dataclasses import dataclass, replace
from math import nan

from printer_driver.core.gcode.position import Position
from printer_driver.core.replies.faults import (
    Fault,
    FaultKind,
    fault_of,
    remark_of,
)
from printer_driver.printer import Temperature

REPLY_BYTES_MAX = 1024
"""A longer line is noise and dropped whole."""
PLACE_MM_MAX = 5000.0
"""No printer is so large: a report from farther away is damaged, and nobody is sent there."""

_ADVANCED_OK = re.compile(rb"ok N(\d{1,10}) P(\d{1,4}) B(\d{1,4})")
_OK = re.compile(r"ok(?![^\s:])", re.IGNORECASE)
_OK_NUMBER = re.compile(r"^ok N?(\d{1,10})\b")
_OK_PLANNER = re.compile(r" P(\d{1,4})\b")
_OK_BUFFER = re.compile(r" B(\d{1,4})\b")
_RESEND = re.compile(r"(?:Resend\s*:|rs\b)\s*N?:?\s*(\d{1,10})", re.IGNORECASE)
_SKIPPED = re.compile(r"skip \d{1,10}")
_LAST_LINE = re.compile(r"Last Line:?\s*(\d{1,10})", re.IGNORECASE)
_DEGREES = r"(-?\d{1,4}(?:\.\d{1,4})?)"
_TEMPERATURE = re.compile(rf"\b(T\d{{0,2}}|B|C):\s*{_DEGREES}(?:\s*/\s*{_DEGREES})?")
_POSITION = re.compile(r"\bX:\s*-?\d.*\bY:\s*-?\d")
_AXIS = re.compile(r"\b([XYZE]):\s*(-?\d{1,7}(?:\.\d{1,6})?)")
_BUSY = re.compile(r"(?:echo:\s*)?busy:\s*(.*)", re.IGNORECASE)
_FIRMWARE = re.compile(r"FIRMWARE_NAME:\s*(.*?)(?=[,\s]+[A-Z][A-Z_-]+:|\s*$)")
_CAPABILITY = re.compile(r"Cap:\s*([A-Z_]{1,40}):([01])\b")
_ACTION = re.compile(r"//\s*action:\s*([\w-]+)\s*(.*)")
_PERCENT = re.compile(r"(?:M73 Progress|NORMAL MODE: Percent done):\s*(\d{1,3})")
_MINUTES = re.compile(r"(?:Time left|remaining in mins):\s*(\d{1,6})")
_BOOTED = re.compile(
    r"[^A-Za-z/]*(?:start|Start|Smoothie)"  # the first line comes behind power-up noise
    r"|(?:ok\b|T\d?:|X:)[^a-z]*[^A-Za-z\s]start"  # or behind the answer that the reset cut off
    r"|RepRapFirmware(?: .* is up and running\.)?|// Klipper state: Ready"
)
_BANNER = re.compile(
    r"(?:echo:|Info:)?\s*(?:PowerUp|(?:External|Brown out|Watchdog|Software) Reset)"
    r"|(?:echo:)?\s*Marlin (?:bugfix-)?\d+\.\S.*"
)
"""Marlin's, Prusa's and Repetier's `setup()` say so behind `start` and at no other time."""
_HALTED = re.compile(
    r"Printer stopped due to errors|// Klipper state: (?:Shutdown|Disconnect)|Emergency Stop!"
    r"|Entering Alarm/Halt state|.*\b(?:HALT asserted|M999 required)|TM: error triggered"
)
"""Marlin 2, Klipper, RepRapFirmware, Smoothieware and Prusa (its thermal model) say so without a
mark of an error."""
_HEATING = " W:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ok:
    """A command was executed or planned. The extras are N, P and B of ADVANCED_OK."""

    line_number: int | None = None
    planner_free: int | None = None
    buffer_free: int | None = None
    temperatures: tuple[Temperature, ...] = ()
    position: Position | None = None
    """Smoothieware answers M114 on the line of its `ok`."""
    firmware: str = ""
    """Klipper answers M115 there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resend:
    """The next line number that the firmware will take."""

    line_number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LineError:
    """A line was refused. `last_line` is the last number that was taken, None if the reply has
    none."""

    last_line: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """A line was dropped because the firmware has already had one of that number (Repetier)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemperatureReport:
    """Temperatures without an acknowledgement, during a heating wait or after M155."""

    temperatures: tuple[Temperature, ...]
    is_heating: bool = False
    """It carries `W:`, the time left of a heating wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionReport:
    """The answer to M114: where the head will be when all planned moves are done."""

    position: Position


@dataclass(frozen=True, kw_only=True, slots=True)
class Busy:
    """The firmware is working on a long command, or waits for a person."""

    activity: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """`wait`: the firmware has nothing to do, all its buffers are empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A fault of the machine itself."""

    fault: Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class Booted:
    """The firmware has just booted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Banner:
    """A line that follows `start`. It shows that the firmware has booted when `start` was lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirmwareName:
    """What the firmware calls itself, from M115."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """One `Cap:` line of M115."""

    name: str
    is_on: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """A request from the printer's own panel: `pause`, `resume`, `cancel`, `prompt_show`, …"""

    name: str
    argument: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnProgress:
    """What the printer shows on its panel (M73)."""

    percent: int
    minutes_left: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """A remark."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownReply:
    """Noise, or an unknown dialect."""

    text: str


Reply = (
    Ok
    | Resend
    | LineError
    | Skipped
    | TemperatureReport
    | PositionReport
    | Busy
    | Waiting
    | Failure
    | Booted
    | Banner
    | FirmwareName
    | Capability
    | Action
    | OwnProgress
    | Echo
    | UnknownReply
)

BARE_OK = Ok()


def parse_reply(line: bytes) -> Reply:
    """The reply in one line, without its line end."""
    if line == b"ok":
        return BARE_OK
    if advanced := _ADVANCED_OK.fullmatch(line):
        number, planner, buffer = map(int, advanced.groups())
        return Ok(line_number=number, planner_free=planner, buffer_free=buffer)
    text = line.decode("utf-8", errors="replace").strip()
    if _BOOTED.fullmatch(text):
        return Booted()
    if _OK.match(text):
        return _parse_ok(text)
    if resend := _RESEND.match(text):
        return Resend(line_number=int(resend[1]))
    if text.startswith(("Error:", "error:", "ERROR:", "ALARM:", "fatal:", "!!")):
        return _parse_error(text)
    return _parse_remark(text)


def _parse_ok(text: str) -> Ok:
    firmware = _FIRMWARE.search(text)
    return Ok(
        line_number=_number(_OK_NUMBER.search(text)),
        planner_free=_number(_OK_PLANNER.search(text)),
        buffer_free=_number(_OK_BUFFER.search(text)),
        temperatures=_temperatures(text),
        position=_position(text),
        firmware=firmware[1] if firmware else "",
    )


def _number(match: re.Match[str] | None) -> int | None:
    return int(match[1]) if match else None


def _parse_error(text: str) -> LineError | Failure:
    last_line = _number(_LAST_LINE.search(text))
    is_grave = text.startswith(("!!", "ALARM:", "fatal:"))
    reason = text.removeprefix("!!").strip() or "halted"  # all that a halted Smoothieware says
    head, colon, tail = reason.partition(":")
    if colon and head.lower() in ("error", "alarm", "fatal"):
        reason = tail.strip()
    fault = fault_of(reason, is_grave=is_grave)
    if last_line is not None or fault.kind is FaultKind.CHECKSUM:
        return LineError(last_line=last_line)
    return Failure(fault=fault)


def _parse_remark(text: str) -> Reply:
    if text == "wait":
        return Waiting()
    if _SKIPPED.fullmatch(text):
        return Skipped()
    if _BANNER.fullmatch(text):
        return Banner()
    if _HALTED.match(text):
        return Failure(fault=fault_of(text.removeprefix("//").strip(), is_grave=True))
    if busy := _BUSY.match(text):
        return Busy(activity=busy[1])
    if action := _ACTION.match(text):
        return Action(name=action[1], argument=action[2].strip())
    if text.startswith(("echo:", "//", "Unknown ")):
        return _parse_echo(text)
    return _parse_report(text)


def _parse_echo(text: str) -> Echo | Failure | OwnProgress:
    remark = text.removeprefix("echo:").removeprefix("//").strip()
    if percent := _PERCENT.search(remark):
        return _own_progress(percent, remark)
    fault = remark_of(remark)
    return Failure(fault=fault) if fault else Echo(text=remark)


def _parse_report(text: str) -> Reply:
    if capability := _CAPABILITY.match(text):
        return Capability(name=capability[1], is_on=capability[2] == "1")
    if firmware := _FIRMWARE.search(text):
        return FirmwareName(name=firmware[1])
    if percent := _PERCENT.search(text):
        return _own_progress(percent, text)
    if position := _position(text):
        return PositionReport(position=position)
    if temperatures := _temperatures(text):
        return TemperatureReport(temperatures=temperatures, is_heating=_HEATING in text)
    return UnknownReply(text=text)


def _own_progress(percent: re.Match[str], text: str) -> OwnProgress:
    return OwnProgress(
        percent=min(100, int(percent[1])), minutes_left=_number(_MINUTES.search(text))
    )


def _position(text: str) -> Position | None:
    """The first value of each axis: behind it Marlin gives its steps (`Count X:…`)."""
    if not _POSITION.search(text):
        return None
    given: dict[str, float] = {}
    for axis, value in _AXIS.findall(text.partition("Count")[0]):
        given.setdefault(axis.lower(), float(value))
    if any(abs(given.get(axis, 0.0)) > PLACE_MM_MAX for axis in "xyz"):
        return None
    return Position(**{axis: given.get(axis, nan) for axis in "xyze"})


def _temperatures(text: str) -> tuple[Temperature, ...]:
    """`T:` is the active nozzle and stands for T0 where the firmware names no nozzle."""
    readings = {
        name: Temperature(
            name=name,
            actual_c=float(actual),
            target_c=float(target or 0),
            is_target_told=bool(target),
        )
        for name, actual, target in _TEMPERATURE.findall(text)
    }
    if active := readings.pop("T", None):
        readings = {"T0": replace(active, name="T0")} | readings
    return tuple(readings.values())


class LineReader:
    """Cuts the received bytes into lines; drops empty lines and those over REPLY_BYTES_MAX."""

    def __init__(self) -> None:
        self._partial = b""
        self._is_too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without line ends and NUL bytes."""
        if b"\0" in data:
            data = data.replace(b"\0", b"")
        *complete, self._partial = (self._partial + data).split(b"\n")
        if complete and self._is_too_long:
            self._is_too_long = False
            complete = complete[1:]
        if len(self._partial) > REPLY_BYTES_MAX:
            self._partial, self._is_too_long = b"", True
        return [
            line
            for given in complete
            if (line := given.strip(b"\r \t")) and len(line) <= REPLY_BYTES_MAX
        ]
