"""A printer with a bed, a store that loses what was not written, and a person, around one worker.

Everything is carried out one effect at a time, so the process can end between any two of them; a
start that is under way then may still reach the printer. What must never happen is asserted where
it would: in the printer.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from crdtqueue.core.document.model import QueueState
from crdtqueue.core.document.progress import (
    failures,
    progress,
    why_nobody_may_take,
)
from crdtqueue.core.ids import Claim, JobId, PrintId, QueueName
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    CycleStep,
    ScriptRun,
)
from crdtqueue.core.worker.worker import Worker
from crdtqueue.core.worker.worker_events import (
    PrintPhase,
    WaitReason,
)
from tests.harness.samples import (
    JOB,
    ME,
    MK3S,
    a_claim,
    a_job,
    file,
    peer,
    print_set,
)

QUEUE = QueueName("workshop")
BEGIN_WITHIN_S = 8.0
COOL_C = 30.0
OTHER = peer(1)
BY_HAND = "by hand"
"""It lasts until the peer has noticed it: of what is printed while it is off nobody knows."""


@dataclass
class SimPrinter:
    """It starts a print id once and for ever, and knows which part lies on its bed."""

    journal: dict[PrintId, PrintPhase] = field(default_factory=dict)
    scripts: dict[PrintId, CycleStep] = field(default_factory=dict)
    part: PrintId | str = ""
    bed_c: float = 20.0
    at: PrintId | str = ""
    last: PrintId | str = ""
    self_clearing: bool = False

    def start(self, print_id: PrintId, script: ScriptRun | None) -> PrintPhase | None:
        """The state of a print; None if the printer is busy with another."""
        if print_id in self.journal:
            return self.journal[print_id]
        if self.at:
            return None
        if script is None:
            assert not self.part, f"{print_id} was begun onto {self.part}"
            self.part, self.bed_c = print_id, 60.0
        elif script.step is CycleStep.CLEAR_BED:
            assert not self.part or self.journal.get(PrintId(self.part)) is PrintPhase.DONE
            assert self.bed_c <= COOL_C
        if script:
            self.scripts[print_id] = script.step
        self.at = print_id
        self.journal[print_id] = PrintPhase.PRINTING
        return PrintPhase.PRINTING

    def end(self, phase: PrintPhase) -> None:
        """What it is at is over."""
        if self.at in self.journal:
            self.journal[PrintId(self.at)] = phase
            step = self.scripts.get(PrintId(self.at))
            clears = self.self_clearing if step is None else step is CycleStep.CLEAR_BED
            if clears and phase is PrintPhase.DONE:
                self.part = ""
        self.at, self.last = "", self.at


class World:
    """One run. Call `step` until `is_over`."""

    def __init__(self, seed: int, *, crash: float = 0.06) -> None:
        self.chance = random.Random(seed)
        self.crash = crash
        self.by_hand = 0.02
        self.all_goes_well = False
        self.self_clearing = self.chance.random() < 0.2
        self.scripts = {s: file(f"{s}.gcode") for s in SCRIPT_STEPS if self.chance.random() < 0.6}
        self.config = w.WorkerConfig(
            profile=MK3S,
            self_clearing=self.self_clearing,
            cooldown=Cooldown(bed_c=COOL_C, max_s=1e6),
        )
        job = a_job(print_set(copies=self.chance.randint(1, 3)), runs=self.chance.randint(1, 2))
        self.state = QueueState(jobs=(job,))
        self.held: dict[JobId, Claim] = {}
        self.armed: dict[Claim, float] = {}
        self.printer = SimPrinter(self_clearing=self.self_clearing)
        self.stored = w.WorkerMemory()
        self.epoch = self.boots = self.stops = self.given_back = 0
        self.now_s = 0.0
        self.in_flight: list[tuple[PrintId, ScriptRun | None]] = []
        self.todo: list[w.Effect] = []
        self.answers: list[w.Event] = []
        self.boot()

    def boot(self) -> None:
        """The process ends, with all that was only in its memory, and a new one begins."""
        self.boots += 1
        self.todo, self.answers = [], [self.queues()]
        self.worker = Worker(
            me=ME,
            instance=f"{self.boots:016x}",
            config=self.config,
            scripts=self.scripts,
            saved=self.stored,
        )

    @property
    def is_over(self) -> bool:
        """Everything is printed, recorded, given back, and nothing is left to do."""
        job = self.state.jobs[0]
        idle = not (self.todo or self.answers or self.in_flight or self.printer.at)
        saved = self.stored
        at_rest = not (saved.todo or saved.at_printer or saved.worked)
        return progress(job).complete and not self.held and idle and at_rest

    def step(self) -> None:
        """One small thing happens."""
        self.now_s += self.chance.choice([0.0, 0.1, 1.0])
        if self.chance.random() < self.crash:
            self.boot()
        elif self.answers:
            self.tell(self.answers.pop(0))
        elif self.todo and self.chance.random() < 0.9:
            self.carry_out(self.todo.pop(0))
        elif self.in_flight and self.chance.random() < 0.6:
            self.deliver(*self.in_flight.pop(0))
        elif not self.todo:
            self.world_goes_on()

    def tell(self, event: w.Event) -> None:
        self.worker.receive(event, self.now_s, 1000.0 + self.now_s)
        self.todo += self.worker.effects()

    def queues(self) -> w.QueuesRead:
        view = w.QueueView(name=QUEUE, state=self.state, held=dict(self.held))
        return w.QueuesRead(queues=(view,))

    def carry_out(self, effect: w.Effect) -> None:
        match effect:
            case w.SaveMemory(saved=saved):
                self.stored = saved
            case w.AskForJob():
                self.claim()
            case w.FetchFile(file=wanted):
                self.answers.append(w.Fetched(sha256=wanted.sha256))
            case w.StartCopy(printing=printing):
                assert self.stored.printing == printing
                assert not self.stored.bed_clear
                self.start(printing)
            case w.StartScript(script=run):
                assert self.stored.script == run
                self.in_flight.append((run.print_id, run))
            case w.WriteRunRecord():
                self.record(effect)
            case w.EndClaim(claim=claim):
                self.end(claim)
                self.given_back += 1
                self.answers.append(self.queues())
            case w.PauseJob():
                self.state = replace(self.state, jobs=(replace(self.state.jobs[0], paused=True),))
                self.answers.append(self.queues())

    def claim(self) -> None:
        """Not every claim that has a start record is armed, and others ask too."""
        self.epoch += 1
        before, claim = self.held.get(JOB), a_claim(epoch=self.epoch)
        happens = 1.0 if self.all_goes_well else self.chance.random()
        if happens < 0.1:
            self.held = {JOB: before or replace(claim, peer=OTHER)}
        elif happens < 0.2:
            self.held = {JOB: claim}
        else:
            self.held = {JOB: claim}
            if before:
                self.end(before)
            self.armed[claim] = until_s = self.now_s + BEGIN_WITHIN_S
            answer = w.Claimed(queue=QUEUE, claim=claim, begin_until_s=until_s)
            self.answers += [self.queues(), answer]
            return
        self.answers += [self.queues(), w.NotClaimed(queue=QUEUE, job=JOB)]

    def end(self, claim: Claim) -> None:
        """It is over."""
        if self.held.get(JOB) == claim:
            del self.held[JOB]
        self.state = replace(self.state, ended=self.state.ended | {claim})

    def start(self, printing: w.CopyPrint) -> None:
        """As `Operator` does: a claim that is over, or was armed long ago, begins nothing."""
        claim = printing.claim
        if self.held.get(JOB) == claim and self.now_s <= self.armed.get(claim, 0.0):
            self.in_flight.append((printing.print_id, None))
        else:
            late = w.StartDelayed(print_id=printing.print_id, reason="Too late.", told=False)
            self.answers.append(late)

    def record(self, effect: w.WriteRunRecord) -> None:
        job, done = self.state.jobs[0], effect.record
        phase = self.printer.journal[done.print_id]
        assert w.RESULTS[phase] is done.result
        if done.print_id not in {each.print_id for each in job.records}:
            job = replace(job, records=(*job.records, done))
        self.state = replace(self.state, jobs=(job,))
        self.answers += [self.queues(), w.Recorded(print_id=done.print_id)]

    def deliver(self, print_id: PrintId, script: ScriptRun | None) -> None:
        """A start reaches the printer; its answer may reach another process than asked."""
        phase = self.printer.start(print_id, script)
        if phase is None:
            busy = w.StartDelayed(print_id=print_id, reason="Busy.", told=False)
            self.answers.append(busy)
        else:
            self.answers.append(w.PrinterSeen(print_id=print_id, phase=phase))

    def world_goes_on(self) -> None:
        happens = self.chance.random()
        if self.chance.random() < 0.3 and self.held.get(JOB, a_claim()).peer == OTHER:
            self.end(self.held[JOB])
            self.answers.append(self.queues())
        unnoticed = self.printer.at == BY_HAND and self.stored.bed_clear
        arriving = self.in_flight  # No request is on its way for as long as a print takes.
        if self.printer.at and happens < 0.5 and not unnoticed and not arriving:
            self.printer.end(self.result())
        elif not self.printer.at:
            self.printer.bed_c = max(20.0, self.printer.bed_c - self.chance.uniform(0.0, 15.0))
            told = self.stored.at_printer or self.in_flight
            if happens < self.by_hand and not told and not self.printer.part:
                self.printer.at = self.printer.part = BY_HAND
        self.person()
        self.answers += self.seen()
        self.worker.tick(self.now_s, 1000.0 + self.now_s)
        self.todo += self.worker.effects()

    def result(self) -> PrintPhase:
        odds = [PrintPhase.DONE] * 12 + [PrintPhase.FAILED, PrintPhase.CANCELLED]
        return self.chance.choice(odds)

    def person(self) -> None:
        """Takes parts off when asked, and looks at what has stopped, sooner or later."""
        if self.chance.random() < 0.5:
            return
        if self.worker.wait is WaitReason.BED and not self.printer.at and self.worker.may_clear_bed:
            self.printer.part = ""
            self.answers.append(w.BedCleared())
        elif self.worker.wait is WaitReason.MANAGING:
            self.stops += 1
            self.answers.append(w.Manage(managing=True))
        elif why_nobody_may_take(job := self.state.jobs[0]):
            job = replace(job, paused=False, forgiven=failures(job))
            self.state = replace(self.state, jobs=(job,))
            self.answers.append(self.queues())

    def seen(self) -> list[w.Event]:
        """What the shell reports of the printer, as `Operator` does."""
        bed_c, at = self.printer.bed_c, self.worker.saved.at_printer
        if at in self.printer.journal:
            return [w.PrinterSeen(print_id=at, phase=self.printer.journal[at], bed_c=bed_c)]
        phase = PrintPhase.PRINTING if self.printer.at else None
        last = self.printer.at or self.printer.last
        known = PrintId(last) if last in self.printer.journal else None
        phase = self.printer.journal[known] if known else phase
        unknown: list[w.Event] = [w.PrintUnknown(print_id=at)] if at else []
        return [*unknown, w.PrinterSeen(print_id=known, phase=phase, bed_c=bed_c)]
