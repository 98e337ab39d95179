"""Continues a print whose process died or whose cable was pulled, if the board has kept its state.

The firmware is asked three questions, one after the other:

- a line with an impossible number. It answers `Resend: n+1`, and n is the last line it took;
  everything up to there is executed or queued, nothing behind it is. Asked until two answers agree,
  or until the firmware has obeyed: firmware that ignores numbers cannot say where it is.
- `M114`. Unnumbered, it waits in the queue behind everything that was taken, so the answer is the
  position of the head after line n.
- `M105`: which temperatures it holds.

Only if all three answers fit the file does the print go on behind line n, with nothing moved, homed
or set. Otherwise the heaters are switched off and a person is told why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.core.gcode.machine_state import MachineState
from printer_driver.core.gcode.position import Position
from printer_driver.core.replies import reply_parser as rp
from printer_driver.core.replies.faults import (
    Fault,
    FaultKind,
    Severity,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.feeder import COOL_AT_ONCE
from printer_driver.core.streaming.sent_line import (
    Certainty,
    LineRecord,
)
from printer_driver.core.streaming.window import LINES_MAX
from printer_driver.printer import Temperature

IMPOSSIBLE_NUMBER = 2_000_000_011
"""Far from every number that is ever used: a repeat of the last two would be dropped unanswered."""
LISTEN_S = 0.3
"""After opening: a board that resets does it now, and one that prints has oks to say."""
AGAIN_S = 0.15
"""Between two answers that must agree: the first refusal has emptied the firmware's buffer."""
RETRY_S = 1.0
QUERY_RETRY_S = 5.0
QUERIES_MAX = 3
"""Of M114 or M105 at once: behind a long command they fill the firmware's queue."""
AGREEING_REFUSALS = 2
OBEYED_MAX = 5
"""Impossible lines executed in a row; some M105 of before may still be answered."""
OKS_MAX = LINES_MAX + OBEYED_MAX
"""Plain ones in a row without a refusal: more than there were lines in flight."""
FILE_S_MAX = 60.0
FILE_BYTES_PER_S_MIN = 250_000
"""A file of so many bytes may take longer to be read; a disk that hangs must not keep a hot nozzle
on the part."""
SILENCE_S_MAX = 30.0
"""Without any reply; firmware that works on something long says `busy:` or its temperatures."""
GAP_S_MAX = 900.0
"""A hot nozzle that stood longer than this on the part has spoilt it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayUpTo:
    """Effect: compute the machine's state there, check that the file is unchanged, and answer.

    Parts of the file up to `sent_offset` were sent; see `core/gcode/machine_state.py`.
    """

    end_offset: int
    sent_offset: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """The answer to `ReplayUpTo`."""

    end_offset: int
    state: MachineState


@dataclass(frozen=True, kw_only=True, slots=True)
class FileUnusable:
    """The other answer to `ReplayUpTo`: the file has changed or cannot be read."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeBehind:
    """Continue with the command behind this record."""

    record: LineRecord
    state: MachineState


@dataclass(frozen=True, kw_only=True, slots=True)
class StopSafely:
    """The print has failed and the heaters must go off. `reason` is a sentence for a person."""

    reason: str


Event = ev.PortOpened | ev.PortLost | ev.Received | ev.CancelPrint | Replayed | FileUnusable


class _Phase(Enum):
    ABSENT = "absent"  # no port
    LISTENING = "listening"
    LINE = "line"  # asked for the number
    POSITION = "position"
    TEMPERATURES = "temperatures"
    FILE = "file"  # all answered; the file is still being read
    OVER = "over"


