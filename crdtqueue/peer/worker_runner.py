"""Runs the worker: connects its state machine with the printer, the queues, the files and the
store."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial

from crdtqueue.adapters.file_store import FileStore
from crdtqueue.adapters.printer_source import PrinterSource
from crdtqueue.adapters.store import Store
from crdtqueue.core.document.keys import (
    paused_entry,
    record_entry,
)
from crdtqueue.core.document.model import (
    FileRef,
    Result,
    RunRecord,
)
from crdtqueue.core.errors import CrdtQueueError, Unavailable
from crdtqueue.core.ids import Claim, JobId, PrintId, QueueName
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import Clearing
from crdtqueue.core.worker.choice import why_not_taken
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.unconfirmed_starts import UnconfirmedStarts
from crdtqueue.core.worker.worker import Worker
from crdtqueue.peer.file_fetcher import FileFetcher
from crdtqueue.peer.lan_queue import LanQueue
from crdtqueue.peer.script_store import ScriptStore
from crdtqueue.peer.worker_store import save
from printer_driver import clock
from printer_driver.errors import PrinterError, PrinterUnavailable, PrintRefused
from printer_driver.printer import Connection, PrinterStatus, PrintReport, always

RETRY_WRITE_S = 2.0
TOO_LATE = "It took too long to begin, so the other peers are asked for the job again."

LOGGED_JOBS_MAX = 20

log = logging.getLogger(__name__)


class WorkerRunner:
    """One printer of this peer. Keep `run` running; `post` events from anywhere on the loop."""

    def __init__(
        self,
        *,
        worker: Worker,
        source: PrinterSource,
        store: Store,
        files: FileStore,
        script_store: ScriptStore,
        file_fetcher: FileFetcher,
        queues: Callable[[], Mapping[QueueName, LanQueue]],
        changed: Callable[[], None],
    ) -> None:
        self.worker = worker
        self.source = source
        self.status: PrinterStatus | None = None
        self._store = store
        self._files = files
        self.script_store = script_store
        self._file_fetcher = file_fetcher
        self._queues = queues
        self._changed = changed
        self._unconfirmed = UnconfirmedStarts()
        self._events: list[w.Event] = []
        self._stale = True
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._situation = ""

    def post(self, event: w.Event) -> None:
        """Gives the worker an event. Of the printer's reports only the latest matters."""
        last = self._events[-1] if self._events else None
        if isinstance(event, w.PrinterSeen) and isinstance(last, w.PrinterSeen):
            self._events.pop()
        self._events.append(event)
        self._wake.set()

    def look(self) -> None:
        """The queues have changed."""
        self._stale = True
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled; a running print goes on without us."""
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._watch(), name="printer")
            self._tasks.create_task(self._work(), name="worker")

    async def set_script(self, step: CycleStep, text: str | None) -> None:
        """Sets or takes away a script, durably. Raises Invalid or Unavailable."""
        await self.script_store.put(step, text)
        self.post(w.ScriptsSet(scripts=dict(self.script_store.refs)))

    async def let_printer_go(self) -> None:
        """After `run` has ended: ends the printer process too, unless it is printing."""
        with suppress(PrinterError):
            await self.source.printer.quit()
        await self.source.printer.close()

    def may_begin_yet(self, queue: QueueName) -> bool:
        """Whether the printer may still begin a print of this queue that it has not confirmed."""
        doubtful = [each for each in self.worker.saved.doubtful if each.queue == queue]
        return any(self._unconfirmed.is_open(each.print_id, clock.now_s()) for each in doubtful)

    def views(self) -> tuple[w.QueueView, ...]:
        """The queues as the worker sees them."""
        now_s = clock.now_s()
        return tuple(
            w.QueueView(
                name=name,
                state=queue.state,
                held=queue.claims.held(now_s),
                holds_back=queue.holds_back,
            )
            for name, queue in self._queues().items()
        )

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            events, self._events = self._events, []
            if self._stale:
                self._stale = False
                events.insert(0, w.QueuesRead(queues=self.views()))
            for event in events:
                self.worker.receive(event, clock.now_s(), clock.wall_s())
            self.worker.tick(clock.now_s(), clock.wall_s())
            self._unconfirmed.see(
                (each.print_id for each in self.worker.saved.doubtful),
                answers=self.status is not None,
                now_s=clock.now_s(),
            )
            self._log_situation()
            for effect in self.worker.effects():
                log.debug("%s", type(effect).__name__)
                await self._carry_out(effect)
            self._changed()
            await self._wait()

    def _log_situation(self) -> None:
        """Logs what the printer does, and why it takes nothing, whenever that has changed."""
        if not log.isEnabledFor(logging.DEBUG):
            return
        worker, profile = self.worker, self.worker.profile
        lines = [f"{worker.state}, next job {worker.next_job or 'none'}"]
        if worker.wait:
            lines.append(f"waits: {worker.wait}")
        if worker.problem:
            lines.append(worker.problem)
        for view in self.views():
            if view.holds_back:
                lines.append(f"{view.name}: {view.holds_back}")
            owners = {job: claim.peer for job, claim in view.held.items()}
            lines += [
                f"{view.name}: {job.id} {why_not_taken(job, profile, owners)}"
                for job in view.state.jobs[:LOGGED_JOBS_MAX]
            ]
        situation = "; ".join(lines)
        if situation != self._situation:
            self._situation = situation
            log.debug("%s", situation)

    async def _wait(self) -> None:
        deadline_s = self.worker.next_deadline_s()
        wait_s = None if deadline_s is None else max(deadline_s - clock.now_s(), 0.01)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()

    async def _carry_out(self, effect: w.Effect) -> None:
        match effect:
            case w.SaveMemory(saved=saved):
                await self._until_stored(lambda: save(self._store, saved))
            case w.EndClaim(queue=queue, claim=claim, reason=reason):
                await self._until_stored(lambda: self._end(queue, claim, reason))
            case w.AskForJob(queue=queue, job=job):
                self._ask(queue, job)
            case w.PauseJob(queue=queue, job=job):
                await self._until_stored(lambda: self._pause_job(queue, job))
            case w.FetchFile(queue=queue, file=file):
                self._spawn(self._fetch(queue, file))
            case w.StartCopy(printing=printing):
                self._start_print(printing)
            case w.StartScript(script=run):
                self._spawn(self._start(run.print_id, run.file, self.script_store.files))
            case w.WriteRunRecord():
                self._spawn(self._record(effect))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        if self._tasks:
            self._tasks.create_task(work)

    async def _until_stored(self, write: Callable[[], Awaitable[object]]) -> None:
        """Tries until there is room: a full disk delays what comes next, not the print."""
        while True:
            try:
                await write()
            except Unavailable as error:
                log.error("%s", error)  # noqa: TRY400  # a full disk, not a defect
                await asyncio.sleep(RETRY_WRITE_S)
            else:
                return

    def _ask(self, queue: QueueName, job: JobId) -> None:
        if queue in self._queues():
            self._queues()[queue].own_claims.want(job)
        else:
            self.post(w.NotClaimed(queue=queue, job=job))

    async def _pause_job(self, queue: QueueName, job: JobId) -> None:
        if queue in self._queues():
            await self._queues()[queue].edit([paused_entry(job, paused=True)])

    async def _end(self, queue: QueueName, claim: Claim, reason: str) -> None:
        if queue in self._queues():
            await self._queues()[queue].own_claims.end(claim, reason)

    async def _record(self, effect: w.WriteRunRecord) -> None:
        print_id = effect.record.print_id
        queue = self._queues().get(effect.queue)
        if queue and queue.replica.document.get("runs", print_id) is None:
            record = await self._with_filament(effect)
            await self._until_stored(lambda: queue.edit([record_entry(record)]))
        elif queue:
            await self._until_stored(queue.replica.durable)
        else:
            left = "a print of the queue %s, which this peer has left, is in nobody's history: %s"
            log.warning(left, effect.queue, effect.file.name)
        is_clear = await self._took_its_part_off(print_id)
        self.look()
        self.post(w.Recorded(print_id=print_id))
        if is_clear:
            self.post(w.BedCleared(source=Clearing.PRINTER))

    async def _with_filament(self, effect: w.WriteRunRecord) -> RunRecord:
        """Adds the filament used: the slicer's sum, by the printed share of the file."""
        record, file = effect.record, effect.file
        try:
            whole_mm = await self._files.filament_mm(file.sha256)
        except Unavailable:
            return record
        share = 1.0 if record.result is Result.DONE else record.bytes / max(file.size_bytes, 1)
        return replace(record, filament_mm=round(whole_mm * min(share, 1.0), 1))

    async def _fetch(self, name: QueueName, file: FileRef) -> None:
        queue = self._queues().get(name)
        try:
            if queue:
                await self._file_fetcher.have(queue, file)
            elif not await self._files.verify(file.sha256):
                raise Unavailable(f"This peer has left the queue {name}, and {file.name} with it.")
        except CrdtQueueError as error:
            self.post(w.NotFetched(sha256=file.sha256, reason=str(error)))
        else:
            self.post(w.Fetched(sha256=file.sha256))

    def _start_print(self, printing: w.CopyPrint) -> None:
        """Starts a print if its claim still allows it. A full disk may have delayed the
        `SaveMemory` before, and an upload to the printer may take long: then the queue must at
        least look as it did."""
        queue, claim = self._queues().get(printing.queue), printing.claim
        if queue and queue.own_claims.may_begin(claim):
            still_ours = partial(queue.still_owns, claim)
            self._spawn(self._start(printing.print_id, printing.file, self._files, still_ours))
        else:
            late = w.StartDelayed(print_id=printing.print_id, reason=TOO_LATE, told=False)
            self.post(late)

    async def _start(
        self,
        print_id: PrintId,
        file: FileRef,
        files: FileStore,
        may_begin: Callable[[], bool] = always,
    ) -> None:
        path = files.path(file.sha256).absolute()
        try:
            report = await self.source.printer.start(
                print_id, path, file.sha256, name=file.name, may_begin=may_begin
            )
        except PrinterUnavailable as error:
            self.post(w.StartDelayed(print_id=print_id, reason=str(error)))
        except PrintRefused as error:
            if error.code in {"busy", "halted", "late"}:
                self.post(w.StartDelayed(print_id=print_id, reason=str(error), told=False))
            else:
                self.post(w.StartRefused(print_id=print_id, reason=str(error)))
        except PrinterError as error:
            self.post(w.StartDelayed(print_id=print_id, reason=str(error)))
        else:
            self.post(seen_of(report))

    async def _watch(self) -> None:
        async for status in self.source.watch():
            if isinstance(status, str):
                self.status = None
                self.post(w.PrinterSeen(problem=status))
                continue
            self.status = status
            report = await self._report_of_ours(status)
            self.post(self._seen(status, report))
            if await self._is_bed_said_clear(status, report):
                self.post(w.BedCleared(source=Clearing.PRINTER))
        raise AssertionError("a printer source never ends")

    async def _is_bed_said_clear(self, status: PrinterStatus, report: PrintReport | None) -> bool:
        """Whether the printer reports a clear bed that we do not know of yet; for a print, see
        `_record`.

        An idle printer is asked again: a status may have been on its way since before another
        print. And a printer that has forgotten its last print still reports about the one before.
        """
        saved, printer = self.worker.saved, self.source.printer
        if saved.bed_clear or saved.printing:
            return False
        if saved.script:
            script = saved.script.print_id
            ours = report if report and report.print_id == script else None
            return ours is not None and ours.bed_cleared
        try:
            said_of = status.bed_cleared_after and (await printer.status()).bed_cleared_after
        except PrinterError:
            return False
        newest = self.worker.saved.last_begun
        return bool(said_of) and (newest is None or said_of == newest)

    async def _took_its_part_off(self, print_id: PrintId) -> bool:
        """Whether the printer reports that this print's part is off, and nothing was printed
        after it."""
        try:
            status = await self.source.printer.status()
        except PrinterError:
            return False
        return status.bed_cleared_after == print_id

    async def _report_of_ours(self, status: PrinterStatus) -> PrintReport | None:
        """What the printer reports about the print that we know of, also when it has none any
        more."""
        print_id = self.worker.saved.at_printer
        if print_id is None:
            return status.print
        ours = print_id
        if status.print and status.print.print_id == ours:
            return status.print
        try:
            report = await self.source.printer.report(ours)
        except PrinterError:
            return status.print
        if report is None:
            self.post(w.PrintUnknown(print_id=print_id))
        return report or status.print

    @staticmethod
    def _seen(status: PrinterStatus, report: PrintReport | None) -> w.PrinterSeen:
        problem = "" if status.connection is Connection.READY else status.problem
        if status.connection is Connection.CONNECTING:
            problem = status.problem or "The printer does not answer yet."
        seen = seen_of(report, problem) if report else w.PrinterSeen(problem=problem)
        return replace(seen, bed_c=_bed_c(status))


def _bed_c(status: PrinterStatus) -> float | None:
    return next((each.actual_c for each in status.temperatures if each.name == "B"), None)


def seen_of(report: PrintReport, problem: str = "") -> w.PrinterSeen:
    """A report of the printer, as an event for the worker."""
    return w.PrinterSeen(
        problem=problem,
        print_id=PrintId(report.print_id),
        phase=w.PrintPhase(report.state.value),
        reason=report.reason,
        bytes=report.bytes_done,
    )
