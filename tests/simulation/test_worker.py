"""A worker that is told anything at any time, and one whose process ends again and again."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from crdtqueue.core.document.model import (
    PrintSet,
    QueueState,
    Result,
)
from crdtqueue.core.document.progress import progress
from crdtqueue.core.ids import QueueName
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    CycleStep,
)
from crdtqueue.core.worker.worker_events import PrintPhase, WorkerState
from tests.harness.samples import (
    JOB,
    SET_B,
    a_claim,
    a_job,
    file,
    peer,
    print_set,
    record,
)
from tests.harness.worker_fixture import (
    IDLE_PRINTER,
    MINE,
    QUEUE,
    Bench,
)
from tests.simulation.worker_world import World


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
        holds_back="" if chance.random() < 0.8 else "Syncs first.",
    )
    running = bench.worker.saved.script
    if running and chance.random() < 0.5:
        print_id = running.print_id
    seen = w.PrinterSeen(
        problem=chance.choice(["", "", "Unplugged."]),
        print_id=chance.choice([print_id, None]),
        phase=chance.choice([None, *PrintPhase]),
        bed_c=chance.choice([None, 25.0, 60.0]),
    )
    events: list[w.Event] = [
        w.QueuesRead(queues=(view,) if chance.random() < 0.95 else ()),
        w.QueuesRead(queues=(view,)),
        w.Claimed(queue=name, claim=claim, begin_until_s=bench.now_s + chance.uniform(0.0, 8.0)),
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
        w.MaterialsLoaded(tools=chance.choice([None, ("PLA",), ("PETG", "")])),
        w.ScriptsSet(scripts={s: file(s) for s in SCRIPT_STEPS if chance.random() < 0.5}),
    ]
    return chance.choice(events)


def random_state(chance: random.Random) -> QueueState:
    sets: list[PrintSet] = [print_set(copies=chance.randint(0, 2))]
    if chance.random() < 0.3:
        sets = [replace(sets[0], materials=("PETG",))]
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
    cooldown = Cooldown(bed_c=30.0, max_s=20.0) if seed % 2 else None
    bench = Bench(self_clearing=seed % 3 == 0, cooldown=cooldown, scripts=SCRIPT_STEPS)
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
            if isinstance(effect, w.SaveMemory):
                stored = effect.saved
                assert stored.printing is None or not stored.bed_clear
            if isinstance(effect, w.StartScript):
                assert effect.script == stored.script
                assert stored.printing is None
                started += 1
            if isinstance(effect, w.StartCopy):
                started += 1
                assert effect.printing == stored.printing
                assert stored.held == (effect.printing.queue, effect.printing.claim)
        deadline_s = bench.worker.next_deadline_s()
        if deadline_s is not None and deadline_s <= bench.now_s:
            bench.wait(0.0)
            late_s = bench.worker.next_deadline_s()
            assert late_s is None or late_s > bench.now_s
    assert started or not bench.at(WorkerState.STARTING)


STEPS_MAX = 20_000


def run(world: World) -> None:
    for _ in range(STEPS_MAX):
        if world.is_over:
            return
        world.step()
    raise AssertionError(f"not over: {world.worker.state} {world.worker.wait} {world.stored}")


@pytest.mark.parametrize("seed", range(150))
def test_however_often_the_process_ends_each_copy_is_printed_once(seed: int) -> None:
    world = World(seed)
    run(world)
    printer, job = world.printer, world.state.jobs[0]
    prints = {p: phase for p, phase in printer.journal.items() if p not in printer.scripts}
    assert {r.print_id: r.result.value for r in job.records} == {
        p: phase.value for p, phase in prints.items()
    }
    done = [r for r in job.records if r.result is Result.DONE]
    assert len({(r.run, r.copy) for r in done}) == len(done) == progress(job).total
    assert progress(job).doubles == 0
    assert len({p.rpartition("/")[0] for p in prints}) == len(prints)  # No two of one claim.
    runs = Counter(printer.scripts.values())
    assert runs[CycleStep.BEFORE_PRINT] <= len(prints) + world.stops + world.given_back
    assert runs[CycleStep.PRINT_DONE] <= len(done)
    assert runs[CycleStep.PRINT_FAILED] <= len(prints) - len(done)
    assert runs[CycleStep.CLEAR_BED] <= len(done)


@pytest.mark.parametrize("seed", range(60))
def test_each_script_is_run_once_for_each_occasion(seed: int) -> None:
    """Where all goes well, however often the process ends: not one too many, not one too few."""
    world = World(seed)
    world.result = lambda: PrintPhase.DONE  # type: ignore[method-assign]
    world.by_hand = 0.0
    world.all_goes_well = True
    run(world)
    runs = Counter(world.printer.scripts.values())
    prints = len(world.state.jobs[0].records)
    once_each = {
        CycleStep.BEFORE_PRINT: prints,
        CycleStep.PRINT_DONE: prints,
        CycleStep.QUEUE_FINISHED: 1,
    }
    if not world.self_clearing:
        once_each |= {CycleStep.COOLDOWN: prints, CycleStep.CLEAR_BED: prints}
    expected = {step: n for step, n in once_each.items() if step in world.scripts}
    runs.pop(CycleStep.WAITING, None)
    assert runs == expected


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = World(7), World(7)
    run(first)
    run(second)
    assert first.printer == second.printer
    assert first.stored == second.stored
