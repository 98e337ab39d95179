"""Decides when silence means a lost acknowledgement, and when the firmware is only busy."""

from collections.abc import Iterable

from printer_driver.core.gcode.command_kinds import CommandKind

PATIENCE_S = 0.5
"""After the planned moves are over and nothing else was sent that takes time."""
KEEPALIVE_MARGIN_S = 0.3
UNKNOWN_KEEPALIVE_S = 6.0
"""Of firmware that has never said `busy:`; some probe a bed without a word."""
STEADY_PROBES = 3
"""Before the wait begins to double."""
SILENCE_S_MAX = 600.0
"""Without any sign of life while it owes an answer; firmware without keepalive probes beds so."""


class AcknowledgementWatch:
    """Is told of every sign of life, and says when to send a probe and when to give up.

    The interval grows with every unanswered probe, so that silent firmware is not flooded.
    """

    def __init__(self) -> None:
        self.keepalive_s: float | None = None
        """Between two `busy:`; None while it has not said any."""
        self.due_s = 0.0
        """Not before this is anything to be done."""
        self._alive_s = 0.0
        self._busy_s = -UNKNOWN_KEEPALIVE_S
        self._unanswered = 0

    def note_life(self, now_s: float) -> None:
        """Something was acknowledged, refused, or sent to idle firmware."""
        self._alive_s = now_s
        self._unanswered = 0
        self.due_s = now_s + PATIENCE_S

    def expect_keepalive(self, every_s: float) -> None:
        """The firmware says so often that it is busy (M113)."""
        self.keepalive_s = every_s

    def note_busy(self, now_s: float, keepalive_s: float) -> None:
        """The firmware said `busy:`, or reported temperatures in a heating wait."""
        self.note_life(now_s)
        self.keepalive_s = keepalive_s
        self._busy_s = now_s

    def is_probe_due(
        self, kinds: Iterable[CommandKind], moving_until_s: float, now_s: float
    ) -> bool:
        """Whether an M105 is to be sent behind what is in flight (`kinds`)."""
        if now_s < self.due_s:
            return False
        moving_s, patience_s = self._patience_s(set(kinds), moving_until_s)
        self._wait(moving_s, patience_s)
        if now_s < self.due_s:
            return False
        self._unanswered += 1
        self._wait(moving_s, patience_s)
        return True

    def _wait(self, moving_s: float, patience_s: float) -> None:
        wait_s = moving_s + patience_s * self._stretch
        self.due_s = self._alive_s + min(wait_s, SILENCE_S_MAX)

    @property
    def _stretch(self) -> int:
        """1, 2, 3, 4, 8, 16, …: on a bad wire the first probe, or its answer, may be lost, too."""
        asked = self._unanswered
        return asked + 1 if asked < STEADY_PROBES else int(2 ** (asked - 1))

    def _patience_s(self, kinds: set[CommandKind], moving_until_s: float) -> tuple[float, float]:
        """How long the moves take, and how long to wait after them; only the second part grows."""
        if self.keepalive_s is None:
            busy_s = UNKNOWN_KEEPALIVE_S
        else:
            busy_s = self.keepalive_s + KEEPALIVE_MARGIN_S
        if kinds & {CommandKind.LONG, CommandKind.HEATING} or self._busy_s == self._alive_s:
            return 0.0, busy_s
        if CommandKind.MOVE not in kinds:
            return 0.0, PATIENCE_S
        return min(busy_s - PATIENCE_S, max(0.0, moving_until_s - self._alive_s)), PATIENCE_S

    def is_dead(self, now_s: float) -> bool:
        """Whether an answer has been missing for too long."""
        return now_s >= self._alive_s + SILENCE_S_MAX
