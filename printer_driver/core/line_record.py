"""Which line of the file each line number on the wire is, read off what is written to the port.

The number that the firmware took last is the one thing that a host which died can ask for
(`Resend: n+1`). With this map it is a place in the file, exact to the line.
"""

import re
from collections import deque
from enum import IntEnum
from typing import NamedTuple

from printer_driver.core.gcode import FileCommand

UNMATCHED_MAX = 64
"""Commands taken from the file and not yet seen on the wire; more means that they never will be."""

_NUMBERED = re.compile(rb"N(\d{1,18}) ?([^*]*)\*")
_SETS_NUMBER = re.compile(rb"M110 ?N(\d{1,18})")
_OWN = re.compile(
    rb"M(?:105|108|110|113|114|115|155|400|503|85)(?!\d)|M1(?:04|40|41)(?: T\d+)? S0$|M107$|M84$"
)
"""What the driver sends of itself; safe to leave out or to send twice."""
_BLANKS = re.compile(rb"[ \t]+")
_FRACTION_ZEROS = re.compile(rb"(\.\d*?)0+(?=\D|$)")
_BARE_POINT = re.compile(rb"\.(?=\D|$)")
_SIGNED_ZERO = re.compile(rb"-(0*\.?0*)(?=[A-Z]|$)")
_LEADING_ZEROS = re.compile(rb"(?<=[A-Z-])0+(?=[\d.])|(?<=[A-Z])\+")


class Certainty(IntEnum):
    """What a record is worth."""

    EXACT = 1
    UNSURE = 2  # from a line that fits neither the file nor what the driver sends, to the next
    # of the file: between them the head may be parked aside


class LineRecord(NamedTuple):
    """When the firmware has taken line `number`, so much of the file is executed or queued."""

    number: int
    lines: int
    end_offset: int
    certainty: Certainty = Certainty.EXACT


class _Awaited(NamedTuple):
    text: bytes
    lines: int
    end_offset: int


class LineMap:
    """Told of every command read from the file and of all bytes for the port, in their order."""

    def __init__(self) -> None:
        self._newest = -1
        self.restart(lines=0, end_offset=0)

    def restart(self, *, lines: int, end_offset: int) -> None:
        """A print begins, or goes on behind this place of its file."""
        self._awaited: deque[_Awaited] = deque()
        self._lines = self._lines_read = lines
        self._end_offset = end_offset
        self._is_aside = False

    def newest(self) -> LineRecord | None:
        """The place of the last line sent."""
        if self._newest < 0:
            return None
        return LineRecord(number=self._newest, lines=self._lines, end_offset=self._end_offset)

    def read(self, command: FileCommand) -> None:
        """This command of the file will be sent next."""
        self._lines_read += 1
        self._await(command)

    def read_ahead(self, command: FileCommand) -> None:
        """This command will be sent next and is none of the file's: it moves no place."""
        self._await(command)

    def _await(self, command: FileCommand) -> None:
        text = command.text.encode("ascii")
        self._awaited.append(_Awaited(text, self._lines_read, command.end_offset))

    def sent(self, data: bytes) -> list[LineRecord]:
        """The records of the new lines in `data`; repeats of numbered lines give none."""
        return [
            record
            for match in _NUMBERED.finditer(data)
            if (record := self._record(int(match[1]), match[2].rstrip()))
        ]

    def _record(self, number: int, command: bytes) -> LineRecord | None:
        if command.startswith(b"M110") and (sets := _SETS_NUMBER.match(command)):
            number = int(sets[1])
        elif number <= self._newest:
            return None
        self._newest = number
        certainty = self._match(command)
        return LineRecord(number, self._lines, self._end_offset, certainty)

    def _match(self, command: bytes) -> Certainty:
        """Take the file's commands up to this one as sent; those left out were to be ignored."""
        awaited = self._awaited
        if awaited and awaited[0].text == command:
            self._pass(1)
            return Certainty.EXACT
        shortest = shortened(command)
        for place, candidate in enumerate(awaited, start=1):
            if shortened(candidate.text) == shortest:
                self._pass(place)
                return Certainty.EXACT
        if not _OWN.match(command) or len(awaited) > UNMATCHED_MAX:
            self._is_aside = True
        return Certainty.UNSURE if self._is_aside else Certainty.EXACT

    def _pass(self, count: int) -> None:
        for _ in range(count):
            passed = self._awaited.popleft()
        self._lines, self._end_offset = passed.lines, passed.end_offset
        self._is_aside = False


def shortened(command: bytes) -> bytes:
    """One spelling for all spellings of the same values: no blanks, no zeros that say nothing."""
    text = _FRACTION_ZEROS.sub(rb"\1", _BLANKS.sub(b"", command))
    text = _SIGNED_ZERO.sub(rb"\1", _BARE_POINT.sub(b"", text))
    return _LEADING_ZEROS.sub(b"", text)