class Recovery:
    """`lines` are the records of the print; `lost_s` is when it was last heard of.

    `file_bytes` is how much must be read until the file is known to be unchanged.
    """

    def __init__(
        self, *, lines: Mapping[int, LineRecord], lost_s: float, file_bytes: int = 0
    ) -> None:
        self.verdict: ResumeBehind | StopSafely | None = None
        self._lines = lines
        self._give_up_s = lost_s + GAP_S_MAX
        self._effects: list[ev.Send | ReplayUpTo] = []
        self._phase = _Phase.ABSENT
        self._is_open = False
        self._reader = rp.LineReader()
        self._ask_at_s = 0.0
        self._heard_s = 0.0
        self._queries = 0
        self._last_line: int | None = None
        self._taken = -1
        self._agreeing = 0
        self._obeyed = self._oks = 0
        self._file_s_max = FILE_S_MAX + file_bytes / FILE_BYTES_PER_S_MIN
        self._file_by_s = self._give_up_s
        self._record: LineRecord | None = None
        self._state: MachineState | None = None
        self._position = Position()
        self._temperatures: tuple[Temperature, ...] = ()

    def effects(self) -> list[ev.Send | ReplayUpTo]:
        """What is to be done since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` is due; None once there is a verdict."""
        match self._phase:
            case _Phase.OVER:
                return None
            case _Phase.ABSENT:
                return self._give_up_s
            case _Phase.FILE:
                return min(self._file_by_s, self._give_up_s)
            case _:
                return min(self._ask_at_s, self._heard_s + SILENCE_S_MAX, self._give_up_s)

    def _enter(self, phase: _Phase) -> None:
        """The only place where the phase changes."""
        self._phase = phase

    def receive(self, event: Event, now_s: float) -> None:
        """Take one event."""
        if self.verdict is not None and not isinstance(event, ev.Received):
            return
        match event:
            case ev.PortOpened():
                self._open(now_s)
            case ev.PortLost():
                self._is_open = False
                self._enter(_Phase.ABSENT)
            case ev.Received(data=data):
                for line in self._reader.feed(data):
                    self._take(line, now_s)
            case ev.CancelPrint(reason=reason):
                self._stop(reason)
            case FileUnusable(reason=reason):
                self._stop(reason)
            case Replayed(end_offset=end_offset, state=state):
                if self._record and self._record.end_offset == end_offset:
                    self._state = state
                self._decide_when_known()
        self.tick(now_s)

    def _open(self, now_s: float) -> None:
        """Begins to ask, also after another loss: everything is asked anew."""
        self._reader = rp.LineReader()
        self._is_open = True
        self._enter(_Phase.LISTENING)
        self._ask_at_s, self._heard_s = now_s + LISTEN_S, now_s
        self._last_line, self._taken, self._agreeing = None, -1, 0
        self._obeyed = self._oks = 0

    def tick(self, now_s: float) -> None:
        """Ask what is due; give up when it takes too long."""
        if self._phase is _Phase.OVER:
            return
        if now_s >= self._give_up_s:
            minutes = round(GAP_S_MAX / 60)
            self._stop(f"The printer could not be asked for over {minutes} minutes.")
        elif self._phase is _Phase.FILE:
            if now_s >= self._file_by_s:
                self._stop("The file could not be read in time; check the disk it is on.")
        elif self._phase is not _Phase.ABSENT:
            self._ask_when_due(now_s)

    def _ask_when_due(self, now_s: float) -> None:
        if now_s >= self._heard_s + SILENCE_S_MAX:
            self._stop("The printer does not answer any more.")
        elif now_s >= self._ask_at_s:
            self._ask(now_s)

    def _ask(self, now_s: float) -> None:
        if self._phase in (_Phase.LISTENING, _Phase.LINE):
            self._ask_at_s = now_s + RETRY_S
            self._enter(_Phase.LINE)
            # The line feed ends what a dying host has left half sent.
            self._send(b"\n" + numbered_line(IMPOSSIBLE_NUMBER, "M105"))
            return
        self._ask_at_s = now_s + QUERY_RETRY_S
        if self._queries < QUERIES_MAX:
            self._queries += 1
            self._send(b"M114\n" if self._phase is _Phase.POSITION else b"M105\n")

    def _query(self, phase: _Phase, at_s: float) -> None:
        self._ask_at_s = at_s
        self._enter(phase)
        self._queries = self._oks = 0

    def _send(self, data: bytes) -> None:
        self._effects.append(ev.Send(data=data))

    # --- answers -----------------------------------------------------------------------------

    def _take(self, line: bytes, now_s: float) -> None:
        if self._phase is _Phase.ABSENT:
            return
        self._heard_s = now_s
        reply = rp.parse_reply(line)
        if self._phase is _Phase.OVER:
            self._take_after_verdict(reply)
            return
        match reply:
            case rp.Booted() | rp.Banner():
                self._stop("The printer restarted and has forgotten where it was.")
            case rp.Failure(fault=fault):
                self._take_fault(fault)
            case rp.LineError(last_line=last_line):
                self._last_line = last_line
                self._obeyed = self._oks = 0
            case rp.Resend(line_number=number):
                self._take_refusal(number - 1, now_s)
            case rp.PositionReport(position=position):
                self._take_position(position, now_s)
            case rp.Ok() if self._phase is _Phase.LINE:
                self._take_obedience(reply)
            case rp.Ok(position=position) if position:
                self._take_position(position, now_s)
            case rp.Ok(temperatures=temperatures) if _tells_targets(temperatures):
                self._take_temperatures(temperatures)
            case rp.Ok():
                self._take_bare_ok(now_s)
            case rp.TemperatureReport(temperatures=temperatures) if _tells_targets(temperatures):
                self._take_temperatures(temperatures)  # Repetier answers so
            case _:
                pass

    def _take_after_verdict(self, reply: rp.Reply) -> None:
        """Until the print continues, a restart of the board still makes the verdict wrong."""
        if isinstance(reply, rp.Booted | rp.Banner) and isinstance(self.verdict, ResumeBehind):
            self._stop("The printer restarted and has forgotten where it was.")

    def _take_fault(self, fault: Fault) -> None:
        if fault.severity is not Severity.REMARK:
            self._stop(fault.sentence)
        elif self._phase is _Phase.POSITION and fault.kind is FaultKind.UNKNOWN_COMMAND:
            self._stop("The printer cannot say where its head is.")

    def _take_obedience(self, ok: rp.Ok) -> None:
        """The firmware has obeyed instead of refusing, or finished what was under way before the
        loss."""
        self._oks += 1
        self._obeyed += bool(ok.temperatures)
        if self._obeyed >= OBEYED_MAX or self._oks >= OKS_MAX:
            self._stop(
                "The printer obeys lines whatever their number, "
                "so it cannot say which one it executed last."
            )

    def _take_bare_ok(self, now_s: float) -> None:
        """An `ok` of a question whose answer stands in another line, is lost, or never comes."""
        if self._phase is _Phase.LISTENING:
            return
        self._oks += 1
        self._queries = max(0, self._queries - 1)
        self._ask_at_s = min(self._ask_at_s, now_s + RETRY_S)
        if self._oks >= OKS_MAX:
            self._stop("The printer does not say where its head is, or how warm it is.")

    def _take_refusal(self, taken: int, now_s: float) -> None:
        """`taken` is the last line that the firmware took; noise may alter any answer."""
        said, self._last_line = self._last_line, None
        self._obeyed = self._oks = 0
        if self._phase is not _Phase.LINE or said not in (None, taken):
            return
        is_repeated = taken == self._taken
        self._taken, self._agreeing = taken, self._agreeing + 1 if is_repeated else 1
        self._ask_at_s = now_s + AGAIN_S
        if self._agreeing >= AGREEING_REFUSALS:
            self._find_place(taken, now_s)

    def _find_place(self, taken: int, now_s: float) -> None:
        self._record = self._lines.get(taken)
        if self._record is None:
            self._stop(
                f"The printer counts line {taken}, which this print did not send: "
                "it restarted, or another program used it."
            )
        elif self._record.certainty is not Certainty.EXACT:
            self._stop("It cannot be told which line of the file the printer executed last.")
        else:
            sent_offset = max(record.end_offset for record in self._lines.values())
            self._state, self._file_by_s = None, now_s + self._file_s_max
            self._effects.append(
                ReplayUpTo(end_offset=self._record.end_offset, sent_offset=sent_offset)
            )
            self._query(_Phase.POSITION, now_s + AGAIN_S)

    def _take_position(self, position: Position, now_s: float) -> None:
        if self._phase is _Phase.POSITION:
            self._position = position
            self._query(_Phase.TEMPERATURES, now_s)

    def _take_temperatures(self, temperatures: tuple[Temperature, ...]) -> None:
        if self._phase is _Phase.TEMPERATURES:
            self._temperatures = temperatures
            self._enter(_Phase.FILE)
            self._decide_when_known()

    # --- the decision ------------------------------------------------------------------------

    def _decide_when_known(self) -> None:
        if self._phase is not _Phase.FILE or self._state is None or self._record is None:
            return
        if objection := self._objection(self._state):
            self._stop(objection)
        else:
            self.verdict = ResumeBehind(record=self._record, state=self._state)
            self._enter(_Phase.OVER)

    def _objection(self, state: MachineState) -> str:
        """Why the print cannot continue; empty when everything fits."""
        if difference := state.objection(self._position):
            return f"The printer's head is not where it should be ({difference})."
        told = [heater for heater in self._temperatures if heater.is_target_told]
        now_c = {heater.name: heater.target_c for heater in told}
        wanted = {name: c for name, c in state.targets_c.items() if c > 0 and name in now_c}
        if cold := [name for name in wanted if now_c[name] <= 0]:
            return f"The printer no longer heats {', '.join(cold)}."
        # A wrong place, and the part would be run over: then there must be two proofs of it.
        if not state.knows_place and state.moves_ahead:
            return "It cannot be told where the printer's head is."
        return ""

    def _stop(self, reason: str) -> None:
        if self._is_open:
            self._send(COOL_AT_ONCE)
        self.verdict = StopSafely(reason=reason)
        self._enter(_Phase.OVER)


def _tells_targets(temperatures: tuple[Temperature, ...]) -> bool:
    """Whether a report has targets; the reports of a heating wait have none."""
    return any(heater.is_target_told for heater in temperatures)
