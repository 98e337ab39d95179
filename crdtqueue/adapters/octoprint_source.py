"""The printer of this peer, when OctoPrint drives it. OctoPrint goes on when this peer ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from printer_driver.errors import PrinterUnavailable, PrintRefused
from printer_driver.octoprint.octoprint_printer import OctoPrintPrinter
from printer_driver.printer import Printer, PrinterStatus

RETRY_S = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class OctoPrintAddress:
    """The URL of an OctoPrint, and an application key for it."""

    url: str
    key: str = field(repr=False)


class OctoPrintSource:
    """Keeps asking an OctoPrint that may come and go."""

    def __init__(self, address: OctoPrintAddress, folder: Path) -> None:
        journal = folder / "octoprint.journal"
        self.printer: Printer = OctoPrintPrinter(address.url, address.key, journal)

    async def watch(self) -> AsyncIterator[PrinterStatus | str]:
        """The printer's status whenever it changes, or a sentence that says why there is none.

        Never ends.
        """
        while True:
            try:
                async for status in self.printer.watch():
                    yield status
            except PrinterUnavailable as error:
                yield str(error)
            await asyncio.sleep(RETRY_S)

    async def restart(self) -> None:
        """Raises PrintRefused: OctoPrint is not ours."""
        raise PrintRefused(
            "OctoPrint drives this printer. Restart OctoPrint itself, in its own menu.",
            code="octoprint",
        )
