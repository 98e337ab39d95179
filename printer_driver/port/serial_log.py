"""The log of the serial wire, for a bug report.

It is kept in memory, bounded, and written to disk when there is trouble, or all the time if a
person has asked for that. The files rotate and together never exceed FILES_MAX * FILE_BYTES_MAX, so
that a year of printing neither fills nor wears out an SD card.
"""

import os
import time
from collections import deque
from enum import Enum
from itertools import pairwise
from pathlib import Path

FILE_BYTES_MAX = 4 * 1024 * 1024
FILES_MAX = 3
MEMORY_BYTES_MAX = 256 * 1024
"""Some minutes of a dense print, both ways."""
WRITE_BYTES = 64 * 1024
WRITE_S = 5.0
CHUNK_BYTES_MAX = 4096
"""Of one read or write that are kept."""


class Keep(Enum):
    """How much of the log is written to disk."""

    TROUBLE = "trouble"  # the minutes before and at each trouble
    ALL = "all"


class SerialLog:
    """Nothing is opened before `write_out`; `note` only remembers."""

    def __init__(self, path: Path, *, keep: Keep = Keep.TROUBLE) -> None:
        self.path = path
        self._keep = keep
        self._chunks: deque[tuple[float, str, bytes]] = deque()
        self._bytes = 0
        self._dropped = 0

    def note(self, direction: str, data: bytes, now_s: float) -> None:
        """Notes `>` to the printer, `<` from it, or `#` a remark; `now_s` is on the monotonic
        clock."""
        data = data[:CHUNK_BYTES_MAX]
        self._chunks.append((now_s, direction, data))
        self._bytes += len(data)
        while self._bytes > MEMORY_BYTES_MAX:
            self._bytes -= len(self._chunks.popleft()[2])
            self._dropped += 1

    @property
    def keeps_all(self) -> bool:
        """Whether everything must be on disk at the end."""
        return self._keep is Keep.ALL

    def is_due(self, now_s: float) -> bool:
        """Whether `write_out` has enough to do, if everything is kept."""
        if not self.keeps_all or not self._chunks:
            return False
        return self._bytes >= WRITE_BYTES or now_s >= self._chunks[0][0] + WRITE_S

    def take(self) -> list[bytes]:
        """The lines not written yet, the oldest first; for `write_out` in another thread."""
        chunks, self._chunks = self._chunks, deque()
        offset_s = time.time() - time.monotonic()
        lines = [_line(offset_s, chunk) for chunk in chunks]
        if self._dropped:
            lines.insert(0, b"# %d earlier reads and writes were not kept\n" % self._dropped)
        self._bytes = self._dropped = 0
        return lines

    def write_out(self, lines: list[bytes]) -> None:
        """Append to the file, rotating. Raises `OSError`."""
        data = b"".join(lines)
        if not data:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size + len(data) > FILE_BYTES_MAX:
            self._rotate()
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "ab") as file:
            file.write(data)

    def _rotate(self) -> None:
        files = self.files_possible()
        for newer, older in reversed(list(pairwise(files))):
            if newer.exists():
                newer.replace(older)

    def files_possible(self) -> list[Path]:
        """The newest first, whether or not they exist."""
        older = [self.path.with_name(f"{self.path.name}.{n}") for n in range(1, FILES_MAX)]
        return [self.path, *older]


def _line(offset_s: float, chunk: tuple[float, str, bytes]) -> bytes:
    moment_s, direction, data = chunk
    unix_s = moment_s + offset_s
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_s))
    text = data.decode("latin-1").encode("unicode_escape").decode("ascii")
    text = text.removesuffix("\\n").replace("\\n", "\\n   ")
    return f"{stamp}.{int(unix_s % 1 * 1000):03d} {direction} {text}\n".encode("ascii")
