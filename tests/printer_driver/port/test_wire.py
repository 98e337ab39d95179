import os
import termios
import tty
from collections.abc import Iterator

import pytest
import serial

from printer_driver.errors import PortError
from printer_driver.port.wire import (
    UNSENT_BYTES_MAX,
    Wire,
)


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


def test_an_adapter_is_told_to_pass_on_at_once(
    terminal: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pseudo-terminal refuses that, and is a port nevertheless; see the test above."""
    told: list[bool] = []
    monkeypatch.setattr(serial.Serial, "set_low_latency_mode", lambda _, on: told.append(on))
    Wire(terminal[1], 115200).open()
    assert told == [True]


def test_a_port_that_takes_nothing_is_lost(terminal: tuple[int, str]) -> None:
    wire = Wire(terminal[1], 115200)
    wire.open()
    for _ in range(100):
        wire.write(b"x" * 1000)
        if wire.has_unsent:
            break
    # The terminal may take some bytes more in the meantime, so the limit alone is not enough.
    with pytest.raises(PortError, match="takes no more"):
        wire.write(b"x" * (4 * UNSENT_BYTES_MAX))
    wire.close()


def test_a_port_in_use(terminal: tuple[int, str]) -> None:
    wire, other = Wire(terminal[1], 115200), Wire(terminal[1], 115200)
    wire.open()
    with pytest.raises(PortError, match="in use"):
        other.open()
    wire.close()
    other.open()
    other.close()
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


def test_the_end_of_the_process_does_not_reset_the_board(terminal: tuple[int, str]) -> None:
    wire = Wire(terminal[1], 115200)
    wire.open()
    assert not termios.tcgetattr(wire.fileno())[2] & termios.HUPCL
    wire.set_baud(250000)
    assert not termios.tcgetattr(wire.fileno())[2] & termios.HUPCL
    assert wire.baud == 250000
    assert wire.read() == b""
    wire.close()


def test_dtr_of_a_port_without_such_a_line_is_a_hangup(terminal: tuple[int, str]) -> None:
    wire = Wire(terminal[1], 115200)
    wire.open()
    wire.set_dtr(is_high=False)
    assert termios.tcgetattr(wire.fileno())[5] == termios.B0
    wire.set_dtr(is_high=True)
    assert termios.tcgetattr(wire.fileno())[5] == termios.B115200
    wire.write(b"M105\n")
    assert os.read(terminal[0], 100) == b"M105\n"
    wire.close()


def fill(wire: Wire) -> None:
    for _ in range(200):
        wire.write(b"G1 X1\n" * 200)
        if wire.has_unsent:
            return
    pytest.fail("a pseudo-terminal takes no end of bytes")


def test_what_is_urgent_goes_in_front_of_all_that_waits(terminal: tuple[int, str]) -> None:
    master, name = terminal
    wire = Wire(name, 115200)
    wire.open()
    fill(wire)
    wire.write_urgently(b"\nM112\n")
    received = b""
    while b"M112" not in received:
        received += os.read(master, 65536)
    assert len(received) <= 4096 + len(b"\nM112\n")
    wire.close()
    with pytest.raises(PortError):
        wire.write_urgently(b"x")


def test_what_is_no_serial_port() -> None:
    for name in ("/dev/null", "/dev/ttyNOWHERE9", "/"):
        with pytest.raises(PortError):
            Wire(name, 115200).open()
