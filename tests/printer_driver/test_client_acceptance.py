"""The printer process behind its socket, on the virtual printer."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from printer_driver.client import SocketPrinter
from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import Connection, Printer
from tests.harness.patience import HANG_S
from tests.harness.printer_acceptance import (
    SCENARIOS,
    Scenario,
)

pytestmark = pytest.mark.e2e

GCODE = Path(__file__).parents[1] / "data" / "gcode" / "pin_mk3s.gcode"


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    command = [sys.executable, "-m", "printer_driver", "--port", "virtual", "--speed-up", "300"]
    command += ["--socket", str(tmp_path / "socket"), "--journal", str(tmp_path / "journal")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield tmp_path / "socket"
    process.kill()
    process.wait()


async def ready(socket: Path) -> Printer:
    printer = SocketPrinter(socket)
    async with asyncio.timeout(HANG_S):
        while True:
            try:
                if (await printer.status()).connection is Connection.READY:
                    return printer
            except PrinterUnavailable:
                pass
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_acceptance(scenario: Scenario, socket: Path) -> None:
    asyncio.run(scenario(lambda: ready(socket), GCODE, "p1"))
