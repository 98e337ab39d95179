import hashlib
import os
from pathlib import Path

import pytest

from printer_driver.core.gcode.gcode_lines import FILE_LINE_BYTES_MAX
from printer_driver.core.streaming.wire_estimate import WireSpeed
from printer_driver.errors import GcodeError, PrintRefused
from printer_driver.prints.file_check import (
    check_file,
    identity_of,
    lines_of,
    open_gcode,
    unchanged,
)

CONTENT = b"; test\nG28\nG1 X1\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.gcode"
    path.write_bytes(CONTENT)
    return path


def test_the_right_file(path: Path) -> None:
    with open_gcode(path) as file:
        checked = check_file(file, SHA256)
        assert (checked.problem, checked.bytes_total) == (None, len(CONTENT))
        assert file.read() == CONTENT


def test_whether_the_wire_keeps_up(path: Path) -> None:
    moves = [b"G1 X%07.3f Y000.000 E.01000\n" % (step / 10) for step in range(500)]
    content = b"".join([b"G90\nM83\nG92 X0 Y0 Z0 E0\nG1 F6000\n", *moves])
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    with open_gcode(path) as file:
        assert "Limited by the link" in check_file(file, digest, WireSpeed(baud=115200)).notice
        assert file.tell() == 0
        assert check_file(file, digest, WireSpeed(baud=2_000_000, latency_s=0.0)).notice == ""
        assert check_file(file, digest).notice == ""
        assert check_file(file, "0" * 64, WireSpeed(baud=115200)).notice == ""


def test_another_file_and_no_g_code(path: Path) -> None:
    with open_gcode(path) as file:
        assert "SHA-256" in str(check_file(file, "0" * 64).problem)
    path.write_bytes(b"\0\1\2")
    with open_gcode(path) as file:
        problem = check_file(file, hashlib.sha256(b"\0\1\2").hexdigest()).problem
    assert isinstance(problem, GcodeError)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("", "fifo", "none"):
        with pytest.raises(PrintRefused):
            open_gcode(tmp_path / name)


def test_no_line_is_read_whole_when_it_never_ends(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * (FILE_LINE_BYTES_MAX * 3))
    with open_gcode(path) as file:
        assert max(map(len, lines_of(file))) == FILE_LINE_BYTES_MAX + 1


def test_a_closed_file_is_a_clear_error(path: Path) -> None:
    file = open_gcode(path)
    lines = lines_of(file)
    next(lines)
    file.close()
    with pytest.raises(GcodeError, match="cannot be read"):
        next(lines)


SECOND_NS = 1_000_000_000
AT_NS = 1_700_000_001_123_456_789


@pytest.mark.parametrize(
    "rounded_ns",
    [
        AT_NS - 89,
        AT_NS - 789,
        AT_NS - 456_789,
        AT_NS - 3_456_789,
        1_700_000_001 * SECOND_NS,
        1_700_000_002 * SECOND_NS,
        1_700_000_000 * SECOND_NS,
    ],
)
def test_a_file_server_may_round_the_time_once(path: Path, rounded_ns: int) -> None:
    os.utime(path, ns=(AT_NS, AT_NS))
    with open_gcode(path) as file:
        identity = identity_of(file, SHA256)
        os.utime(path, ns=(rounded_ns, rounded_ns))
        blocks = unchanged(file, identity)
        assert next(blocks) == CONTENT
        os.utime(path, ns=(AT_NS + 1, AT_NS + 1))
        with pytest.raises(GcodeError, match="changed in mid-print"):
            next(blocks)


@pytest.mark.parametrize(
    ("before_ns", "after_ns"),
    [
        (AT_NS, AT_NS + 1),
        (AT_NS, AT_NS + 4_000_000),
        (AT_NS, AT_NS + SECOND_NS),
        (AT_NS, 1_700_000_004 * SECOND_NS),
        (1_700_000_001 * SECOND_NS, 1_700_000_002 * SECOND_NS),
    ],
)
def test_a_file_written_meanwhile_is_another(path: Path, before_ns: int, after_ns: int) -> None:
    os.utime(path, ns=(before_ns, before_ns))
    with open_gcode(path) as file:
        blocks = unchanged(file, identity_of(file, SHA256))
        os.utime(path, ns=(after_ns, after_ns))
        with pytest.raises(GcodeError, match="changed in mid-print"):
            next(blocks)


def test_another_size_is_another_file_whatever_the_time(path: Path) -> None:
    with open_gcode(path) as file:
        identity = identity_of(file, SHA256)
        path.write_bytes(CONTENT + b"G1 X2\n")
        os.utime(path, ns=(identity.mtime_ns, identity.mtime_ns))
        with pytest.raises(GcodeError, match="changed in mid-print"):
            next(unchanged(file, identity))


def test_a_server_that_has_forgotten_the_file_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.gcode"
    path.write_bytes(b"G28\n")
    asked: list[int] = []

    def forgotten(fd: int) -> os.stat_result:
        asked.append(fd)
        raise OSError(116, "Stale file handle")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fstat", forgotten)
        with pytest.raises(PrintRefused, match="Stale file handle"):
            open_gcode(path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(asked[0])
