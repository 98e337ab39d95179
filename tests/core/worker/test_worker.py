from __future__ import annotations

from dataclasses import replace

import pytest

from crdtqueue.core.document.model import (
    Job,
    Result,
)
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.worker import RETRY_S
from crdtqueue.core.worker.worker_events import PrintPhase, WorkerState
from tests.harness.samples import (
    ENDER,
    JOB,
    JOB_2,
    MK3S,
    SET_A,
    SET_B,
    a_claim,
    a_job,
    peer,
    print_set,
    record,
)
from tests.harness.worker_fixture import (
    BEGIN_WITHIN_S,
    FETCHED,
    IDLE_PRINTER,
    MINE,
    QUEUE,
    Bench,
    claimed,
    ends,
    starts,
)

AGAIN = a_claim(epoch=2)

# The cycle ----------------------------------------------------------------------------------------


def test_a_job_of_one_copy_from_choice_to_end() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    assert printing.print_id == MINE.print_id(1)
    assert bench.at(WorkerState.STARTING)
    save, emptied, end = bench.print(printing)
    assert isinstance(save, w.SaveMemory)
    assert (save.saved.printing, save.saved.bed_clear) == (None, False)
    assert isinstance(emptied, w.SaveMemory)
    assert emptied.saved == w.WorkerMemory(bed_clear=False, last_begun=MINE.print_id(1))
    assert end == w.EndClaim(queue=QUEUE, claim=MINE, reason="completed")
    assert bench.at(WorkerState.IDLE)
    (done,) = bench.state.jobs[0].records
    assert (done.result, done.set, done.bytes, done.profile) == (Result.DONE, SET_A, 10, MK3S)


def test_copies_follow_each_other_only_on_a_cleared_bed() -> None:
    bench = Bench(a_job(print_set(copies=2)))
    bench.print(bench.start())
    assert bench.at(WorkerState.HOLDING)
    assert bench.read() == []
    assert bench.tell(IDLE_PRINTER) == []
    save, fetch = bench.tell(w.BedCleared())
    assert isinstance(save, w.SaveMemory)
    assert isinstance(fetch, w.FetchFile)
    second = bench.fetched()
    assert second.print_id == AGAIN.print_id(1)
    assert ends(bench.print(second)) == ["completed"]


def test_nothing_is_chosen_on_a_bed_that_nobody_cleared() -> None:
    bench = Bench(a_job(), saved=w.WorkerMemory(bed_clear=False))
    bench.read()
    assert bench.tell(IDLE_PRINTER) == []
    assert bench.tell(w.BedCleared())[-1] == w.AskForJob(queue=QUEUE, job=JOB)


def test_a_printer_that_clears_its_own_bed_goes_on_after_success_alone() -> None:
    bench = Bench(a_job(print_set(copies=3)), self_clearing=True)
    assert isinstance(bench.print(bench.start())[-1], w.FetchFile)
    effects = bench.print(bench.fetched(), PrintPhase.FAILED)
    assert ends(effects) == ["failed"]
    assert not bench.worker.saved.bed_clear


def test_runs_interleave_the_sets() -> None:
    job = a_job(print_set(), print_set(SET_B, name="lid.gcode"), runs=3)
    bench = Bench(job, self_clearing=True)
    printing, order = bench.start(), ""
    while True:
        order += "A" if printing.set == SET_A else "B"
        if ends(bench.print(printing)):
            break
        printing = bench.fetched()
    assert order == "ABABAB"


@pytest.mark.parametrize(
    "job", [a_job(paused=True), a_job(print_set(profiles=frozenset({ENDER}))), a_job(runs=0)]
)
def test_a_job_that_cannot_be_printed_here_is_passed_over(job: Job) -> None:
    bench = Bench(job, a_job(job=JOB_2))
    bench.read()
    assert bench.tell(IDLE_PRINTER) == [w.AskForJob(queue=QUEUE, job=JOB_2)]


def test_a_job_that_another_printer_has_is_passed_over() -> None:
    bench = Bench(a_job(), a_job(job=JOB_2))
    bench.held = {JOB: a_claim(peer(1))}
    bench.read()
    assert bench.tell(IDLE_PRINTER) == [w.AskForJob(queue=QUEUE, job=JOB_2)]


@pytest.mark.parametrize(
    "seen",
    [w.PrinterSeen(problem="Unplugged."), w.PrinterSeen(phase=PrintPhase.PRINTING)],
)
def test_a_printer_that_is_away_or_busy_takes_nothing(seen: w.PrinterSeen) -> None:
    bench = Bench(a_job())
    bench.read()
    assert not any(isinstance(effect, w.AskForJob) for effect in bench.tell(seen))


