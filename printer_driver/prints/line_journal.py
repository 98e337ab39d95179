"""The journal of lines: for every numbered line a small record of its place in the file.

It is a ring of fixed size in a mapped file. Writing a record is a store to memory, which survives
the death of this process, and no disk can delay the printer. It is never fsynced: after a restart
of the computer (another boot id) nothing in it is trusted. A torn record fails its CRC and counts
as missing. A missing record leads to a safe stop, never to a wrong place, because the firmware
itself says which number it took last.
"""

import contextlib
import mmap
import os
import struct
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from printer_driver import clock
from printer_driver.core.streaming.sent_line import (
    Certainty,
    LineRecord,
)
from printer_driver.core.streaming.window import LINES_MAX

RECORDS = 1024
RECENT = 2 * LINES_MAX
"""Records that count: more lines than are ever in flight. The firmware has taken all older ones, so
whoever says one of their numbers was given it by another program, or has restarted."""
_MAGIC = b"crdtqln1"
_HEAD = struct.Struct("<8s16s16s??6xd")
_BODY = struct.Struct("<QQQQQd")
_CRC = struct.Struct("<Q")
_RECORD_BYTES = _BODY.size + _CRC.size
_HEAD_BYTES = 512
_FILE_BYTES = _HEAD_BYTES + RECORDS * _RECORD_BYTES
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalledLines:
    """What an earlier process has recorded of one print."""

    lines: dict[int, LineRecord] = field(default_factory=dict)
    is_paused: bool = False
    is_cancelled: bool = False
    age_s: float = 0.0
    """Since the last line was sent."""
    elapsed_s: float = 0.0
    """From the start of the print until then."""


class LineJournal:
    """The lines of the running print. Nothing is opened before `begin` or `recall`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None
        self._head = b""
        self._is_cancelled = False
        self._sequence = 0
        self._began_s = 0.0

    def begin(self, print_id: str) -> None:
        """A print begins or goes on; earlier records are deleted. Raises `OSError`."""
        self._open(os.O_CREAT | os.O_TRUNC)
        self._began_s, self._is_cancelled = clock.now_s(), False
        self._write_head(print_id, is_paused=False)

    def go_on(self, print_id: str, *, is_paused: bool = False) -> None:
        """After `recall`: the same print goes on, and its records stay. Raises `OSError`."""
        self._open(0)
        self._is_cancelled = False
        self._write_head(print_id, is_paused=is_paused)

    def _open(self, flags: int) -> None:
        self.close()
        fd = os.open(self._path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        try:
            # Room for all of it now: a mapped file must not meet a full disk later.
            os.posix_fallocate(fd, 0, _FILE_BYTES)
            self._map = mmap.mmap(fd, _FILE_BYTES)
        finally:
            os.close(fd)

    def note_paused(self, print_id: str, *, is_paused: bool) -> None:
        """Records whether the print is paused, so that it is the same after an interruption."""
        self._open_again()
        self._write_head(print_id, is_paused=is_paused)

    def note_cancelled(self, print_id: str) -> None:
        """Records that this print must not go on, whatever happens to this process."""
        self._is_cancelled = True
        self._open_again()
        self._write_head(print_id, is_paused=False)

    def _open_again(self) -> None:
        """Opens the journal for a print of an earlier process that `recall` has found."""
        if self._map is None:
            with contextlib.suppress(OSError):
                self._open(0)

    def write(self, records: Sequence[LineRecord]) -> None:
        """Records these lines, before they go to the port."""
        if self._map is None or not records:
            return
        now_s = clock.now_s()
        for record in records:
            self._sequence += 1
            start = _HEAD_BYTES + record.number % RECORDS * _RECORD_BYTES
            self._map[start : start + _RECORD_BYTES] = _pack(record, self._sequence, now_s)

    def _write_head(self, print_id: str, *, is_paused: bool) -> None:
        wishes = (is_paused, self._is_cancelled)
        head = _HEAD.pack(_MAGIC, _boot_id(), _name(print_id), *wishes, self._began_s)
        if self._map and head != self._head:
            self._map[: len(head)] = head
            self._head = head

    def recall(self, print_id: str) -> JournalledLines | None:
        """The records of this print; None if they are of no use."""
        try:
            data = self._path.read_bytes()
            magic, boot_id, name, is_paused, is_cancelled, began_s = _HEAD.unpack_from(data)
            ours = (magic, boot_id, name) == (_MAGIC, _boot_id(), _name(print_id))
        except (OSError, struct.error):
            return None
        found = sorted(_unpack_all(data), key=lambda x: x[0]) if ours else []
        if not found:
            return None
        sequence, newest_s, _ = found[-1]
        self._sequence, self._began_s = max(self._sequence, sequence), began_s
        recent = [record for number, _, record in found if number > sequence - RECENT]
        return JournalledLines(
            lines={record.number: record for record in recent},
            is_paused=is_paused,
            is_cancelled=is_cancelled,
            age_s=max(0.0, clock.now_s() - newest_s),
            elapsed_s=max(0.0, newest_s - began_s),
        )

    def close(self) -> None:
        """The print is over."""
        if self._map:
            self._map.close()
            self._map = None
        self._head = b""


def _pack(record: LineRecord, sequence: int, now_s: float) -> bytes:
    body = _BODY.pack(
        sequence, record.number, record.lines, record.end_offset, record.certainty, now_s
    )
    return body + zlib.crc32(body).to_bytes(_CRC.size, "little")


def _unpack_all(data: bytes) -> list[tuple[int, float, LineRecord]]:
    """Sequence number, time and record of each complete record."""
    found = []
    for start in range(_HEAD_BYTES, len(data) - _RECORD_BYTES + 1, _RECORD_BYTES):
        body = data[start : start + _BODY.size]
        (crc,) = _CRC.unpack_from(data, start + _BODY.size)
        if not crc or crc != zlib.crc32(body):
            continue
        sequence, number, lines, end_offset, certainty, time_s = _BODY.unpack(body)
        record = LineRecord(
            number=number, lines=lines, end_offset=end_offset, certainty=Certainty(certainty)
        )
        found.append((sequence, time_s, record))
    return found


def _boot_id() -> bytes:
    try:
        return uuid.UUID(_BOOT_ID.read_text("ascii").strip()).bytes
    except (OSError, ValueError):
        return bytes(16)


def _name(print_id: str) -> bytes:
    return sha256(print_id.encode("utf-8")).digest()[:16]
