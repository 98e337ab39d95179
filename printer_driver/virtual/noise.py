"""Noise on the wire of the virtual printer, at given rates.

Random numbers are passed in, so that a seed gives the same noise again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log

Chance = Callable[[], float]
"""Gives numbers in [0, 1), as `random.Random(seed).random`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoiseRates:
    """Probabilities: for each byte in a direction, and for each `ok` on its way to the host."""

    flips_to_printer: float = 0.0
    drops_to_printer: float = 0.0
    flips_to_host: float = 0.0
    drops_to_host: float = 0.0
    lost_oks: float = 0.0
    doubled_oks: float = 0.0
    apart_bytes: int = 0
    """No second fault within so many bytes: two flips in one bit column of one line, or a lost byte
    and a flip in the checksum, cancel out, which no host can see."""


class _Countdown:
    """Gaps between rare events of probability `rate`, without a random number for every byte."""

    def __init__(self, rate: float, apart: int, chance: Chance) -> None:
        self._rate, self._apart, self._chance = rate, apart, chance
        self._left = self._gap() if rate > 0 else inf

    def _gap(self) -> float:
        return 0 if self._rate >= 1 else int(log(1 - self._chance()) / log(1 - self._rate))

    def hits(self, count: int) -> list[int]:
        """Which of the next `count` are hit."""
        hits, at = [], self._left
        while at < count:
            hits.append(int(at))
            at += 1 + self._apart + self._gap()
        self._left = at - count
        return hits


class Noise:
    """Disturbs the bytes of both directions."""

    def __init__(self, rates: NoiseRates, chance: Chance) -> None:
        def countdown(rate: float, apart: int = rates.apart_bytes) -> _Countdown:
            return _Countdown(rate, apart, chance)

        self._chance = chance
        self._to_printer = countdown(rates.flips_to_printer + rates.drops_to_printer)
        self._printer_flips = _share(rates.flips_to_printer, rates.drops_to_printer)
        self._to_host = countdown(rates.flips_to_host + rates.drops_to_host)
        self._host_flips = _share(rates.flips_to_host, rates.drops_to_host)
        self._lost, self._doubled = countdown(rates.lost_oks, 0), countdown(rates.doubled_oks, 0)

    def to_printer(self, data: bytes) -> bytes:
        """What arrives at the firmware."""
        return self._disturb(data, self._to_printer, self._printer_flips)

    def to_host(self, lines: bytes) -> bytes:
        """What arrives of whole lines that the firmware says."""
        kept = b"".join(self._kept(line) for line in lines.splitlines(keepends=True))
        return self._disturb(kept, self._to_host, self._host_flips)

    def _kept(self, line: bytes) -> bytes:
        if not line.startswith(b"ok"):
            return line
        if self._lost.hits(1):
            return b""
        return line * 2 if self._doubled.hits(1) else line

    def _disturb(self, data: bytes, faults: _Countdown, flips: float) -> bytes:
        hits = faults.hits(len(data))
        if not hits:
            return data
        noisy = bytearray(data)
        for index in reversed(hits):
            if self._chance() < flips:
                noisy[index] ^= 1 << int(self._chance() * 8)
            else:
                del noisy[index]
        return bytes(noisy)


def _share(flips: float, drops: float) -> float:
    """How many of the faults are flips, 0 to 1."""
    return flips / (flips + drops) if flips + drops else 0.0