def test_a_queue_that_is_not_ready_is_not_asked() -> None:
    bench = Bench(a_job())
    bench.tell(IDLE_PRINTER)
    assert bench.read(ready=False) == []
    assert bench.read() == [w.AskForJob(queue=QUEUE, job=JOB)]


# Claims -------------------------------------------------------------------------------------------


def test_a_job_that_was_not_had_is_left_alone_for_a_while() -> None:
    bench = Bench(a_job(), a_job(job=JOB_2))
    bench.read()
    bench.tell(IDLE_PRINTER)
    assert bench.tell(w.NotClaimed(queue=QUEUE, job=JOB_2)) == []
    assert bench.tell(w.NotClaimed(queue=QUEUE, job=JOB)) == [w.AskForJob(queue=QUEUE, job=JOB_2)]
    assert bench.tell(w.NotClaimed(queue=QUEUE, job=JOB_2)) == []
    assert bench.worker.next_deadline_s() == RETRY_S
    assert bench.wait(RETRY_S) == [w.AskForJob(queue=QUEUE, job=JOB)]


def test_each_print_has_a_claim_of_its_own() -> None:
    bench = Bench(a_job(print_set(copies=3)), self_clearing=True)
    printing = bench.start()
    for epoch in (2, 3):
        bench.print(printing)
        assert bench.tell(FETCHED) == [w.AskForJob(queue=QUEUE, job=JOB)]
        assert bench.worker.held == (QUEUE, a_claim(epoch=epoch - 1))
        printing = starts(bench.armed_again())[0]
        assert printing.print_id == a_claim(epoch=epoch).print_id(1)
    assert ends(bench.print(printing)) == ["completed"]


def test_a_further_print_that_was_refused_is_asked_for_again_after_a_while() -> None:
    bench = Bench(a_job(print_set(copies=2)), self_clearing=True)
    bench.print(bench.start())
    bench.tell(FETCHED)
    bench.held = {JOB: AGAIN}
    bench.read()
    assert bench.tell(w.NotClaimed(queue=QUEUE, job=JOB)) == []
    assert bench.worker.held == (QUEUE, MINE)
    assert bench.wait(RETRY_S) == [w.AskForJob(queue=QUEUE, job=JOB)]
    assert starts(bench.armed(a_claim(epoch=3)))


def test_a_further_claim_that_was_armed_but_not_stored_is_replaced_by_another() -> None:
    bench = Bench(a_job(print_set(copies=2)), self_clearing=True)
    bench.print(bench.start())
    bench.state = replace(bench.state, ended=frozenset({MINE}))
    bench.held = {JOB: AGAIN}
    bench.boot()
    bench.read()
    bench.tell(IDLE_PRINTER)
    assert bench.tell(FETCHED) == [w.AskForJob(queue=QUEUE, job=JOB)]
    assert starts(bench.armed(a_claim(epoch=3)))


def test_who_was_replaced_between_two_copies_prints_nothing_more() -> None:
    bench = Bench(a_job(print_set(copies=2)), self_clearing=True)
    bench.print(bench.start())
    bench.held = {JOB: a_claim(peer(1), epoch=2)}
    assert ends(bench.read()) == []
    assert ends(bench.tell(FETCHED)) == ["replaced"]
    assert bench.at(WorkerState.IDLE)


def test_a_file_that_came_late_is_printed_after_asking_again() -> None:
    bench = Bench(a_job())
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    bench.wait(BEGIN_WITHIN_S + 0.1)
    assert bench.tell(FETCHED) == [w.AskForJob(queue=QUEUE, job=JOB)]
    assert starts(bench.armed_again())[0].claim == AGAIN


def test_a_queue_that_was_left_while_a_further_print_was_asked_for_is_over() -> None:
    bench = Bench(a_job(print_set(copies=2)), self_clearing=True)
    bench.print(bench.start())
    bench.tell(FETCHED)
    assert ends(bench.tell(w.QueuesRead(queues=()))) == ["deleted"]
    assert bench.at(WorkerState.IDLE)


def test_a_claim_that_nobody_waits_for_any_more_is_given_back() -> None:
    bench = Bench(a_job())
    end = w.EndClaim(queue=QUEUE, claim=MINE, reason="given up")
    assert bench.tell(claimed(MINE)) == [end]
    assert bench.worker.held is None


