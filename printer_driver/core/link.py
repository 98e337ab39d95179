"""Numbered lines over a lossy wire: what is in flight, what is acknowledged, what goes again.

Rests on what Marlin 2 does (`Marlin/src/gcode/queue.cpp`):

- `ok` means executed or planned, one for each command, in order.
- A refused line empties the receive buffer; then come `Error:…Last Line: n`, `Resend: n+1` and
  one bare `ok`. Lines already queued are still acknowledged.
- A repeat of one of the last two lines is dropped without a word, so an `ok` that seems lost
  must never be asked for by repeating its line.
- The reply to M105 is `ok T:…`: it comes after all that was queued before it, and no other
  command answers so. Hence an M105 in flight shows which acknowledgements were lost.
- Unnumbered lines are executed unchecked.

An acknowledgement counted wrongly (noise ate a `Resend:`, its bare `ok` was taken for another)
does no harm: the next number does not fit, the firmware asks again, the history still has it.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from printer_driver.core.gcode import is_move, numbered_line
from printer_driver.core.replies import Ok

WINDOW_MAX = 3
"""Lines in flight: Marlin's BUFSIZE 4 less one. All of them then sit in the command buffer, so
that the serial buffer (128 bytes on AVR) never overflows and M108 can be read past a long wait.
"""
CLEAN_LINES_TO_GROW = 200
"""Acknowledged lines without an error before the window grows by one again."""
HISTORY_LINES_MAX = 256
QUIET_S = 0.1
"""Silence after a refused line before anything is sent again: several lines at 115200 baud."""
RESENDS_MAX = 30
"""Refusals of one and the same line before the wire is given up."""
STRANGE_RESENDS_MAX = 5
"""Requests, one after the other, for lines that were never sent or are no longer kept."""

NUMBERS_APART = 1000
NUMBER_MAX = 900_000_000
"""Where the numbering starts again from 0; Marlin keeps it in 32 bits."""
REPORT_TEMPERATURES = "M105"


class LinkBrokenError(Exception):
    """The wire or the numbering is beyond repair; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How much of which file lies behind one line."""

    print_id: str = ""
    lines: int = 0
    end_offset: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SentLine:
    """A line that was given a number (None: sent without one)."""

    number: int | None
    command: str
    progress: Progress
    may_follow: bool
    """It may be sent while others are in flight."""

    @property
    def reports_temperatures(self) -> bool:
        """Its `ok` carries temperatures."""
        return self.command == REPORT_TEMPERATURES


class _Flow(Enum):
    SENDING = "sending"
    QUIETING = "quieting"  # a line was refused; waits until nothing arrives any more


class NumberedLink:
    """The host's end of the wire. Callers pass the time; it holds bytes to send until taken.

    Only moves may be sent while others are in flight. A refused line makes the firmware throw
    away what it has received, and the rest of the line that was just arriving is then read as an
    unnumbered command, unchecked. Cut at the right byte that is a whole command, executed early
    and once too often: bearable for a move, not for a `G91` or an `M104`.
    """

    def __init__(self) -> None:
        self._outgoing: list[bytes] = []
        self._in_flight: deque[SentLine] = deque()
        self._hello_number = 0
        self._next_number = 1  # number of the next new line
        self._cursor = 1  # number of the next line on the wire, behind _next_number in a repetition
        self.reset()

    def reset(self) -> None:
        """Forget what was sent; only `hello` may come next."""
        self._outgoing.clear()
        self._in_flight.clear()
        self._history: dict[int, SentLine] = {}
        self._cursor = self._next_number
        self._window = WINDOW_MAX
        self._clean_lines = 0
        self._flow = _Flow.SENDING
        self._heard_s = 0.0
        self._refused_number = 0
        self._refusals = 0
        self._strange_resends = 0
        self._owes_bare_ok = False

    def hello(self) -> None:
        """Set the firmware's line number (M110); idle when it has answered.

        Each time to one far from all before: were this line lost, a number near the firmware's
        own would be dropped without a word as a repeat. So the next line proves that it arrived.
        """
        self.reset()
        base = self._hello_number
        self._hello_number = (base + NUMBERS_APART) % NUMBER_MAX
        self._next_number = self._cursor = base + 1
        self._outgoing.append(numbered_line(base, f"M110 N{base}"))
        self._in_flight.append(
            SentLine(number=base, command="M110", progress=Progress(), may_follow=False)
        )

    @property
    def is_idle(self) -> bool:
        """Everything sent is acknowledged and nothing waits to go again."""
        return not self._in_flight and not self.is_repeating

    @property
    def is_repeating(self) -> bool:
        """Refused lines are still to be sent again, or the wire is not quiet yet."""
        return self._flow is _Flow.QUIETING or self._cursor < self._next_number

    @property
    def in_flight(self) -> tuple[SentLine, ...]:
        """What was sent and is not acknowledged, oldest first."""
        return tuple(self._in_flight)

    @property
    def awaits_temperatures(self) -> int:
        """How many M105 are in flight."""
        return sum(line.reports_temperatures for line in self._in_flight)

    @property
    def done(self) -> Progress:
        """What lies behind the last acknowledged line."""
        first_open = next((x.number for x in self._in_flight if x.number is not None), self._cursor)
        last_done = self._history.get(first_open - 1)
        return last_done.progress if last_done else Progress()

    def can_send(self, command: str, *, may_follow: bool) -> bool:
        """Whether a new line may go now."""
        if self.is_repeating:
            return False
        if command == REPORT_TEMPERATURES:
            return len(self._in_flight) <= WINDOW_MAX
        return self._has_room(may_follow=may_follow)

    def _has_room(self, *, may_follow: bool) -> bool:
        if not self._in_flight:
            return True
        waiting = len(self._in_flight)
        return may_follow and waiting < self._window and all(x.may_follow for x in self._in_flight)

    def send(self, command: str, progress: Progress, *, may_follow: bool = False) -> None:
        """Number the command and send it; `can_send` said it may go."""
        line = SentLine(
            number=self._next_number,
            command=command,
            progress=progress,
            may_follow=command == REPORT_TEMPERATURES or (may_follow and is_move(command)),
        )
        self._history[self._next_number] = line
        self._history.pop(self._next_number - HISTORY_LINES_MAX, None)
        self._next_number += 1
        if self._next_number % NUMBERS_APART == 0:
            self._hello_number = self._next_number + NUMBERS_APART
        self._put_on_wire(line)

    def send_unnumbered(self, command: str) -> None:
        """For what must be read at once (M108) or cannot have a number (a probe)."""
        self._in_flight.append(
            SentLine(number=None, command=command, progress=self.done, may_follow=True)
        )
        self._outgoing.append(command.encode("ascii") + b"\n")

    def _put_on_wire(self, line: SentLine) -> None:
        assert line.number is not None  # noqa: S101 - only numbered lines are in the history
        self._outgoing.append(numbered_line(line.number, line.command))
        self._in_flight.append(line)
        self._cursor = line.number + 1

    def take_outgoing(self) -> bytes:
        """The bytes to send since the last call."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def heard(self, now_s: float, *, is_line_trouble: bool, is_ok: bool) -> None:
        """Note that some reply came, before it is looked at."""
        self._heard_s = now_s
        if not is_line_trouble and not is_ok:
            self._owes_bare_ok = False

    def acknowledge(self, ok: Ok) -> None:
        """An `ok` came: one line is done, or all up to the M105 or the number it belongs to."""
        if self._owes_bare_ok and not ok.temperatures:
            self._owes_bare_ok = False
            return
        self._owes_bare_ok = False
        self._strange_resends = 0
        for _ in range(self._acknowledged_by(ok)):
            self._in_flight.popleft()
            self._clean_lines += 1
        if self._clean_lines >= CLEAN_LINES_TO_GROW:
            self._clean_lines = 0
            self._window = min(self._window + 1, WINDOW_MAX)

    def _acknowledged_by(self, ok: Ok) -> int:
        if ok.temperatures:
            reports = [i for i, x in enumerate(self._in_flight, 1) if x.reports_temperatures]
            if reports:
                return reports[-1]
        if ok.line_number is not None:
            numbers = [x.number for x in self._in_flight]
            if ok.line_number in numbers:
                return numbers.index(ok.line_number) + 1
        return min(1, len(self._in_flight))

    def refuse(self, number: int | None) -> None:
        """A line was refused and `number` is wanted next (None: it did not say).

        Raises `LinkBrokenError` when that cannot be had.
        """
        self._owes_bare_ok = True
        self._flow = _Flow.QUIETING
        self._window, self._clean_lines = 1, 0
        if number is None:
            return
        if number != self._next_number and number not in self._history:
            self._count_strange_resend(number)
            return
        self._count_refusal(number)
        while any(x.number is not None and x.number >= number for x in self._in_flight):
            self._in_flight.pop()
        self._cursor = number

    def _count_strange_resend(self, number: int) -> None:
        self._strange_resends += 1
        if self._strange_resends >= STRANGE_RESENDS_MAX:
            raise LinkBrokenError(
                f"The printer asks for line {number}, which it was not sent; it has lost count."
            )

    def _count_refusal(self, number: int) -> None:
        self._strange_resends = 0
        self._refusals = self._refusals + 1 if number == self._refused_number else 1
        self._refused_number = number
        if self._refusals >= RESENDS_MAX:
            raise LinkBrokenError(
                f"The printer refused line {number} {RESENDS_MAX} times; check the USB cable."
            )

    def tick(self, now_s: float) -> None:
        """Repeat refused lines once the wire is quiet."""
        if self._flow is _Flow.QUIETING:
            if now_s < self._heard_s + QUIET_S:
                return
            self._flow, self._owes_bare_ok = _Flow.SENDING, False
        while self._cursor < self._next_number:
            line = self._history[self._cursor]
            if not self._has_room(may_follow=line.may_follow):
                return
            self._put_on_wire(line)

    def next_deadline_s(self) -> float | None:
        """When `tick` is due."""
        return self._heard_s + QUIET_S if self._flow is _Flow.QUIETING else None
