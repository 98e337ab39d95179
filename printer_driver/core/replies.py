"""What a printer says, line by line, as typed replies.

Anything may come: power-up noise, half lines, other dialects. Every line becomes exactly one
reply, `Unknown` when nothing better fits.
"""

import re
from dataclasses import dataclass

from printer_driver.printer import Temperature

REPLY_BYTES_MAX = 1024
"""A longer line is noise and dropped whole."""

_OK = re.compile(r"ok(?![^\s:])", re.IGNORECASE)
_OK_NUMBER = re.compile(r" N(\d{1,10})\b")
_OK_PLANNER = re.compile(r" P(\d{1,4})\b")
_OK_BUFFER = re.compile(r" B(\d{1,4})\b")
_RESEND = re.compile(r"(?:Resend\s*:|rs\b)\s*N?:?\s*(\d{1,10})", re.IGNORECASE)
_LAST_LINE = re.compile(r"Last Line:?\s*(\d{1,10})", re.IGNORECASE)
_DEGREES = r"(-?\d{1,4}(?:\.\d{1,4})?)"
_TEMPERATURE = re.compile(rf"\b(T\d{{0,2}}|B|C):\s*{_DEGREES}(?:\s*/\s*{_DEGREES})?")
_BUSY = re.compile(r"(?:echo:\s*)?busy:\s*(.*)", re.IGNORECASE)
_FIRMWARE = re.compile(r"FIRMWARE_NAME:\s*(.*?)(?=\s+[A-Z_]+:|\s*$)")
_ACTION = re.compile(r"//\s*action:\s*(\w+)")
_FATAL = re.compile(
    r"halted|kill\(|stopped|runaway|heating failed|homing failed|probing failed|maxtemp|mintemp",
    re.IGNORECASE,
)
_HALTED = re.compile(r"halted|kill\(|stopped|runaway|heating failed|temp", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ok:
    """A command was executed or planned; the extras are ADVANCED_OK's N, P and B."""

    line_number: int | None = None
    planner_free: int | None = None
    buffer_free: int | None = None
    temperatures: tuple[Temperature, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Resend:
    """The next line number the firmware will take."""

    line_number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LineError:
    """A line was refused; `last_line` is the last number it took, None if it did not say."""

    last_line: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TemperatureReport:
    """Temperatures without an acknowledgement: of a heating wait or of M155."""

    temperatures: tuple[Temperature, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Busy:
    """The firmware works on a long command, or waits for a person."""

    activity: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """An error of the machine itself, in the firmware's words."""

    text: str
    is_fatal: bool
    """The print cannot go on."""
    is_halted: bool
    """Nor can the firmware, before a person resets it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """The firmware has just booted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FirmwareName:
    """What the firmware calls itself, from M115."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """A wish of the printer's own panel: `pause`, `resume`, `cancel`, …"""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Echo:
    """A remark."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """Noise, or a dialect we do not know."""

    text: str


Reply = (
    Ok
    | Resend
    | LineError
    | TemperatureReport
    | Busy
    | Failure
    | Start
    | FirmwareName
    | Action
    | Echo
    | Unknown
)

_BARE_OK = Ok()


def parse_reply(line: bytes) -> Reply:
    """The reply in one line, without its line end."""
    if line == b"ok":
        return _BARE_OK
    text = line.decode("utf-8", errors="replace").strip()
    if _OK.match(text):
        return _parse_ok(text)
    if resend := _RESEND.match(text):
        return Resend(line_number=int(resend[1]))
    if text.startswith(("Error:", "error:", "!!")):
        return _parse_error(text)
    return _parse_remark(text)


def _parse_ok(text: str) -> Ok:
    return Ok(
        line_number=_number(_OK_NUMBER.search(text)),
        planner_free=_number(_OK_PLANNER.search(text)),
        buffer_free=_number(_OK_BUFFER.search(text)),
        temperatures=_temperatures(text),
    )


def _number(match: re.Match[str] | None) -> int | None:
    return int(match[1]) if match else None


def _parse_error(text: str) -> LineError | Failure:
    last_line = _number(_LAST_LINE.search(text))
    lowered = text.lower()
    if last_line is not None or "checksum" in lowered or "line number" in lowered:
        return LineError(last_line=last_line)
    reason = text.removeprefix("Error:").removeprefix("error:").removeprefix("!!").strip()
    is_fatal = text.startswith("!!") or _FATAL.search(text) is not None
    return Failure(
        text=reason, is_fatal=is_fatal, is_halted=is_fatal and _HALTED.search(text) is not None
    )


def _parse_remark(text: str) -> Reply:
    if text == "start":
        return Start()
    if busy := _BUSY.match(text):
        return Busy(activity=busy[1])
    if text.startswith("echo:"):
        return Echo(text=text.removeprefix("echo:").strip())
    if firmware := _FIRMWARE.search(text):
        return FirmwareName(name=firmware[1])
    if action := _ACTION.match(text):
        return Action(name=action[1])
    if temperatures := _temperatures(text):
        return TemperatureReport(temperatures=temperatures)
    return Unknown(text=text)


def _temperatures(text: str) -> tuple[Temperature, ...]:
    """`T:` is the active nozzle and stands for T0 where the firmware names no nozzle."""
    readings = {
        name: Temperature(name=name, actual_c=float(actual), target_c=float(target or 0))
        for name, actual, target in _TEMPERATURE.findall(text)
    }
    if active := readings.pop("T", None):
        unnamed = Temperature(name="T0", actual_c=active.actual_c, target_c=active.target_c)
        readings = {"T0": unnamed} | readings
    return tuple(readings.values())


class LineReader:
    """Cuts what arrives into lines; drops empty ones and those over REPLY_BYTES_MAX."""

    def __init__(self) -> None:
        self._partial = b""
        self._is_too_long = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without line ends and NUL bytes."""
        *complete, self._partial = (self._partial + data).split(b"\n")
        if complete and self._is_too_long:
            self._is_too_long = False
            complete = complete[1:]
        if len(self._partial) > REPLY_BYTES_MAX:
            self._partial, self._is_too_long = b"", True
        lines = (line.strip(b"\r\0 \t") for line in complete)
        return [line for line in lines if line and len(line) <= REPLY_BYTES_MAX]
