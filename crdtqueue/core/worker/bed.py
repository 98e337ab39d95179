"""The bed: when it counts as clear, and when as cool.

Nothing is printed onto a part. A bed that was used is clear again when a person says so, when the
printer itself does, when a script that takes parts off has run to its end, or at once after a
*finished* print of a printer that clears its own bed. After any other print somebody has to look.
"""

from dataclasses import dataclass
from enum import StrEnum

COOL_BED_C_MAX = 200.0
COOL_S_MAX = 24 * 3600.0


class Clearing(StrEnum):
    """Who says that the bed is clear."""

    PERSON = "a person"
    PRINTER = "the printer"
    """Its firmware, by `// action:` command."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cooldown:
    """A bed is cool at `bed_c`; it is not waited for longer than `max_s`."""

    bed_c: float
    max_s: float = 3600.0


class Cooling:
    """One wait for a cool bed. It begins anew with the process: too long rather than too short."""

    def __init__(self, cooldown: Cooldown) -> None:
        self._cooldown = cooldown
        self._until_s: float | None = None

    @property
    def deadline_s(self) -> float | None:
        """When it is waited no longer; None while nothing cools."""
        return self._until_s

    def is_over(self, bed_c: float | None, now_s: float) -> bool:
        """Whether the bed is cool, or was waited for long enough. Asked again, it is one wait."""
        if self._until_s is None:
            self._until_s = now_s + self._cooldown.max_s
        cool = bed_c is not None and bed_c <= self._cooldown.bed_c
        return cool or now_s >= self._until_s

    def end(self) -> None:
        """The next question begins a new wait."""
        self._until_s = None
