"""`Printer` through OctoPrint 1.11 or newer, over its REST API."""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from printer_driver.core import octoprint_print as prints
from printer_driver.core.octoprint_print import OctoPrintPrint
from printer_driver.core.octoprint_status import Job, JobPhase
from printer_driver.errors import (
    NotPrinting,
    PrinterError,
    PrinterUnavailable,
    PrintRefused,
)
from printer_driver.octoprint.files import Content, copy_path, open_content, provide, tidy
from printer_driver.octoprint.record import Record
from printer_driver.octoprint.rest import ANSWER_TIMEOUT_S, AnswerLost, OctoPrintApi
from printer_driver.printer import Connection, PrinterStatus, PrintId, PrintReport, PrintState

POLL_S = 1.0
PAUSING_POLL_S = 0.2
PAUSING_TIMEOUT_S = 15.0
"""The printer finishes the moves that it has first."""


class OctoPrintPrinter:
    """Implements `printer_driver.printer.Printer`; connects at the first call, again as needed.

    `url` is OctoPrint's address as in a browser, `key` an application key or the API key of a
    user who may upload and print, and `journal` the file in which prints are recorded durably.
    The print goes on without us; what became of it is read from OctoPrint at the next call.
    """

    def __init__(
        self,
        url: str,
        key: str,
        journal: Path,
        *,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._api = OctoPrintApi(url, key, answer_timeout_s=answer_timeout_s)
        self._record = Record(journal)
        self._is_loaded = False
        self._print: OctoPrintPrint | None = None
        self._last: PrintReport | None = None
        self._starting = asyncio.Lock()
        self._looking = asyncio.Lock()

    async def status(self) -> PrinterStatus:
        """The printer now."""
        job = await self._look()
        is_connected = job.phase not in (JobPhase.OFFLINE, JobPhase.CONNECTING)
        return PrinterStatus(
            connection=_CONNECTIONS.get(job.phase, Connection.READY),
            problem=self._problem(job),
            print=self._shown_print(job),
            temperatures=await self._api.temperatures() if is_connected else (),
        )

    async def watch(self) -> AsyncIterator[PrinterStatus]:
        """The status every POLL_S; ends with `PrinterUnavailable` when OctoPrint is gone."""
        while True:
            yield await self.status()
            await asyncio.sleep(POLL_S)

    async def start(self, print_id: PrintId, path: Path, sha256: str) -> PrintReport:
        """Print the file once; see `Printer.start`."""
        async with self._starting:
            job = await self._look()
            known = self._record.report(print_id) or await self._adopted(print_id, job)
            if known is not None:
                return self._current(known)
            content = await asyncio.to_thread(open_content, path, sha256)
            with content.file:
                self._check_free(job)
                await self._provide(content, print_id)
                self._check_free(await self._look())
                return await self._begin(print_id, path, content, sha256)

    async def pause(self, print_id: PrintId) -> None:
        """Have OctoPrint pause; its own pause script runs."""
        await self._command(print_id, "pause", action="pause")

    async def resume(self, print_id: PrintId) -> None:
        """Go on after a pause, whoever paused."""
        await self._until_paused()
        await self._command(print_id, "pause", action="resume")

    async def cancel(self, print_id: PrintId) -> None:
        """Give the print up. OctoPrint's own cancel script switches the heaters off."""
        await self._command(print_id, "cancel")

    async def report(self, print_id: PrintId) -> PrintReport | None:
        """This print's report; None for an id that neither the journal nor OctoPrint knows."""
        await self._load()
        known = self._record.report(print_id)
        if known is not None and known.state.is_final:
            return known
        job = await self._look()
        known = self._record.report(print_id) or await self._adopted(print_id, job)
        return None if known is None else self._current(known)

    async def quit(self, *, force: bool = False) -> None:
        """Does nothing: OctoPrint is not ours to stop."""

    async def close(self) -> None:
        """Close the connections; OctoPrint goes on."""
        await self._api.close()

    # Beginning a print

    async def _provide(self, content: Content, print_id: PrintId) -> None:
        await tidy(self._api, self._record.over(), keep=content.upload_path)
        await provide(self._api, content, copy_path(print_id))

    async def _begin(
        self, print_id: PrintId, path: Path, content: Content, sha256: str
    ) -> PrintReport:
        """Journal, then begin; only a clear refusal takes the print out of the journal again."""
        report = PrintReport(
            print_id=print_id, state=PrintState.STARTING, bytes_total=content.gcode_bytes
        )
        self._print = ours = OctoPrintPrint(report, copy_path(print_id))
        try:
            await self._record.begin(report, path=str(path), sha256=sha256)
            await self._api.print_file(ours.path)
        except AnswerLost:
            raise
        except PrinterError:
            await self._withdraw(ours)
            raise
        finally:
            ours.receive(prints.Asked(), time.monotonic())
        return await self._begun(ours)

    async def _begun(self, ours: OctoPrintPrint) -> PrintReport:
        """OctoPrint says yes also when it ignores the request for another print's sake."""
        with contextlib.suppress(PrinterUnavailable):
            job = await self._look()
            if ours.phase is prints.Phase.ENDING and job.phase.is_at_work:
                file = await self._api.file(ours.path)
                if file and not file.is_printed and await self._api.delete(ours.path):
                    await self._withdraw(ours)
                    self._check_free(job)
        return ours.report

    async def _withdraw(self, ours: OctoPrintPrint) -> None:
        self._print = None
        await self._record.withdraw(ours.report.print_id)
        with contextlib.suppress(PrinterError):
            await self._api.delete(ours.path)

    async def _adopted(self, print_id: PrintId, job: Job) -> PrintReport | None:
        """A print of ours that the journal has lost, and OctoPrint has not."""
        path = copy_path(print_id)
        file = await self._api.file(path)
        is_known = job.is_at(path) or (file is not None and file.is_printed)
        if not is_known or self._print is not None or self._record.report(print_id) is not None:
            return None
        size_bytes = file.size_bytes if file else job.size_bytes
        report = PrintReport(print_id=print_id, state=PrintState.STARTING, bytes_total=size_bytes)
        self._print = ours = OctoPrintPrint(report, path)
        try:
            await self._record.begin(report, path="", sha256="")
        except PrinterError:
            self._print = None
            raise
        finally:
            ours.receive(prints.Asked(), time.monotonic())
        await self._look()
        return self._record.report(print_id)

    def _check_free(self, job: Job) -> None:
        if problem := self._problem(job):
            raise PrinterUnavailable(problem)
        if self._print is not None:
            raise PrintRefused(
                "The last print is not over yet; wait until OctoPrint says how it ended.",
                code="busy",
            )
        if job.phase.is_at_work:
            what = f"printing {job.path}" if job.path else f"busy ({job.text})"
            raise PrintRefused(f"OctoPrint is {what}; wait until it is done.", code="busy")

    # Following it

    async def _load(self) -> None:
        async with self._looking:
            if self._is_loaded:
                return
            for report in await self._record.load():
                if self._print is not None:  # the last one only can still be at it
                    lost = replace(self._print.report, state=PrintState.FAILED, reason=prints.LOST)
                    await self._record.end(lost)
                self._print = OctoPrintPrint(report, copy_path(report.print_id))
                self._print.receive(prints.Asked(), time.monotonic())
            self._is_loaded = True

    async def _look(self) -> Job:
        await self._load()
        async with self._looking:
            job = await self._api.job()
            if self._print is not None:
                self._print.receive(prints.JobSeen(job=job), time.monotonic())
                await self._carry_out(self._print)
            await self._record.flush()
            return job

    async def _carry_out(self, ours: OctoPrintPrint) -> None:
        while effects := ours.effects():
            for effect in effects:
                match effect:
                    case prints.ReadOutcome():
                        file, error = await self._api.file(ours.path), await self._api.last_error()
                        event: prints.Event = prints.OutcomeSeen(file=file, error=error)
                        ours.receive(event, time.monotonic())
                    case prints.DeleteCopy():
                        is_gone = await self._api.delete(ours.path)
                        event = prints.CopyGone() if is_gone else prints.CopyInUse()
                        ours.receive(event, time.monotonic())
                    case prints.Over(report=report):
                        await self._end(ours, report)

    async def _end(self, ours: OctoPrintPrint, report: PrintReport) -> None:
        """The copy holds the result, so it stays until that is in the journal."""
        self._last, self._print = report, None
        if await self._record.end(report):
            with contextlib.suppress(PrinterError):  # `tidy` comes back to it
                await self._api.delete(ours.path)

    async def _command(self, print_id: PrintId, command: str, **fields: str) -> None:
        job = await self._look()
        ours = self._print
        is_ours = ours is not None and ours.report.print_id == print_id and job.is_at(ours.path)
        if not is_ours or not await self._api.command(command, **fields):
            raise NotPrinting(f"OctoPrint is not printing {print_id}; ask for its report.")

    async def _until_paused(self) -> None:
        """OctoPrint ignores a resume while it is still pausing."""
        deadline_s = time.monotonic() + PAUSING_TIMEOUT_S
        while (await self._look()).phase is JobPhase.PAUSING:
            if time.monotonic() > deadline_s:
                raise PrinterUnavailable("OctoPrint is still pausing; try again in a while.")
            await asyncio.sleep(PAUSING_POLL_S)

    # Showing it

    def _current(self, known: PrintReport) -> PrintReport:
        ours = self._print.report if self._print else None
        return ours if ours and ours.print_id == known.print_id else known

    def _shown_print(self, job: Job) -> PrintReport | None:
        if self._print is not None:
            return self._print.report
        if job.phase.is_at_work:
            return _by_hand(job)
        return self._last

    def _problem(self, job: Job) -> str:
        where = self._api.shown_url
        if job.phase is JobPhase.OFFLINE:
            error = f": {job.error}" if job.error else ""
            return f"OctoPrint has no printer ({job.text}{error}). Connect it at {where}."
        if job.phase is JobPhase.CONNECTING:
            return f"OctoPrint is connecting the printer ({job.text})."
        return ""


_CONNECTIONS = {
    JobPhase.OFFLINE: Connection.OFFLINE,
    JobPhase.CONNECTING: Connection.CONNECTING,
}


def _by_hand(job: Job) -> PrintReport:
    """What a person prints on OctoPrint's own page, under an id that is none of the caller's."""
    name = hashlib.sha256((job.path or job.text).encode("utf-8", "replace")).hexdigest()[:16]
    report = PrintReport(print_id=PrintId(f"by-hand-{name}"), state=PrintState.PRINTING)
    return prints.seen_in(report, job)
