"""Which job a printer takes, and what it waits for, by the material that is loaded."""

from __future__ import annotations

from dataclasses import replace

from crdtqueue.core.document.model import (
    Job,
    PrintSet,
    QueueSettings,
    QueueState,
    Strategy,
)
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.materials import Loaded
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.strategy import OVERTAKEN_MAX
from crdtqueue.core.worker.worker_events import WaitReason
from tests.harness.samples import (
    JOB,
    JOB_2,
    a_claim,
    a_job,
    print_set,
)
from tests.harness.worker_fixture import (
    IDLE_PRINTER,
    MINE,
    QUEUE,
    Bench,
    claimed,
    starts,
)

# Materials ----------------------------------------------------------------------------------------


def of(*materials: str, copies: int = 1) -> PrintSet:
    return replace(print_set(copies=copies), materials=materials)


def test_nobody_is_asked_for_material_until_somebody_says_what_is_loaded() -> None:
    bench = Bench(a_job(of("PETG")))
    bench.start()
    assert bench.worker.saved.loaded == Loaded(tools=("PETG",))


def test_a_print_waits_for_its_material() -> None:
    saved = w.WorkerMemory(loaded=Loaded(tools=("PLA", "ABS"), said=True))
    bench = Bench(a_job(of("PETG", "")), saved=saved, scripts=(CycleStep.WAITING,))
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.held = {JOB: MINE}
    bench.read()
    run = bench.script(bench.tell(claimed(MINE)))
    assert run.step is CycleStep.WAITING
    assert starts(bench.run_script(run)) == []
    assert (bench.worker.wait, bench.worker.missing) == (WaitReason.MATERIAL, {0: "PETG"})
    again = bench.script(bench.tell(w.MaterialsLoaded(tools=("pla",))))
    assert starts(bench.run_script(again)) == []
    bench.boot()
    bench.read()
    assert bench.tell(IDLE_PRINTER) == []
    assert isinstance(bench.tell(w.MaterialsLoaded(tools=("petg", "ABS")))[-1], w.FetchFile)
    bench.fetched()
    assert bench.worker.saved.loaded == Loaded(tools=("PETG", "ABS"), said=True)


def test_whoever_no_longer_wants_to_be_asked_is_not() -> None:
    bench = Bench(a_job(of("PETG")), saved=w.WorkerMemory(loaded=Loaded(tools=("PLA",), said=True)))
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.held = {JOB: MINE}
    bench.read()
    bench.tell(claimed(MINE))
    assert bench.worker.wait is WaitReason.MATERIAL
    assert isinstance(bench.tell(w.MaterialsLoaded(tools=None))[-1], w.FetchFile)


# Strategies ---------------------------------------------------------------------------------------


def by_changes(*jobs: Job) -> Bench:
    bench = Bench(saved=w.WorkerMemory(loaded=Loaded(tools=("PLA",))))
    settings = QueueSettings(strategy=Strategy.LEAST_CHANGES)
    bench.state = QueueState(jobs=jobs, settings=settings)
    bench.read()
    return bench


def test_the_job_of_the_material_that_is_loaded_comes_first() -> None:
    bench = by_changes(a_job(of("PETG")), a_job(of("PLA"), job=JOB_2))
    assert bench.worker.next_job == JOB_2
    assert bench.tell(IDLE_PRINTER) == [w.AskForJob(queue=QUEUE, job=JOB_2)]


def test_no_job_starves() -> None:
    first = a_job(of("PETG"))
    other = a_job(of("PLA"), job=JOB_2)
    bench = by_changes(first, other)
    taken = []
    for epoch in range(1, OVERTAKEN_MAX + 2):
        effects = bench.tell(IDLE_PRINTER) + bench.tell(w.BedCleared())
        (ask,) = [each for each in effects if isinstance(each, w.AskForJob)]
        taken.append(ask.job)
        bench.hold(a_claim(job=ask.job, epoch=epoch))
        bench.print(bench.fetched())
        bench.held = {}
        bench.state = replace(bench.state, jobs=(first, other))
        bench.boot()
        bench.read()
    assert taken == [JOB_2] * OVERTAKEN_MAX + [JOB]
    assert bench.worker.saved.overtaken == ()
