"""One print from its first to its last line: which command is next, and when the print is over."""

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.gcode.gcode_lines import (
    NOT_YET,
    FileCommand,
    compact,
    lays_filament,
    normalised_command,
)
from printer_driver.core.gcode.position import (
    Head,
    Position,
)
from printer_driver.core.replies.faults import TEXT_CHARS_MAX
from printer_driver.core.streaming.pause import (
    REPORT_POSITION,
    WAIT_FOR_MOVES,
    Pause,
)
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    REPORT_TEMPERATURES,
    FilePlace,
)
from printer_driver.core.streaming.stream_settings import (
    NOT_ALONE,
    StreamSettings,
)
from printer_driver.printer import PrintReport, PrintState, Temperature

HEATERS_OFF = ("M104 S0", "M140 S0")
VERIFICATIONS_MAX = 5
_HARMLESS_HERE = re.compile(r"M(?:400|114|105|85 .*|107|84|1(?:04|40|41)(?: T\d+)? S0)")
"""Of the scripts: safe to leave out or to send twice where the file goes on."""

__all__ = ["HEATERS_OFF", "REPORT_POSITION", "PrintSequence", "PrintStage"]


class PrintStage(Enum):
    """The stages of a print."""

    STREAMING = "streaming"
    PAUSING = "pausing"  # M400; until place and temperatures are sure
    PARKING = "parking"
    PAUSED = "paused"
    RESUMING = "resuming"  # the head is looked for; temperatures, place and modes are restored
    FINISHING = "finishing"  # until the last move is made
    VERIFYING = "verifying"  # a numbered M105 must be answered with temperatures
    BREAKING_WAITS = "breaking waits"  # cancelled; M108, M410 until nothing is in flight
    SHUTTING_DOWN = "shutting down"  # cancelled; heaters, fan, motors off
    COOLING = "cooling"  # cancelled; the targets must be reported as zero
    OVER = "over"


_STATES = {
    PrintStage.PAUSED: PrintState.PAUSED,
    PrintStage.BREAKING_WAITS: PrintState.CANCELLING,
    PrintStage.SHUTTING_DOWN: PrintState.CANCELLING,
    PrintStage.COOLING: PrintState.CANCELLING,
}
_CANCELLED = (
    PrintStage.BREAKING_WAITS,
    PrintStage.SHUTTING_DOWN,
    PrintStage.COOLING,
    PrintStage.OVER,
)
_HELD = (PrintStage.PAUSING, PrintStage.PARKING, PrintStage.PAUSED)


class _Wish(Enum):
    """What is to be done at the next chance."""

    NONE = "none"
    PAUSE = "pause"  # while the print is made to go on
    RESUME = "resume"  # while it is made to pause


