import io
import os
import threading
from collections.abc import Iterator
from itertools import islice
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from printer_driver.core.gcode.gcode_lines import (
    FILE_LINE_BYTES_MAX,
    NO_LINE_YET,
)
from printer_driver.errors import GcodeError
from printer_driver.prints.file_check import (
    BLOCK_BYTES,
    identity_of,
)
from printer_driver.prints.read_ahead import (
    BLOCKS_AHEAD_MAX,
    ReadAhead,
    close_aside,
)
from tests.harness.patience import HANG_S

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Disk(io.FileIO):
    """A file whose reads from `hangs_at` on wait for `comes_back`, then may fail with `error`."""

    def __init__(self, path: Path, hangs_at: float = inf) -> None:
        super().__init__(path)
        self.hangs_at = hangs_at
        self.hangs = threading.Event()
        self.comes_back = threading.Event()
        self.closed_by = ""
        self.blocks = 0
        self.error: Exception | None = None
        self.file = io.BufferedReader(self, BLOCK_BYTES)

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self.tell() >= self.hangs_at:
            self.hangs.set()
            assert self.comes_back.wait(HANG_S)
            if self.error:
                raise self.error
        self.blocks += 1
        return super().readinto(buffer) or 0

    def close(self) -> None:
        self.closed_by = self.closed_by or threading.current_thread().name
        super().close()


class Room(threading.Semaphore):
    """Knows when somebody waits for it: `is_full` from then on until there is room again."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.is_full = threading.Event()
        self.lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        with self.lock:
            if super().acquire(blocking=False):
                return True
            self.is_full.set()
        return super().acquire(blocking, timeout)

    def release(self, n: int = 1) -> None:
        with self.lock:
            self.is_full.clear()
            super().release(n)


class Desk:
    """A loop that takes lines; `file` is read ahead for it."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.arrived = threading.Event()
        self.file = ReadAhead(disk.file, identity_of(disk.file, ""), self.arrived.set)
        self.room = self.file._room = Room(self.file._room._value)
        self.lines = self.file.lines()

    def take(self) -> list[bytes]:
        """What is there now, without waiting."""
        taken = []
        for line in self.lines:
            if line == NO_LINE_YET:
                break
            taken.append(line)
        return taken

    def rest(self) -> Iterator[bytes]:
        """To the end."""
        for line in self.lines:
            if line != NO_LINE_YET:
                yield line
            else:
                assert self.arrived.wait(HANG_S)
                self.arrived.clear()

    def until_full(self) -> None:
        """No more is read ahead until something is taken: the thread waits for room."""
        assert self.room.is_full.wait(HANG_S)

    def until_hanging(self) -> list[bytes]:
        """What was read before the disk hangs."""
        taken = self.take()
        assert self.disk.hangs.wait(HANG_S)
        return taken + self.take()

    def join(self) -> None:
        thread = self.file._thread
        assert thread
        thread.join(HANG_S)
        assert not thread.is_alive()


def made(folder: Path, content: bytes) -> Path:
    path = folder / "a.gcode"
    path.write_bytes(content)
    return path


MOVES = [b"G1 X%d ; %s\n" % (number, b"y" * (number % 90)) for number in range(6_000)]
LONG = b"".join(MOVES)
assert len(LONG) > 5 * BLOCK_BYTES


@pytest.mark.parametrize(
    "content",
    [
        LONG,
        LONG[:-1],
        b"",
        b"\n",
        b"G28",
        b"G28\r\nG1 X1\rG1 X2\n\n\x0b\x0cG1\n",
        b"x" * (BLOCK_BYTES - 1) + b"\n" + b"y" * BLOCK_BYTES + b"\nz",
    ],
    ids=["long", "no line end", "empty", "one end", "short", "odd ends", "at the blocks' ends"],
)
def test_the_same_lines_as_without_a_thread(tmp_path: Path, content: bytes) -> None:
    desk = Desk(Disk(made(tmp_path, content)))
    assert list(desk.rest()) == io.BytesIO(content).readlines()
    desk.join()
    assert desk.disk.closed


def test_from_where_the_file_stands(tmp_path: Path) -> None:
    disk = Disk(made(tmp_path, LONG))
    disk.file.seek(len(MOVES[0]))
    assert list(Desk(disk).rest()) == MOVES[1:]


def test_a_line_that_never_ends_is_handed_out_in_pieces(tmp_path: Path) -> None:
    desk = Desk(Disk(made(tmp_path, b"G28\n" + b"x" * (3 * FILE_LINE_BYTES_MAX))))
    lengths = [len(line) for line in desk.rest()]
    assert FILE_LINE_BYTES_MAX < max(lengths) <= FILE_LINE_BYTES_MAX + BLOCK_BYTES
    assert sum(lengths) == 3 * FILE_LINE_BYTES_MAX + len(b"G28\n")


