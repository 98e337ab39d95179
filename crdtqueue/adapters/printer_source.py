"""Where the printer of a peer is, and how a connection to it is kept."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol, TypeAlias

from crdtqueue.adapters.octoprint_source import OctoPrintAddress, OctoPrintSource
from crdtqueue.adapters.printer_process import (
    PrinterProcessKeeper,
    SerialPrinter,
)
from printer_driver.printer import Printer, PrinterStatus

Place: TypeAlias = SerialPrinter | OctoPrintAddress


class PrinterSource(Protocol):
    """A printer, and what keeps the connection to it."""

    printer: Printer

    def watch(self) -> AsyncIterator[PrinterStatus | str]:
        """Its status whenever it changes, or a sentence that says why there is none. Never ends."""

    async def restart(self) -> None:
        """Restarts the process that drives the printer, between two prints, while `watch` runs.

        Raises PrintRefused in mid-print, or if the process is not ours; PrinterUnavailable if it
        does not come back.
        """


def source_of(place: Place, folder: Path) -> PrinterSource:
    """What keeps the printer at `place` at hand; its files are in `folder`."""
    if isinstance(place, OctoPrintAddress):
        return OctoPrintSource(place, folder)
    return PrinterProcessKeeper(place, folder)
