"""Looks for lost transactions in SQLite's write-ahead log.

SQLite reads the log up to the first invalid frame and ignores everything behind it. After a power
cut that is right: only the last transaction can be torn, and nobody has been told that it is
durable. But if a complete end of a transaction lies behind the invalid frame, the log was most
likely complete up to there and was damaged later. (A disk may also have written that end before the
rest when the power went. That is rare, and a false alarm loses nothing.)

Source: https://www.sqlite.org/fileformat2.html, section 4, "The Write-Ahead Log". All numbers in
the headers are big-endian. The checksum of a frame continues that of the frame before it.
"""

import struct
from pathlib import Path
from typing import BinaryIO, Final

_HEADER_BYTES: Final = 32
_FRAME_HEADER_BYTES: Final = 24
_MAGIC: Final = 0x377F0682
"""With the lowest bit set, checksums read the content as big-endian words, else little-endian."""
_U32: Final = 0xFFFF_FFFF
_READ_BYTES: Final = 2**16


def has_lost_commits(path: Path, valid_frames: int) -> bool:
    """Whether transactions that were once durable lie behind the frames that SQLite can read.

    `valid_frames` is what SQLite made of this log: the second number of `PRAGMA wal_checkpoint`.
    Damage to the very last frames looks like a power cut, and is taken for one.
    """
    try:
        with path.open("rb") as wal:
            header = wal.read(_HEADER_BYTES)
            if len(header) < _HEADER_BYTES:
                return False
            return _is_lost(wal, header, max(valid_frames, 0))
    except FileNotFoundError:
        return False


def _is_lost(wal: BinaryIO, header: bytes, valid_frames: int) -> bool:
    magic, _, page_bytes, _, _, _, *stored = struct.unpack(">8I", header)
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _MAGIC or _checksum(header[:24], (0, 0), order) != tuple(stored):
        # SQLite has the header on disk before it writes a first frame.
        return _has_content(wal)
    frame_bytes = _FRAME_HEADER_BYTES + page_bytes
    wal.seek(_HEADER_BYTES + valid_frames * frame_bytes)
    before = b""
    while len(frame := wal.read(frame_bytes)) == frame_bytes:
        if before and _is_commit(frame) and _follows(frame, before, header, order):
            return True
        before = frame
    return False


def _is_commit(frame: bytes) -> bool:
    """A frame that ends a transaction names the size of the database after it."""
    return frame[4:8] != bytes(4)


def _follows(frame: bytes, before: bytes, header: bytes, order: str) -> bool:
    """Whether `frame` is a sound one of this log that was written right after `before`."""
    if frame[8:16] != header[16:24] or frame[:4] == bytes(4):
        return False
    start: tuple[int, int] = struct.unpack(">II", before[16:24])
    stored = struct.unpack(">II", frame[16:24])
    return _checksum(frame[:8] + frame[_FRAME_HEADER_BYTES:], start, order) == stored


def _checksum(data: bytes, start: tuple[int, int], order: str) -> tuple[int, int]:
    first, second = start
    for even, odd in struct.iter_unpack(f"{order}II", data):
        first = (first + even + second) & _U32
        second = (second + odd + first) & _U32
    return first, second


def _has_content(file: BinaryIO) -> bool:
    while chunk := file.read(_READ_BYTES):
        if chunk.strip(b"\0"):
            return True
    return False
