"""The receiver of the virtual firmware: from received bytes to checked lines.

Rules of `Marlin/src/gcode/queue.cpp` (`get_serial_commands`) and, for the emergency parser, of
`Marlin/src/feature/e_parser.h`.
"""

import re
from dataclasses import dataclass

from printer_driver.core.gcode.gcode_lines import (
    WIRE_LINE_BYTES_MAX,
    checksum,
)
from printer_driver.virtual.virtual_dialects import (
    FirmwareSetup,
    Repeat,
)

DROPPED_LINES = 2
SKIPPED_LINES = 40
"""Repetier's history."""
_LINE_END = re.compile(rb"\r\n|[\r\n]")
_NUMBER = re.compile(rb"N\s*(-?\d{1,18})")
_NUMBER_PREFIX = re.compile(rb"N\s*-?\d*\s*")
_CHECKSUM = re.compile(rb"\s*(-?\d{1,9})")
_EMERGENCY = re.compile(rb" *(?:N *-?\d+ *)?(M108|M112|M410)(?!\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class LineAccepted:
    """A line that takes a command slot."""

    command: str
    line_number: int | None
    """None where it came without a number, hence unchecked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LineRefused:
    """A bad line; the receive buffer is empty now."""

    error: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LineRepeated:
    """A numbered line that was taken before and is not taken again."""

    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LineEmpty:
    """An empty line or a comment."""


class Receiver:
    """Holds the receive buffer and the number of the last line taken."""

    def __init__(self, setup: FirmwareSetup) -> None:
        self._dialect = setup.dialect
        self._has_emergency_parser = setup.emergency_parser
        self._rx_bytes_max = setup.rx_bytes - 1
        self._rx = bytearray()
        self._emergency_line = bytearray()
        self.last_number = 0

    @property
    def room_bytes(self) -> int:
        """Free bytes of the receive buffer."""
        return max(0, self._rx_bytes_max - len(self._rx))

    @property
    def is_silent(self) -> bool:
        """Nothing waits to be read."""
        return not self._rx

    def take(self, data: bytes) -> None:
        """Bytes from the wire."""
        self._rx += data

    def lose_overflow(self) -> None:
        """What was not read in time and does not fit is gone."""
        del self._rx[self._rx_bytes_max :]

    def emergencies(self, data: bytes) -> list[str]:
        """Commands among the bytes just received that must be obeyed at once.

        The emergency parser sits in the receive interrupt: it sees what the buffer loses.
        """
        if not self._has_emergency_parser:
            return []
        *lines, rest = _LINE_END.split(bytes(self._emergency_line) + data)
        self._emergency_line = bytearray(rest[:WIRE_LINE_BYTES_MAX])
        return [match[1].decode() for line in lines if (match := _EMERGENCY.match(line))]

    def next(self) -> LineAccepted | LineRefused | LineRepeated | LineEmpty | None:
        """The next whole line; None when there is none."""
        end = _LINE_END.search(self._rx)
        if end is None:
            return None
        line = bytes(self._rx[: end.start()].partition(b";")[0][:WIRE_LINE_BYTES_MAX]).lstrip(b" ")
        del self._rx[: end.end()]
        if not line:
            return LineEmpty()
        if not line.startswith(b"N"):
            return LineAccepted(command=_command(line), line_number=None)
        return self._check(line)

    def _check(self, line: bytes) -> LineAccepted | LineRefused | LineRepeated:
        sets_number = b"M110" in line
        number = _parse_number(line, sets_number=sets_number)
        if self._dialect.checks_lines:
            if number != self.last_number + 1 and not sets_number:
                return self._refuse_number(number)
            body, star, given = line.rpartition(b"*")
            if not star:
                return self._refuse(self._dialect.no_checksum, number)
            if _parse_checksum(given) != checksum(body):
                return self._refuse(self._dialect.wrong_checksum, number)
        self.last_number = number
        return LineAccepted(command=_command(_NUMBER_PREFIX.sub(b"", line, 1)), line_number=number)

    def _refuse_number(self, number: int) -> LineRefused | LineRepeated:
        kept = SKIPPED_LINES if self._dialect.repeat is Repeat.SKIPPED else DROPPED_LINES
        oldest = self.last_number + 1 - kept
        if self._dialect.repeat is not Repeat.REFUSED and oldest <= number <= self.last_number:
            return LineRepeated(number=number)
        return self._refuse(self._dialect.wrong_number, number)

    def _refuse(self, error: str, number: int) -> LineRefused:
        self._rx.clear()
        return LineRefused(
            error=error.format(next=self.last_number + 1, number=number), number=number
        )


def _command(line: bytes) -> str:
    """What is executed: the parser looks no further than the first asterisk."""
    return line.partition(b"*")[0].decode("latin-1").rstrip()


def _parse_number(line: bytes, *, sets_number: bool) -> int:
    """The number at the line's start; M110's own N counts instead. 0 where there are no digits."""
    numbers = _NUMBER.findall(line)
    if sets_number and len(numbers) > 1:
        return int(numbers[1])
    match = _NUMBER.match(line)
    return int(match[1]) if match else 0


def _parse_checksum(given: bytes) -> int:
    match = _CHECKSUM.match(given)
    return int(match[1]) if match else 0
