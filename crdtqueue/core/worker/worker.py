"""The cycle of one printer: choose, claim, fetch, wait for the bed, print, report, and again.

    IDLE → CLAIMING → HOLDING → FETCHING → STARTING → PRINTING → REPORTING → HOLDING → … → IDLE
    HOLDING → CLAIMING → HOLDING before each further print of the job
    RESUMING after a restart in mid-print

A job is claimed as a whole: between its copies the worker is HOLDING the claim. A script goes
through STARTING → PRINTING and back to where it came from, HOLDING or IDLE. Rules:

1. Before the printer is told to start, the next print is stored and the bed counted as used
   (`SaveMemory`). The printer never starts a print id twice, and what it may have been told is
   stored, so a restart at any moment leads to the same print, never to a second one.
2. A finished print is recorded (`WriteRunRecord`) before it is forgotten (`SaveMemory`).
3. No job is chosen, and no next copy begun, on a bed that has not been cleared.
4. When a person stops the printer from taking jobs, a running print goes on.
5. A claim is used only if it is stored that it was armed (`WorkerMemory.held`), and only while
   the queue is in sync; any other open claim of this peer is ended. One print begins under it,
   soon after it was armed. For each further print, and after a delay, the job is asked for again:
   so a printer that was replaced finds out before it heats.
6. A script is removed from the list of steps in the same `SaveMemory` that says that it is about
   to run. If it does not run to its end, the printer takes no more jobs: a person has to look.
"""

from collections.abc import Mapping
from dataclasses import replace

from crdtqueue.core.document.model import (
    FileRef,
    Result,
)
from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId, Profile, QueueName
from crdtqueue.core.worker import transitions as after
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import Cooling
from crdtqueue.core.worker.choice import Choice
from crdtqueue.core.worker.observed_printer import ObservedPrinter
from crdtqueue.core.worker.scripts import (
    CycleStep,
    ScriptRun,
    Scripts,
    script_id,
    with_script,
)
from crdtqueue.core.worker.strategy import Overtaken
from crdtqueue.core.worker.transitions import (
    is_recorded,
    printing_of,
    record_of,
)
from crdtqueue.core.worker.worker_events import (
    AT_PRINTER,
    AT_REST,
    WaitReason,
    WorkerState,
)

RETRY_S = 5.0
"""How long a job that could not be had, or a file that could not be fetched, is left alone."""
RETRY_S_MAX = 300.0
"""And one that the printer does not begin, time after time: each try costs a claim."""


