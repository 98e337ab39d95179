"""When the bed counts as clear, and when as cool.

Nothing is printed onto a part. A used bed is clear again when a person says so, when the printer
itself says so, when a script that takes parts off has run to its end, or at once after a *finished*
print of a printer that clears its own bed. After any other print a person has to look.
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
    """The bed is cool at `bed_c`; the wait ends after `max_s` in any case."""

    bed_c: float
    max_s: float = 3600.0


class Cooling:
    """One wait for a cool bed. After a restart it begins again: rather too long than too short."""

    def __init__(self, cooldown: Cooldown) -> None:
        self._cooldown = cooldown
        self._until_s: float | None = None

    @property
    def deadline_s(self) -> float | None:
        """When the wait ends; None while nothing cools."""
        return self._until_s

    def is_over(self, bed_c: float | None, now_s: float) -> bool:
        """Whether the bed is cool, or the wait has ended. Repeated questions belong to one wait."""
        if self._until_s is None:
            self._until_s = now_s + self._cooldown.max_s
        cool = bed_c is not None and bed_c <= self._cooldown.bed_c
        return cool or now_s >= self._until_s

    def end(self) -> None:
        """Ends this wait; the next question begins a new one."""
        self._until_s = None