def test_our_own_record_of_an_attempt_that_failed_is_no_claim() -> None:
    bench = Bench(a_job())
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.held = {JOB: MINE}
    assert bench.read() == []
    end = w.EndClaim(queue=QUEUE, claim=MINE, reason="given up")
    assert bench.tell(w.NotClaimed(queue=QUEUE, job=JOB)) == [end]
    assert bench.read() == []
    bench.held = {}
    bench.read()
    assert bench.wait(RETRY_S) == [w.AskForJob(queue=QUEUE, job=JOB)]


def test_a_claim_of_an_earlier_process_that_was_never_armed_is_ended() -> None:
    bench = Bench(a_job())
    bench.held = {JOB: MINE}
    assert ends(bench.read()) == ["given up"]
    assert bench.tell(IDLE_PRINTER) == []


def test_a_queue_that_is_left_while_it_is_asked_holds_nothing_up() -> None:
    bench = Bench(a_job())
    bench.read()
    bench.tell(IDLE_PRINTER)
    assert bench.tell(w.QueuesRead(queues=())) == []
    assert bench.at(WorkerState.IDLE)
    assert bench.read() == [w.AskForJob(queue=QUEUE, job=JOB)]


def holding() -> Bench:
    """One of two copies is printed, and the part is still on the bed."""
    bench = Bench(a_job(print_set(copies=2)))
    bench.print(bench.start())
    assert bench.at(WorkerState.HOLDING)
    return bench


def test_a_claim_is_given_back_when_the_job_is_deleted_held_back_or_taken_over() -> None:
    bench = holding()
    assert ends(bench.change()) == ["deleted"]
    bench = holding()
    assert ends(bench.change(replace(bench.state.jobs[0], paused=True))) == ["paused"]
    bench = holding()
    bench.held = {JOB: a_claim(peer(1), epoch=2)}
    assert ends(bench.read()) == ["replaced"]
    bench = holding()
    bench.state = replace(bench.state, ended=frozenset({MINE}))
    assert ends(bench.read()) == ["ended"]
    bench = holding()
    bench.state = replace(bench.state, lost=frozenset({MINE}))
    assert ends(bench.read()) == ["given up by a person"]
    bench = holding()
    assert ends(bench.tell(w.QueuesRead(queues=()))) == ["deleted"]
    bench = holding()
    assert ends(bench.tell(w.Manage(managing=False))) == ["stopped managing"]


@pytest.mark.parametrize("case", ["deleted", "managing", "offline", "not ready", "other file"])
def test_what_changes_while_the_file_is_fetched_is_seen_before_the_start(case: str) -> None:
    bench = Bench(a_job(), a_job(job=JOB_2))
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    effects = {
        "deleted": lambda: bench.change(bench.state.jobs[1]),
        "managing": lambda: bench.tell(w.Manage(managing=False)),
        "offline": lambda: bench.tell(w.PrinterSeen(problem="Unplugged.")),
        "not ready": lambda: bench.read(ready=False),
        "other file": lambda: bench.change(a_job(print_set(name="other.gcode"))),
    }[case]()
    assert starts(effects) == []
    effects = bench.tell(FETCHED)
    assert starts(effects) == []
    assert bool(ends(effects)) == (case in {"deleted", "managing"})
    if case == "other file":
        assert isinstance(effects[-1], w.FetchFile)
    elif case in {"offline", "not ready"}:
        assert bench.at(WorkerState.HOLDING)
        assert bench.worker.held == (QUEUE, MINE)


def test_a_job_whose_file_is_nowhere_is_given_back() -> None:
    bench = Bench(a_job())
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.hold(MINE)
    sha256 = print_set().file.sha256
    other = w.NotFetched(sha256=print_set(name="x").file.sha256, reason="Gone.")
    assert bench.tell(other) == []
    assert ends(bench.tell(w.NotFetched(sha256=sha256, reason="Gone."))) == ["file not to be had"]
    assert bench.worker.problem == "Gone."
    assert bench.tell(FETCHED) == []


# Prints that do not go well -----------------------------------------------------------------------


