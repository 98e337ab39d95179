"""What other code may ask of a printer, whatever drives it.

A print id (`print_id`) is the caller's name for one print: 1 to 128 printable ASCII characters,
never used twice.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from printer_driver.errors import PrintRefused


def always() -> bool:
    """The default of `may_begin`: the print may begin at any time."""
    return True


def check_in_time(may_begin: Callable[[], bool]) -> None:
    """The last question before a printer is told to begin. Raises `PrintRefused`."""
    if not may_begin():
        raise PrintRefused("It took too long to begin; ask for the job again.", code="late")


class Connection(StrEnum):
    """The connection between the driver and the firmware of the printer."""

    CONNECTING = "connecting"  # the port is open, the firmware has not answered yet
    READY = "ready"
    OFFLINE = "offline"  # no port; the driver tries to reopen it
    HALTED = "halted"  # the firmware stopped itself and needs a person


class PrintState(StrEnum):
    """The states of a print. The last three are final."""

    STARTING = "starting"
    PRINTING = "printing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the print is over and its report will not change again."""
        return self in (PrintState.DONE, PrintState.FAILED, PrintState.CANCELLED)


class Confirmation(StrEnum):
    """How an emergency stop ended."""

    BY_FIRMWARE = "firmware"  # the firmware said that it has stopped
    BY_RESET = "reset"  # it was silent, was reset, and booted anew
    NONE = "none"  # a person must cut the power


@dataclass(frozen=True, kw_only=True, slots=True)
class Temperature:
    """One heater: `T0`, `T1`, … for nozzles, `B` for the bed, `C` for the chamber."""

    name: str
    actual_c: float
    target_c: float
    is_target_told: bool = True
    """False: the printer left it out, and `target_c` 0 does not say that the heater is off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintReport:
    """What is known of one print, running or over."""

    print_id: str
    state: PrintState
    lines_done: int = 0
    """Commands of the file that the firmware has acknowledged."""
    bytes_done: int = 0
    """Offset in the file behind the last acknowledged command."""
    bytes_total: int = 0
    """What `bytes_done` is at the end; the comments behind the last command do not count."""
    elapsed_s: float = 0.0
    """Since the start, pauses included."""
    reason: str = ""
    """Why it failed or was cancelled, as a sentence for a person; else empty."""
    notice: str = ""
    """What a person should know before it begins: that the wire limits its speed; else empty."""
    bed_cleared: bool = False
    """The printer has said that the bed is clear: in the print's own last lines, and the print is
    DONE, or after it and before the next print began. Never true of a print that is not over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """A question of the firmware to a person, asked through its host and shown on its own panel,
    too."""

    text: str
    choices: tuple[str, ...] = ()
    """Answered by their place, from 0."""


def report_to_json(report: PrintReport) -> dict[str, Any]:
    """A report as it goes over the socket and into the journal."""
    return {
        "print_id": report.print_id,
        "state": report.state.value,
        "lines_done": report.lines_done,
        "bytes_done": report.bytes_done,
        "bytes_total": report.bytes_total,
        "elapsed_s": report.elapsed_s,
        "reason": report.reason,
        "notice": report.notice,
        "bed_cleared": report.bed_cleared,
    }


