import json
import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from printer_driver.virtual.incidents import parse_incident
from printer_driver.virtual.pty_printer import VirtualPrinter
from printer_driver.virtual.virtual_options import parse_virtual
from tests.harness.patience import HANG_S


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[VirtualPrinter, str]]]:
    printers: list[VirtualPrinter] = []

    def start(port: str = "virtual", **settings: Any) -> tuple[VirtualPrinter, str]:
        printer = VirtualPrinter(options=parse_virtual(port), **settings)
        printers.append(printer)
        return printer, printer.start()

    yield start
    for printer in printers:
        printer.stop()


Start = Callable[..., tuple[VirtualPrinter, str]]


def connect(name: str, baud: int = 115200) -> serial.Serial:
    return serial.Serial(name, baud, timeout=0.02)


def read_until(port: serial.Serial, end: bytes) -> bytes:
    data, deadline_s = b"", time.monotonic() + HANG_S
    while not data.endswith(end) and time.monotonic() < deadline_s:
        data += port.read(1024)
    return data


def let_go(port: serial.Serial, *, hangs_up: bool) -> None:
    """Close it so that DTR falls, or not."""
    attributes = termios.tcgetattr(port.fileno())
    attributes[2] = attributes[2] | termios.HUPCL if hangs_up else attributes[2] & ~termios.HUPCL
    termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
    port.close()
    time.sleep(0.1)


def test_it_answers_on_a_real_port_and_records(start: Start, tmp_path: Path) -> None:
    record = tmp_path / "record"
    record.write_text("earlier\n")
    printer, name = start(speed_up=1000, record=record)
    with connect(name) as port:
        port.write(b"M105\n")
        assert b"ok T:21.00" in read_until(port, b"B@:0\n")
        port.write(b"G4 S5\n")
        assert read_until(port, b"ok\n").endswith(b"busy: processing\nok\n")
    assert record.read_text().startswith("earlier\n")
    assert record.read_text().endswith("G4 S5\n")
    assert not printer.condition.is_moving


def test_opening_the_port_resets_the_board_only_after_dtr_was_low(start: Start) -> None:
    _, name = start("virtual:resets_on_dtr", speed_up=50)
    port = connect(name)
    assert b"start\n" in read_until(port, b"(virtual)\n")
    let_go(port, hangs_up=False)
    with connect(name) as port:
        port.write(b"M105\n")
        assert b"start" not in read_until(port, b"B@:0\n")
        let_go(port, hangs_up=True)
    with connect(name) as port:
        assert read_until(port, b"(virtual)\n").startswith(b"start\n")


def test_speed_zero_is_dtr_low(start: Start) -> None:
    _, name = start("virtual:resets_on_dtr", speed_up=50)
    with connect(name) as port:
        read_until(port, b"(virtual)\n")
        attributes = termios.tcgetattr(port.fileno())
        attributes[4] = attributes[5] = termios.B0
        termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)
        time.sleep(0.1)
        port.baudrate = 250000
        assert read_until(port, b"(virtual)\n").startswith(b"start\n")


def test_at_the_wrong_speed_all_is_garbage(start: Start) -> None:
    _, name = start("virtual:baud=250000", speed_up=50)
    with connect(name, 115200) as port:
        port.write(b"M105\n\n")
        time.sleep(0.2)
        assert b"ok" not in port.read(1000)
        port.baudrate = 250000
        port.write(b"\nM105\n")
        assert b"ok T:21" in read_until(port, b"B@:0\n")


def test_unplugged_the_port_is_gone_and_comes_back_under_its_link(
    start: Start, tmp_path: Path
) -> None:
    link = tmp_path / "usb-printer"
    printer, name = start(f"virtual:link={link}", speed_up=50)
    assert name == str(link)
    with connect(name) as port:
        port.write(b"M104 S100\n")
        assert read_until(port, b"ok\n").endswith(b"ok\n")
        printer.cause(parse_incident("unplug 20"))
        with pytest.raises(OSError):  # noqa: PT011 - which one depends on the moment
            read_until_broken(port)
    assert not link.is_symlink()
    wait_until(link.is_symlink)
    with connect(name) as port:
        port.write(b"M105\n")
        assert b"/100.00" in read_until(port, b"B@:0\n")


def read_until_broken(port: serial.Serial) -> None:
    deadline_s = time.monotonic() + HANG_S
    while time.monotonic() < deadline_s:
        port.read(100)
        os.write(port.fileno(), b"\n")


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + HANG_S
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)


def test_the_line_is_as_slow_as_its_baud_rate(start: Start) -> None:
    _, name = start("virtual:baud=9600,latency_ms=4")
    with connect(name, 9600) as port:
        read_until(port, b"(virtual)\n") if port.in_waiting else None
        began_s = time.monotonic()
        port.write(b"M117 " + b"x" * 90 + b"\n")
        read_until(port, b"ok\n")
        assert time.monotonic() - began_s > 0.1


def test_a_person_uses_it_from_the_command_line(tmp_path: Path) -> None:
    record = tmp_path / "record"
    command = [sys.executable, "-m", "printer_driver.virtual", "virtual:prusa", "--speed-up", "9"]
    with subprocess.Popen(
        [*command, "--record", str(record)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        with connect(process.stdout.readline().strip()) as port:
            port.write(b"M115\n")
            assert b"Prusa-Firmware" in read_until(port, b"ok\n")
            process.stdin.write("say // action:pause\nexplode\nlook\n")
            process.stdin.flush()
            assert read_until(port, b"pause\n") == b"// action:pause\n"
            assert "none of: reset" in process.stdout.readline()
            assert json.loads(process.stdout.readline())["nozzle_c"] == 21.0
        process.stdin.write("stop\n")
        process.stdin.close()
        assert process.wait(HANG_S) == 0
    assert record.read_text() == "M115\n"


def test_wrong_options_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "printer_driver.virtual", "virtual:marlin9"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "marlin9" in done.stderr
    assert "reprapfirmware" in done.stderr
