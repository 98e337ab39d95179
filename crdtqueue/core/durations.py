"""Durations, and sentences for people that contain them and count on while they are shown."""

import math
from dataclasses import dataclass
from typing import TypeAlias

MIN_S = 60
H_S = 60 * MIN_S
DAY_S = 24 * H_S


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """How long something has lasted until now; with `is_left`, how long until it happens."""

    seconds: float
    is_left: bool = False

    def reference_s(self, now_s: float) -> float:
        """The moment from which, or to which, it counts; it stays the same while only time
        passes."""
        return round(now_s + self.seconds if self.is_left else now_s - self.seconds)

    def __str__(self) -> str:
        """The duration in words; elapsed time is rounded down, remaining time is rounded up."""
        return duration(_rounded_up(self.seconds) if self.is_left else self.seconds)


Part: TypeAlias = str | Span


class Sentence:
    """One or more sentences, in parts of text and durations."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Part) -> None:
        self.parts = parts

    @property
    def goes_on(self) -> bool:
        """Whether it changes while only time passes."""
        return any(isinstance(part, Span) for part in self.parts)

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


def duration(seconds: float) -> str:
    """For instance `45 s`, `12 min`, `3 h 05 min`, `2 days`; rounded down."""
    if seconds < MIN_S:
        return f"{max(math.floor(seconds), 0)} s"
    if seconds < H_S:
        return f"{math.floor(seconds / MIN_S)} min"
    if seconds < 2 * DAY_S:
        return f"{math.floor(seconds / H_S)} h {math.floor(seconds % H_S / MIN_S):02} min"
    return f"{math.floor(seconds / DAY_S)} days"


def _rounded_up(seconds: float) -> float:
    unit_s = 1 if seconds <= MIN_S else MIN_S
    return math.ceil(seconds / unit_s) * unit_s
