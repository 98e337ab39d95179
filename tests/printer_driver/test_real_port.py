"""What can be asked of any printer without moving or heating it; see `conftest.py`."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from printer_driver.client import SocketPrinter
from tests.harness.patience import HANG_S, LOOK_S, looks
from tests.harness.virtual_printers import (
    DriverRig,
    until,
    until_ready,
)

pytestmark = pytest.mark.e2e

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


def log_lines(driver: DriverRig) -> list[str]:
    path = driver.folder / "journal.serial.log"
    return path.read_text("ascii").splitlines() if path.exists() else []


def talk(driver: DriverRig, after: int = 0) -> list[str]:
    """Asks where the head is; what went over the wire until then, after that many lines of log."""

    async def written(printer: SocketPrinter) -> list[str]:
        await printer.send(["M114"])
        for _ in looks(HANG_S):
            await printer.serial_log()  # writes what is not written yet, in a thread
            lines = log_lines(driver)[after:]
            # One answer may come in several pieces.
            if "X:" in "".join(line.partition(" < ")[2] for line in lines):
                return lines
            await asyncio.sleep(LOOK_S)
        raise AssertionError(log_lines(driver))

    return driver.run(written)


def test_speed_name_and_temperatures_are_found(driver: DriverRig) -> None:
    status = driver.run(lambda printer: until(printer, lambda x: x.firmware and x.temperatures))
    nozzle = next(x for x in status.temperatures if x.name == "T0")
    assert -15 < nozzle.actual_c < 60, "let the printer cool down first"
    assert nozzle.target_c == 0


def test_it_says_where_its_head_is(driver: DriverRig) -> None:
    assert talk(driver)


def test_a_driver_that_dies_does_not_reset_the_board(driver: DriverRig) -> None:
    talk(driver)
    driver.kill()
    before = len(log_lines(driver))
    driver.start()
    driver.run(until_ready)
    since = talk(driver, before)
    assert any(" # open " in line for line in since)
    assert not [line for line in since if re.search(r" < (?:.*\\n)?\s*start\b", line)]


def test_a_second_driver_is_told_who_has_the_port(
    driver: DriverRig, printer_port: str, tmp_path: Path
) -> None:
    second = DriverRig(tmp_path / "second", printer_port)
    second.folder.mkdir()
    second.start()
    assert second.process.wait(HANG_S) == 2
    assert "in use" in second.log
    assert f"process {driver.process.pid}" in second.log
