"""`Printer` through OctoPrint 1.11 or newer, over its REST and push API."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from printer_driver.core.octoprint import octoprint_print as prints
from printer_driver.core.octoprint.octoprint_print import OctoPrintPrint
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintJob,
)
from printer_driver.errors import (
    NotPrinting,
    PrinterError,
    PrinterUnavailable,
    PrintRefused,
)
from printer_driver.octoprint.async_journal import AsyncJournal
from printer_driver.octoprint.display import (
    by_hand,
    connection_of,
    problem_of,
)
from printer_driver.octoprint.print_copies import (
    Content,
    copy_path,
    find_copy,
    is_copy_of,
    open_content,
    provide,
    tidy,
)
from printer_driver.octoprint.print_follower import PrintFollower
from printer_driver.octoprint.rest_api import (
    ANSWER_TIMEOUT_S,
    AnswerLost,
    OctoPrintApi,
)
from printer_driver.printer import (
    PrinterStatus,
    PrintReport,
    PrintState,
    Temperature,
    always,
    check_in_time,
)

POLL_S = 1.0
"""While OctoPrint pushes nothing, and while a print begins or ends."""
PAUSING_POLL_S = 0.2
PAUSING_TIMEOUT_S = 15.0
"""The printer finishes the moves that it has first."""


class OctoPrintPrinter:
    """Implements `printer_driver.printer.Printer`. It connects at the first call, and again as
    needed.

    `url` is OctoPrint's address as in a browser. `key` is an application key, or the API key of a
    user who may upload and print. `journal` is the file in which prints are recorded durably. The
    print goes on without this process; its result is read from OctoPrint at the next call.

    OctoPrint's push messages make it faster and tell why a print ended. Without them everything is
    polled.
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
        self._record = AsyncJournal(journal)
        self._follower = PrintFollower(self._api, self._record, poll_s=POLL_S)
        self._starting = asyncio.Lock()

    async def status(self) -> PrinterStatus:
        """The printer now."""
        temperatures = await self._temperatures(await self._follower.look())
        return self._status(temperatures)

    async def watch(self) -> AsyncIterator[PrinterStatus]:
        """The status when it changes; ends with `PrinterUnavailable` when OctoPrint is gone.

        It comes as it is pushed, and every POLL_S where nothing is pushed.
        """
        while True:
            temperatures = await self._temperatures(await self._follower.look())
            yield self._status(temperatures)
            while not await self._follower.is_look_due():
                yield self._status(self._follower.poll_schedule.temperatures or temperatures)

    async def start(
        self,
        print_id: str,
        path: Path,
        sha256: str,
        *,
        name: str = "",
        may_begin: Callable[[], bool] = always,
    ) -> PrintReport:
        """Print the file once; see `Printer.start`.

        OctoPrint shows `name`, the part's; if it is empty, the file's own unless that is its hash.
        """
        copy = copy_path(print_id, name or ("" if path.stem == sha256.lower() else path.name))
        async with self._starting:
            job = await self._follower.look()
            known = self._record.report(print_id) or await self._adopted(print_id, job)
            if known is not None:
                return self._current(known)
            content = await asyncio.to_thread(open_content, path, sha256)
            with content.file:
                self._check_free(job)
                await tidy(
                    self._api,
                    [*self._record.over(), print_id],
                    keep=(content.upload_path, copy),
                )
                await provide(self._api, content, copy)
                self._check_free(await self._follower.look())
                check_in_time(may_begin)
                return await self._begin(print_id, path, content, sha256, copy)

    async def pause(self, print_id: str) -> None:
        """Have OctoPrint pause; its own pause script runs."""
        await self._command(print_id, "pause", action="pause")

    async def resume(self, print_id: str) -> None:
        """Continues after a pause, whoever has paused."""
        await self._until_paused()
        await self._command(print_id, "pause", action="resume")

    async def cancel(self, print_id: str) -> None:
        """Cancels the print. OctoPrint's own cancel script switches the heaters off."""
        await self._command(print_id, "cancel")

    async def report(self, print_id: str) -> PrintReport | None:
        """This print's report; None for an id that neither the journal nor OctoPrint knows."""
        await self._follower.load()
        known = self._record.report(print_id)
        if known is not None and known.state.is_final:
            return known
        job = await self._follower.look()
        known = self._record.report(print_id) or await self._adopted(print_id, job)
        return None if known is None else self._current(known)

    async def quit(self, *, force: bool = False) -> None:
        """Does nothing: OctoPrint goes on."""

    async def close(self) -> None:
        """Close the connections; OctoPrint goes on."""
        await self._follower.close()
        await self._api.close()

    # Beginning a print

    async def _begin(
        self, print_id: str, path: Path, content: Content, sha256: str, copy: str
    ) -> PrintReport:
        """Journals the print, then begins it. Only a clear refusal removes it from the journal
        again."""
        report = PrintReport(
            print_id=print_id, state=PrintState.STARTING, bytes_total=content.gcode_bytes
        )
        ours = self._follower.follow(report, copy)
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
        """Whether the print has begun: OctoPrint also says yes when it ignores the request."""
        with contextlib.suppress(PrinterUnavailable):
            job = await self._follower.look()
            if ours.phase is prints.OctoPrintPhase.ENDING and job.phase.is_at_work:
                file = await self._api.file(ours.path)
                if file and not file.is_printed and await self._api.delete(ours.path):
                    await self._withdraw(ours)
                    self._check_free(job)
        return ours.report

    async def _withdraw(self, ours: OctoPrintPrint) -> None:
        self._follower.let_go()
        await self._record.withdraw(ours.report.print_id)
        with contextlib.suppress(PrinterError):
            await self._api.delete(ours.path)

    async def _adopted(self, print_id: str, job: OctoPrintJob) -> PrintReport | None:
        """A print of ours that is missing in the journal and exists in OctoPrint."""
        file = await find_copy(self._api, print_id)
        is_at_it = is_copy_of(job.path, print_id) and job.phase.is_at_work
        is_known = is_at_it or (file is not None and file.is_printed)
        if (
            not is_known
            or self._follower.ours is not None
            or self._record.report(print_id) is not None
        ):
            return None
        path = job.path if is_at_it or file is None else file.path
        size_bytes = file.size_bytes if file else job.size_bytes
        report = PrintReport(print_id=print_id, state=PrintState.STARTING, bytes_total=size_bytes)
        ours = self._follower.follow(report, path or "")
        try:
            await self._record.begin(report, path="", sha256="")
        except PrinterError:
            self._follower.let_go()
            raise
        finally:
            ours.receive(prints.Asked(), time.monotonic())
        await self._follower.look()
        return self._record.report(print_id)

    def _check_free(self, job: OctoPrintJob) -> None:
        if problem := self._problem(job):
            raise PrinterUnavailable(problem)
        if self._follower.ours is not None:
            raise PrintRefused(
                "The last print is not over yet; wait until OctoPrint says how it ended.",
                code="busy",
            )
        if job.phase.is_at_work:
            what = f"printing {job.path}" if job.path else f"busy ({job.text})"
            raise PrintRefused(f"OctoPrint is {what}; wait until it is done.", code="busy")

    # Commanding it

    async def _command(self, print_id: str, command: str, **fields: str) -> None:
        job = await self._follower.look()
        ours = self._follower.ours
        is_ours = ours is not None and ours.report.print_id == print_id and job.is_at(ours.path)
        if not is_ours or not await self._api.command(command, **fields):
            raise NotPrinting(f"OctoPrint is not printing {print_id}; ask for its report.")

    async def _until_paused(self) -> None:
        """Waits until the pause is complete: OctoPrint ignores a resume before."""
        deadline_s = time.monotonic() + PAUSING_TIMEOUT_S
        while (await self._follower.look()).phase is JobPhase.PAUSING:
            if time.monotonic() > deadline_s:
                raise PrinterUnavailable("OctoPrint is still pausing; try again in a while.")
            await asyncio.sleep(PAUSING_POLL_S)

    # Showing it

    def _status(self, temperatures: tuple[Temperature, ...]) -> PrinterStatus:
        """The status by the last look, whoever has looked: that look may have ended the print."""
        return PrinterStatus(
            connection=connection_of(self._follower.job),
            problem=self._problem(self._follower.job),
            print=self._shown_print(self._follower.job),
            temperatures=temperatures,
        )

    async def _temperatures(self, job: OctoPrintJob) -> tuple[Temperature, ...]:
        if job.phase in (JobPhase.OFFLINE, JobPhase.CONNECTING):
            return ()
        return self._follower.poll_schedule.temperatures or await self._api.temperatures()

    def _current(self, known: PrintReport) -> PrintReport:
        ours = self._follower.ours.report if self._follower.ours else None
        return ours if ours and ours.print_id == known.print_id else known

    def _shown_print(self, job: OctoPrintJob) -> PrintReport | None:
        if self._follower.ours is not None:
            return self._follower.ours.report
        if job.phase.is_at_work:
            return by_hand(job)
        return self._follower.last

    def _problem(self, job: OctoPrintJob) -> str:
        return problem_of(job, self._api.shown_url)