def test_nothing_waits_while_the_disk_hangs_and_then_it_goes_on(tmp_path: Path) -> None:
    desk = Desk(Disk(made(tmp_path, LONG), hangs_at=2 * BLOCK_BYTES))
    taken = desk.until_hanging()
    assert b"".join(taken) == LONG[: len(b"".join(taken))]
    assert BLOCK_BYTES < len(b"".join(taken)) <= 2 * BLOCK_BYTES
    assert [next(desk.lines) for _ in range(5)] == [NO_LINE_YET] * 5
    desk.arrived.clear()
    desk.disk.comes_back.set()
    assert desk.arrived.wait(HANG_S)
    assert taken + list(desk.rest()) == MOVES


def test_no_more_is_read_ahead_than_fits(tmp_path: Path) -> None:
    line, blocks = b"G28 ;56\n", 3 * BLOCKS_AHEAD_MAX
    desk = Desk(Disk(made(tmp_path, line * (blocks * BLOCK_BYTES // len(line)))))
    lines = desk.rest()
    for taken in range(1, blocks - BLOCKS_AHEAD_MAX):
        assert list(islice(lines, BLOCK_BYTES // len(line))) == [line] * (BLOCK_BYTES // len(line))
        desk.until_full()
        assert desk.disk.blocks == BLOCKS_AHEAD_MAX + taken
    desk.file.close()
    desk.join()


@pytest.mark.parametrize(
    "error", [OSError(5, "Input/output error"), ValueError("closed"), RuntimeError("a bug")]
)
def test_an_error_comes_behind_the_good_lines(tmp_path: Path, error: Exception) -> None:
    disk = Disk(made(tmp_path, LONG), hangs_at=3 * BLOCK_BYTES)
    disk.error = error
    disk.comes_back.set()
    desk = Desk(disk)
    taken: list[bytes] = []
    with pytest.raises(GcodeError, match="cannot be read any more"):
        taken.extend(desk.rest())
    whole = io.BytesIO(LONG[: 3 * BLOCK_BYTES]).readlines()[:-1]
    assert taken == whole
    desk.join()
    assert disk.closed


def test_nothing_of_another_file_is_handed_out(tmp_path: Path) -> None:
    path = made(tmp_path, LONG)
    os.utime(path, ns=(1, 1))
    desk = Desk(Disk(path, hangs_at=2 * BLOCK_BYTES))
    taken = desk.until_hanging()
    path.write_bytes(LONG.replace(b"X", b"Y"))
    desk.disk.comes_back.set()
    with pytest.raises(GcodeError, match="changed in mid-print; "):
        taken.extend(desk.rest())
    assert not any(b"Y" in line for line in taken)
    desk.join()


def test_closed_while_the_disk_hangs_it_closes_when_the_disk_is_back(tmp_path: Path) -> None:
    desk = Desk(Disk(made(tmp_path, LONG), hangs_at=0))
    assert desk.until_hanging() == []
    desk.file.close()
    assert not desk.disk.closed
    desk.arrived.clear()
    desk.disk.comes_back.set()
    desk.join()
    assert (desk.disk.closed, desk.disk.closed_by) == (True, "read ahead")


def test_closed_while_it_waits_for_room(tmp_path: Path) -> None:
    desk = Desk(Disk(made(tmp_path, LONG * 10)))
    next(desk.lines)
    desk.until_full()
    desk.file.close()
    desk.file.close()
    desk.join()
    assert desk.disk.closed


def test_closed_before_anything_was_read(tmp_path: Path) -> None:
    disk = Disk(made(tmp_path, LONG))
    file = ReadAhead(disk.file, identity_of(disk.file, ""))
    file.close()
    assert file._thread
    file._thread.join(HANG_S)
    assert (disk.closed, disk.closed_by, disk.blocks) == (True, "read ahead", 0)


def test_making_it_does_nothing(tmp_path: Path) -> None:
    before = threading.enumerate()
    with Disk(made(tmp_path, LONG)) as disk:
        ReadAhead(disk.file, identity_of(disk.file, ""))
        assert (threading.enumerate(), disk.blocks) == (before, 0)


def test_closing_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(made(tmp_path, LONG))
    close_aside(disk.file)
    for thread in threading.enumerate():
        if thread.name == "close":
            thread.join(HANG_S)
    assert (disk.closed, disk.closed_by) == (True, "close")
    monkeypatch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError))
    disk = Disk(made(tmp_path, LONG))
    close_aside(disk.file)
    assert disk.closed


def test_no_room_for_a_thread_is_an_error_of_the_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Mock(side_effect=RuntimeError("can't start new thread"))
    monkeypatch.setattr(threading.Thread, "start", refused)
    desk = Desk(Disk(made(tmp_path, LONG)))
    with pytest.raises(GcodeError, match="can't start new thread"):
        desk.take()
    assert desk.disk.closed
    desk.file.close()
