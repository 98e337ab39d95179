"""Finds the speed of a port: sends a harmless M105 at one speed after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from printer_driver.core.replies import reply_parser as rp

BAUDS = (115200, 250000, 230400, 500000, 1000000, 57600, 38400, 19200, 9600)
"""Most usual first: Marlin's default, its other default, then the rest."""
TRY_S = 1.2
FIRST_TRY_S = 3.0
"""A board that the opening of the port has reset boots in this time, and its banner tells."""
ASK_EVERY_S = 0.5


def beginning_with(known: int) -> tuple[int, ...]:
    """All speeds, the one that worked last first; 0 if none did."""
    return (known, *(x for x in BAUDS if x != known)) if known else BAUDS


@dataclass(frozen=True, kw_only=True, slots=True)
class SetBaud:
    """Change the speed of the open port, without closing it: that would reset the board."""

    baud: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteProbe:
    """Write these bytes."""

    data: bytes


class BaudSearch:
    """One search on one open port, in the order of `bauds`."""

    def __init__(self, bauds: Sequence[int], now_s: float) -> None:
        self.found: int | None = None
        self.rounds = 0
        """How often all speeds were tried in vain."""
        self._bauds = tuple(bauds)
        self._place = 0
        self._effects: list[SetBaud | WriteProbe] = []
        self._try(now_s, FIRST_TRY_S)

    def effects(self) -> list[SetBaud | WriteProbe]:
        """What is to be done since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` is due; None once the speed is found."""
        return None if self.found else min(self._until_s, self._ask_at_s)

    def _try(self, now_s: float, try_s: float) -> None:
        self._until_s, self._ask_at_s = now_s + try_s, now_s
        self._reader = rp.LineReader()
        self._effects.append(SetBaud(baud=self._bauds[self._place]))

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes from the printer: words at the right speed, noise at the others."""
        for line in self._reader.feed(data):
            if self.found is None and is_firmware_talk(line):
                self.found = self._bauds[self._place]
        self.tick(now_s)

    def tick(self, now_s: float) -> None:
        """Sends a probe, and after a while tries the next speed, endlessly."""
        if self.found is not None:
            return
        if now_s >= self._until_s:
            self._place = (self._place + 1) % len(self._bauds)
            self.rounds += self._place == 0
            self._try(now_s, TRY_S)
        if now_s >= self._ask_at_s:
            self._ask_at_s = now_s + ASK_EVERY_S
            self._effects.append(WriteProbe(data=b"\nM105\n"))


def is_firmware_talk(line: bytes) -> bool:
    """Whether only firmware says such a line."""
    if not line.isascii() or not line.decode("ascii").isprintable():
        return False
    return not isinstance(rp.parse_reply(line), rp.UnknownReply)