def test_a_cancelled_print_holds_its_job_back_and_stops_managing() -> None:
    bench = Bench(a_job(print_set(copies=2)))
    pause, save, emptied, end = bench.print(bench.start(), PrintPhase.CANCELLED)
    assert pause == w.PauseJob(queue=QUEUE, job=JOB)
    assert isinstance(save, w.SaveMemory)
    assert (save.saved.managing, save.saved.bed_clear) == (False, False)
    assert isinstance(emptied, w.SaveMemory)
    assert end == w.EndClaim(queue=QUEUE, claim=MINE, reason="cancelled")
    assert "was cancelled" in bench.worker.problem
    (cleared,) = bench.tell(w.BedCleared())
    assert isinstance(cleared, w.SaveMemory)
    assert (cleared.saved.managing, cleared.saved.bed_clear) == (False, True)
    (going,) = bench.tell(w.Manage(managing=True))
    assert going == w.SaveMemory(saved=w.WorkerMemory())
    assert bench.worker.problem == ""


def test_a_failed_print_is_recorded_and_the_job_given_back() -> None:
    bench = Bench(a_job())
    effects = bench.print(bench.start(), PrintPhase.FAILED)
    assert ends(effects) == ["failed"]
    assert bench.worker.problem == "because"
    assert bench.state.jobs[0].records[0].reason == "because"
    assert not bench.worker.saved.bed_clear
    assert bench.worker.saved.managing


def test_a_start_that_is_refused_leaves_the_bed_clear() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    refused = w.StartRefused(print_id=printing.print_id, reason="No g-code.")
    (effect,) = bench.tell(refused)
    assert isinstance(effect, w.WriteRunRecord)
    assert (effect.record.result, effect.record.reason) == (Result.FAILED, "No g-code.")
    assert bench.tell(refused) == []
    assert ends(bench.recorded(effect)) == ["failed"]
    assert bench.worker.saved.bed_clear
    assert bench.wait(RETRY_S) == []
    bench.held = {}
    assert bench.read() == [w.AskForJob(queue=QUEUE, job=JOB)]


def test_a_refusal_that_comes_when_it_already_prints_is_not_believed() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.seen(printing, PrintPhase.PRINTING)
    assert bench.tell(w.StartRefused(print_id=printing.print_id, reason="?")) == []
    assert bench.tell(w.StartDelayed(print_id=printing.print_id, reason="?")) == []
    assert bench.at(WorkerState.PRINTING)


def test_a_start_that_is_delayed_is_tried_again() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    assert bench.tell(w.StartDelayed(print_id=printing.print_id, reason="Unplugged.")) == []
    assert bench.worker.problem == "Unplugged."
    assert bench.worker.next_deadline_s() == RETRY_S
    assert bench.wait(RETRY_S - 1.0) == []
    assert bench.wait(1.0) == [w.StartCopy(printing=printing)]
    assert bench.worker.next_deadline_s() is None
    bench.seen(printing, PrintPhase.STARTING)
    assert bench.at(WorkerState.STARTING)
    assert bench.worker.problem == ""
    bench.seen(printing, PrintPhase.PRINTING)
    assert bench.at(WorkerState.PRINTING)


def test_a_file_is_refused_after_it_was_looked_through() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.seen(printing, PrintPhase.STARTING)
    (effect,) = bench.tell(w.StartRefused(print_id=printing.print_id, reason="No g-code."))
    assert isinstance(effect, w.WriteRunRecord)
    bench.recorded(effect)
    assert bench.worker.saved.bed_clear


def test_what_was_about_to_begin_and_is_forgotten_is_begun_again() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.seen(printing, PrintPhase.STARTING)
    assert bench.tell(w.PrintUnknown(print_id=printing.print_id)) == []
    bench.tell(IDLE_PRINTER)
    assert bench.wait(RETRY_S) == [w.StartCopy(printing=printing)]


def test_a_printer_that_never_begins_costs_ever_fewer_claims() -> None:
    bench = Bench(a_job())
    printing, asked = bench.start(), 0
    bench.tell(w.StartDelayed(print_id=printing.print_id, reason="Busy.", told=False))
    while bench.now_s < 3600.0:
        told = starts(bench.wait(1.0))
        if bench.at(WorkerState.RESUMING):
            bench.tell(w.PrintUnknown(print_id=printing.print_id))
        if bench.at(WorkerState.FETCHING):
            printing, asked = bench.fetched(), asked + 1
            told = [printing]
        for each in told:
            bench.tell(w.StartDelayed(print_id=each.print_id, reason="Busy.", told=False))
    assert 10 < asked < 30
    assert bench.saved.doubtful == ()


def test_a_delayed_start_of_a_job_that_is_deleted_meanwhile_is_not_repeated() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.tell(w.StartDelayed(print_id=printing.print_id, reason="Unplugged."))
    bench.change()
    assert bench.wait(RETRY_S) == []
    assert bench.at(WorkerState.RESUMING)
    effects = bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert ends(effects) == ["deleted"]
    assert bench.worker.saved.bed_clear


