from pathlib import Path

import pytest

from printer_driver.port.serial_log import (
    CHUNK_BYTES_MAX,
    FILE_BYTES_MAX,
    FILES_MAX,
    MEMORY_BYTES_MAX,
    WRITE_BYTES,
    WRITE_S,
    Keep,
    SerialLog,
)


def test_lines_both_ways_as_a_person_reads_them(tmp_path: Path) -> None:
    log = SerialLog(tmp_path / "deep" / "log")
    log.note(">", b"N1 M105*38\nN2 G28*1\n", 10.0)
    log.note("<", b"ok T:20.0 \xff\0\n", 10.5)
    log.write_out(log.take())
    first, second = (tmp_path / "deep" / "log").read_text("ascii").splitlines()
    assert first.endswith(r" > N1 M105*38\n   N2 G28*1")
    assert second.endswith(r" < ok T:20.0 \xff\x00")
    assert log.take() == []


def test_memory_is_bounded_and_says_what_it_dropped(tmp_path: Path) -> None:
    log = SerialLog(tmp_path / "log")
    for _ in range(2 * MEMORY_BYTES_MAX // CHUNK_BYTES_MAX):
        log.note("<", b"x" * 10 * CHUNK_BYTES_MAX, 0.0)
    assert not log.is_due(1e9)
    lines = log.take()
    assert sum(map(len, lines)) < 1.1 * MEMORY_BYTES_MAX
    assert b"not kept" in lines[0]


def test_where_all_is_kept_it_is_due_in_time(tmp_path: Path) -> None:
    log = SerialLog(tmp_path / "log", keep=Keep.ALL)
    while not log.is_due(0.0):
        log.note("<", b"x" * 1000, 0.0)
    assert sum(map(len, log.take())) < 2 * WRITE_BYTES
    log.note(">", b"M105\n", 100.0)
    assert not log.is_due(100.0)
    assert log.is_due(100.0 + WRITE_S)


def test_files_rotate_and_stay_small(tmp_path: Path) -> None:
    log = SerialLog(tmp_path / "log")
    for letter in b"abcdefg":
        log.write_out([bytes([letter]) * (FILE_BYTES_MAX - 1)])
    files = sorted(tmp_path.iterdir())
    assert len(files) == FILES_MAX
    assert [path.read_bytes()[:1] for path in log.files_possible()] == [b"g", b"f", b"e"]


def test_nothing_writes_nothing_and_a_full_disk_is_told(tmp_path: Path) -> None:
    SerialLog(tmp_path / "log").write_out([])
    assert not (tmp_path / "log").exists()
    with pytest.raises(OSError, match="No space"):
        SerialLog(Path("/dev/full")).write_out([b"x"])
