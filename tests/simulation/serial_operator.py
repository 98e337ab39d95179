"""Somebody who pauses, resumes and cancels a print at random moments."""

import random
from enum import Enum
from math import inf

from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import PrintState
from tests.simulation.executed_commands import Witness

LOOKS_S = 0.05
"""Between two looks at what is printed."""


class _Doing(Enum):
    WATCHING = "watching"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    CANCELLED = "cancelled"


class Hand:
    """Looks every LOOKS_S, as long as something is still to be done."""

    def __init__(self, *, pauses: int, cancels: bool, lines: int, chance: random.Random) -> None:
        self.pauses = 0
        self.pausing_s = self.resuming_s = 0.0
        self._chance = chance
        self._pause_at = sorted(chance.randrange(lines) for _ in range(pauses))
        self._cancel_at = chance.randrange(lines) if cancels else inf
        self._doing = _Doing.WATCHING
        self._since_s = self._until_s = 0.0
        self._printed = 0
        self.at_s = 0.0 if pauses or cancels else inf
        """When to `act`."""

    @property
    def is_holding(self) -> bool:
        """The head stands still because somebody wants it to, or moves to and from the park."""
        return self._doing is not _Doing.WATCHING

    def cancelling_s(self, end_s: float) -> float:
        """How long a cancelled print took to end."""
        return end_s - self._since_s if self._doing is _Doing.CANCELLED else 0.0

    def act(
        self, streamer: Streamer, executed: Witness, now_s: float, *, is_busy: bool
    ) -> ev.Event | None:
        """What to tell the streamer now; `is_busy`: the printer does something that takes time."""
        if now_s < self.at_s:
            return None
        report = streamer.status(now_s).print
        if not streamer.is_printing or report is None:
            self.at_s = now_s + LOOKS_S if report is None else inf
            return None
        self.at_s = now_s + LOOKS_S
        if is_busy and self._doing in (_Doing.PAUSING, _Doing.RESUMING):
            self._since_s = now_s
        if self._doing is not _Doing.CANCELLED and report.lines_done >= self._cancel_at:
            return self._cancel(now_s)
        match self._doing:
            case _Doing.WATCHING if self._pause_at and report.lines_done >= self._pause_at[0]:
                return self._pause(now_s)
            case _Doing.PAUSING if report.state is PrintState.PAUSED:
                self._note_pause(now_s)
            case _Doing.PAUSED if now_s >= self._until_s:
                return self._resume(len(executed.printed), now_s)
            case _Doing.RESUMING if len(executed.printed) > self._printed:
                self.resuming_s = max(self.resuming_s, now_s - self._since_s)
                self._doing = _Doing.WATCHING
        return None

    def _pause(self, now_s: float) -> ev.Event:
        self._pause_at.pop(0)
        self._doing, self._since_s = _Doing.PAUSING, now_s
        return ev.PausePrint()

    def _note_pause(self, now_s: float) -> None:
        self.pauses += 1
        self.pausing_s = max(self.pausing_s, now_s - self._since_s)
        self._doing, self._until_s = _Doing.PAUSED, now_s + self._chance.choice((0.0, 0.3, 5.0))

    def _resume(self, printed: int, now_s: float) -> ev.Event:
        self._doing, self._since_s, self._printed = _Doing.RESUMING, now_s, printed
        return ev.ResumePrint()

    def _cancel(self, now_s: float) -> ev.Event:
        """Some cancel in the middle of a line, of a heating wait, of a pause."""
        self._cancel_at = inf
        self._doing, self._since_s = _Doing.CANCELLED, now_s
        return ev.CancelPrint(reason="Not wanted any more.")
