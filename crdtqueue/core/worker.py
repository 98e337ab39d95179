"""The cycle of one printer: choose, claim, fetch, wait for the bed, print, report, and again.

    IDLE → CLAIMING → HOLDING → FETCHING → STARTING → PRINTING → REPORTING → HOLDING → … → IDLE
    RESUMING after a restart in mid-print

A job is claimed whole: between its copies the worker is HOLDING the claim. Rules:

1. What is about to be printed is stored, and the bed counted as used, before the printer is told to
   start (`Save`). The printer starts a print id once and for ever, and an id is used again until
   its record is there, so a restart at any moment ends in the same print, never in a second one.
2. A finished print is recorded (`Record`) before it is forgotten (`Save`).
3. Nothing is chosen, and no next copy begun, on a bed that nobody has cleared.
4. Stopping to manage never stops the running print.
5. A claim is worked on only if it is stored that it was armed (`Saved.held`), and only while the
   queue is in sync; any other open claim of ours is ended.
"""

from dataclasses import replace
from enum import StrEnum

from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId, Profile, QueueName, claim_of_print
from crdtqueue.core.model import FileRef, Job, Result, RunRecord
from crdtqueue.core.progress import next_copy, next_set, on_hold
from crdtqueue.core.worker_events import (
    RESULTS,
    Ask,
    BedCleared,
    Claimed,
    Effect,
    End,
    Event,
    Fetch,
    Fetched,
    Manage,
    NotClaimed,
    NotFetched,
    PauseJob,
    PrinterSeen,
    Printing,
    PrintUnknown,
    QueuesRead,
    QueueView,
    Record,
    Recorded,
    Save,
    Saved,
    Start,
    StartDelayed,
    StartRefused,
)

RETRY_S = 5.0
"""How long a job that could not be had, or a file that could not be fetched, is left alone."""


class WorkerState(StrEnum):
    """Where in the cycle the printer is."""

    IDLE = "idle"
    CLAIMING = "claiming"
    HOLDING = "holding"
    FETCHING = "fetching"
    STARTING = "starting"
    RESUMING = "resuming"
    PRINTING = "printing"
    REPORTING = "reporting"


