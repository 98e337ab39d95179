"""Follows OctoPrint's state, by questions and push messages, for the one print of this peer."""

import asyncio
import contextlib
import time
from dataclasses import replace

from printer_driver.core.octoprint import octoprint_print as prints
from printer_driver.core.octoprint.octoprint_print import OctoPrintPrint
from printer_driver.core.octoprint.poll_schedule import (
    LOOK_GAP_S,
    PollSchedule,
)
from printer_driver.core.octoprint.push_messages import (
    LogPushed,
    PrinterReset,
    PrintEvent,
    Pushed,
    PushState,
    StatePushed,
)
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintJob,
)
from printer_driver.errors import PrinterError
from printer_driver.octoprint.async_journal import AsyncJournal
from printer_driver.octoprint.print_copies import (
    copy_path,
    find_copy,
    is_copy_of,
)
from printer_driver.octoprint.push_socket import PushSocket
from printer_driver.octoprint.rest_api import OctoPrintApi
from printer_driver.printer import PrintReport, PrintState

SHOW_S = 2.0
"""Between two states that are shown, at most."""
_NOT_ASKED = OctoPrintJob(phase=JobPhase.CONNECTING, text="not asked yet")


class PrintFollower:
    """Runs the state machines of the core: passes on what is seen, and carries out what they
    decide.

    `ours` is the print that is not over yet, `last` the report of the one before, and `job`
    OctoPrint's job at the last question. Push messages are ignored until OctoPrint was asked once.
    """

    def __init__(self, api: OctoPrintApi, record: AsyncJournal, *, poll_s: float) -> None:
        self.ours: OctoPrintPrint | None = None
        self.last: PrintReport | None = None
        self.job = _NOT_ASKED
        self.poll_schedule = PollSchedule(poll_s=poll_s)
        self._api = api
        self._record = record
        self._is_loaded = False
        self._unplaced: PrintReport | None = None
        self._looking = asyncio.Lock()
        self._push = PushSocket(api, hear=self._heard, turn=self._turned)
        self._pushing: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    async def close(self) -> None:
        """Ends the push socket; the next look opens it again."""
        pushing, self._pushing = self._pushing, None
        if pushing is not None:
            pushing.cancel()
            await asyncio.wait([pushing])
            self._turned(PushState.DOWN)

    def let_go(self) -> None:
        """The print has not begun after all, and is not followed any more."""
        self.ours = None

    def follow(self, report: PrintReport, path: str) -> OctoPrintPrint:
        """Follows this print from now on; `path` is its copy."""
        self.ours = OctoPrintPrint(report, path)
        self.ours.receive(prints.PushTurned(push=self.poll_schedule.push), time.monotonic())
        return self.ours

    async def load(self) -> None:
        """Reads the journal, once. Raises `PrinterUnavailable`."""
        async with self._looking:
            if self._is_loaded:
                return
            for report in await self._record.load():
                if self._unplaced is not None:  # the last one only can still be at it
                    lost = replace(self._unplaced, state=PrintState.FAILED, reason=prints.LOST)
                    await self._record.end(lost)
                self._unplaced = report
            self._is_loaded = True
            self.poll_schedule.turned(PushState.OPENING, time.monotonic())

    async def look(self) -> OctoPrintJob:
        """Asks OctoPrint for its state, and carries out what follows for the print. Raises
        PrinterUnavailable."""
        await self.load()
        async with self._looking:
            asked_s = time.monotonic()
            self.job = job = await self._api.job()
            if self._unplaced is not None:
                await self._place(self._unplaced, job)
            if self.ours is not None:
                self.ours.receive(prints.JobSeen(job=job), time.monotonic())
                await self._carry_out(self.ours)
            await self._record.flush()
            self.poll_schedule.looked(job, asked_s)
            if self._pushing is None:
                self._pushing = asyncio.create_task(self._push.run())
            return job

    async def is_look_due(self) -> bool:
        """Waits until something can be shown; returns whether OctoPrint must be asked for it."""
        shown_s = time.monotonic()
        is_settling = self.ours is not None and self.ours.phase is not prints.OctoPrintPhase.RUNNING
        due_s = self.poll_schedule.next_look_s(is_settling=is_settling)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(due_s, shown_s + SHOW_S) - shown_s):
                await self._news.wait()
                await asyncio.sleep(shown_s + LOOK_GAP_S - time.monotonic())
        due_s = self.poll_schedule.next_look_s(is_settling=is_settling)
        return time.monotonic() >= due_s

    async def _place(self, report: PrintReport, job: OctoPrintJob) -> None:
        """Finds the copy of a print that an earlier process began, and follows it."""
        path = job.path
        if path is None or not is_copy_of(path, report.print_id):
            file = await find_copy(self._api, report.print_id)
            path = file.path if file else copy_path(report.print_id)
        self.follow(report, path).receive(prints.Asked(), time.monotonic())
        self._unplaced = None

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
        """The copy holds the result, so it is deleted only when that is in the journal."""
        self.last, self.ours = report, None
        if await self._record.end(report):
            with contextlib.suppress(PrinterError):  # `tidy` comes back to it
                await self._api.delete(ours.path)

    def _heard(self, pushed: tuple[Pushed, ...]) -> None:
        now_s = time.monotonic()
        self.poll_schedule.heard(pushed, now_s)
        for each in pushed:
            event: prints.Event | None = None
            match each:
                case StatePushed(job=job):
                    event = prints.ProgressPushed(job=job)
                case LogPushed(has_reset=has_reset):
                    event = prints.TerminalLogSeen(has_reset=has_reset)
                case PrintEvent() | PrinterReset():
                    event = prints.EventPushed(event=each)
            if event is not None and self.ours is not None:
                self.ours.receive(event, now_s)
        self._wake()

    def _turned(self, push: PushState) -> None:
        now_s = time.monotonic()
        self.poll_schedule.turned(push, now_s)
        if self.ours is not None:
            self.ours.receive(prints.PushTurned(push=push), now_s)
        self._wake()

    def _wake(self) -> None:
        """Wakes everybody who waits now."""
        news, self._news = self._news, asyncio.Event()
        news.set()