class PrintSequence:
    """Hands out one command after the other; the owner tells when all are acknowledged.

    The end is proven, not counted: behind the last command and an M400 goes a numbered M105. Its
    answer `ok T:…` comes only when the firmware has taken every line before it.
    """

    def __init__(
        self,
        *,
        print_id: str,
        commands: Iterator[FileCommand],
        bytes_total: int,
        started_s: float,
        settings: StreamSettings | None = None,
        head: Head | None = None,
        compacts: bool = False,
        alone_s: int = 0,
    ) -> None:
        self.stage = PrintStage.STREAMING
        self.reason = ""
        self.final_state = PrintState.DONE
        self.progress = FilePlace(print_id=print_id)
        self.head = head or Head()
        self.kind = CommandKind.LONG
        """Of what `next_command` gave."""
        self.follows = False
        """Whether that may be in flight together with other lines; see `LineSender`."""
        self.waits_for_file = False
        """When last looked for, the file's next line had not been read yet."""
        self.lines_read = 0
        """Of the file, with those that are ignored."""
        self._settings = settings or StreamSettings()
        self._compacts = compacts
        self._alone_s = alone_s
        self._is_guarded = False
        self._print_id = print_id
        self._commands = commands
        self._bytes_total = bytes_total
        self._started_s = started_s
        self._end_offset = 0
        self._next = ""  # of the file
        self._script: list[str] = []
        self._scripts: Iterator[list[str]] = iter(())  # what follows it
        self._pause = Pause()
        self._heaters: tuple[Temperature, ...] = ()
        self._wish = _Wish.NONE
        self._verifications = 0
        self._are_heaters_off = False
        self._is_bed_clear = False

    def report(self, done: FilePlace, now_s: float) -> PrintReport:
        """The print at this moment; `done` belongs to the last acknowledged line."""
        if done.print_id != self._print_id:
            done = NO_PLACE
        state = self.final_state if self.stage is PrintStage.OVER else PrintState.PRINTING
        state = _STATES.get(self.stage, state)
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
            bed_cleared=self._is_bed_clear and state is PrintState.DONE,
        )

    def ended(self, state: PrintState, reason: str, done: FilePlace, now_s: float) -> PrintReport:
        """The last report of the print. A cancelled print stays cancelled, whatever happens
        later."""
        report = self.report(done, now_s)
        if state is PrintState.FAILED and self.final_state is PrintState.CANCELLED:
            state, reason = PrintState.CANCELLED, f"{self.reason} {reason}"
        return replace(
            report,
            state=state,
            reason=reason[: 2 * TEXT_CHARS_MAX],
            bed_cleared=report.bed_cleared and state is PrintState.DONE,
        )

    @property
    def is_cancelled(self) -> bool:
        """Whether the print is cancelled, or over anyway."""
        return self.stage in _CANCELLED

    # --- what people and the printer want ----------------------------------------------------

    def _enter(self, stage: PrintStage) -> None:
        """The only place where the stage changes."""
        self.stage = stage

    def remark(self, reason: str) -> None:
        """What a person should know about the end of this print."""
        self.reason = reason

    def pause(self, targets: tuple[Temperature, ...] = ()) -> None:
        """Stops after the lines in flight; while the print returns from a pause, as soon as it is
        back.

        `targets` are all heaters, as last reported.
        """
        self._heaters = targets
        if self.stage is PrintStage.STREAMING:
            self._begin_pause()
        else:
            self._wish = _Wish.PAUSE if self.stage is PrintStage.RESUMING else _Wish.NONE

    def _begin_pause(self) -> None:
        self._wish = _Wish.NONE
        self._enter(PrintStage.PAUSING)
        self._pause = Pause(heaters=self._heaters, head=self.head, park=self._settings.park)
        self._scripts = self._pause.settling()
        self._script += [*next(self._scripts), *self._unguard()]

    def hold(self) -> None:
        """The printer pauses by itself (`action:paused`) and will say when it goes on."""
        if self.stage is PrintStage.STREAMING:
            self._pause = Pause()
            self._script = self._unguard()
            self._enter(PrintStage.PAUSED)
            if self._next:
                self._classify_next()
        elif self.stage is PrintStage.RESUMING:
            self._wish = _Wish.PAUSE

    def resume(self, targets: tuple[Temperature, ...] = ()) -> None:
        """Continues after a pause, at the exact place and as warm as before; `targets` are the
        present ones."""
        if self.stage is PrintStage.PAUSED:
            self.reason, self._wish = "", _Wish.NONE
            self._enter(PrintStage.RESUMING)
            self._scripts = self._pause.returning(targets)
            self._script += next(self._scripts, [])
        else:
            self._wish = _Wish.RESUME if self.stage in _HELD else _Wish.NONE

    def cancel(self, reason: str) -> None:
        """Stop the file for good."""
        if self.stage in _CANCELLED:
            return
        self._script = []
        self._enter(PrintStage.BREAKING_WAITS)
        self.reason, self.final_state = reason, PrintState.CANCELLED

    # --- what the firmware says --------------------------------------------------------------

    def heard_proof(self) -> None:
        """Every line sent is executed or planned; see `LineSender.is_proven`."""
        if self.stage is PrintStage.VERIFYING and self._verifications:
            self._enter(PrintStage.OVER)

    def heard_targets(self, targets_c: list[float]) -> None:
        """A report of all heaters came, in the order of those given to `pause`."""
        self._are_heaters_off = not any(targets_c)
        if self.stage is PrintStage.PAUSING and REPORT_TEMPERATURES not in self._script:
            self._pause.heard_targets(targets_c)  # the file's last commands are executed

    def heard_position(self, position: Position) -> str:
        """Takes in an answer to M114 outside of the file's lines. Returns a text for the log."""
        if self.stage in (PrintStage.PAUSING, PrintStage.RESUMING):
            return self._pause.heard_position(position)
        return ""

    def heard_bed_clear(self) -> None:
        """The end of the file has taken the part off, unless more of the file is printed."""
        self._is_bed_clear = True

    def take_back_extrusion(self, surplus: float) -> None:
        """A piece of a line was executed by mistake: retract as much before the next line."""
        if self.stage is PrintStage.STREAMING:
            self._script.append(f"G1 E{-surplus:.5f}")

    # --- where the host is lost --------------------------------------------------------------

    def _guard_behind(self, move: str) -> None:
        """M85 is set only once something moves: until Marlin 2.0.2 its time counts from the last
        move, and heating may have taken long."""
        if any(axis in move for axis in "XYZE"):  # `G1 F1200` moves nothing
            self._is_guarded = True
            self._script.append(f"M85 S{self._alone_s}")

    def _unguard(self) -> list[str]:
        self._is_guarded = False
        return [NOT_ALONE] if self._alone_s else []

    # --- the next command --------------------------------------------------------------------

    def next_command(self) -> str:
        """The command to send next, empty for none now. Raises `GcodeError` of the file."""
        if self._script:
            text = self._script[0]
            self.kind, self.follows = kind_of(text), False
            return text
        if self.stage is not PrintStage.STREAMING:
            return ""
        if not self._next and not self._read():
            self._enter(PrintStage.FINISHING)
            self._script = [WAIT_FOR_MOVES, REPORT_POSITION, *self._unguard()]
            return self.next_command()
        return self._next

    def is_line_there(self) -> bool:
        """Whether the file's next line, or its end, has been read. Raises `GcodeError` of it."""
        if self.waits_for_file:
            self._read()
        return not self.waits_for_file

    def _read(self) -> bool:
        """Reads the next line; False at the end of the file. Nothing is next while the line is
        missing."""
        self.waits_for_file = False
        ignored = self._settings.ignored
        for command in self._commands:
            if command is NOT_YET:
                self.waits_for_file = True
                return True
            self.lines_read += 1
            self._end_offset = command.end_offset
            if not ignored or normalised_command(command.text) not in ignored:
                self._next = command.text
                self._classify_next()
                return True
        return False

    def _classify_next(self) -> None:
        kind = self.kind = kind_of(self._next)
        if kind is CommandKind.MOVE:
            self.follows = self.head.is_absolute is True
        else:
            self.follows = kind is CommandKind.HARMLESS

    def take(self, now_s: float) -> str:
        """The command of `next_command` is being sent; returns it as it goes on the wire."""
        if self._script:
            text = self._script.pop(0)
            self.head.execute(text, self.kind, now_s)
            if not _HARMLESS_HERE.fullmatch(text):
                self.progress = self.progress._replace(is_aside=True)
            if self._next:
                self._classify_next()
            return text
        text, self._next = self._next, ""
        self.head.execute(text, self.kind, now_s)
        if self._is_bed_clear and lays_filament(text):
            self._is_bed_clear = False
        self.progress = FilePlace(self._print_id, self.lines_read, self._end_offset)
        if self._alone_s and not self._is_guarded and self.kind is CommandKind.MOVE:
            self._guard_behind(text)
        return compact(text) if self._compacts and self.kind is CommandKind.MOVE else text

    # --- the next stage ----------------------------------------------------------------------

    def on_idle(self, heaters_off: list[str]) -> bool:
        """Everything sent is acknowledged. True if the print has reached its next stage by that."""
        if self._script or self.stage is PrintStage.STREAMING:
            return False
        match self.stage:
            case PrintStage.PAUSING | PrintStage.RESUMING:
                self._go_on_with_pause()
            case PrintStage.PARKING:
                self._enter(PrintStage.PAUSED)
            case PrintStage.PAUSED if self._wish is _Wish.RESUME:
                self.resume()
            case PrintStage.FINISHING:
                self._enter(PrintStage.VERIFYING)
            case PrintStage.VERIFYING:
                return self._ask_for_temperatures()
            case PrintStage.BREAKING_WAITS:
                self._enter(PrintStage.SHUTTING_DOWN)
                self._script = [*heaters_off, *self._unguard(), *self._settings.cancel_script]
            case PrintStage.SHUTTING_DOWN:
                self._are_heaters_off = False
                self._enter(PrintStage.COOLING)
            case PrintStage.COOLING:
                return self._cool_down(heaters_off)
            case _:
                return False
        return True

    def _go_on_with_pause(self) -> None:
        script = next(self._scripts, None)
        if script is not None:
            self._script = script
        elif self.stage is PrintStage.PAUSING:
            self._script = self._pause.parking()
            self._enter(PrintStage.PARKING)
        elif self._pause.problem:
            self.reason = self._pause.problem
            self._enter(PrintStage.PAUSED)
            self._wish = _Wish.NONE
        elif self._wish is _Wish.PAUSE:
            self._begin_pause()
        else:
            self._enter(PrintStage.STREAMING)

    def _ask_for_temperatures(self) -> bool:
        """Firmware that never says `ok T:` is believed after some plain answers."""
        if self._verifications >= VERIFICATIONS_MAX:
            self._enter(PrintStage.OVER)
            return True
        self._verifications += 1
        self._script = [REPORT_TEMPERATURES]
        return True

    def _cool_down(self, heaters_off: list[str]) -> bool:
        if self._are_heaters_off:
            self._enter(PrintStage.OVER)
        elif self._verifications >= VERIFICATIONS_MAX:
            self._enter(PrintStage.OVER)
            self.reason += " The heaters may still be on: switch the printer off."
        else:
            again = heaters_off if self._verifications else []
            self._verifications += 1
            self._script = [*again, REPORT_TEMPERATURES]
        return True
