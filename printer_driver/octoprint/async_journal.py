"""The journal for asyncio code: one write at a time, each in a thread."""

import asyncio
import logging
import threading
import time
from pathlib import Path

from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import PrintReport
from printer_driver.prints.journal import Journal

_log = logging.getLogger(__name__)


class AsyncJournal:
    """The prints of one OctoPrint, by id. Nothing is read before `load`.

    A write whose caller was cancelled still ends before the next one begins.
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._writing = threading.Lock()

    async def load(self) -> list[PrintReport]:
        """Reads the journal; returns the prints that are not over. Raises `PrinterUnavailable`."""
        try:
            return await asyncio.to_thread(self._load)
        except OSError as error:
            raise PrinterUnavailable(
                f"The print journal cannot be read or written ({error}); "
                "make room on the disk, and check who may write there."
            ) from error

    def report(self, print_id: str) -> PrintReport | None:
        """The recorded report of a print; of one that is not over, as it was at its start."""
        return self._journal.report(print_id)

    def over(self) -> list[str]:
        """The prints that are over, the oldest first; none unless that is on disk."""
        if not self._journal.is_flushed:
            return []
        return [x.print_id for x in self._journal.reports() if x.state.is_final]

    async def begin(self, report: PrintReport, *, path: str, sha256: str) -> None:
        """Records the start of a print; returns once that is on disk. Raises `PrintRefused`."""
        await asyncio.to_thread(self._begin, report, path, sha256)

    async def end(self, report: PrintReport) -> bool:
        """Records how a print has ended; returns whether that is on disk. If not, `flush` tries
        again."""
        if self.report(report.print_id) is not None:
            self._journal.end(report)
        return await self.flush()

    async def withdraw(self, print_id: str) -> None:
        """This print was not begun after all, and may be begun later."""
        if self.report(print_id) is not None:
            self._journal.withdraw(print_id)
            await self.flush()

    async def flush(self) -> bool:
        """Writes what could not be written before; whether all is on disk."""
        if self._journal.is_flushed:
            return True
        try:
            await asyncio.to_thread(self._flush)
        except OSError as error:
            _log.error("the print journal cannot be written (%s); make room on the disk", error)
        return self._journal.is_flushed

    def _load(self) -> list[PrintReport]:
        with self._writing:
            return self._journal.load_open()

    def _begin(self, report: PrintReport, path: str, sha256: str) -> None:
        with self._writing:
            self._journal.begin(report, path=path, sha256=sha256, started_unix_s=time.time())

    def _flush(self) -> None:
        with self._writing:
            self._journal.flush()
