"""A real OctoPrint with its virtual printer."""

import asyncio
import uuid
from pathlib import Path

import pytest

from printer_driver.octoprint.octoprint_printer import OctoPrintPrinter
from printer_driver.printer import Printer
from tests.harness.octoprint_server import OctoPrintServer
from tests.harness.printer_acceptance import (
    SCENARIOS,
    Scenario,
)

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_acceptance(
    scenario: Scenario, octoprint: OctoPrintServer, gcode: Path, tmp_path: Path
) -> None:
    async def open_printer() -> Printer:
        return OctoPrintPrinter(octoprint.url, octoprint.key, tmp_path / "journal")

    asyncio.run(scenario(open_printer, gcode, str(str(uuid.uuid4()))))