class Worker:
    """One printer's cycle. Call `receive` and `tick`, then carry out `effects` in order.

    `saved` is what the last `Save` stored, also that of an earlier process: a print that was under
    way then is gone on with. `wall_s` is written into records for people, and decides nothing.
    """

    def __init__(self, *, me: PeerId, profile: Profile, self_clearing: bool, saved: Saved) -> None:
        self._me = me
        self._profile = profile
        self._self_clearing = self_clearing
        self._saved = saved
        self._queues: tuple[QueueView, ...] | None = None
        self._printer = PrinterSeen(problem="The printer has not answered yet.")
        self._strange_print = False
        self._asked: tuple[QueueName, JobId] | None = None
        self._ended: set[Claim] = set()
        self._fetching: FileRef | None = None
        self._avoid_until_s: dict[JobId, float] = {}
        self._retry_s: float | None = None
        self._outcome = (Result.DONE, True)
        self._problem = ""
        self._effects: list[Effect] = []
        self._state = WorkerState.HOLDING if saved.held else WorkerState.IDLE
        if saved.printing:
            self._state = WorkerState.RESUMING
            queue, claim = saved.printing.queue, saved.printing.claim
            self._saved = replace(saved, held_queue=queue, held_claim=claim.key)

    # What is known

    @property
    def state(self) -> WorkerState:
        """Where in the cycle the printer is."""
        return self._state

    @property
    def saved(self) -> Saved:
        """What is, or is about to be, in the store."""
        return self._saved

    @property
    def printer(self) -> PrinterSeen:
        """What the printer said last."""
        return self._printer

    @property
    def held(self) -> tuple[QueueName, Claim] | None:
        """The claim that this printer works on."""
        return self._saved.held

    @property
    def problem(self) -> str:
        """What went wrong last, as a sentence; empty once it goes on."""
        return self._problem

    @property
    def may_begin(self) -> bool:
        """Whether a print could be begun now, if there were one."""
        ready = self._saved.managing and self._saved.bed_clear and not self._printer.problem
        return ready and not self._printer_busy()

    def effects(self) -> list[Effect]:
        """What must be done now, in order; each is handed out once."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` has something to do; None if nothing is awaited."""
        deadlines = [*self._avoid_until_s.values()]
        if self._retry_s is not None:
            deadlines.append(self._retry_s)
        return min(deadlines, default=None)

    # What happened

    def receive(self, event: Event, now_s: float, wall_s: float) -> None:
        """Takes in one event, then does whatever is next."""
        match event:
            case QueuesRead(queues=queues):
                self._read(queues)
            case Claimed(queue=queue, claim=claim):
                self._hold(queue, claim)
            case NotClaimed(queue=queue, job=job) if (queue, job) == self._asked:
                self._state, self._asked = WorkerState.IDLE, None
                self._avoid_until_s[job] = now_s + RETRY_S
            case Fetched(sha256=sha256) if self._fetching and self._fetching.sha256 == sha256:
                self._fetched(wall_s)
            case NotFetched(sha256=sha256) if self._fetching and self._fetching.sha256 == sha256:
                self._not_fetched(event.reason, now_s)
            case PrinterSeen():
                self._see(event)
            case StartRefused(print_id=print_id) if self._is_starting(print_id):
                self._report(Result.FAILED, event.reason, 0, wall_s, moved=False)
            case StartDelayed(print_id=print_id) if self._is_starting(print_id):
                self._problem, self._retry_s = event.reason, now_s + RETRY_S
            case PrintUnknown(print_id=print_id) if self._is_ours(print_id):
                self._unknown(wall_s)
            case Recorded(print_id=print_id) if self._is_ours(print_id):
                self._recorded(now_s)
            case BedCleared() if self._saved.printing is None and not self._printer_busy():
                self._save(replace(self._saved, bed_clear=True))
            case Manage(managing=managing):
                self._save(replace(self._saved, managing=managing))
            case _:
                pass  # An answer to something that is over.
        self._go_on(now_s, wall_s)

    def tick(self, now_s: float, wall_s: float) -> None:
        """Lets time pass."""
        for job in [job for job, until_s in self._avoid_until_s.items() if now_s >= until_s]:
            del self._avoid_until_s[job]
        if self._retry_s is not None and now_s >= self._retry_s:
            self._retry_s = None
            self._try_again()
        self._go_on(now_s, wall_s)

    def _try_again(self) -> None:
        printing = self._saved.printing
        if self._state is not WorkerState.STARTING or printing is None:
            return
        view = self._view(printing.queue)
        job = view.state.job(printing.claim.job) if view else None
        if self._strange_print or self._reason_to_end(view, job, printing.claim):
            # Perhaps it was told after all, and the answer lost: the printer has to say.
            self._state = WorkerState.RESUMING
        else:
            self._effects.append(Start(printing=printing))

    def _read(self, queues: tuple[QueueView, ...]) -> None:
        self._queues = queues
        self._ended &= {claim for queue in queues for claim in queue.held.values()}
        if self._asked and self._view(self._asked[0]) is None:
            self._state, self._asked = WorkerState.IDLE, None  # Nobody is there to answer.

    def _see(self, printer: PrinterSeen) -> None:
        self._printer = printer
        ours = printer.print_id is not None and self._is_ours(printer.print_id)
        if self._printer_busy() and not ours:
            self._strange_print = True
            self._save(replace(self._saved, bed_clear=False))

    def _view(self, name: QueueName) -> QueueView | None:
        return next((each for each in self._queues or () if each.name == name), None)

    def _go_on(self, now_s: float, wall_s: float) -> None:
        if self._state is WorkerState.HOLDING:
            self._next_copy(now_s)
        if self._state is WorkerState.IDLE:
            self._choose(now_s)
        if self._state in {WorkerState.STARTING, WorkerState.RESUMING, WorkerState.PRINTING}:
            self._watch(wall_s)

    # IDLE → CLAIMING → HOLDING

    def _choose(self, now_s: float) -> None:
        self._end_strays(now_s)
        if not self.may_begin:
            return
        for queue in self._queues or ():
            for job in queue.state.jobs if queue.ready else ():
                if self.could_take(queue, job) and job.id not in self._avoid_until_s:
                    self._state, self._asked = WorkerState.CLAIMING, (queue.name, job.id)
                    self._effects.append(Ask(queue=queue.name, job=job.id))
                    return

    def could_take(self, queue: QueueView, job: Job) -> bool:
        """Whether nobody has `job`, and this printer has something to print of it."""
        free = job.id not in queue.held and not on_hold(job)
        return free and next_set(job, self._profile) is not None

    def _end_strays(self, now_s: float) -> None:
        """Ends open claims of ours that are not held: nobody can tell whether they were armed."""
        for queue in self._queues or ():
            for claim in queue.held.values():
                if claim.peer == self._me and claim not in self._ended:
                    self._give_back(queue.name, claim, "given up", now_s)

    def _hold(self, queue: QueueName, claim: Claim) -> None:
        if self._state in {WorkerState.CLAIMING, WorkerState.IDLE}:
            self._state, self._asked, self._problem = WorkerState.HOLDING, None, ""
            self._save(replace(self._saved, held_queue=queue, held_claim=claim.key))

    # HOLDING → FETCHING → STARTING

    def _next_copy(self, now_s: float) -> None:
        if self.held is None or self._queues is None:
            return
        queue, claim = self.held
        view = self._view(queue)
        job = view.state.job(claim.job) if view else None
        reason = self._reason_to_end(view, job, claim)
        if reason or job is None or view is None:
            self._end(reason, now_s)
            return
        following = next_set(job, self._profile)
        if following and self.may_begin and view.ready:
            self._state, self._fetching = WorkerState.FETCHING, following.file
            self._effects.append(Fetch(queue=queue, file=following.file))

    def _reason_to_end(self, view: QueueView | None, job: Job | None, claim: Claim) -> str:
        if job is None or view is None:
            return "deleted"
        if claim in view.state.ended:
            return "ended"
        owner = view.held.get(claim.job)
        if owner and owner.rank > claim.rank:
            return "replaced"
        if next_set(job, self._profile) is None:
            return "completed"
        if on_hold(job):
            return "held back"
        return "" if self._saved.managing else "stopped managing"

    def _end(self, reason: str, now_s: float) -> None:
        """Gives the job back."""
        held = self.held
        self._state, self._fetching = WorkerState.IDLE, None
        self._save(replace(self._saved, held_queue=None, held_claim=""))
        if held:
            self._give_back(*held, reason, now_s)

    def _give_back(self, queue: QueueName, claim: Claim, reason: str, now_s: float) -> None:
        self._effects.append(End(queue=queue, claim=claim, reason=reason))
        self._ended.add(claim)
        self._avoid_until_s[claim.job] = now_s + RETRY_S

    def _not_fetched(self, reason: str, now_s: float) -> None:
        self._problem = reason
        self._end("file not to be had", now_s)

    def _fetched(self, wall_s: float) -> None:
        printing = self._following(wall_s)
        file, self._fetching = self._fetching, None
        if printing is None or printing.file != file:
            self._state = WorkerState.HOLDING
            return
        self._state, self._problem, self._strange_print = WorkerState.STARTING, "", False
        self._save(replace(self._saved, printing=printing, bed_clear=False))
        self._effects.append(Start(printing=printing))

    def _following(self, wall_s: float) -> Printing | None:
        """The next print under the claim that we hold; None if it must not begin now."""
        if self.held is None or not self.may_begin:
            return None
        queue, claim = self.held
        view = self._view(queue)
        job = view.state.job(claim.job) if view else None
        following = next_copy(job, self._profile) if job else None
        if job is None or view is None or not view.ready or following is None:
            return None
        if self._reason_to_end(view, job, claim):
            return None
        return Printing(
            queue=queue,
            claim=claim,
            number=_last_number(job, claim) + 1,
            generation=job.generation,
            run=following.run,
            copy=following.number,
            set=following.set.id,
            file=following.set.file,
            started_at_s=wall_s,
        )

    # STARTING → PRINTING → REPORTING → HOLDING

    def _watch(self, wall_s: float) -> None:
        printer = self._printer
        if printer.print_id is None or not self._is_ours(printer.print_id):
            return
        if printer.phase in RESULTS:
            self._report(RESULTS[printer.phase], printer.reason, printer.bytes, wall_s, moved=True)
        elif printer.phase:
            self._state, self._problem, self._retry_s = WorkerState.PRINTING, "", None

    def _unknown(self, wall_s: float) -> None:
        printing = self._saved.printing
        if self._state is WorkerState.RESUMING and printing:
            # Never begun, so the bed is as it was; unless it is recorded and the printer forgetful.
            clear = not self._strange_print and not self._is_recorded(printing)
            self._state = WorkerState.HOLDING
            self._save(replace(self._saved, printing=None, bed_clear=clear))
        elif self._state is WorkerState.PRINTING:
            reason = "The printer no longer knows of this print. Look at it before you go on."
            self._report(Result.ABORTED, reason, 0, wall_s, moved=True)

    def _report(
        self, result: Result, reason: str, bytes_done: int, wall_s: float, *, moved: bool
    ) -> None:
        printing = self._saved.printing
        if printing is None or self._state is WorkerState.REPORTING:
            return
        self._state, self._retry_s = WorkerState.REPORTING, None
        self._outcome = (result, moved)
        self._problem = "" if result is Result.DONE else reason
        record = RunRecord(
            print_id=printing.print_id,
            generation=printing.generation,
            run=printing.run,
            copy=printing.copy,
            set=printing.set,
            profile=self._profile,
            result=result,
            reason=reason,
            started_at_s=printing.started_at_s,
            ended_at_s=wall_s,
            bytes=bytes_done,
        )
        self._effects.append(Record(queue=printing.queue, record=record, file=printing.file))

    def _recorded(self, now_s: float) -> None:
        if self._state is not WorkerState.REPORTING:
            return
        result, moved = self._outcome
        unused = not moved and not self._strange_print
        clear = unused or (self._self_clearing and result is Result.DONE)
        self._state = WorkerState.HOLDING
        cancelled = result is Result.CANCELLED
        if cancelled and self.held:
            self._effects.append(PauseJob(queue=self.held[0], job=self.held[1].job))
        managing = self._saved.managing and not cancelled
        self._save(replace(self._saved, printing=None, bed_clear=clear, managing=managing))
        if result is not Result.DONE:
            self._end(result.value, now_s)

    def _save(self, saved: Saved) -> None:
        if saved != self._saved:
            self._saved = saved
            self._effects.append(Save(saved=saved))

    def _is_ours(self, print_id: PrintId) -> bool:
        printing = self._saved.printing
        return printing is not None and printing.print_id == print_id

    def _is_starting(self, print_id: PrintId) -> bool:
        return self._state is WorkerState.STARTING and self._is_ours(print_id)

    def _is_recorded(self, printing: Printing) -> bool:
        """Whether its record is there, or cannot be looked for."""
        view = self._view(printing.queue)
        jobs = (*view.state.jobs, *view.state.deleted) if view else ()
        known = {record.print_id for job in jobs for record in job.records}
        return view is None or printing.print_id in known

    def _printer_busy(self) -> bool:
        """Whether the printer is at a print, ours or somebody's."""
        return self._printer.phase is not None and self._printer.phase not in RESULTS


def _last_number(job: Job, claim: Claim) -> int:
    """The number of the last print recorded under `claim`; 0 if there is none."""
    prints = [claim_of_print(record.print_id) for record in job.records]
    return max((each[1] for each in prints if each and each[0] == claim), default=0)
