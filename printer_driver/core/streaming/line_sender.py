"""Sends numbered lines over a lossy wire: which are in flight, acknowledged, or to be repeated.

It relies on what Marlin 2 does (`Marlin/src/gcode/queue.cpp`):

- `ok` means executed or planned, one for each command, in order.
- A refused line empties the receive buffer; then come `Error:…Last Line: n`, `Resend: n+1` and
  one bare `ok`. Lines that are already queued are still acknowledged.
- A repeat of one of the last two lines is dropped silently, so an `ok` that seems lost must never
  be asked for by repeating its line.
- The reply to M105 is `ok T:…`. It comes after everything that was queued before it, and no other
  command is answered so. Hence an M105 in flight shows which acknowledgements were lost, and an
  `ok` without temperatures in front of it acknowledges nothing.
- Unnumbered lines are executed unchecked.

A wrongly counted acknowledgement (noise destroyed a `Resend:`, and its bare `ok` was taken for
another) does no harm: the next number does not fit, the firmware asks again, and the history still
has the line.
"""

from collections import deque
from dataclasses import replace
from enum import Enum
from math import inf

from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.core.replies.reply_parser import (
    BARE_OK,
    Ok,
)
from printer_driver.core.streaming.resend_count import ResendCount
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    REPORT_TEMPERATURES,
    FilePlace,
    SentLine,
)
from printer_driver.core.streaming.telemetry import Counters
from printer_driver.core.streaming.window import Window

HISTORY_LINES_MAX = 256
QUIET_S = 0.06
"""Silence after a refused line before anything is sent again: what was in flight (at most 127
bytes, 11 ms at 115200 baud) has arrived and its answers, delayed by USB for up to 2 x 16 ms, too.
"""
HELLO_APART = 100
FIRST_NUMBER = 100
"""A board that has restarted, or that another program has greeted, counts from 0: it cannot be
taken for one that has kept the place of a print."""
RESTART_AFTER_LINES = 1000
"""Numbers of three digits instead of six are a tenth of a line."""
BASE_MAX = 1000
PROOFS_MAX = 5
"""M105 for a new numbering; firmware that says no temperatures with its `ok` keeps long numbers."""
UNCHECKED_BYTES_MAX = 64
"""Not acknowledged, also by firmware that was greeted anew since: a line without a number then
surely still fits into the smallest receive buffer whole, and no piece of it is left to be executed.
"""
PLAIN_ANSWERS_MAX = 5
"""M105, one after the other, that got an `ok` without temperatures: this firmware says them in a
line of their own, and noise has once joined the two.
"""


class _Flow(Enum):
    SENDING = "sending"
    QUIETING = "quieting"  # a line was refused; waits until nothing arrives any more


