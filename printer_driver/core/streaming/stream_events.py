"""The events and effects of `Streamer`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from printer_driver.core.gcode.gcode_lines import FileCommand
from printer_driver.core.gcode.position import Head
from printer_driver.core.replies.faults import Fault
from printer_driver.core.replies.reported_state import HostAction
from printer_driver.core.streaming.sent_line import SentLine
from printer_driver.printer import PrintReport


@dataclass(frozen=True, kw_only=True, slots=True)
class PortOpened:
    """The serial port is open; the firmware may be booting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PortLost:
    """The port is gone or could not be opened; `reason` is a sentence for a person."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """Bytes from the printer, cut anywhere."""

    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class StartPrint:
    """Print these commands; only when `Streamer.can_start`.

    `commands` may raise `GcodeError` at any step, which fails the print. It yields NOT_YET while
    the next line of the file has not been read; `tick` looks again. `head` is the known state of
    the head for a print that is continued, None for a new one; the `Streamer` keeps it. With
    `is_paused` nothing of the file is sent before a `ResumePrint`.
    """

    print_id: str
    commands: Iterator[FileCommand]
    bytes_total: int
    head: Head | None = None
    is_paused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PausePrint:
    """Send no more of the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumePrint:
    """Continue with the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelPrint:
    """Give the print up, and switch the heaters off."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HaltFirmware:
    """Halt the firmware at once (M112); it then needs a reset."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerPrompt:
    """A person chose an answer (from 0) of `Streamer.prompt`."""

    choice: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SendCommands:
    """Commands of a person, while nothing is printed. Those that are too many are left out with a
    `Note`."""

    commands: tuple[str, ...]


Event = (
    PortOpened
    | PortLost
    | Received
    | StartPrint
    | PausePrint
    | ResumePrint
    | CancelPrint
    | HaltFirmware
    | AnswerPrompt
    | SendCommands
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Send:
    """Write these bytes to the port, after the records of the `lines` in them."""

    data: bytes
    lines: Sequence[SentLine] = ()
    """Those sent for the first time, each with its number and its place in the file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintEnded:
    """The print is over: make its report durable and close its file."""

    report: PrintReport


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A text for the log."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultRaised:
    """The printer reports an error. `Streamer` has already done what it can about it."""

    fault: Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class BedReportedClear:
    """The printer reports, while nothing is printed, that the part of the last print was taken off.

    If the printer reports it during a print, the report of that print says so instead.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class HostActionAsked:
    """The printer has asked its host for an action. Pauses and cancels have already been carried
    out."""

    wish: HostAction
    argument: str = ""


_LEFT = CancelPrint(reason="The printer asked to be disconnected; look at its panel.")
WISHED: dict[HostAction, Event] = {
    HostAction.PAUSE: PausePrint(),
    HostAction.FILAMENT_RUNOUT: PausePrint(),
    HostAction.OUT_OF_FILAMENT: PausePrint(),
    HostAction.RESUME: ResumePrint(),
    HostAction.RESUMED: ResumePrint(),
    HostAction.CANCEL: CancelPrint(reason="Cancelled at the printer."),
    HostAction.DISCONNECT: _LEFT,
    HostAction.POWEROFF: _LEFT,
}
"""What each wish of the printer's own panel is to a running print."""

Effect = Send | PrintEnded | Note | FaultRaised | HostActionAsked | BedReportedClear
