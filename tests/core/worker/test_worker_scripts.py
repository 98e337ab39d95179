"""Scripts, cooling down and failures around the prints of one printer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crdtqueue.core.document.model import (
    QueueState,
    Result,
)
from crdtqueue.core.ids import JobId
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import (
    Clearing,
    Cooldown,
)
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    CycleStep,
    ScriptRun,
)
from crdtqueue.core.worker.transitions import FAILED_JOBS_MAX
from crdtqueue.core.worker.worker import RETRY_S
from crdtqueue.core.worker.worker_events import (
    PrintPhase,
    WaitReason,
    WorkerState,
)
from tests.harness.samples import (
    JOB,
    a_claim,
    a_job,
    peer,
    print_set,
    record,
)
from tests.harness.worker_fixture import (
    BEGIN_WITHIN_S,
    IDLE_PRINTER,
    MINE,
    QUEUE,
    Bench,
    ends,
    starts,
)

WARM = w.PrinterSeen(bed_c=60.0)
COOL = Cooldown(bed_c=30.0, max_s=600.0)


def script_steps(effects: list[w.Effect]) -> list[CycleStep]:
    return [effect.script.step for effect in effects if isinstance(effect, w.StartScript)]


def wait_of(bench: Bench) -> WaitReason | None:
    return bench.worker.wait


def todo_of(bench: Bench) -> tuple[CycleStep, ...]:
    return bench.worker.saved.todo


def asks(effects: list[w.Effect]) -> list[w.AskForJob]:
    return [effect for effect in effects if isinstance(effect, w.AskForJob)]


# Clearing the bed ---------------------------------------------------------------------------------


def test_a_script_that_clears_the_bed_lets_the_next_copy_begin() -> None:
    bench = Bench(a_job(print_set(copies=2)), scripts=(CycleStep.CLEAR_BED,))
    run = bench.script(bench.print(bench.start()))
    assert run.step is CycleStep.CLEAR_BED
    assert not bench.worker.may_clear_bed
    assert bench.tell(w.BedCleared()) == []
    assert wait_of(bench) is not None
    effects = bench.run_script(run)
    assert isinstance(effects[-1], w.FetchFile)
    assert bench.worker.saved.bed_clear
    assert bench.fetched().print_id == a_claim(epoch=2).print_id(1)


@pytest.mark.parametrize("phase", [PrintPhase.FAILED, PrintPhase.CANCELLED])
def test_a_print_that_failed_is_not_cleared_by_a_script(phase: PrintPhase) -> None:
    bench = Bench(a_job(print_set(copies=2)), scripts=(CycleStep.CLEAR_BED, CycleStep.PRINT_FAILED))
    run = bench.script(bench.print(bench.start(), phase))
    assert run.step is CycleStep.PRINT_FAILED
    assert script_steps(bench.run_script(run)) == []
    assert not bench.worker.saved.bed_clear


@pytest.mark.parametrize("phase", [PrintPhase.FAILED, PrintPhase.CANCELLED])
def test_a_script_that_does_not_run_to_its_end_stops_the_printer(phase: PrintPhase) -> None:
    bench = Bench(
        a_job(print_set(copies=2)),
        scripts=(CycleStep.PRINT_DONE, CycleStep.CLEAR_BED, CycleStep.DEACTIVATED),
    )
    run = bench.script(bench.print(bench.start()))
    assert run.step is CycleStep.PRINT_DONE
    assert ends(bench.run_script(run, phase)) == ["stopped managing"]
    assert (bench.worker.saved.todo, bench.worker.saved.bed_clear) == ((), False)
    assert "print-done has not run to its end: because" in bench.worker.problem
    assert wait_of(bench) is WaitReason.BED
    bench.tell(w.BedCleared())
    assert wait_of(bench) is WaitReason.MANAGING


def test_a_script_is_no_print_of_anybody() -> None:
    bench = Bench(a_job(), scripts=SCRIPT_STEPS, self_clearing=True)
    bench.read()
    (ask,) = bench.tell(IDLE_PRINTER)
    assert isinstance(ask, w.AskForJob)
    bench.hold(MINE)
    effects = bench.tell(bench.fetched_event())
    records = 0
    while script_steps(effects) or starts(effects):
        if starts(effects):
            effects = bench.print(starts(effects)[0])
            records += 1
        elif script_steps(effects):
            effects = bench.run_script(bench.script_under_way)
        if isinstance(effects[-1] if effects else None, w.FetchFile):
            effects = bench.tell(bench.fetched_event())
    assert records == len(bench.state.jobs[0].records) == 1


def test_the_printers_own_button_clears_the_bed_too() -> None:
    bench = Bench(a_job(), saved=w.WorkerMemory(bed_clear=False))
    bench.read()
    bench.tell(IDLE_PRINTER)
    assert asks(bench.tell(w.BedCleared(source=Clearing.PRINTER)))


def test_a_person_may_clear_the_bed_while_a_script_calls_them() -> None:
    bench = Bench(a_job(print_set(copies=2)), scripts=(CycleStep.WAITING,))
    run = bench.script(bench.print(bench.start()))
    assert run.step is CycleStep.WAITING
    bench.script_seen(run, PrintPhase.PRINTING)
    (save,) = bench.tell(w.BedCleared())
    assert isinstance(save, w.SaveMemory)
    assert save.saved.bed_clear
    assert isinstance(bench.script_seen(run, PrintPhase.DONE)[-1], w.FetchFile)


def test_something_printed_by_hand_is_not_cleared_by_our_script() -> None:
    bench = Bench(a_job(print_set(copies=2)), scripts=(CycleStep.CLEAR_BED,), cooldown=COOL)
    bench.print(bench.start())
    assert bench.worker.saved.todo == (CycleStep.COOL, CycleStep.CLEAR_BED)
    bench.tell(w.PrinterSeen(phase=PrintPhase.PRINTING, bed_c=20.0))
    assert bench.tell(w.PrinterSeen(phase=PrintPhase.DONE, bed_c=20.0)) == []
    assert wait_of(bench) is WaitReason.BED


# Cooling down -------------------------------------------------------------------------------------


def cooling() -> tuple[Bench, list[w.Effect]]:
    bench = Bench(
        a_job(print_set(copies=2)), scripts=(CycleStep.COOLDOWN, CycleStep.CLEAR_BED), cooldown=COOL
    )
    run = bench.script(bench.print(bench.start()))
    assert run.step is CycleStep.COOLDOWN
    effects = bench.run_script(run)
    assert wait_of(bench) is WaitReason.COOLING
    return bench, effects


def test_the_bed_cools_down_before_the_script_clears_it() -> None:
    bench, effects = cooling()
    assert script_steps(effects) == []
    assert bench.tell(WARM) == []
    assert bench.wait(300.0) == []
    run = bench.script(bench.tell(replace(WARM, bed_c=30.0)))
    assert run.step is CycleStep.CLEAR_BED
    assert bench.worker.next_deadline_s() is None


def test_a_bed_that_does_not_cool_is_not_waited_for_without_end() -> None:
    bench, _ = cooling()
    assert bench.worker.next_deadline_s() == COOL.max_s
    assert bench.script(bench.wait(COOL.max_s)).step is CycleStep.CLEAR_BED


def test_a_person_may_clear_a_bed_that_still_cools() -> None:
    bench, _ = cooling()
    assert isinstance(bench.tell(w.BedCleared())[-1], w.FetchFile)
    assert bench.worker.next_deadline_s() is None


def test_without_a_script_the_person_is_asked_once_the_bed_is_cool() -> None:
    bench = Bench(a_job(print_set(copies=2)), cooldown=COOL)
    bench.print(bench.start())
    assert wait_of(bench) is WaitReason.COOLING
    bench.tell(replace(WARM, bed_c=29.0))
    assert wait_of(bench) is WaitReason.BED


def test_a_printer_that_clears_its_own_bed_does_not_wait() -> None:
    bench = Bench(a_job(print_set(copies=2)), cooldown=COOL, self_clearing=True)
    assert isinstance(bench.print(bench.start())[-1], w.FetchFile)


# When scripts are run -----------------------------------------------------------------------------


def test_starting_and_stopping_to_manage_run_their_scripts() -> None:
    bench = Bench(scripts=(CycleStep.ACTIVATED, CycleStep.DEACTIVATED))
    bench.tell(IDLE_PRINTER)
    run = bench.script(bench.tell(w.Manage(managing=False)))
    assert run.step is CycleStep.DEACTIVATED
    bench.run_script(run)
    assert bench.tell(w.Manage(managing=False)) == []
    assert bench.script(bench.tell(w.Manage(managing=True))).step is CycleStep.ACTIVATED


def test_whoever_changes_their_mind_in_mid_print_gets_no_script() -> None:
    bench = Bench(a_job(), scripts=(CycleStep.ACTIVATED, CycleStep.DEACTIVATED))
    printing = bench.start()
    bench.seen(printing, PrintPhase.PRINTING)
    bench.tell(w.Manage(managing=False))
    assert todo_of(bench) == (CycleStep.DEACTIVATED,)
    bench.tell(w.Manage(managing=True))
    assert todo_of(bench) == ()


def test_after_managing_was_stopped_in_mid_print_only_that_script_is_run() -> None:
    bench = Bench(a_job(), scripts=SCRIPT_STEPS)
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    (printing,) = starts(bench.run_script(bench.script(bench.tell(bench.fetched_event()))))
    bench.seen(printing, PrintPhase.PRINTING)
    bench.tell(w.Manage(managing=False))
    run = bench.script(bench.print(printing))
    assert run.step is CycleStep.DEACTIVATED
    assert bench.run_script(run) != []
    assert wait_of(bench) is WaitReason.BED


def test_the_script_before_a_print_is_run_once_for_it() -> None:
    bench = Bench(a_job(), scripts=(CycleStep.BEFORE_PRINT,))
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    run = bench.script(bench.tell(bench.fetched_event()))
    assert (run.step, run.prepares) == (CycleStep.BEFORE_PRINT, JOB)
    bench.wait(BEGIN_WITHIN_S + 0.1)
    assert bench.run_script(run)[-1] == w.AskForJob(queue=QUEUE, job=JOB)
    bench.boot()
    bench.read()
    assert isinstance(bench.tell(IDLE_PRINTER)[-1], w.FetchFile)
    printing = bench.fetched()
    assert printing.print_id == a_claim(epoch=2).print_id(1)


def test_a_job_that_is_given_back_is_not_prepared_any_more() -> None:
    bench = Bench(a_job(), scripts=(CycleStep.BEFORE_PRINT,))
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    run = bench.script(bench.tell(bench.fetched_event()))
    bench.wait(BEGIN_WITHIN_S + 0.1)
    bench.run_script(run)
    assert bench.saved.prepared == JOB
    bench.tell(w.NotClaimed(queue=QUEUE, job=JOB))
    assert ends(bench.tell(w.Manage(managing=False))) == ["stopped managing"]
    assert bench.saved.prepared is None


def test_a_job_that_is_deleted_while_its_script_runs_is_not_begun() -> None:
    bench = Bench(a_job(), scripts=(CycleStep.BEFORE_PRINT,))
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    run = bench.script(bench.tell(bench.fetched_event()))
    assert bench.change() == []
    assert ends(bench.run_script(run)) == ["deleted"]
    assert bench.worker.saved.bed_clear


def test_a_person_is_called_once_for_each_wait() -> None:
    bench = Bench(a_job(print_set(copies=3)), scripts=(CycleStep.WAITING,))
    run = bench.script(bench.print(bench.start()))
    assert script_steps(bench.run_script(run)) == []
    assert bench.tell(IDLE_PRINTER) == []
    bench.boot()
    assert script_steps(bench.read() + bench.tell(IDLE_PRINTER)) == []
    bench.tell(w.BedCleared())
    assert bench.script(bench.print(bench.fetched())).step is CycleStep.WAITING


def test_nobody_is_called_when_there_is_nothing_to_do() -> None:
    bench = Bench(a_job(), scripts=(CycleStep.WAITING,))
    assert script_steps(bench.print(bench.start())) == []
    assert wait_of(bench) is WaitReason.BED


def test_when_nothing_is_left_the_last_script_is_run_once() -> None:
    bench = Bench(a_job(), scripts=(CycleStep.PRINT_DONE, CycleStep.QUEUE_FINISHED))
    bench.read()
    assert script_steps(bench.tell(w.BedCleared())) == []
    run = bench.script(bench.print(bench.start()))
    assert run.step is CycleStep.PRINT_DONE
    last = bench.script(bench.run_script(run))
    assert last.step is CycleStep.QUEUE_FINISHED
    assert script_steps(bench.run_script(last)) == []
    assert bench.tell(IDLE_PRINTER) == []


def test_a_queue_that_is_not_in_sync_is_not_finished() -> None:
    bench = Bench(saved=w.WorkerMemory(worked=True), scripts=(CycleStep.QUEUE_FINISHED,))
    bench.tell(IDLE_PRINTER)
    assert bench.read(ready=False) == []
    assert bench.script(bench.read()).step is CycleStep.QUEUE_FINISHED


def test_a_script_waits_until_the_printer_is_there() -> None:
    bench = Bench(
        saved=w.WorkerMemory(todo=(CycleStep.PRINT_DONE,)), scripts=(CycleStep.PRINT_DONE,)
    )
    assert bench.tell(w.PrinterSeen(problem="Unplugged.")) == []
    assert wait_of(bench) is WaitReason.PRINTER
    assert bench.tell(w.PrinterSeen(phase=PrintPhase.PRINTING)) != []
    assert wait_of(bench) is WaitReason.SOMEBODY_ELSE
    assert bench.script(bench.tell(IDLE_PRINTER)).step is CycleStep.PRINT_DONE


def test_a_script_that_was_taken_away_is_not_waited_for() -> None:
    bench = Bench(
        saved=w.WorkerMemory(todo=(CycleStep.PRINT_DONE,)), scripts=(CycleStep.PRINT_DONE,)
    )
    bench.tell(w.ScriptsSet(scripts={}))
    bench.tell(IDLE_PRINTER)
    assert (bench.worker.saved.todo, bench.worker.wait) == ((), None)


# Restarts and delays of scripts -------------------------------------------------------------------


def clearing() -> tuple[Bench, ScriptRun]:
    bench = Bench(a_job(print_set(copies=2)), scripts=(CycleStep.CLEAR_BED,))
    return bench, bench.script(bench.print(bench.start()))


def test_after_a_restart_a_script_that_never_began_begins_under_the_same_id() -> None:
    bench, run = clearing()
    bench.boot()
    bench.read()
    bench.tell(IDLE_PRINTER)
    assert bench.at(WorkerState.RESUMING)
    unknown = w.PrintUnknown(print_id=run.print_id)
    assert bench.tell(unknown) == [w.StartScript(script=run)]
    assert bench.tell(unknown) == []
    assert isinstance(bench.run_script(run)[-1], w.FetchFile)


def test_after_a_restart_a_script_that_is_over_is_not_run_again() -> None:
    bench, run = clearing()
    bench.boot()
    bench.read()
    assert isinstance(bench.script_seen(run, PrintPhase.DONE)[-1], w.FetchFile)
    assert bench.worker.saved.bed_clear


def test_a_script_that_is_delayed_is_tried_again_under_the_same_id() -> None:
    bench, run = clearing()
    assert bench.tell(w.StartDelayed(print_id=run.print_id, reason="Busy.")) == []
    assert bench.wait(RETRY_S) == [w.StartScript(script=run)]


def test_a_script_does_not_drive_into_a_part_that_somebody_else_printed_meanwhile() -> None:
    bench, run = clearing()
    bench.tell(w.StartDelayed(print_id=run.print_id, reason="Busy."))
    bench.tell(w.PrinterSeen(print_id=a_claim(peer(1)).print_id(1), phase=PrintPhase.PRINTING))
    assert bench.wait(RETRY_S) == []
    bench.tell(IDLE_PRINTER)
    assert script_steps(bench.tell(w.PrintUnknown(print_id=run.print_id))) == []
    assert (bench.worker.saved.managing, bench.worker.saved.bed_clear) == (False, False)


def test_a_part_that_somebody_else_printed_is_not_forgotten_over_a_restart() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.tell(w.StartDelayed(print_id=printing.print_id, reason="Busy."))
    bench.tell(w.PrinterSeen(phase=PrintPhase.PRINTING))
    bench.boot()
    bench.read()
    bench.tell(IDLE_PRINTER)
    assert starts(bench.tell(w.PrintUnknown(print_id=printing.print_id))) == []
    assert not bench.worker.saved.bed_clear


def test_a_script_that_the_printer_refuses_or_forgets_stops_it() -> None:
    bench, run = clearing()
    assert ends(bench.tell(w.StartRefused(print_id=run.print_id, reason="Gone."))) != []
    assert "Gone." in bench.worker.problem
    bench, run = clearing()
    bench.script_seen(run, PrintPhase.PRINTING)
    bench.tell(w.PrintUnknown(print_id=run.print_id))
    assert "no longer knows" in bench.worker.problem
    assert not bench.worker.saved.bed_clear


def test_behind_a_refused_script_the_printers_word_is_still_about_the_print() -> None:
    bench, run = clearing()
    assert bench.saved.last_begun == run.print_id
    bench.tell(w.StartRefused(print_id=run.print_id, reason="Gone."))
    assert bench.saved.last_begun == MINE.print_id(1)
    bench, run = clearing()
    bench.run_script(run, PrintPhase.FAILED)
    assert bench.saved.last_begun == run.print_id


def test_somebody_at_the_bed_is_not_undone_by_a_refused_script() -> None:
    bench = Bench(a_job(print_set(copies=2)), scripts=(CycleStep.WAITING,))
    run = bench.script(bench.print(bench.start()))
    bench.tell(w.BedCleared())
    bench.tell(w.StartRefused(print_id=run.print_id, reason="Gone."))
    assert (bench.saved.bed_clear, bench.saved.last_begun) == (True, None)


def test_what_was_said_before_the_end_of_a_script_may_arrive_behind_it() -> None:
    bench, run = clearing()
    bench.run_script(run)
    late = w.PrinterSeen(print_id=run.print_id, phase=PrintPhase.STARTING)
    assert bench.tell(late) == []
    assert bench.worker.saved.bed_clear


# Failures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_a_job_is_tried_again_so_often_and_then_held_back(retries: int) -> None:
    claim = MINE
    before = [record(a_claim(epoch=9), n, result=Result.FAILED) for n in range(1, retries + 1)]
    bench = Bench(a_job(records=tuple(before)), retries=retries)
    effects = bench.print(bench.start(), PrintPhase.FAILED)
    paused = w.PauseJob(queue=QUEUE, job=claim.job) in effects
    # The last of the retries that all printers have together holds the job back by itself.
    assert paused == (retries < w.RETRIES_MAX)
    fewer = Bench(a_job(records=tuple(before[1:])), retries=retries)
    if before:
        effects = fewer.print(fewer.start(), PrintPhase.FAILED)
        assert not any(isinstance(each, w.PauseJob) for each in effects)


def fail(bench: Bench, number: int, *, epoch: int = 1) -> None:
    """The print of a job fails."""
    job = JobId(f"{number:012x}")
    bench.state = QueueState(jobs=(a_job(job=job),))
    bench.held = {}
    bench.read()
    bench.tell(w.BedCleared())
    bench.wait(RETRY_S)
    bench.hold(a_claim(job=job, epoch=epoch))
    bench.print(bench.fetched(), PrintPhase.FAILED)


def test_a_printer_that_fails_one_job_after_the_other_stops() -> None:
    bench = Bench(self_clearing=True)
    bench.tell(IDLE_PRINTER)
    for number in range(1, FAILED_JOBS_MAX):
        fail(bench, number)
        assert bench.worker.saved.managing
    fail(bench, FAILED_JOBS_MAX)
    assert not bench.worker.saved.managing
    assert f"prints of {FAILED_JOBS_MAX} jobs have failed" in bench.worker.problem
    bench.tell(w.Manage(managing=True))
    assert bench.worker.saved.failed_jobs == ()


def test_one_job_that_fails_again_and_again_does_not_stop_the_printer() -> None:
    bench = Bench()
    bench.tell(IDLE_PRINTER)
    for epoch in range(FAILED_JOBS_MAX + 1):
        fail(bench, 1, epoch=epoch)
    assert bench.worker.saved.managing


def test_a_success_in_between_makes_up_for_it() -> None:
    bench = Bench(self_clearing=True)
    bench.tell(IDLE_PRINTER)
    fail(bench, 1)
    assert bench.worker.saved.failed_jobs != ()
    bench.state = QueueState(jobs=(a_job(),))
    bench.held = {}
    bench.read()
    bench.tell(w.BedCleared())
    bench.hold(MINE)
    bench.print(bench.fetched())
    assert bench.worker.saved.failed_jobs == ()
