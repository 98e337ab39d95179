"""Turns the lines of a g-code file into the lines on the wire.

The rules are those of Marlin's receiver (`Marlin/src/gcode/queue.cpp`, `process_stream_char` and
`get_serial_commands`): `;` starts a comment even inside quotes, `\\` is dropped, a line is cut at
MAX_CMD_SIZE = 96 bytes, and a line that begins with `N` must end in `*` and the XOR of all bytes
before it. What Marlin would alter is altered here first; otherwise its checksum would never match.
"""

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from operator import xor
from typing import NamedTuple

from printer_driver.errors import GcodeError

WIRE_LINE_BYTES_MAX = 95
"""MAX_CMD_SIZE less its terminator: number, command and checksum together."""
COMMAND_BYTES_MAX = WIRE_LINE_BYTES_MAX - len("N999999999 ") - len("*255")
"""A command as it stands in the file, without comment."""
FILE_LINE_BYTES_MAX = 1 << 20
"""A line of the file with its comment; slicers write their whole settings into comments."""

_PLAIN = re.compile(rb"[A-MO-Z][ !-\[\]-~]*")
_UNSENDABLE = re.compile(r"[^ -~]")
_NUMBERED = re.compile(r"N\d+ *(?P<command>[^*]*)(?:\*\d+)?")
_SHOWN_TEXT = re.compile(r"M(?:0|1|117|118|486)(?![\d.])")
_SETS_LINE_NUMBER = re.compile(r"M110(?![\d.])")
_COMMAND = re.compile(r"[GMT]\d")
_MOVE = re.compile(r"G0*[0-3](?![\d.])")
_LAYS_FILAMENT = re.compile(
    r"G\s*0*(?:[0-3]|5)(?![\d.])(?=.*[XYIJ])(?=.*E\s*\+?[\d.])", re.IGNORECASE
)


class FileCommand(NamedTuple):
    """One command of a file."""

    text: str
    end_offset: int
    """Offset in the file behind its line, in bytes."""


NO_LINE_YET = b""
"""In place of a line: the next one has not been read yet. A line has at least its line end."""
NOT_YET = FileCommand("", 0)
"""In place of a command, by identity: the next one has not been read yet; ask again later."""


def command_of(line: bytes) -> str:
    """The command in one line of a file; empty when it has none.

    Raises `GcodeError` (without a line number) for a line that cannot be sent as it is.
    """
    body = line.partition(b";")[0].strip()
    if len(body) <= COMMAND_BYTES_MAX and _PLAIN.fullmatch(body) and not body.startswith(b"M110"):
        return body.decode("ascii")
    return _unusual_command(body) if body else ""


def _unusual_command(body: bytes) -> str:
    text = body.decode("utf-8", errors="replace").replace("\t", " ").replace("\\", "")
    if numbered := _NUMBERED.fullmatch(text):
        text = numbered["command"].strip()
    if _SETS_LINE_NUMBER.match(text):
        return ""  # the numbering is the driver's
    if _SHOWN_TEXT.match(text):
        return _UNSENDABLE.sub("?", text)[:COMMAND_BYTES_MAX].rstrip()
    if unsendable := _UNSENDABLE.search(text):
        raise GcodeError(f"{unsendable[0]!r} cannot be sent to a printer; slice the model again.")
    if len(text) > COMMAND_BYTES_MAX:
        raise GcodeError(
            f"The command {text[:20]}… has {len(text)} bytes, printers take {COMMAND_BYTES_MAX}; "
            "change the slicer's start or end g-code that makes it."
        )
    return text


def commands_of(lines: Iterable[bytes]) -> Iterator[FileCommand]:
    """The commands of a file, one at a time; NOT_YET for each NO_LINE_YET.

    `lines` are its lines with their line ends, none longer than FILE_LINE_BYTES_MAX.
    Raises `GcodeError` that names the line.
    """
    end_offset = number = 0
    for line in lines:
        if not line:
            yield NOT_YET
            continue
        number += 1
        end_offset += len(line)
        try:
            if number == 1 or len(line) > FILE_LINE_BYTES_MAX:
                line = _checked(line, number)  # noqa: PLW2901
            text = command_of(line)
        except GcodeError as error:
            raise GcodeError(f"Line {number}: {error}") from None
        if text:
            yield FileCommand(text, end_offset)


def _checked(line: bytes, number: int) -> bytes:
    if len(line) > FILE_LINE_BYTES_MAX:
        raise GcodeError(f"It is longer than {FILE_LINE_BYTES_MAX} bytes; this is no g-code.")
    if number > 1:
        return line
    if line.startswith(b"GCDE"):
        raise GcodeError("This is binary g-code; switch it off in the slicer and slice again.")
    return line.removeprefix(b"\xef\xbb\xbf")


def check_gcode(lines: Iterable[bytes]) -> int:
    """The offset behind the last command, in bytes. Raises `GcodeError` if it cannot be printed.

    What follows it, often a third of the file, is the slicer's settings in comments.
    """
    end_offset = machine_commands = 0
    for command in commands_of(lines):
        end_offset = command.end_offset
        machine_commands += _COMMAND.match(command.text) is not None
    if not machine_commands:
        raise GcodeError("The file has no G or M command; choose a file that a slicer wrote.")
    return end_offset


def is_move(command: str) -> bool:
    """Whether it is a G0, G1, G2 or G3."""
    return _MOVE.match(command) is not None


def lays_filament(command: str) -> bool:
    """Whether it is a move along the bed that extrudes; a retraction on the way does not."""
    return _LAYS_FILAMENT.match(command) is not None


def checksum(data: bytes) -> int:
    """The XOR of all bytes."""
    return reduce(xor, data, 0)


def numbered_line(number: int, command: str) -> bytes:
    """The command on the wire: `N<number> <command>*<checksum>` and a line feed."""
    body = b"N%d %s" % (number, command.encode("ascii"))
    return b"%s*%d\n" % (body, checksum(body))


_PLAIN_MOVE = re.compile(r"G[0-3](?: +[A-Z]-?(?:\d+\.?\d*|\.\d+))+")
_FRACTION_TAIL = re.compile(r"(\d*)\.(\d*?)0*(?=[A-Z ]|$)")
_LEADING_ZERO = re.compile(r"(?<=[A-Z-])0+(?=\.\d)")


def compact(command: str) -> str:
    """Returns a move in fewer bytes with the same values; any other command is returned as it is.

    A line of 30 bytes takes 2.6 ms at 115200 baud. Only moves, the bulk of every file, are
    shortened, and only when they consist of words of a letter and a plain number. The blank before
    E stays: without it, parsers that use `strtod` read `X10E5` as an exponent.
    """
    if not _PLAIN_MOVE.fullmatch(command):
        return command
    short = command.replace(" ", "").replace("E", " E")
    if "0" in short:
        short = _LEADING_ZERO.sub("", _FRACTION_TAIL.sub(_without_tail, short))
    return short


def _without_tail(match: re.Match[str]) -> str:
    whole, fraction = match.groups()
    return f"{whole}.{fraction}" if fraction else whole or "0"


def normalised_command(line: str) -> str:
    """One spelling for a line to ignore: no comment, single blanks, upper case."""
    return " ".join(line.partition(";")[0].upper().split())
