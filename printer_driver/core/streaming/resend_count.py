"""Counts the lines that the firmware refuses, and decides when the wire is given up."""

ECHO_S_MAX = 1.0
"""Refusals of the same line within this time, before it was sent again, are one."""
RESENDS_MAX = 30
"""Refusals of one and the same line before the wire is given up."""
STRANGE_RESENDS_MAX = 5
"""Requests, one after the other, for lines that were never sent or are no longer kept."""
STRANGE_APART_S = 10.0
"""Longer apart, noise has altered the number."""


class WireBrokenError(Exception):
    """The wire or the line numbering cannot be repaired; the text says why."""


class ResendCount:
    """The refusals since the last handshake."""

    def __init__(self) -> None:
        self.number = -1
        """Of the line that was refused last."""
        self._strange = 0
        self._since_s = self._strange_s = 0.0
        self._times = 0

    def is_echo(self, now_s: float, *, is_quieting: bool) -> bool:
        """Whether a refusal that comes now belongs to the same trouble.

        Each line behind a refused one is refused, too.
        """
        if is_quieting and now_s < self._since_s + ECHO_S_MAX:
            return True
        self._since_s = now_s
        return False

    def count(self, number: int, *, is_echo: bool) -> bool:
        """Line `number` is wanted again; False for an echo. Raises `WireBrokenError`."""
        self._strange = 0
        if is_echo and number == self.number:
            return False
        self._times = self._times + 1 if number == self.number else 1
        self.number = number
        if self._times >= RESENDS_MAX:
            raise WireBrokenError(
                f"The printer refused line {number} {RESENDS_MAX} times; check the USB cable."
            )
        return True

    def count_strange(self, number: int, now_s: float) -> None:
        """A line is wanted that does not exist. Raises `WireBrokenError`.

        An `ok` between two such requests means nothing: it may belong to the refusal.
        """
        if now_s > self._strange_s + STRANGE_APART_S:
            self._strange = 0
        self._strange_s = now_s
        self._strange += 1
        if self._strange >= STRANGE_RESENDS_MAX:
            raise WireBrokenError(
                f"The printer asks for line {number}, which it was not sent; it has lost count."
            )