class LineSender:
    """The host's end of the wire. Callers pass the time; it keeps bytes to send until they are
    taken.

    Why some lines go alone (`follows=False`): a refused line makes the firmware throw away what it
    has received. The rest of the line that was just arriving is then read as an unnumbered command,
    unchecked. Cut at the right byte, that is a complete command, executed early and once too often.
    For an absolute move that does not matter; for a `G91` or a `G92` it does.
    """

    def __init__(self) -> None:
        self.window = Window()
        self.counters = Counters()
        self.marks_temperatures = True
        """The reply to M105 is `ok T:…` in one line."""
        self.bare_ok_after_resend = True
        self.answers_empty_lines = False
        self._outgoing: list[bytes] = []
        self._fresh: list[SentLine] = []
        self._in_flight: deque[SentLine] = deque()
        self._base = 0
        self._next_number = 1  # number of the next new line
        self._bytes_unanswered = 0
        self.reset()

    def start_counting(self, now_s: float) -> None:
        """A print begins: all counts begin at zero."""
        self.counters = Counters(started_s=now_s)

    def adapt(self, *, bare_ok_after_resend: bool, answers_empty_lines: bool) -> None:
        """Sets what the firmware does, by its dialect."""
        self.bare_ok_after_resend = bare_ok_after_resend
        self.answers_empty_lines = answers_empty_lines

    def note_temperatures_in_ok(self) -> None:
        """The firmware tells temperatures in its `ok` for M105."""
        self.marks_temperatures = True

    def note_ok_without_temperatures(self) -> None:
        """An `ok` came without temperatures: if M105 was next, its `ok` never tells them."""
        self.marks_temperatures &= not self.awaits_temperatures

    def reset(self) -> None:
        """Forgets what was sent; only `hello` may come next."""
        self._outgoing.clear()
        self._fresh.clear()
        self._in_flight.clear()
        self._bytes_in_flight = 0
        self._alone_in_flight = 0
        self._history: dict[int, SentLine] = {}
        self._cursor = self._next_number  # of the next line on the wire
        self._number_before = -1  # what the firmware expects if it did not hear the last M110
        self._done = NO_PLACE
        self._proven_number = -1
        self._proofs_asked = 0
        self._is_question_answered = False  # by an `ok` without temperatures
        self._plain_answers = 0
        self._flow = _Flow.SENDING
        self._heard_s = 0.0
        self._resend_count = ResendCount()
        self._owes_bare_ok = False

    def hello(self, now_s: float, *, ahead: str = "") -> None:
        """Sets the line number of the firmware (M110); idle when it has answered. `ahead` goes in
        front of it, without a number.

        The number is always far from all earlier ones: if this line were lost, a number near the
        firmware's own would be dropped silently as a repeat. So the next line proves that it has
        arrived.
        """
        self.reset()
        if ahead:
            self.send_unnumbered(ahead, now_s)
        self._base = (self._base + HELLO_APART) % BASE_MAX or FIRST_NUMBER
        self._set_numbering(now_s)

    def _restart_numbering(self, now_s: float) -> None:
        self._number_before = self._next_number
        self._base = FIRST_NUMBER
        self._proofs_asked = 0
        self._history.clear()
        self._set_numbering(now_s)

    def _set_numbering(self, now_s: float) -> None:
        command = f"M110 N{self._base}"
        line = SentLine(
            number=self._base,
            command=command,
            data=numbered_line(self._base, command),
            progress=self._done,
            follows=False,
            sent_s=now_s,
        )
        self._history[self._base] = line
        self._next_number = self._base + 1
        self._fresh.append(line)
        self._put_on_wire(line)

    # --- what others ask ---------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether everything sent is acknowledged and nothing waits to be repeated."""
        return not self._in_flight and not self.is_repeating

    @property
    def is_repeating(self) -> bool:
        """Whether refused lines are still to be repeated, or the wire is not quiet yet."""
        return self._cursor < self._next_number or self._flow is _Flow.QUIETING

    @property
    def last_number(self) -> int:
        """The number of the newest numbered line."""
        return self._next_number - 1

    @property
    def in_flight(self) -> deque[SentLine]:
        """The lines that are sent and not acknowledged, oldest first; to be read only."""
        return self._in_flight

    @property
    def oldest_sent_s(self) -> float:
        """When the oldest line in flight was sent; infinite without one."""
        return self._in_flight[0].sent_s if self._in_flight else inf

    @property
    def awaits_temperatures(self) -> int:
        """How many M105 are in flight."""
        return sum(line.reports_temperatures for line in self._in_flight)

    @property
    def is_proven(self) -> bool:
        """Whether every line sent is executed or planned: the last one was a numbered M105, and
        only its answer carries temperatures. Plain acknowledgements may have been miscounted."""
        return self.is_idle and self._proven_number == self._next_number - 1

    @property
    def takes_unchecked(self) -> bool:
        """Whether a line without a number may go to firmware that perhaps reads nothing."""
        return self._bytes_unanswered <= UNCHECKED_BYTES_MAX

    @property
    def done(self) -> FilePlace:
        """The place in the file of the last acknowledged line."""
        return self._done

    def has_room(self, line_bytes: int, *, follows: bool) -> bool:
        """Whether a new line may go now. `line_bytes` is its length on the wire."""
        if self.is_repeating or self._is_restart_due:
            return False
        return self._fits(line_bytes, follows=follows)

    def _fits(self, line_bytes: int, *, follows: bool) -> bool:
        waiting = len(self._in_flight)
        if not waiting:
            return True
        return (
            follows
            and not self._alone_in_flight
            and self.window.has_room(
                lines=waiting, line_bytes=self._bytes_in_flight, added_bytes=line_bytes
            )
        )

    @property
    def _is_restart_due(self) -> bool:
        is_long = self._next_number - self._base > RESTART_AFTER_LINES
        return is_long and self.marks_temperatures

    # --- sending -----------------------------------------------------------------------------

    def send(self, command: str, progress: FilePlace, now_s: float, *, follows: bool) -> None:
        """Numbers the command and sends it, after `has_room` has allowed it."""
        number = self._next_number
        line = SentLine(
            number=number,
            command=command,
            data=numbered_line(number, command),
            progress=progress,
            follows=follows,
            sent_s=now_s,
        )
        self._history[number] = line
        self._history.pop(number - HISTORY_LINES_MAX, None)
        self._next_number = number + 1
        self._fresh.append(line)
        self._put_on_wire(line)

    def send_unnumbered(self, command: str, now_s: float) -> None:
        """Sends what must be read at once (M108) or cannot have a number (a probe).

        The line feed in front ends a line whose own was lost, unless the firmware answers empty
        lines.
        """
        start = b"" if self.answers_empty_lines else b"\n"
        data = b"%s%s\n" % (start, command.encode("ascii"))
        line = SentLine(
            number=None,
            command=command,
            data=data,
            progress=self._done,
            follows=True,
            sent_s=now_s,
        )
        self._add_in_flight(line)

    def send_blindly(self, data: bytes) -> None:
        """Sends unnumbered lines. Their answers are not waited for, and may be miscounted."""
        self._outgoing.append(data)
        self._bytes_unanswered += len(data)

    def _put_on_wire(self, line: SentLine) -> None:
        assert line.number is not None  # noqa: S101 - only numbered lines are in the history
        self._cursor = line.number + 1
        self._add_in_flight(line)

    def _add_in_flight(self, line: SentLine) -> None:
        self._outgoing.append(line.data)
        if line.reports_temperatures:
            self._note_question()
        self._in_flight.append(line)
        self._bytes_in_flight += len(line.data)
        self._bytes_unanswered += len(line.data)
        self._alone_in_flight += not line.follows

    def _note_question(self) -> None:
        is_next = bool(self._in_flight) and self._in_flight[0].reports_temperatures
        if is_next and self._is_question_answered and self.marks_temperatures:
            self._plain_answers += 1
            self.marks_temperatures = self._plain_answers < PLAIN_ANSWERS_MAX
        self._is_question_answered = False

    def _remove_in_flight(self, line: SentLine) -> None:
        self._bytes_in_flight -= len(line.data)
        self._alone_in_flight -= not line.follows

    def take_outgoing(self) -> bytes:
        """The bytes to send since the last call."""
        if not self._outgoing:
            return b""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def take_fresh(self) -> list[SentLine]:
        """The lines that got a number since the last call; all of them are among the outgoing
        bytes."""
        fresh, self._fresh = self._fresh, []
        return fresh

    # --- what comes back ---------------------------------------------------------------------

    def heard(self, now_s: float, *, is_line_trouble: bool) -> None:
        """Notes that a reply other than an `ok` has come, before it is looked at."""
        self._heard_s = now_s
        if not is_line_trouble:
            self._owes_bare_ok = False

    def acknowledge(self, ok: Ok, now_s: float) -> int:
        """Takes in an `ok`: one line is done, or all up to the M105 or the number that it belongs
        to.

        Returns how many lines it has acknowledged.
        """
        if self._owes_bare_ok:
            self._owes_bare_ok = False
            if not ok.temperatures:
                return 0
        self._heard_s = now_s
        if ok.buffer_free is not None:
            self.window.note_free_slots(ok.buffer_free)
        self._is_question_answered = not ok.temperatures
        if ok.temperatures:
            self._plain_answers = 0
        count = 1 if ok is BARE_OK and self._is_plain_next else self._acknowledged_by(ok)
        if not count:
            self.counters.count_phantom_ok()
            return 0
        if ok.temperatures:
            self._note_proof(self._in_flight[count - 1])
        for _ in range(count):
            sent_s = self._retire()
        if ok.temperatures or (not self.marks_temperatures and not self._in_flight):
            self._bytes_unanswered = self._bytes_in_flight  # an `ok` by itself may be made up
        self.counters.count_round_trip(count, now_s - sent_s)
        return count

    @property
    def _is_plain_next(self) -> bool:
        """Whether the oldest line in flight is acknowledged by an `ok` without anything else."""
        return bool(self._in_flight) and not self._in_flight[0].reports_temperatures

    def _retire(self) -> float:
        """Removes the oldest line in flight, which is done; returns when it was sent."""
        line = self._in_flight.popleft()
        self._remove_in_flight(line)
        self._bytes_unanswered -= len(line.data)
        window = self.window
        if window.lines < window.lines_max:
            window.note_clean_line()
        if line.number is not None:
            self._done = line.progress
        return line.sent_s

    def _note_proof(self, answered: SentLine) -> None:
        unnumbered = any(x.number is None and x.reports_temperatures for x in self._in_flight)
        if answered.number is not None and answered.reports_temperatures and not unnumbered:
            self._proven_number = answered.number

    def _acknowledged_by(self, ok: Ok) -> int:
        in_flight = self._in_flight
        if not in_flight:
            return 0
        if ok.temperatures:
            reports = [i for i, x in enumerate(in_flight, 1) if x.reports_temperatures]
            if reports or self.marks_temperatures:
                return reports[-1] if reports else 0
        if ok.line_number is not None:
            numbers = [x.number for x in in_flight]
            if ok.line_number in numbers:
                return numbers.index(ok.line_number) + 1
            if ok.line_number in self._history:
                return 0  # said twice
        if self.marks_temperatures and in_flight[0].reports_temperatures:
            return 0
        return 1

    def acknowledge_all(self) -> None:
        """The firmware says that it has nothing to do (`wait`): all lines in flight are done or
        lost.

        Lost lines are asked for again when the next number does not fit.
        """
        self.counters.count_lost_oks(len(self._in_flight))
        numbered = [line for line in self._in_flight if line.number is not None]
        if numbered:
            self._done = numbered[-1].progress
        self._drop_in_flight()

    def acknowledge_questions(self) -> bool:
        """Gives up lost questions after silence. Where answers to M105 do not show which one
        they answer, and one came since the last was sent, those still in flight were lost. True
        if there were any."""
        is_sure = self._is_question_answered and not self.marks_temperatures
        if not is_sure or not all(line.reports_temperatures for line in self._in_flight):
            return False
        self.acknowledge_all()
        return True

    def repeat_no_commands(self) -> None:
        """From now on a requested line is repeated as a question: the firmware needs its numbers
        complete, and the commands are not wanted any more."""
        for number, line in self._history.items():
            if number != self._base:  # that is M110
                data = numbered_line(number, REPORT_TEMPERATURES)
                self._history[number] = replace(line, command=REPORT_TEMPERATURES, data=data)

    def give_up(self) -> None:
        """Stops waiting, and repeats nothing."""
        self.acknowledge_all()
        self._cursor, self._flow = self._next_number, _Flow.SENDING

    def _drop_in_flight(self) -> None:
        self._in_flight.clear()
        self._bytes_in_flight = self._alone_in_flight = 0

    def refuse(self, number: int | None, now_s: float) -> None:
        """A line was refused and `number` is wanted next (None: the firmware did not say).

        Raises `WireBrokenError` if that line cannot be had.
        """
        is_echo = self._resend_count.is_echo(now_s, is_quieting=self._flow is _Flow.QUIETING)
        self._heard_s = now_s
        self._owes_bare_ok = self.bare_ok_after_resend
        self._flow = _Flow.QUIETING
        self.window.shrink()
        if number is None:
            return
        if number == self._number_before and number not in self._history:
            number = self._base  # the M110 itself was lost
        if number != self._next_number and number not in self._history:
            self._resend_count.count_strange(number, now_s)
            return
        if self._resend_count.count(number, is_echo=is_echo):
            self.counters.count_resend()
        self._take_back(number)

    def _take_back(self, number: int) -> None:
        in_flight = self._in_flight
        while any(x.number is not None and x.number >= number for x in in_flight):
            self._remove_in_flight(in_flight.pop())
        self._cursor = number
        before = self._history.get(number - 1)
        if before and before.progress.lines < self._done.lines:
            self._done = before.progress

    def tick(self, now_s: float) -> None:
        """Repeats refused lines once the wire is quiet; begins the numbering anew when numbers
        get long."""
        if self._flow is _Flow.QUIETING:
            if now_s < self._heard_s + QUIET_S:
                return
            self._flow, self._owes_bare_ok = _Flow.SENDING, False
        while self._cursor < self._next_number:
            line = self._history[self._cursor]
            if not self._may_repeat(line):
                return
            line.note_sent(now_s)
            self.counters.count_repeat()
            self._put_on_wire(line)
        if self._is_restart_due and not self._in_flight:
            if self.is_proven:
                self._restart_numbering(now_s)
            elif self._proofs_asked < PROOFS_MAX:
                self._proofs_asked += 1
                self.send(REPORT_TEMPERATURES, self._done, now_s, follows=False)
            else:
                self.marks_temperatures = False

    def _may_repeat(self, line: SentLine) -> bool:
        """Whether the firmware has taken all lines before the refused one; their `ok`s may be
        lost."""
        in_flight = self._in_flight
        if any(x.number is None or x.number >= self._resend_count.number for x in in_flight):
            return self._fits(len(line.data), follows=line.follows)
        return not in_flight or len(in_flight) < self.window.lines_max

    def next_deadline_s(self) -> float | None:
        """When `tick` is due."""
        return self._heard_s + QUIET_S if self._flow is _Flow.QUIETING else None
