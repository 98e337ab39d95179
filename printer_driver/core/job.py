"""One print from its first line to its last: which command comes next, and when it is over."""

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from printer_driver.core.gcode import FileCommand, is_move
from printer_driver.core.link import REPORT_TEMPERATURES, Progress
from printer_driver.printer import PrintId, PrintReport, PrintState

HEATERS_OFF = ("M104 S0", "M140 S0")
AFTER_CANCEL = ("M107", "M84")
"""Fan and motors off; M84 waits for the moves that are planned."""
VERIFICATIONS_MAX = 5

_HEATING_WAIT = re.compile(r"M(?:109|190|191|303)(?![\d.])")
_POSITIONING = re.compile(r"G9(?P<mode>[01])(?![\d.])")


def is_heating_wait(command: str) -> bool:
    """Whether the firmware reports temperatures on its own while it works on this."""
    return _HEATING_WAIT.match(command) is not None


class Stage(Enum):
    """How far a print has come."""

    STREAMING = "streaming"
    PAUSING = "pausing"
    PAUSED = "paused"
    FINISHING = "finishing"  # M400: until the last move is made
    VERIFYING = "verifying"  # a numbered M105 must be answered with temperatures
    BREAKING_WAITS = "breaking waits"  # cancelled; M108 until nothing is in flight
    SHUTTING_DOWN = "shutting down"  # cancelled; heaters, fan, motors off
    OVER = "over"


_STATES = {
    Stage.STREAMING: PrintState.PRINTING,
    Stage.PAUSING: PrintState.PRINTING,
    Stage.PAUSED: PrintState.PAUSED,
    Stage.FINISHING: PrintState.PRINTING,
    Stage.VERIFYING: PrintState.PRINTING,
    Stage.BREAKING_WAITS: PrintState.CANCELLING,
    Stage.SHUTTING_DOWN: PrintState.CANCELLING,
}


class Job:
    """Hands out one command after the other; its owner says when all are acknowledged.

    Done is proven, not counted: behind the last command and an M400 goes a numbered M105, whose
    answer `ok T:…` only comes when the firmware has taken every line before it.
    """

    def __init__(
        self,
        *,
        print_id: PrintId,
        commands: Iterator[FileCommand],
        bytes_total: int,
        started_s: float,
    ) -> None:
        self.stage = Stage.STREAMING
        self.reason = ""
        self.final_state = PrintState.DONE
        self.progress = Progress(print_id=print_id)
        self._print_id = print_id
        self._commands = commands
        self._bytes_total = bytes_total
        self._started_s = started_s
        self._next: FileCommand | None = None
        self._is_absolute = False
        self._script: list[str] = []
        self._verifications = 0

    def report(self, done: Progress, now_s: float) -> PrintReport:
        """The print at this moment; `done` belongs to the last acknowledged line."""
        if done.print_id != self._print_id:
            done = Progress()
        state = _STATES.get(self.stage, self.final_state)
        if state is PrintState.PRINTING and not done.lines:
            state = PrintState.STARTING
        return PrintReport(
            print_id=self._print_id,
            state=state,
            lines_done=done.lines,
            bytes_done=done.end_offset,
            bytes_total=self._bytes_total,
            elapsed_s=round(now_s - self._started_s, 3),
            reason=self.reason,
        )

    def pause(self) -> None:
        """Stop after what is in flight; M400 tells when the head stands still."""
        if self.stage is Stage.STREAMING:
            self.stage, self._script = Stage.PAUSING, ["M400"]

    def resume(self) -> None:
        """Go on after a pause."""
        if self.stage in (Stage.PAUSING, Stage.PAUSED):
            self.stage, self._script = Stage.STREAMING, []

    def cancel(self, reason: str) -> None:
        """Stop the file for good."""
        if self.stage in (Stage.BREAKING_WAITS, Stage.SHUTTING_DOWN, Stage.OVER):
            return
        self.stage, self._script = Stage.BREAKING_WAITS, []
        self.reason, self.final_state = reason, PrintState.CANCELLED

    def heard_temperatures(self) -> None:
        """`ok T:…` came and nothing is in flight."""
        if self.stage is Stage.VERIFYING and self._verifications:
            self.stage = Stage.OVER

    def next_command(self) -> FileCommand | None:
        """What to send next, None for nothing now. Raises `GcodeError` of the file."""
        if self.stage is Stage.STREAMING and self._next is None:
            self._next = next(self._commands, None)
            if self._next is None:
                self.stage, self._script = Stage.FINISHING, ["M400"]
        if self.stage is Stage.STREAMING:
            return self._next
        if not self._script:
            return None
        return FileCommand(text=self._script[0], end_offset=self.progress.end_offset)

    def take(self) -> None:
        """What `next_command` gave is being sent."""
        if self.stage is not Stage.STREAMING or self._next is None:
            del self._script[0]
            return
        if positioning := _POSITIONING.match(self._next.text):
            self._is_absolute = positioning["mode"] == "0"
        self.progress = replace(
            self.progress, lines=self.progress.lines + 1, end_offset=self._next.end_offset
        )
        self._next = None

    @property
    def may_follow(self) -> bool:
        """Whether the next command may be sent while others are in flight.

        Absolute moves of the file may; see `NumberedLink`.
        """
        return (
            self.stage is Stage.STREAMING
            and self._is_absolute
            and self._next is not None
            and is_move(self._next.text)
        )

    def on_idle(self, heaters_off: list[str]) -> bool:
        """Everything sent is acknowledged; True when that brought the print further."""
        if self._script:
            return False
        match self.stage:
            case Stage.PAUSING:
                self.stage = Stage.PAUSED
            case Stage.FINISHING:
                self.stage = Stage.VERIFYING
            case Stage.VERIFYING:
                return self._verify_again()
            case Stage.BREAKING_WAITS:
                self.stage, self._script = Stage.SHUTTING_DOWN, [*heaters_off, *AFTER_CANCEL]
            case Stage.SHUTTING_DOWN:
                self.stage = Stage.OVER
            case _:
                return False
        return True

    def _verify_again(self) -> bool:
        """Firmware that never says `T:` is believed after some plain answers."""
        if self._verifications >= VERIFICATIONS_MAX:
            self.stage = Stage.OVER
            return True
        self._verifications += 1
        self._script = [REPORT_TEMPERATURES]
        return True