def test_a_delayed_start_does_not_print_onto_the_part_of_somebody_else() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.tell(w.StartDelayed(print_id=printing.print_id, reason="Busy."))
    bench.tell(w.PrinterSeen(print_id=a_claim(peer(1)).print_id(1), phase=PrintPhase.PRINTING))
    assert bench.wait(RETRY_S) == []
    bench.tell(IDLE_PRINTER)
    assert starts(bench.tell(w.PrintUnknown(print_id=printing.print_id))) == []
    assert not bench.worker.saved.bed_clear
    bench.tell(w.BedCleared())
    assert bench.fetched().print_id == printing.print_id


def test_the_print_of_somebody_else_uses_the_bed() -> None:
    bench = Bench(a_job())
    bench.read()
    by_hand = w.PrinterSeen(phase=PrintPhase.PAUSED)
    assert bench.tell(by_hand) == [w.SaveMemory(saved=w.WorkerMemory(bed_clear=False))]
    assert bench.tell(w.BedCleared()) == []
    assert bench.tell(w.PrinterSeen(phase=PrintPhase.DONE)) == []
    assert bench.tell(w.BedCleared())[-1] == w.AskForJob(queue=QUEUE, job=JOB)


def test_a_print_that_the_printer_forgets_is_aborted() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    assert bench.tell(w.PrintUnknown(print_id=printing.print_id)) == []
    bench.seen(printing, PrintPhase.PAUSED)
    (effect,) = bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert isinstance(effect, w.WriteRunRecord)
    assert effect.record.result is Result.ABORTED
    bench.recorded(effect)
    assert not bench.worker.saved.bed_clear


def test_nothing_that_happens_to_the_queue_stops_a_running_print() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    bench.seen(printing, PrintPhase.PRINTING)
    bench.tell(w.Manage(managing=False))
    bench.tell(w.BedCleared())
    bench.held = {JOB: a_claim(peer(1), epoch=2)}
    bench.read()
    bench.tell(w.QueuesRead(queues=()))
    bench.tell(w.PrinterSeen(problem="Unplugged."))
    assert bench.at(WorkerState.PRINTING)
    assert not bench.worker.saved.bed_clear
    (effect,) = bench.seen(printing, PrintPhase.DONE)
    assert isinstance(effect, w.WriteRunRecord)


# Restarts -----------------------------------------------------------------------------------------


def restarted(*, held: bool = True) -> tuple[Bench, w.CopyPrint]:
    """A new process, after the `Save` before a start."""
    bench = Bench(a_job(print_set(copies=2)))
    printing = bench.start()
    bench.boot()
    if not held:
        bench.held = {}
    assert bench.at(WorkerState.RESUMING)
    assert bench.read() == []
    return bench, printing


def test_after_a_restart_a_running_print_is_gone_on_with() -> None:
    bench, printing = restarted()
    bench.print(printing)
    assert bench.at(WorkerState.HOLDING)
    bench.tell(w.BedCleared())
    assert bench.fetched().print_id == AGAIN.print_id(1)


def test_after_a_restart_a_print_that_is_over_is_recorded_once() -> None:
    bench, printing = restarted()
    (effect,) = bench.seen(printing, PrintPhase.DONE)
    assert isinstance(effect, w.WriteRunRecord)
    bench.add_record(effect.record)
    bench.boot()
    bench.read()
    (again,) = bench.seen(printing, PrintPhase.DONE)
    assert isinstance(again, w.WriteRunRecord)
    assert again.record.print_id == effect.record.print_id
    bench.recorded(again)
    assert len(bench.state.jobs[0].records) == 1


def test_after_a_restart_a_print_that_never_began_is_asked_for_again() -> None:
    bench, printing = restarted()
    bench.tell(IDLE_PRINTER)
    save, fetch = bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert isinstance(save, w.SaveMemory)
    assert isinstance(fetch, w.FetchFile)
    assert bench.fetched() == replace(printing, claim=AGAIN, started_at_s=1000.0)


def test_a_start_that_was_delayed_for_long_is_asked_for_again() -> None:
    bench = Bench(a_job())
    printing = bench.start()
    late = w.StartDelayed(print_id=printing.print_id, reason="Busy.")
    bench.tell(late)
    assert starts(bench.wait(RETRY_S)) == [printing]
    bench.tell(late)
    assert starts(bench.wait(RETRY_S)) == []
    assert bench.at(WorkerState.RESUMING)
    bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert bench.fetched().print_id == AGAIN.print_id(1)


