"""Feeds one print: decides what may be sent now, ends waits, checks the position of the head."""

from collections import Counter
from dataclasses import replace
from enum import Enum
from math import isnan

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.gcode.position import (
    Position,
    differences,
)
from printer_driver.core.replies.reported_state import ReportedState
from printer_driver.core.streaming.file_wait import FileWait
from printer_driver.core.streaming.line_sender import LineSender
from printer_driver.core.streaming.print_sequence import (
    HEATERS_OFF,
    REPORT_POSITION,
    PrintSequence,
    PrintStage,
)
from printer_driver.core.streaming.resend_count import WireBrokenError
from printer_driver.core.streaming.sent_line import REPORT_TEMPERATURES

SYNC_S = 2.0
"""Between two M105: they show miscounted acknowledgements."""
BREAK_RETRY_S = 1.0
BREAKS_MAX = 2
"""M108 and M410, of each so many for one cancel."""
BREAK_S_MAX = 5.0
"""After a cancel: until what is not acknowledged counts as lost, and the heaters are switched off
whatever else the firmware may be doing."""
DRAIN_S = 0.3
"""After a cancel: until the planned moves are thrown away instead of waited for."""
STRAY_EXTRUSION_MM_MAX = 20.0
ASKS_MAX = 3
"""M114 after a refused line, until its answers count as lost for good."""
TRIALS_MAX = 3
"""M114 to find out whether E can be believed; each takes one position report."""
BLOCKED_S = 0.002
"""An `ok` that comes so much later than a full window takes waited for room in the planner."""
PLACE_S_MAX = 120.0
"""Over the nominal time of the moves: until an answer to M114 counts as lost."""
_WAITS_FOR_PLACE = (PrintStage.PAUSING, PrintStage.RESUMING, PrintStage.FINISHING)
_AT_THE_END = (PrintStage.FINISHING, PrintStage.VERIFYING)
"""Every line is executed; a head that firmware has kept within its limits spoils nothing."""
_LOOKS_FOR_HEAD = (PrintStage.STREAMING, *_AT_THE_END)
COOL_AT_ONCE = "".join(f"{command}\n" for command in ("", "M108", *HEATERS_OFF)).encode("ascii")
"""For firmware that may hear and cannot be heard, or is in a heating wait."""
NUMBER_BYTES = len("N1999 *255\n")


class _Check(Enum):
    """The states of comparing the reported position with the expected one."""

    NONE = "none"
    WANTED = "wanted"
    ASKED = "asked"


class _Extruder(Enum):
    """Whether the E that the firmware reports can be compared with ours.

    Some firmware takes relative extrusion for absolute, or reports another E than it extrudes by.
    There a difference after trouble would not be a stray piece of a line, and taking it back would
    extrude. So E is compared once without trouble, as soon as relative moves make a difference
    visible.
    """

    UNTRIED = "untried"
    BELIEVED = "believed"
    DOUBTED = "doubted"