class Worker:
    """The cycle of one printer. Call `receive` and `tick`, then carry out `effects` in order.

    `saved` is what the last `SaveMemory` has stored, perhaps in an earlier process: a print that
    was running then is continued. `instance` is random and made at each start of the process.
    `wall_s` is written into records for people and decides nothing.
    """

    def __init__(
        self,
        *,
        me: PeerId,
        instance: str,
        config: w.WorkerConfig,
        scripts: Scripts,
        saved: w.WorkerMemory,
    ) -> None:
        self._me = me
        self._instance = instance
        self._config = config
        self._scripts = scripts
        self._saved = saved
        self._choice = Choice(config.profile)
        self._watched = ObservedPrinter()
        self._cooling = Cooling(config.cooldown) if config.cooldown else None
        self._scripts_begun = 0
        self._asked: tuple[QueueName, JobId] | None = None
        self._overtakes: Overtaken | None = None
        self._ended: set[Claim] = set()
        self._begin_until: tuple[Claim, float] | None = None
        self._reached = True
        self._retry_print_s = 0.0
        self._fetching: FileRef | None = None
        self._fetched: FileRef | None = None
        self._avoid_until_s: dict[JobId, float] = {}
        self._retry_s: float | None = None
        self._outcome = (Result.DONE, "", True)
        self._problem = ""
        self._effects: list[w.Effect] = []
        if saved.printing and not saved.held:
            queue, claim = saved.printing.queue, saved.printing.claim
            self._saved = replace(saved, held_queue=queue, held_claim=claim.key)
        self._state = WorkerState.RESUMING if saved.at_printer else self._rest

    # What is known

    @property
    def profile(self) -> Profile:
        """The model of the printer."""
        return self._config.profile

    @property
    def state(self) -> WorkerState:
        """The state of the cycle."""
        return self._state

    @property
    def saved(self) -> w.WorkerMemory:
        """What is, or is about to be, in the store."""
        return self._saved

    @property
    def printer(self) -> w.PrinterSeen:
        """The latest report of the printer."""
        return self._watched.seen

    @property
    def held(self) -> tuple[QueueName, Claim] | None:
        """The claim that this printer works on."""
        return self._saved.held

    @property
    def problem(self) -> str:
        """The latest problem, as a sentence; empty once the worker goes on."""
        return self._saved.stopped_because or self._problem

    @property
    def wait(self) -> WaitReason | None:
        """Why nothing can begin now; None if a job could, if there were one."""
        todo = self._saved.todo
        if self.printer.problem:
            return WaitReason.PRINTER
        if self._watched.is_busy:
            return WaitReason.SOMEBODY_ELSE
        if todo:
            return WaitReason.COOLING if todo[0] is CycleStep.COOL else WaitReason.SCRIPT
        if not self._saved.bed_clear:
            return WaitReason.BED
        if not self._saved.managing:
            return WaitReason.MANAGING
        return WaitReason.MATERIAL if self.missing else None

    @property
    def missing(self) -> Mapping[int, str]:
        """The materials that the job in hand waits for, by tool."""
        return self._choice.missing(self._saved)

    @property
    def next_job(self) -> JobId | None:
        """The job that this printer takes next, as far as is known now."""
        return self._choice.next_job(self._saved)

    @property
    def may_clear_bed(self) -> bool:
        """Whether a person may say that the bed is clear: no print is on it now."""
        run, ours = self._saved.script, self._saved.at_printer
        clears = run is not None and run.step is CycleStep.CLEAR_BED
        by_hand = self._watched.is_busy_with_another_than(ours)
        return self._saved.printing is None and not clears and not by_hand

    def effects(self) -> list[w.Effect]:
        """What must be done now, in order. Each effect is returned once."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` has something to do; None if nothing is awaited."""
        cool_s = self._cooling.deadline_s if self._cooling else None
        deadlines = [*self._avoid_until_s.values(), self._retry_s, cool_s]
        return min((each for each in deadlines if each is not None), default=None)

    # What happened

    def _enter(self, state: WorkerState) -> None:
        """The only place where the state of the cycle changes."""
        self._state = state

    def receive(self, event: w.Event, now_s: float, wall_s: float) -> None:
        """Takes in one event, then does whatever is next."""
        match event:
            case w.QueuesRead(queues=queues):
                self._read(queues)
            case w.Claimed():
                self._hold(event, now_s)
            case w.NotClaimed(queue=queue, job=job) if (queue, job) == self._asked:
                self._asked = None
                self._enter(self._rest)
                self._avoid_until_s[job] = now_s + RETRY_S
            case w.Fetched(sha256=sha256) if self._fetching and self._fetching.sha256 == sha256:
                self._enter(WorkerState.HOLDING)
                self._fetched, self._fetching = self._fetching, None
            case w.NotFetched(sha256=sha256) if self._fetching and self._fetching.sha256 == sha256:
                self._problem = event.reason
                self._end("file not to be had", now_s)
            case w.PrinterSeen():
                self._take_up(event)
                if self._watched.see(event, ours=self._saved.at_printer):
                    self._save(after.used_by_somebody(self._saved))
            case w.Recorded(print_id=print_id) if self._is_ours(print_id):
                self._recorded(now_s)
            case w.StartRefused() | w.StartDelayed() | w.PrintUnknown():
                self._answered(event, now_s, wall_s)
            case w.BedCleared() | w.Manage() | w.MaterialsLoaded() | w.ScriptsSet():
                self._told(event)
            case _:
                pass  # An answer to something that is over.
        self._go_on(now_s, wall_s)

    def _read(self, queues: tuple[w.QueueView, ...]) -> None:
        self._choice.read(queues)
        self._ended &= {claim for queue in queues for claim in queue.held.values()}
        if self._asked and self._choice.view(self._asked[0]) is None:
            self._asked = None  # Nobody is there to answer.
            self._enter(self._rest)

    def _answered(
        self, event: w.StartRefused | w.StartDelayed | w.PrintUnknown, now_s: float, wall_s: float
    ) -> None:
        """Takes in the printer's answer to a start request."""
        if not self._is_ours(event.print_id):
            return
        starting = self._state is WorkerState.STARTING
        match event:
            case w.StartRefused() if starting:
                self._end_of_print(Result.FAILED, event.reason, 0, wall_s, moved=False)
            case w.StartDelayed() if starting:
                self._problem, self._retry_s = event.reason, now_s + RETRY_S
                self._reached |= event.told
            case w.PrintUnknown():
                self._unknown(now_s, wall_s)
            case _:
                pass  # It has begun after all.

    def _told(self, event: w.BedCleared | w.Manage | w.MaterialsLoaded | w.ScriptsSet) -> None:
        """Takes in what people say, and the printer's own buttons."""
        match event:
            case w.BedCleared():
                if self.may_clear_bed:
                    self._save(after.bed_cleared(self._saved))
            case w.Manage(managing=managing):
                self._problem = self._problem if managing == self._saved.managing else ""
                self._save(after.managed(self._saved, self._scripts, managing=managing))
            case w.MaterialsLoaded(tools=tools):
                self._save(after.materials_said(self._saved, tools))
            case w.ScriptsSet(scripts=scripts):
                self._scripts = scripts

    def tick(self, now_s: float, wall_s: float) -> None:
        """Lets time pass."""
        for job in [job for job, until_s in self._avoid_until_s.items() if now_s >= until_s]:
            del self._avoid_until_s[job]
        if self._retry_s is not None and now_s >= self._retry_s:
            self._retry_s = None
            self._try_again(now_s)
        self._go_on(now_s, wall_s)

    def _go_on(self, now_s: float, wall_s: float) -> None:
        if self._state in AT_PRINTER:
            self._follow_print(wall_s)
        reason = self._choice.reason_to_end(self._saved)
        if self._state is WorkerState.HOLDING and reason:
            self._end(reason, now_s)
        if self._state in AT_REST:
            self._end_strays(now_s)
            self._plan()
            self._do_steps(now_s)
        if self._state is WorkerState.HOLDING:
            self._next_copy(now_s, wall_s)
        elif self._state is WorkerState.IDLE:
            self._choose()

    # What is done between two prints

    def _plan(self) -> None:
        """Calls a person to the printer, and notices that the queues are empty, once each."""
        saved = self._saved
        if not saved.managing or not self._scripts.keys() & {
            CycleStep.WAITING,
            CycleStep.QUEUE_FINISHED,
        }:
            return
        wanted = bool(self._choice.in_hand(saved)) or self.next_job is not None
        waits = self.wait in {WaitReason.BED, WaitReason.MATERIAL}
        if wanted and waits and not saved.called and CycleStep.WAITING in self._scripts:
            self._save(replace(saved, called=True, todo=(*saved.todo, CycleStep.WAITING)))
        elif saved.worked and not wanted and not saved.held and self._choice.all_ready:
            steps = with_script(self._scripts, CycleStep.QUEUE_FINISHED)
            self._save(replace(saved, worked=False, todo=(*saved.todo, *steps)))

    def _do_steps(self, now_s: float) -> None:
        while self._saved.todo and self._state in AT_REST:
            step = self._saved.todo[0]
            file = self._scripts.get(step)
            cooling = self._cooling if step is CycleStep.COOL else None
            if cooling and not cooling.is_over(self.printer.bed_c, now_s):
                return
            if file is None:
                self._save(replace(self._saved, todo=self._saved.todo[1:]))
            elif self.printer.problem or self._watched.is_busy:
                break
            else:
                self._begin_script(step, file)
        if self._cooling:
            self._cooling.end()

    def _begin_script(self, step: CycleStep, file: FileRef, prepares: JobId | None = None) -> None:
        self._scripts_begun += 1
        print_id = script_id(self._instance, self._scripts_begun)
        before = self._saved.last_begun
        run = ScriptRun(step=step, print_id=print_id, file=file, prepares=prepares, after=before)
        self._enter(WorkerState.STARTING)
        self._save(after.script_begun(self._saved, run))
        self._effects.append(w.StartScript(script=run))

    def _end_of_script(self, run: ScriptRun, result: Result, reason: str, *, moved: bool) -> None:
        self._retry_s, self._problem = None, ""
        self._enter(self._rest)
        self._watched.is_over(run.print_id)
        self._save(after.after_script(self._saved, run, result, reason, moved=moved))

    # IDLE → CLAIMING → HOLDING

    def _choose(self) -> None:
        if self.wait is not None:
            return
        for queue, job in self._choice.in_turn(self._saved):
            if job not in self._avoid_until_s:
                self._overtakes = self._choice.overtaken_by(queue, job, self._saved)
                self._asked = (queue, job)
                self._enter(WorkerState.CLAIMING)
                self._effects.append(w.AskForJob(queue=queue, job=job))
                return

    def _end_strays(self, now_s: float) -> None:
        """Ends open claims of ours that are not held: it is not known whether they were armed."""
        in_hand = (self.held[0], self.held[1].job) if self.held else None
        for queue in self._choice.queues or ():
            for claim in queue.held.values():
                ours = claim.peer == self._me and (queue.name, claim.job) != in_hand
                if ours and claim not in self._ended:
                    self._give_back(queue.name, claim, "given up", now_s)

    def _hold(self, claimed: w.Claimed, now_s: float) -> None:
        queue, claim, saved = claimed.queue, claimed.claim, self._saved
        if self._asked != (queue, claim.job):
            self._give_back(queue, claim, "given up", now_s)  # An answer to something that is over.
            return
        if saved.held is None:
            saved = after.with_overtaken(saved, queue, self._overtakes)
        self._asked, self._problem = None, ""
        self._enter(WorkerState.HOLDING)
        self._begin_until = claim, claimed.begin_until_s
        self._save(replace(saved, held_queue=queue, held_claim=claim.key))

    def _end(self, reason: str, now_s: float) -> None:
        """Gives the job back."""
        held = self.held
        self._fetching, self._fetched = None, None
        self._enter(WorkerState.IDLE)
        self._save(replace(self._saved, held_queue=None, held_claim="", prepared=None))
        if held:
            self._give_back(*held, reason, now_s)

    def _give_back(self, queue: QueueName, claim: Claim, reason: str, now_s: float) -> None:
        self._effects.append(w.EndClaim(queue=queue, claim=claim, reason=reason))
        self._ended.add(claim)
        self._avoid_until_s[claim.job] = now_s + RETRY_S

    # HOLDING → FETCHING → HOLDING → CLAIMING → HOLDING → STARTING

    def _next_copy(self, now_s: float, wall_s: float) -> None:
        """Takes one step towards the next print of the held job, unless it must not begin now."""
        hand = self._choice.in_hand(self._saved)
        if hand is None or self.held is None or self.wait is not None or hand[0].holds_back:
            return
        view, job, copy = hand
        script = self._scripts.get(CycleStep.BEFORE_PRINT)
        if job.id in self._avoid_until_s:
            return
        if self._fetched != copy.set.file:
            self._fetching = copy.set.file
            self._enter(WorkerState.FETCHING)
            self._effects.append(w.FetchFile(queue=view.name, file=copy.set.file))
        elif not self._may_begin(self.held[1], now_s):
            self._asked = (view.name, job.id)
            self._enter(WorkerState.CLAIMING)
            self._effects.append(w.AskForJob(queue=view.name, job=job.id))
        elif script and self._saved.prepared != job.id:
            self._begin_script(CycleStep.BEFORE_PRINT, script, job.id)
        else:
            self._begin(printing_of(view, job, self.held[1], copy, wall_s))

    def _may_begin(self, claim: Claim, now_s: float) -> bool:
        """Whether a print may begin under this claim; rule 5."""
        armed = self._begin_until
        return armed is not None and armed[0] == claim and now_s <= armed[1]

    def _begin(self, printing: w.CopyPrint) -> None:
        self._problem, self._fetched = "", None
        self._enter(WorkerState.STARTING)
        self._reached = False
        self._save(after.begun(self._saved, printing, self._scripts))
        self._effects.append(w.StartCopy(printing=printing))

    # STARTING → PRINTING → REPORTING → HOLDING

    def _try_again(self, now_s: float) -> None:
        printing, run = self._saved.printing, self._saved.script
        if self._state is not WorkerState.STARTING:
            return
        late = printing and not self._may_begin(printing.claim, now_s)
        unwanted = printing and self._choice.reason_to_end(self._saved)
        if self._saved.strange or unwanted or late:
            # Perhaps it was told after all, and the answer lost: the printer has to say.
            self._enter(WorkerState.RESUMING)
        elif printing:
            self._effects.append(w.StartCopy(printing=printing))
        elif run:
            self._effects.append(w.StartScript(script=run))

    def _follow_print(self, wall_s: float) -> None:
        seen = self.printer
        if not self._watched.is_at(self._saved.at_printer):
            return
        if seen.phase in w.RESULTS:
            result = w.RESULTS[seen.phase]
            self._end_of_print(result, seen.reason, seen.bytes, wall_s, moved=True)
        elif seen.phase is w.PrintPhase.STARTING and self._state is WorkerState.STARTING:
            # It looks the file through, and may refuse it yet.
            self._problem, self._retry_s = "", None
        elif seen.phase:
            self._problem, self._retry_s = "", None
            self._enter(WorkerState.PRINTING)
            self._retry_print_s = 0.0

    def _take_up(self, seen: w.PrinterSeen) -> None:
        """Follows a running print, whatever has become of its claim: what is printed counts."""
        delayed = self._state is WorkerState.STARTING and self._saved.script is None
        known = (each for each in self._saved.doubtful if each.print_id == seen.print_id)
        if (self._state in AT_REST or delayed) and (doubtful := next(known, None)):
            self._enter(WorkerState.PRINTING)
            self._save(after.begun_after_all(self._saved, doubtful))

    def _unknown(self, now_s: float, wall_s: float) -> None:
        """The printer answers, and does not know the print that we believe it has."""
        if self._state is WorkerState.PRINTING:
            reason = "The printer no longer knows of it. Look at it before you go on."
            self._end_of_print(Result.ABORTED, reason, 0, wall_s, moved=True)
        elif self._state is WorkerState.RESUMING:
            self._never_begun(now_s)
        elif self._state is WorkerState.STARTING and self._watched.is_at(self._saved.at_printer):
            self._watched.forget()  # It was about to begin, and is no longer.
            self._retry_s = now_s + RETRY_S

    def _never_begun(self, now_s: float) -> None:
        printing, run = self._saved.printing, self._saved.script
        if printing:
            recorded = is_recorded(printing, self._choice.view(printing.queue))
            self._enter(self._rest)
            if self._retry_print_s:
                self._avoid_until_s[printing.claim.job] = now_s + self._retry_print_s
            self._retry_print_s = min(max(2 * self._retry_print_s, RETRY_S), RETRY_S_MAX)
            self._save(after.never_begun(self._saved, recorded=recorded, told=self._reached))
            self._reached = True
        elif run and self._saved.strange:
            reason = "something else was printed meanwhile."
            self._end_of_script(run, Result.ABORTED, reason, moved=False)
        elif run:
            self._enter(WorkerState.STARTING)
            self._effects.append(w.StartScript(script=run))

    def _end_of_print(
        self, result: Result, reason: str, bytes_done: int, wall_s: float, *, moved: bool
    ) -> None:
        printing, run = self._saved.printing, self._saved.script
        if run:
            self._end_of_script(run, result, reason, moved=moved)
        elif printing and self._state is not WorkerState.REPORTING:
            self._retry_s, self._begin_until = None, None
            self._enter(WorkerState.REPORTING)
            self._outcome = (result, reason, moved)
            self._problem = "" if result is Result.DONE else reason
            profile = self._config.profile
            record = record_of(printing, result, reason, profile, bytes_done, wall_s)
            self._effects.append(
                w.WriteRunRecord(queue=printing.queue, record=record, file=printing.file)
            )

    def _recorded(self, now_s: float) -> None:
        if self._state is not WorkerState.REPORTING:
            return
        result, reason, moved = self._outcome
        self._enter(self._rest)
        self._watched.is_over(self._saved.at_printer)
        self._hold_job_back(result)
        saved = after.after_print(
            self._saved,
            result,
            reason,
            moved=moved,
            config=self._config,
            scripts=self._scripts,
        )
        self._save(saved)
        if result is not Result.DONE:
            self._end(result.value, now_s)

    def _hold_job_back(self, result: Result) -> None:
        """Pauses a job that a person has cancelled, or that fails again and again: a person has
        to look."""
        printing = self._saved.printing
        if printing is None:
            return
        view = self._choice.view(printing.queue)
        job = view.state.job(printing.claim.job) if view else None
        often = job is not None and after.is_tried_too_often(job, self._config.retries)
        if result is Result.CANCELLED or (often and result is not Result.DONE):
            self._effects.append(w.PauseJob(queue=printing.queue, job=printing.claim.job))

    # Small words

    @property
    def _rest(self) -> WorkerState:
        return WorkerState.HOLDING if self._saved.held else WorkerState.IDLE

    def _save(self, saved: w.WorkerMemory) -> None:
        if saved != self._saved:
            self._saved = saved
            self._effects.append(w.SaveMemory(saved=saved))

    def _is_ours(self, print_id: PrintId) -> bool:
        return print_id == self._saved.at_printer
