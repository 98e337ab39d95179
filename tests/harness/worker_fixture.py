"""A worker with a store and a queue around it, for its tests."""

from __future__ import annotations

from dataclasses import replace

from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.document.model import (
    Job,
    QueueState,
    RunRecord,
)
from crdtqueue.core.ids import Claim, JobId, Profile, QueueName, claim_of_print
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import (
    CycleStep,
    ScriptRun,
)
from crdtqueue.core.worker.worker import Worker
from crdtqueue.core.worker.worker_events import PrintPhase, WorkerState
from tests.harness.samples import (
    JOB,
    ME,
    MK3S,
    a_claim,
    file,
    print_set,
)

QUEUE = QueueName("workshop")
IDLE_PRINTER = w.PrinterSeen()
MINE = a_claim()
BEGIN_WITHIN_S = ClaimTimes().begin_within_s
FETCHED = w.Fetched(sha256=print_set().file.sha256)


class Bench:
    """A worker, what its last `Save` stored, and the one queue that it sees."""

    def __init__(
        self,
        *jobs: Job,
        saved: w.WorkerMemory | None = None,
        self_clearing: bool = False,
        profile: Profile = MK3S,
        retries: int = w.RETRIES_MAX,
        cooldown: Cooldown | None = None,
        scripts: tuple[CycleStep, ...] = (),
    ) -> None:
        self.now_s = 0.0
        self.saved = saved or w.WorkerMemory()
        self.state = QueueState(jobs=jobs)
        self.held: dict[JobId, Claim] = {}
        self.config = w.WorkerConfig(
            profile=profile, self_clearing=self_clearing, retries=retries, cooldown=cooldown
        )
        self.scripts = {step: file(f"{step.value}.gcode") for step in scripts}
        self.boots = 0
        self.worker = self.boot()

    def boot(self) -> Worker:
        """A new process, after the last `Save`."""
        self.boots += 1
        self.worker = Worker(
            me=ME,
            instance=f"{self.boots:016x}",
            config=self.config,
            scripts=self.scripts,
            saved=self.saved,
        )
        return self.worker

    def at(self, state: WorkerState) -> bool:
        return self.worker.state is state

    def tell(self, event: w.Event) -> list[w.Effect]:
        self.worker.receive(event, self.now_s, 1000.0 + self.now_s)
        return self.effects()

    def wait(self, seconds: float) -> list[w.Effect]:
        self.now_s += seconds
        self.worker.tick(self.now_s, 1000.0 + self.now_s)
        return self.effects()

    def effects(self) -> list[w.Effect]:
        effects = self.worker.effects()
        for effect in effects:
            if isinstance(effect, w.SaveMemory):
                self.saved = effect.saved
        assert self.saved == self.worker.saved or not effects
        return effects

    def view(self, *, ready: bool = True) -> w.QueuesRead:
        because = "" if ready else "Syncs first."
        queue = w.QueueView(name=QUEUE, state=self.state, held=self.held, holds_back=because)
        return w.QueuesRead(queues=(queue,))

    def read(self, *, ready: bool = True) -> list[w.Effect]:
        return self.tell(self.view(ready=ready))

    def change(self, *jobs: Job) -> list[w.Effect]:
        self.state = replace(self.state, jobs=jobs)
        return self.read()

    def add_record(self, done: RunRecord) -> None:
        named = claim_of_print(done.print_id)
        assert named
        self.change(*(self._with(job, done, named[0].job) for job in self.state.jobs))

    @staticmethod
    def _with(job: Job, done: RunRecord, of: JobId) -> Job:
        known = done.print_id in {each.print_id for each in job.records}
        return job if known or job.id != of else replace(job, records=(*job.records, done))

    # Steps of a print

    def start(self) -> w.CopyPrint:
        """From idle until the printer is told to start."""
        assert self.read() == []
        (ask,) = self.tell(IDLE_PRINTER)
        assert ask == w.AskForJob(queue=QUEUE, job=JOB)
        assert self.at(WorkerState.CLAIMING)
        self.hold(MINE)
        return self.fetched()

    def hold(self, claim: Claim) -> None:
        save, fetch = self.armed(claim)
        assert isinstance(save, w.SaveMemory)
        assert save.saved.held == (QUEUE, claim)
        assert isinstance(fetch, w.FetchFile)

    def armed(self, claim: Claim) -> list[w.Effect]:
        """The claim is armed, just after it was asked for."""
        self.held = {claim.job: claim}
        self.read()
        return self.tell(claimed(claim, self.now_s))

    def armed_again(self) -> list[w.Effect]:
        """The job in hand is ours for one more print."""
        assert self.worker.held
        claim = self.worker.held[1]
        assert self.at(WorkerState.CLAIMING)
        return self.armed(replace(claim, epoch=claim.epoch + 1))

    def fetched(self) -> w.CopyPrint:
        """The file is here; the job is asked for again if it must be."""
        effects = self.tell(self.fetched_event())
        if effects == [w.AskForJob(queue=QUEUE, job=JOB)]:
            held, *effects = self.armed_again()
            assert isinstance(held, w.SaveMemory)
        save, start = effects
        assert isinstance(save, w.SaveMemory)
        assert isinstance(start, w.StartCopy)
        assert save.saved.printing == start.printing
        assert not save.saved.bed_clear
        return start.printing

    def fetched_event(self) -> w.Fetched:
        file_fetcher = self.worker._fetching
        assert file_fetcher
        return w.Fetched(sha256=file_fetcher.sha256)

    def seen(self, printing: w.CopyPrint, phase: PrintPhase, reason: str = "") -> list[w.Effect]:
        return self.tell(
            w.PrinterSeen(print_id=printing.print_id, phase=phase, reason=reason, bytes=10)
        )

    def print(self, printing: w.CopyPrint, phase: PrintPhase = PrintPhase.DONE) -> list[w.Effect]:
        """The whole print, and its record."""
        assert self.seen(printing, PrintPhase.PRINTING) == []
        assert self.at(WorkerState.PRINTING)
        (effect,) = self.seen(printing, phase, "because")
        assert isinstance(effect, w.WriteRunRecord)
        assert self.at(WorkerState.REPORTING)
        return self.recorded(effect)

    # Steps of a script

    def script(self, effects: list[w.Effect]) -> ScriptRun:
        """The script that is begun by the last of `effects`, stored before."""
        save, start = effects[-2:]
        assert isinstance(save, w.SaveMemory)
        assert isinstance(start, w.StartScript)
        assert save.saved.script == start.script
        return start.script

    @property
    def script_under_way(self) -> ScriptRun:
        run = self.worker.saved.script
        assert run
        return run

    def script_seen(self, run: ScriptRun, phase: PrintPhase, reason: str = "") -> list[w.Effect]:
        return self.tell(w.PrinterSeen(print_id=run.print_id, phase=phase, reason=reason))

    def run_script(self, run: ScriptRun, phase: PrintPhase = PrintPhase.DONE) -> list[w.Effect]:
        """From its start to its end."""
        assert self.script_seen(run, PrintPhase.PRINTING) == []
        assert self.at(WorkerState.PRINTING)
        return self.script_seen(run, phase, "because")

    def recorded(self, effect: w.WriteRunRecord) -> list[w.Effect]:
        self.add_record(effect.record)
        return self.tell(w.Recorded(print_id=effect.record.print_id))


def claimed(claim: Claim, now_s: float = 0.0) -> w.Claimed:
    return w.Claimed(queue=QUEUE, claim=claim, begin_until_s=now_s + BEGIN_WITHIN_S)


def starts(effects: list[w.Effect]) -> list[w.CopyPrint]:
    return [effect.printing for effect in effects if isinstance(effect, w.StartCopy)]


def ends(effects: list[w.Effect]) -> list[str]:
    return [effect.reason for effect in effects if isinstance(effect, w.EndClaim)]
