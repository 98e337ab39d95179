"""A line on the wire, and the place in the file that it stands for."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

REPORT_TEMPERATURES = "M105"


class FilePlace(NamedTuple):
    """How much of which file has been sent up to and including one line."""

    print_id: str = ""
    lines: int = 0
    end_offset: int = 0
    is_aside: bool = False
    """Behind them something was done that is not in the file, and the head may be elsewhere."""


NO_PLACE = FilePlace()


@dataclass(kw_only=True, slots=True)
class SentLine:
    """A line with its number (None: sent without one)."""

    number: int | None
    command: str
    data: bytes
    progress: FilePlace
    follows: bool
    """It may be sent, and others may be sent behind it, while lines are in flight."""
    sent_s: float

    def note_sent(self, now_s: float) -> None:
        """It goes on the wire once more."""
        self.sent_s = now_s

    @property
    def reports_temperatures(self) -> bool:
        """Whether its `ok` carries temperatures."""
        return self.command == REPORT_TEMPERATURES


class Certainty(IntEnum):
    """How far a record can be trusted."""

    EXACT = 1
    UNSURE = 2  # something of the driver's own was done, as parking; from that to the next line of
    # the file no place is the file's


class LineRecord(NamedTuple):
    """How much of the file is executed or queued once the firmware has taken line `number`.

    After a crash, the number that the firmware took last is the only fact that a new process can
    ask for (`Resend: n+1`). With these records, that number is a place in the file, exact to the
    line.
    """

    number: int
    lines: int
    end_offset: int
    certainty: Certainty = Certainty.EXACT