def report_from_json(value: dict[str, Any]) -> PrintReport:
    """Raises KeyError, TypeError or ValueError for anything else than a report."""
    return PrintReport(
        print_id=str(value["print_id"]),
        state=PrintState(value["state"]),
        lines_done=int(value["lines_done"]),
        bytes_done=int(value["bytes_done"]),
        bytes_total=int(value["bytes_total"]),
        elapsed_s=float(value["elapsed_s"]),
        reason=str(value["reason"]),
        notice=str(value.get("notice", "")),
        bed_cleared=value.get("bed_cleared") is True,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Telemetry:
    """Counts of one print so far. Times of lines run from sending to `ok`, waits for the planner
    included."""

    lines_per_s: float = 0.0
    """Acknowledged lines of the file by the time spent sending it; pauses do not count."""
    window_lines: int = 0
    """In flight at most, now."""
    round_trip_p50_s: float = 0.0
    round_trip_p99_s: float = 0.0
    """Both of the latest lines only; see `ROUND_TRIPS_KEPT`."""
    starved_s: float = 0.0
    """How long the printer stood still for want of lines; an upper bound, since moves are taken
    to be as short as their feedrate says."""
    resends: int = 0
    """Refused lines."""
    lines_repeated: int = 0
    lost_oks: int = 0
    phantom_oks: int = 0
    """Acknowledgements of nothing."""
    probes: int = 0
    stray_lines: int = 0
    """Pieces of lines that ran although they were not to; their extrusion was taken back."""
    position_checks: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterStatus:
    """The printer at one moment."""

    connection: Connection
    problem: str = ""
    """What is wrong and what to do, when `connection` is OFFLINE or HALTED; else empty."""
    print: PrintReport | None = None
    """The running print, or the last one of this process, or None."""
    temperatures: tuple[Temperature, ...] = ()
    firmware: str = ""
    """What the firmware calls itself (M115), empty until it has said so."""
    fault: str = ""
    """Kind of the last error that the printer reported (`core.faults.FaultKind`), else empty."""
    question: Question | None = None
    notification: str = ""
    """What the firmware last told its host to show to people (`// action:notification`), or that it
    waits for somebody at its panel, or for the file that it prints."""
    bed_cleared_after: str | None = None
    """The last print, also of an earlier process, if its `bed_cleared` is true; None as soon as
    the next one is on record."""
    telemetry: Telemetry | None = None
    """Of the running print or the last one; None where nobody measures."""


class Printer(Protocol):
    """One printer. Every call may raise `PrinterUnavailable`; every wait is bounded."""

    async def status(self) -> PrinterStatus:
        """The printer now."""
        ...

    async def start(
        self,
        print_id: str,
        path: Path,
        sha256: str,
        *,
        name: str = "",
        may_begin: Callable[[], bool] = always,
    ) -> PrintReport:
        """Prints the file at `path` once.

        Idempotent by `print_id`: a print that runs or is already in the journal is reported as it
        is, and never printed twice. Raises `PrintRefused` if the printer is busy or halted, or the
        file is not g-code or does not have this SHA-256 (64 hex digits). `name` is the part's, for
        people; a driver may ignore it. `may_begin` is asked last of all, since everything before
        may take minutes; if it says no, `PrintRefused` has the code `late`.
        """
        ...

    async def pause(self, print_id: str) -> None:
        """Stop sending. Raises `NotPrinting` when this print does not run."""
        ...

    async def resume(self, print_id: str) -> None:
        """Continues after `pause`. Raises `NotPrinting` if this print is not running."""
        ...

    async def cancel(self, print_id: str) -> None:
        """Cancels the print and switches the heaters off. Raises `NotPrinting` if it is over."""
        ...

    async def report(self, print_id: str) -> PrintReport | None:
        """This print's report, also of earlier runs of the driver; None for an unknown id."""
        ...

    def watch(self) -> AsyncIterator[PrinterStatus]:
        """The status now and whenever it changes, at least every 2 s.

        Ends with `PrinterUnavailable` when the driver goes away; the caller may watch again.
        """
        ...

    async def quit(self, *, force: bool = False) -> None:
        """Ends the printer process. Raises `PrintRefused` while it prints, unless `force`
        cancels first."""
        ...

    async def close(self) -> None:
        """Closes the connection to the printer process; a running print goes on."""
        ...


class StopsAtOnce(Protocol):
    """A printer that has an emergency stop; not every kind of connection has one."""

    async def emergency_stop(self) -> Confirmation:
        """Halts the firmware (M112), whatever it is doing. Raises `PrinterUnavailable`.

        Answers within 8 s: the firmware has confirmed the stop, or was reset, or neither.
        """
        ...
