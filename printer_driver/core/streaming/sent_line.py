"""One line on the wire, and how much of the file lies behind it."""

from dataclasses import dataclass
from typing import NamedTuple

REPORT_TEMPERATURES = "M105"


class Progress(NamedTuple):
    """How much of which file lies behind one line."""

    print_id: str = ""
    lines: int = 0
    end_offset: int = 0
    is_aside: bool = False
    """Behind them something was done that is not in the file, and the head may be elsewhere."""


NO_PROGRESS = Progress()


@dataclass(kw_only=True, slots=True)
class SentLine:
    """A line that was given a number (None: sent without one)."""

    number: int | None
    command: str
    data: bytes
    progress: Progress
    follows: bool
    """It may be sent, and others may be sent behind it, while lines are in flight."""
    sent_s: float

    @property
    def reports_temperatures(self) -> bool:
        """Its `ok` carries temperatures."""
        return self.command == REPORT_TEMPERATURES
