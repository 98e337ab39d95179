from __future__ import annotations

from dataclasses import replace

import pytest

from crdtqueue.core.document.model import (
    QueueState,
    Result,
)
from crdtqueue.core.document.progress import next_copy
from crdtqueue.core.ids import PrintId, QueueName
from crdtqueue.core.worker import transitions as after
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    CycleStep,
    ScriptRun,
)
from crdtqueue.core.worker.strategy import Overtaken
from crdtqueue.core.worker.transitions import (
    is_recorded,
    printing_of,
    record_of,
)
from crdtqueue.core.worker.worker_events import (
    CopyPrint,
    QueueView,
    WorkerConfig,
    WorkerMemory,
)
from tests.harness.samples import (
    JOB,
    MK3S,
    SET_A,
    a_claim,
    a_job,
    file,
    print_set,
    record,
)

QUEUE = QueueName("workshop")
ALL = {step: file() for step in SCRIPT_STEPS}
CONFIG = WorkerConfig(profile=MK3S, cooldown=Cooldown(bed_c=30.0))
PRINTING = CopyPrint(
    queue=QUEUE,
    claim=a_claim(),
    number=1,
    generation=0,
    run=1,
    copy=1,
    set=SET_A,
    file=file(),
    started_at_s=1.0,
)
AT_IT = WorkerMemory(printing=PRINTING, bed_clear=False)


def over(
    saved: WorkerMemory, result: Result, *, moved: bool = True, config: WorkerConfig = CONFIG
) -> WorkerMemory:
    return after.after_print(saved, result, "Jam.", moved=moved, config=config, scripts=ALL)


@pytest.mark.parametrize(
    ("result", "todo"),
    [
        (
            Result.DONE,
            (CycleStep.PRINT_DONE, CycleStep.COOLDOWN, CycleStep.COOL, CycleStep.CLEAR_BED),
        ),
        (Result.FAILED, (CycleStep.PRINT_FAILED, CycleStep.COOLDOWN, CycleStep.COOL)),
        (
            Result.CANCELLED,
            (CycleStep.PRINT_FAILED, CycleStep.COOLDOWN, CycleStep.COOL, CycleStep.DEACTIVATED),
        ),
        (Result.ABORTED, ()),
    ],
)
def test_what_is_done_after_a_print(result: Result, todo: tuple[CycleStep, ...]) -> None:
    assert over(AT_IT, result).todo == todo


def test_a_printer_that_clears_its_bed_has_neither_to_cool_nor_to_be_cleared() -> None:
    config = replace(CONFIG, self_clearing=True)
    done = over(AT_IT, Result.DONE, config=config)
    assert (done.todo, done.bed_clear) == ((CycleStep.PRINT_DONE,), True)
    assert not over(AT_IT, Result.FAILED, config=config).bed_clear


def test_a_print_that_never_moved_has_used_nothing() -> None:
    refused = over(AT_IT, Result.FAILED, moved=False)
    assert (refused.bed_clear, refused.todo, refused.failed_jobs) == (True, (), ())
    strange = over(replace(AT_IT, strange=True), Result.FAILED, moved=False)
    assert not strange.bed_clear


def test_a_printer_that_nobody_manages_runs_no_scripts() -> None:
    assert over(replace(AT_IT, managing=False), Result.DONE).todo == ()


def test_a_script_that_ended_well_has_done_its_work() -> None:
    clear = ScriptRun(step=CycleStep.CLEAR_BED, print_id=PrintId("script/1/1"), file=file())
    saved = WorkerMemory(script=clear, bed_clear=False, todo=(CycleStep.WAITING,))
    assert after.after_script(saved, clear, Result.DONE, "", moved=True) == WorkerMemory(
        todo=(CycleStep.WAITING,)
    )
    strange = replace(saved, strange=True)
    assert not after.after_script(strange, clear, Result.DONE, "", moved=True).bed_clear
    failed = after.after_script(saved, clear, Result.FAILED, "x" * 1000, moved=True)
    assert (failed.todo, failed.managing, failed.bed_clear) == ((), False, False)
    assert len(failed.stopped_because) < 400


def test_changing_ones_mind_takes_the_script_back() -> None:
    stopped = after.managed(WorkerMemory(todo=(CycleStep.CLEAR_BED,)), ALL, managing=False)
    assert stopped.todo == (CycleStep.DEACTIVATED,)
    assert after.managed(stopped, ALL, managing=False) is stopped
    assert after.managed(stopped, ALL, managing=True).todo == ()
    ran = replace(stopped, todo=())
    assert after.managed(ran, ALL, managing=True).todo == (CycleStep.ACTIVATED,)


def test_a_job_is_tried_too_often_unless_it_is_held_back_already() -> None:
    failed = tuple(record(a_claim(), n, result=Result.FAILED) for n in (1, 2))
    assert after.is_tried_too_often(a_job(records=failed), retries=1)
    assert not after.is_tried_too_often(a_job(records=failed), retries=2)
    assert not after.is_tried_too_often(replace(a_job(records=failed), forgiven=1), retries=1)
    assert not after.is_tried_too_often(a_job(records=failed, paused=True), retries=0)


def test_so_many_queues_are_remembered() -> None:
    saved = WorkerMemory()
    for number in range(2 * after.OVERTAKEN_QUEUES_MAX):
        queue = QueueName(f"q{number}")
        overtaken = Overtaken(queue=queue, job=JOB, times=1)
        saved = after.with_overtaken(saved, queue, overtaken)
    assert len(saved.overtaken) == after.OVERTAKEN_QUEUES_MAX
    assert after.with_overtaken(saved, queue, None).overtaken == saved.overtaken[:-1]


QUEUE = QueueName("workshop")


def printing(*numbers: int) -> CopyPrint:
    job = a_job(print_set(copies=9), records=tuple(record(a_claim(), n) for n in numbers))
    view = QueueView(name=QUEUE, state=QueueState(jobs=(job,)), held={})
    copy = next_copy(job, MK3S)
    assert copy
    return printing_of(view, job, a_claim(), copy, 5.0)


def test_a_print_keeps_its_number_until_it_is_recorded() -> None:
    assert printing().number == 1
    assert printing(1, 2).number == 3
    assert printing().print_id == printing().print_id


def test_the_prints_of_another_claim_do_not_count() -> None:
    job = a_job(print_set(copies=9), records=(record(a_claim(epoch=2), 7),))
    view = QueueView(name=QUEUE, state=QueueState(jobs=(job,)), held={})
    copy = next_copy(job, MK3S)
    assert copy
    assert printing_of(view, job, a_claim(), copy, 5.0).number == 1


def test_a_record_says_of_which_copy_it_is() -> None:
    made = record_of(printing(), Result.FAILED, "Jam.", MK3S, 17, 9.0)
    assert (made.print_id, made.run, made.copy) == (a_claim().print_id(1), 1, 1)
    assert (made.result, made.reason, made.bytes) == (Result.FAILED, "Jam.", 17)
    assert (made.started_at_s, made.ended_at_s) == (5.0, 9.0)


def test_a_print_of_a_queue_that_cannot_be_looked_at_counts_as_recorded() -> None:
    job = a_job(records=(record(a_claim()),))
    gone = QueueView(name=QUEUE, state=QueueState(deleted=(job,)), held={})
    empty = QueueView(name=QUEUE, state=QueueState(), held={})
    assert is_recorded(printing(), None)
    assert is_recorded(printing(), gone)
    assert not is_recorded(printing(), empty)
