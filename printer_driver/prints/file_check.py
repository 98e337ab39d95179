"""Checks a file before it is printed. That is slow, so it runs in a thread of its own."""

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple

from printer_driver.core.gcode.gcode_lines import (
    FILE_LINE_BYTES_MAX,
    check_gcode,
    commands_of,
)
from printer_driver.core.streaming.wire_estimate import (
    WireSpeed,
    estimate,
)
from printer_driver.errors import GcodeError, PrinterError, PrintRefused

BLOCK_BYTES = 1 << 16
SECOND_NS = 1_000_000_000
MTIME_STEPS_NS = (100, 1_000, 1_000_000, 10_000_000, SECOND_NS, 2 * SECOND_NS)
"""To which file servers round the time once the file is on their disk: NTFS, …, FAT."""
ESTIMATED_COMMANDS_MAX = 50_000
"""Of the file's beginning; a start must not wait for more."""


class FileIdentity(NamedTuple):
    """While all of these facts are the same, the result of a check is still valid."""

    sha256: str
    device: int
    inode: int
    size_bytes: int
    mtime_ns: int

    def is_still(self, found: "FileIdentity") -> bool:
        """Whether `found` is the same file, its time perhaps rounded by a server.

        A time in whole seconds is not rounded any more: it would hide that the file was written.
        """
        if found._replace(mtime_ns=self.mtime_ns) != self:
            return False
        off_ns = abs(found.mtime_ns - self.mtime_ns)
        is_fine = self.mtime_ns % SECOND_NS != 0
        steps_ns = (step for step in MTIME_STEPS_NS if found.mtime_ns % step == 0)
        return not off_ns or (is_fine and any(off_ns < step for step in steps_ns))


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedFile:
    """The result of a check; `problem` is None for a file that may be printed."""

    file: BinaryIO
    bytes_total: int
    gcode_bytes: int
    """The offset behind the last command."""
    problem: PrinterError | None
    identity: FileIdentity
    """As the check began."""
    notice: str = ""
    """See `PrintReport`."""


def open_gcode(path: Path) -> BinaryIO:
    """Open a regular file. Raises `PrintRefused` with what to do."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        except OSError:  # a server that has forgotten it
            os.close(fd)
            raise
    except OSError as error:
        raise PrintRefused(
            f"The file {path} cannot be read ({error.strerror}); add it again.", code="wrong_file"
        ) from error
    if not is_file:
        os.close(fd)
        raise PrintRefused(f"{path} is not a file; choose a g-code file.", code="wrong_file")
    return os.fdopen(fd, "rb", buffering=BLOCK_BYTES)


def identity_of(file: BinaryIO, sha256: str) -> FileIdentity:
    """The identity of an open file that should have this SHA-256."""
    found = os.fstat(file.fileno())
    return FileIdentity(sha256, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def unchanged(file: BinaryIO, identity: FileIdentity) -> Iterator[bytes]:
    """The blocks of the file from its present position, as long as it is the file that was checked.

    The identity is compared after every block, and after the end, before the block is returned.
    Raises `GcodeError` if the file has changed, `OSError` or `ValueError` if it cannot be read.
    """
    block = b"more"
    while block:
        block = file.read(BLOCK_BYTES)
        found = identity_of(file, identity.sha256)
        if not identity.is_still(found):
            raise GcodeError("The file was changed in mid-print; add it again.")
        identity = found  # as rounded
        if block:
            yield block


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The file's lines, none much longer than FILE_LINE_BYTES_MAX. Raises `GcodeError`."""
    try:
        while line := file.readline(FILE_LINE_BYTES_MAX + 1):
            yield line
    except (OSError, ValueError) as error:
        raise GcodeError(f"The file cannot be read any more ({error}); add it again.") from error


def check_file(file: BinaryIO, sha256: str, link: WireSpeed | None = None) -> CheckedFile:
    """Checks that the file has this SHA-256 and is g-code; leaves it at its start.

    With a `link` also estimates whether the wire is fast enough for the beginning of the file.
    """
    identity = identity_of(file, sha256)
    digest = hashlib.sha256()

    def hashed() -> Iterator[bytes]:
        for line in lines_of(file):
            digest.update(line)
            yield line

    problem: PrinterError | None = None
    gcode_bytes = 0
    try:
        lines = hashed()
        try:
            gcode_bytes = check_gcode(lines)
        except GcodeError as error:
            problem = error
        for _ in lines:
            pass
        if digest.hexdigest() != sha256:
            problem = PrintRefused(
                "The file is not the one that was asked for (its SHA-256 differs); add it again.",
                code="wrong_file",
            )
    except GcodeError as error:
        problem = error
    bytes_total = os.fstat(file.fileno()).st_size
    notice = _limits(file, link) if link and not problem else ""
    file.seek(0)
    return CheckedFile(
        file=file,
        bytes_total=bytes_total,
        gcode_bytes=gcode_bytes,
        problem=problem,
        identity=identity,
        notice=notice,
    )


def _limits(file: BinaryIO, link: WireSpeed) -> str:
    file.seek(0)
    beginning = islice(commands_of(lines_of(file)), ESTIMATED_COMMANDS_MAX)
    return estimate((command.text for command in beginning), link).sentence
