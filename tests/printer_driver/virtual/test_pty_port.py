import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from printer_driver.virtual.pty_port import (
    UNREAD_BYTES_MAX,
    Dtr,
    VirtualPort,
)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[VirtualPort]:
    port = VirtualPort(baud=None, link=tmp_path / "link")
    port.plug()
    yield port
    port.unplug()


def test_dtr_rises_with_the_first_host_and_falls_with_a_hangup(port: VirtualPort) -> None:
    assert not port.look()
    host = os.open(port.name, os.O_RDWR | os.O_NOCTTY)
    assert port.look()
    assert not port.look()
    assert termios.tcgetattr(host)[2] & termios.HUPCL
    os.close(host)
    assert not port.look()
    assert port.dtr is Dtr.LOW


def test_a_host_that_keeps_dtr_up_goes_unnoticed(port: VirtualPort) -> None:
    with serial.Serial(port.name) as host:
        port.look()
        attributes = termios.tcgetattr(host.fileno())
        attributes[2] &= ~termios.HUPCL
        termios.tcsetattr(host.fileno(), termios.TCSANOW, attributes)
    assert not port.look()
    assert port.dtr is Dtr.HIGH
    with serial.Serial(port.name):
        assert not port.look()


def test_nobody_hears_what_is_said_while_no_host_is_there(port: VirtualPort) -> None:
    port.look()
    port.write(b"start\n")
    with serial.Serial(port.name, timeout=0.05) as host:
        port.look()
        port.write(b"ok\n")
        assert host.read(100) == b"ok\n"


def test_a_host_that_does_not_read_loses_the_rest(port: VirtualPort) -> None:
    with serial.Serial(port.name):
        port.look()
        for _ in range(100):
            port.write(b"x" * 4096)
        assert port.has_unread
        assert len(port._unread) <= UNREAD_BYTES_MAX


def test_there_is_nothing_to_read_in_silence_or_after_the_host_has_gone(port: VirtualPort) -> None:
    with serial.Serial(port.name) as host:
        port.look()
        assert port.read() == b""
        host.write(b"M105\n")
        assert port.read() == b"M105\n"
    assert port.read() == b""


def test_the_link_leads_to_it_only_while_it_is_plugged_in(port: VirtualPort) -> None:
    link = Path(port.name)
    assert link.is_symlink()
    port.unplug()
    assert not link.is_symlink()
    assert (port.is_plugged, port.read(), port.look()) == (False, b"", False)
    port.plug()
    assert link.is_symlink()
