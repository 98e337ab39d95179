"""Which place of the file each line number on the wire stands for.

The number that the firmware took last is the one thing that a host which died can ask for
(`Resend: n+1`). With these records it is a place in the file, exact to the line.
"""

from enum import IntEnum
from typing import NamedTuple


class Certainty(IntEnum):
    """What a record is worth."""

    EXACT = 1
    UNSURE = 2  # something of the driver's own was done, as parking; from that to the next line of
    # the file no place is the file's


class LineRecord(NamedTuple):
    """When the firmware has taken line `number`, so much of the file is executed or queued."""

    number: int
    lines: int
    end_offset: int
    certainty: Certainty = Certainty.EXACT
