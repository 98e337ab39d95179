"""What can be asked of any printer without moving or heating it; see `conftest.py`."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from printer_driver.client import SocketPrinter
from tests.harness.virtual_printers import (
    DriverRig,
    until,
    until_ready,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HARMLESS = re.compile(r"(?:N\d+ ?)?M(?:105|110|113|114|115|155)(?!\d)|\*|$")
"""Everything that these tests may send."""


@pytest.fixture
def driver(printer_port: str, tmp_path: Path) -> Iterator[DriverRig]:
    driver = DriverRig(tmp_path, printer_port, "--baud", "auto", "--serial-log", "all")
    driver.start()
    driver.run(until_ready)
    yield driver
    sent = [line for line in talk(driver) if " > " in line]
    driver.kill()
    for line in sent:
        for command in line.partition(" > ")[2].split("\\n"):
            assert HARMLESS.match(command.strip()), line


def talk(driver: DriverRig) -> list[str]:
    """What went over the wire so far."""

    async def written(printer: SocketPrinter) -> list[str]:
        path = (await printer.serial_log())[0]
        await until(printer, lambda _: path.exists() and path.stat().st_size > 0)
        await asyncio.sleep(0.1)
        return path.read_text("ascii").splitlines()

    return driver.run(written)


def test_speed_name_and_temperatures_are_found(driver: DriverRig) -> None:
    status = driver.run(lambda printer: until(printer, lambda x: x.firmware and x.temperatures))
    nozzle = next(x for x in status.temperatures if x.name == "T0")
    assert -15 < nozzle.actual_c < 60, "let the printer cool down first"
    assert nozzle.target_c == 0


def test_it_says_where_its_head_is(driver: DriverRig) -> None:
    def lines() -> list[str]:
        path = driver.folder / "journal.serial.log"
        return path.read_text("ascii").splitlines() if path.exists() else []

    async def ask_and_write(printer: SocketPrinter) -> None:
        await printer.send(["M114"])
        for _ in range(50):
            await printer.serial_log()
            if any("X:" in line for line in lines()):
                return
            await until(printer, lambda _: True)
        raise AssertionError(lines())

    driver.run(ask_and_write)


def test_a_driver_that_dies_does_not_reset_the_board(driver: DriverRig) -> None:
    before = len(talk(driver))
    driver.kill()
    driver.start()
    driver.run(until_ready)
    since = talk(driver)[before:]
    assert since
    assert not [line for line in since if re.search(r" < (?:.*\\n)?\s*start\b", line)]


def test_a_second_driver_is_told_who_has_the_port(
    driver: DriverRig, printer_port: str, tmp_path: Path
) -> None:
    second = DriverRig(tmp_path / "second", printer_port)
    second.folder.mkdir()
    second.start()
    assert second.process.wait(30) == 2
    assert "in use" in second.log
    assert f"process {driver.process.pid}" in second.log
