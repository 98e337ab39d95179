import errno
import os
import tty
from collections.abc import Iterator

import pytest

from printer_driver.errors import PortError
from printer_driver.wire import UNSENT_BYTES_MAX, Wire, explain


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for fd in (master, slave):
        try:
            os.close(fd)
        except OSError:
            continue  # the test has closed it


def test_bytes_go_both_ways_without_waiting(terminal: tuple[int, str]) -> None:
    master, name = terminal
    wire = Wire(name, 115200)
    wire.open()
    assert wire.read() == b""
    wire.write(b"M105\n")
    assert os.read(master, 100) == b"M105\n"
    os.write(master, b"ok\n")
    assert wire.read() == b"ok\n"
    wire.close()
    assert not wire.is_open


def test_a_port_that_takes_nothing_is_lost(terminal: tuple[int, str]) -> None:
    wire = Wire(terminal[1], 115200)
    wire.open()
    for _ in range(100):
        wire.write(b"x" * 1000)
        if wire.has_unsent:
            break
    with pytest.raises(PortError, match="takes no more"):
        wire.write(b"x" * UNSENT_BYTES_MAX)
    wire.close()


def test_a_port_in_use(terminal: tuple[int, str]) -> None:
    wire, other = Wire(terminal[1], 115200), Wire(terminal[1], 115200)
    wire.open()
    with pytest.raises(PortError, match="in use"):
        other.open()
    wire.close()


def test_pulling_the_cable(terminal: tuple[int, str]) -> None:
    wire = Wire(terminal[1], 115200)
    wire.open()
    os.close(terminal[0])
    with pytest.raises(PortError, match="gone"):
        wire.read()
    with pytest.raises(PortError, match="gone"):
        wire.write(b"x")
    wire.close()
    with pytest.raises(PortError, match="not open"):
        wire.write(b"x")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOENT, "x"), "There is no port /dev/ttyX"),
        (OSError(errno.EACCES, "x"), "dialout"),
        (OSError(errno.EBUSY, "x"), "in use"),
        (OSError(errno.ENOTTY, "x"), "serial port"),
        (ValueError("baud"), "baud"),
    ],
)
def test_every_failure_says_what_to_do(error: OSError | ValueError, advice: str) -> None:
    assert advice in explain("/dev/ttyX", error)


def test_what_is_no_serial_port() -> None:
    for name in ("/dev/null", "/dev/ttyNOWHERE9", "/"):
        with pytest.raises(PortError):
            Wire(name, 115200).open()
