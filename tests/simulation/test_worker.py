"""A worker that is told anything at any time, and one whose process ends again and again."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from crdtqueue.core import worker_events as w
from crdtqueue.core.ids import QueueName
from crdtqueue.core.model import PrintSet, QueueState, Result
from crdtqueue.core.worker import WorkerState
from crdtqueue.core.worker_events import PrintPhase
from tests.core.samples import (
    JOB,
    SET_B,
    a_claim,
    a_job,
    peer,
    print_set,
    record,
)
from tests.core.worker_bench import IDLE_PRINTER, MINE, QUEUE, Bench


def anything(bench: Bench, chance: random.Random) -> w.Event:
    claim = chance.choice([MINE, a_claim(peer(1), epoch=2), a_claim(epoch=3)])
    print_id = claim.print_id(chance.randint(1, 3))
    printing = bench.worker.saved.printing
    if printing and chance.random() < 0.7:
        print_id = printing.print_id
    name = chance.choice([QUEUE, QUEUE, QueueName("local")])
    files = [print_set().file, print_set(name="lid.gcode").file]
    sha256 = chance.choice(files).sha256
    view = w.QueueView(
        name=name,
        state=random_state(chance),
        held={JOB: claim} if chance.random() < 0.6 else {},
        ready=chance.random() < 0.8,
    )
    seen = w.PrinterSeen(
        problem=chance.choice(["", "", "Unplugged."]),
        print_id=chance.choice([print_id, None]),
        phase=chance.choice([None, *PrintPhase]),
    )
    events: list[w.Event] = [
        w.QueuesRead(queues=(view,) if chance.random() < 0.95 else ()),
        w.QueuesRead(queues=(view,)),
        w.Claimed(queue=name, claim=claim),
        w.NotClaimed(queue=name, job=JOB),
        w.Fetched(sha256=sha256),
        w.Fetched(sha256=sha256),
        w.NotFetched(sha256=sha256, reason="Gone."),
        seen,
        IDLE_PRINTER,
        w.StartRefused(print_id=print_id, reason="No."),
        w.StartDelayed(print_id=print_id, reason="Later."),
        w.PrintUnknown(print_id=print_id),
        w.Recorded(print_id=print_id),
        w.BedCleared(),
        w.Manage(managing=chance.random() < 0.8),
    ]
    return chance.choice(events)


def random_state(chance: random.Random) -> QueueState:
    sets: list[PrintSet] = [print_set(copies=chance.randint(0, 2))]
    if chance.random() < 0.5:
        sets.append(print_set(SET_B, name="lid.gcode"))
    records = tuple(
        record(MINE, n, result=chance.choice(list(Result))) for n in range(chance.randint(0, 3))
    )
    job = a_job(*sets, runs=chance.randint(0, 3), paused=chance.random() < 0.1, records=records)
    return QueueState(
        jobs=(job,) if chance.random() < 0.9 else (),
        deleted=(job,) if chance.random() < 0.1 else (),
        ended=frozenset({MINE}) if chance.random() < 0.05 else frozenset(),
    )


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_a_start_is_what_was_stored_and_the_bed_is_used(seed: int) -> None:
    chance = random.Random(seed)
    bench = Bench(self_clearing=seed % 3 == 0)
    started = 0
    for _ in range(400):
        if chance.random() < 0.02:
            bench.boot()
        stored = bench.saved
        if chance.random() < 0.1:
            effects = bench.wait(chance.uniform(0.0, 6.0))
        else:
            effects = bench.tell(anything(bench, chance))
        for effect in effects:
            if isinstance(effect, w.Save):
                stored = effect.saved
                assert stored.printing is None or not stored.bed_clear
            if isinstance(effect, w.Start):
                started += 1
                assert effect.printing == stored.printing
                assert stored.held == (effect.printing.queue, effect.printing.claim)
        deadline_s = bench.worker.next_deadline_s()
        if deadline_s is not None and deadline_s <= bench.now_s:
            bench.wait(0.0)
            late_s = bench.worker.next_deadline_s()
            assert late_s is None or late_s > bench.now_s
    assert started or not bench.at(WorkerState.STARTING)


class Honest(Bench):
    """The rest of a peer as it should be: the shell, the printer, the claims, the document."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.copies = self.chance.randint(1, 3)
        self.printer: dict[str, PrintPhase] = {}
        self.epoch = 0
        super().__init__(a_job(print_set(copies=self.copies)), self_clearing=seed % 2 == 0)

    def carry_out(self, effect: w.Effect) -> list[w.Effect]:
        match effect:
            case w.Ask():
                return self.claim()
            case w.Fetch(file=file):
                return self.tell(w.Fetched(sha256=file.sha256))
            case w.Start(printing=printing):
                phase = self.printer.setdefault(printing.print_id, PrintPhase.PRINTING)
                return self.seen(printing, phase)
            case w.Record(record=done):
                self.add_record(done)
                return self.tell(w.Recorded(print_id=done.print_id))
            case w.End(claim=claim):
                self.held = {}
                self.state = replace(self.state, ended=self.state.ended | {claim})
                return self.read()
            case _:
                return []

    def claim(self) -> list[w.Effect]:
        self.epoch += 1
        claim = a_claim(epoch=self.epoch)
        self.held = {JOB: claim}
        if self.chance.random() < 0.3:
            self.boot()
            return self.read()
        return self.read() + self.tell(w.Claimed(queue=QUEUE, claim=claim))

    def idle_moment(self) -> list[w.Effect]:
        for print_id, phase in self.printer.items():
            if phase is PrintPhase.PRINTING and self.chance.random() < 0.5:
                self.printer[print_id] = PrintPhase.DONE
        printing = self.worker.saved.printing
        if printing and printing.print_id in self.printer:
            return self.seen(printing, self.printer[printing.print_id])
        if printing:
            unknown = w.PrintUnknown(print_id=printing.print_id)
            return self.tell(unknown) + self.tell(IDLE_PRINTER)
        return self.tell(IDLE_PRINTER) + self.tell(w.BedCleared()) + self.wait(1.0)


@pytest.mark.parametrize("seed", range(60))
def test_however_often_the_process_ends_each_copy_is_printed_once(seed: int) -> None:
    bench = Honest(seed)
    todo: list[w.Effect] = []
    for _ in range(2000):
        if not todo and len(bench.state.jobs[0].records) == bench.copies and not bench.held:
            break
        if bench.chance.random() < 0.05:
            bench.boot()
            todo = bench.read()
        elif todo:
            todo += bench.carry_out(todo.pop(0))
        else:
            todo = bench.idle_moment()
    assert len(bench.printer) == bench.copies
    assert set(bench.printer.values()) == {PrintPhase.DONE}
    assert {r.print_id for r in bench.state.jobs[0].records} == set(bench.printer)
    assert not bench.held