def test_a_first_start_that_arrives_before_the_second_is_the_one_that_counts() -> None:
    bench, printing = restarted()
    bench.tell(IDLE_PRINTER)
    bench.tell(w.PrintUnknown(print_id=printing.print_id))
    second = bench.fetched()
    bench.tell(w.StartDelayed(print_id=second.print_id, reason="Busy."))
    bench.seen(printing, PrintPhase.PRINTING)
    assert bench.at(WorkerState.PRINTING)
    assert (bench.saved.printing, bench.saved.doubtful) == (printing, (second,))
    assert bench.saved.held == (QUEUE, AGAIN)
    (effect,) = bench.seen(printing, PrintPhase.DONE)
    assert isinstance(effect, w.WriteRunRecord)
    assert effect.record.print_id == printing.print_id
    bench.recorded(effect)
    bench.boot()
    assert bench.worker.held == (QUEUE, AGAIN)


@pytest.mark.parametrize("phase", [PrintPhase.PRINTING, PrintPhase.DONE])
def test_a_start_that_arrives_late_counts_although_the_claim_was_given_back(
    phase: PrintPhase,
) -> None:
    bench, printing = restarted()
    bench.tell(IDLE_PRINTER)
    bench.tell(w.Manage(managing=False))
    assert ends(bench.tell(w.PrintUnknown(print_id=printing.print_id))) == ["stopped managing"]
    bench.held = {}
    bench.boot()
    bench.read()
    effects = bench.seen(printing, phase)
    if phase is PrintPhase.PRINTING:
        assert bench.at(WorkerState.PRINTING)
        effects = bench.seen(printing, PrintPhase.DONE)
    (effect,) = [each for each in effects if isinstance(each, w.WriteRunRecord)]
    bench.recorded(effect)
    assert len(bench.state.jobs[0].records) == 1
    assert (bench.worker.saved.bed_clear, bench.worker.held) == (False, None)


@pytest.mark.parametrize("reason", ["replaced", "deleted", "ended", "stopped managing"])
def test_after_a_restart_nothing_begins_that_is_not_ours_any_more(reason: str) -> None:
    bench, printing = restarted()
    bench.tell(IDLE_PRINTER)
    if reason == "replaced":
        bench.held = {JOB: a_claim(peer(1), epoch=2)}
    elif reason == "deleted":
        bench.state = replace(bench.state, jobs=())
    elif reason == "ended":
        bench.state = replace(bench.state, ended=frozenset({MINE}))
    else:
        bench.tell(w.Manage(managing=False))
    bench.read()
    effects = bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert ends(effects) == [reason]
    assert bench.worker.saved.bed_clear


def test_after_a_restart_nothing_begins_before_the_queue_is_in_sync() -> None:
    bench, printing = restarted()
    bench.tell(IDLE_PRINTER)
    bench.read(ready=False)
    effects = bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert [type(effect) for effect in effects] == [w.SaveMemory]
    assert isinstance(bench.read()[-1], w.FetchFile)


def test_a_print_that_is_recorded_but_forgotten_by_the_printer_is_not_repeated() -> None:
    bench, printing = restarted()
    bench.add_record(record(MINE))
    bench.tell(IDLE_PRINTER)
    effects = bench.tell(w.PrintUnknown(print_id=printing.print_id))
    assert starts(effects) == []
    assert not bench.worker.saved.bed_clear
    bench.tell(w.BedCleared())
    assert bench.fetched().print_id == AGAIN.print_id(1)


def test_a_claim_is_kept_over_a_restart_between_two_copies() -> None:
    bench = holding()
    bench.boot()
    assert bench.at(WorkerState.HOLDING)
    assert bench.tell(IDLE_PRINTER) == []
    assert bench.read() == []
    assert isinstance(bench.tell(w.BedCleared())[-1], w.FetchFile)
    assert bench.fetched().print_id == AGAIN.print_id(1)


def test_a_restart_before_the_queues_are_read_forgets_nothing() -> None:
    bench = holding()
    bench.boot()
    for event in (IDLE_PRINTER, w.BedCleared(), w.Manage(managing=True)):
        assert ends(bench.tell(event)) == []
    assert bench.worker.held == (QUEUE, MINE)


def test_what_is_stored_without_the_claim_still_names_it() -> None:
    bench, printing = restarted()
    bench.saved = w.WorkerMemory(printing=printing, bed_clear=False)
    assert bench.boot().held == (QUEUE, MINE)