class Feeder:
    """The running print between the file and the wire."""

    def __init__(self, *, job: PrintSequence, lines: LineSender, reported: ReportedState) -> None:
        self.job = job
        self._lines = lines
        self._reported = reported
        self._sync_at_s = 0.0
        self._owes_sync = False
        self._break_at_s = 0.0
        self._cancelled_s = 0.0
        self._breaks: Counter[str] = Counter()
        self._check = _Check.NONE
        self._asks = 0
        self._extruder = _Extruder.UNTRIED
        self._trials = 0
        self._was_refused = False
        self._suspicion: dict[str, float] = {}
        self._quickest_s = 1.0
        self._was_moving = False
        self._places_due = 0
        self._file_wait = FileWait()

    # --- what happened -----------------------------------------------------------------------

    def cancel(self, reason: str, now_s: float) -> None:
        """Cancels the print, and ends whatever the firmware waits for. A second call changes
        nothing."""
        if self.job.is_cancelled:
            return
        self.job.cancel(reason)
        self._lines.repeat_no_commands()
        self._cancelled_s = self._break_at_s = now_s
        dialect = self._reported.dialect
        if dialect.acknowledges_receipt and dialect.breaks_waits:  # no wait is in flight there
            self._breaks["M108"] += 1
            self._lines.send_unnumbered("M108", now_s)

    def refused(self) -> None:
        """A line was refused: when all is repeated, the position of the head is checked."""
        self._check, self._asks = _Check.WANTED, 0
        self._was_refused = True

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do for this print."""
        return self.job.stage is PrintStage.OVER

    @property
    def says(self) -> str:
        """What people should know during the print: that it waits for its file."""
        return self._file_wait.words

    def acknowledged(self, count: int, now_s: float) -> None:
        """So many more lines are acknowledged."""
        counters = self._lines.counters
        counters.count_acknowledged(count)
        round_trip_s = counters.round_trips_s[-1]
        if round_trip_s < self._quickest_s:
            self._quickest_s = round_trip_s
        elif round_trip_s > self._quickest_s * self._lines.window.lines + BLOCKED_S:
            self.job.head.note_full_planner(now_s)

    def heard_position(self, position: Position) -> str:
        """Takes in an answer to M114. Returns a text for the log, empty for none.

        Raises `WireBrokenError` when the head is not where the file says.
        """
        self._places_due = max(0, self._places_due - 1)
        if self.job.stage not in _LOOKS_FOR_HEAD:
            if self._check is _Check.ASKED:
                self._check = _Check.WANTED  # when the file goes on
            self._lines.counters.count_position_check()
            return self.job.heard_position(position)
        if self._check is not _Check.ASKED and self.job.stage not in _WAITS_FOR_PLACE:
            return ""
        self._check = _Check.NONE
        self._lines.counters.count_position_check()
        off = differences(self.job.head.position, position)
        if off and off != self._suspicion:  # noise may have altered the answer
            self._suspicion, self._check = off, _Check.WANTED
            return ""
        self._suspicion = {}
        note = self._try_extruder(off, position)
        return self._act_on(off, position) if off else note

    def _try_extruder(self, off: dict[str, float], position: Position) -> str:
        """Removes differences from `off` that mean nothing; returns a text for the log."""
        head, was = self.job.head, self._extruder
        if was is _Extruder.UNTRIED and head.tells_relative:
            is_wrong = "e" in off or isnan(position.e)
            self._extruder = _Extruder.DOUBTED if is_wrong else _Extruder.BELIEVED
        e = 0.0 if self._extruder is _Extruder.BELIEVED else off.pop("e", 0.0)
        if not self._was_refused and self.job.stage is PrintStage.STREAMING:
            off.clear()  # firmware keeps the head within its limits, whatever the file says
        if not e or was is _Extruder.DOUBTED:
            return ""
        head.believe_extruder(position.e)
        return f"The printer tells another E than expected, by {e:+g} mm; it is left as it is."

    def _act_on(self, off: dict[str, float], position: Position) -> str:
        words = ", ".join(f"{axis.upper()} by {mm:+g} mm" for axis, mm in off.items())
        self.job.head.believe(_known(position, self.job.head.position))
        if off.keys() != {"e"}:
            problem = f"The head is not where the file says: off in {words}."
            if self.job.stage in _AT_THE_END:
                self.job.remark(f"{problem} Look at the part.")
                return problem
            raise WireBrokenError(problem)
        self._lines.counters.count_stray_line()
        if not self.job.head.is_extruder_relative or abs(off["e"]) > STRAY_EXTRUSION_MM_MAX:
            return f"A piece of a damaged line ran: off in {words}."
        self.job.take_back_extrusion(off["e"])
        return f"A piece of a damaged line ran: off in {words}; taken back."

    # --- what to do --------------------------------------------------------------------------

    def go_on(self, now_s: float) -> str:
        """Sends all that may be sent. Returns a text for the log, empty for none.

        Raises `GcodeError` of the file, and `WireBrokenError`.
        """
        while self._step(now_s):
            pass
        if self._is_sync_owed(now_s):
            self._sync(now_s)
        waits = self.job.waits_for_file or self._file_wait.is_on
        return self._wait_for_file(now_s) if waits else ""

    def _wait_for_file(self, now_s: float) -> str:
        """Looks whether the next line has come while nothing could be sent; a paused print needs
        none."""
        if self.job.stage is PrintStage.STREAMING and not self.job.is_line_there():
            return self._file_wait.go_on(self.job.lines_read, now_s)
        return self._file_wait.end(now_s)

    def _step(self, now_s: float) -> bool:
        """One step of the print; False when it waits for something."""
        job = self.job
        if job.stage is PrintStage.BREAKING_WAITS and self._breaks_waits(now_s):
            return False
        if self._check is not _Check.NONE and job.stage in _LOOKS_FOR_HEAD:
            return self._look_for_head(now_s)
        is_streaming = job.stage is PrintStage.STREAMING
        if not is_streaming and self._is_idle(now_s) and job.on_idle(self._reported.heaters_off()):
            return job.stage is not PrintStage.OVER
        return self._send_next(now_s)

    def _is_idle(self, now_s: float) -> bool:
        """Whether everything sent is acknowledged, and executed or planned.

        Where `ok` only means received, the answer to the M114 behind M400 shows that.
        """
        job = self.job
        if self._reported.dialect.acknowledges_receipt and job.stage in _WAITS_FOR_PLACE:
            is_late = now_s >= job.head.moving_until_s + PLACE_S_MAX
            return self._lines.is_idle and (not self._places_due or is_late)
        return self._lines.is_idle

    def _send_next(self, now_s: float) -> bool:
        job, lines = self.job, self._lines
        if self._is_sync_owed(now_s) and not self._sync(now_s):
            return False
        command = job.next_command()
        if not command or not lines.has_room(len(command) + NUMBER_BYTES, follows=job.follows):
            return False
        follows = job.follows
        self._note_starvation(now_s)
        text = job.take(now_s)
        self._places_due += text == REPORT_POSITION
        lines.send(text, job.progress, now_s, follows=follows)
        if self._extruder is _Extruder.UNTRIED and job.head.tells_relative:
            self._want_trial()
        return True

    def _want_trial(self) -> None:
        """Firmware that never answers M114 is not asked after every move."""
        self._check = _Check.WANTED
        self._trials += 1
        if self._trials > TRIALS_MAX:
            self._extruder, self._check = _Extruder.DOUBTED, _Check.NONE

    def _note_starvation(self, now_s: float) -> None:
        """Between two moves the planner may have run empty."""
        job = self.job
        if job.kind is CommandKind.MOVE:
            if self._was_moving and now_s > job.head.moving_until_s:
                self._lines.counters.count_starved(now_s - job.head.moving_until_s)
            self._was_moving = True
        elif job.kind is not CommandKind.HARMLESS:
            self._was_moving = False

    def _look_for_head(self, now_s: float) -> bool:
        if not self._lines.is_idle:
            return False
        if self._check is _Check.ASKED:  # acknowledged, but the answer was lost
            is_hopeless = not self._was_refused or self._asks >= ASKS_MAX
            self._check = _Check.NONE if is_hopeless else _Check.WANTED
            return True
        self._check = _Check.ASKED
        self._asks += 1
        self._places_due += 1
        self._lines.send(REPORT_POSITION, self.job.progress, now_s, follows=False)
        return False

    def _breaks_waits(self, now_s: float) -> bool:
        """Ends a heating wait with M108, and moves that would take too long with M410.

        True while something is still waited for. Lines that were queued when M410 came may have
        planned new moves, so it is sent once more when all is acknowledged.
        """
        job, lines = self.job, self._lines
        if lines.is_idle:
            is_moving = job.head.moving_until_s > now_s + DRAIN_S
            if is_moving and self._reported.dialect.stops_moves:
                job.head.drop_moves(now_s)
                lines.send_unnumbered("M410", now_s)
                return True
            return False
        if now_s >= self._cancelled_s + BREAK_S_MAX:
            lines.give_up()
            lines.send_blindly(COOL_AT_ONCE)
            return False
        if now_s >= self._break_at_s:
            self._break_at_s = min(now_s + BREAK_RETRY_S, self._cancelled_s + BREAK_S_MAX)
            self._break_wait(now_s)
        return True

    def _break_wait(self, now_s: float) -> None:
        lines = self._lines
        in_flight = {line.command for line in lines.in_flight}
        command = self._breaking_command({kind_of(each) for each in in_flight}, now_s)
        if command in in_flight:
            # Its answer was lost, or they are miscounted: one with temperatures sets that right.
            if not lines.awaits_temperatures:
                lines.send_unnumbered(REPORT_TEMPERATURES, now_s)
        elif command and self._breaks[command] < BREAKS_MAX:
            self._breaks[command] += 1
            lines.send_unnumbered(command, now_s)

    def _breaking_command(self, kinds: set[CommandKind], now_s: float) -> str:
        """The command that ends this wait: M410 for M400, M108 for a filament change or a
        heating wait."""
        dialect, drained_s = self._reported.dialect, self._cancelled_s + DRAIN_S
        waits = bool(kinds & {CommandKind.LONG, CommandKind.HEATING}) and dialect.breaks_waits
        if CommandKind.HEATING in kinds or not dialect.stops_moves:
            return "M108" if waits else ""
        if now_s >= drained_s:
            return "M410"
        self._break_at_s = min(self._break_at_s, drained_s)
        return "M108" if waits else ""

    def _is_sync_owed(self, now_s: float) -> bool:
        """Whether an M105 must go before the next line of the file."""
        if now_s >= self._sync_at_s:
            is_first, self._sync_at_s = not self._sync_at_s, now_s + SYNC_S
            self._owes_sync = not is_first and not self._lines.awaits_temperatures
        return self._owes_sync and self.job.stage is not PrintStage.BREAKING_WAITS

    def _sync(self, now_s: float) -> bool:
        """Asks for the temperatures; False while there is no room for that."""
        if not self._lines.has_room(len(REPORT_TEMPERATURES) + NUMBER_BYTES, follows=True):
            return False
        self._owes_sync = False
        self._lines.send(REPORT_TEMPERATURES, self.job.progress, now_s, follows=True)
        return True

    def next_deadline_s(self) -> float:
        """When `go_on` is due without an event."""
        if self.job.stage is PrintStage.BREAKING_WAITS:
            return self._break_at_s
        return self._sync_at_s


def _known(reported: Position, otherwise: Position) -> Position:
    """Completes a reported position: firmware need not report every axis."""
    missing = {axis: getattr(otherwise, axis) for axis in "xyze" if isnan(getattr(reported, axis))}
    return replace(reported, **missing)
