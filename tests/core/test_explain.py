from __future__ import annotations

from dataclasses import replace

import pytest

from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.document.model import (
    Draft,
    Job,
    QueueSettings,
    QueueState,
    Strategy,
)
from crdtqueue.core.durations import Span
from crdtqueue.core.explain import (
    SILENT_AFTER_S,
    JobState,
    PrinterInSight,
    Sight,
    explain,
    overtaking,
)
from crdtqueue.core.ids import JobId, Profile
from crdtqueue.core.sync.messages import PrinterSummary
from tests.harness.samples import (
    ENDER,
    JOB,
    JOB_2,
    ME,
    MK3S,
    a_claim,
    a_job,
    peer,
    print_set,
    record,
)


def printer(
    state: str | None,
    *,
    name: str = "Left",
    job: JobId | None = None,
    profile: Profile = MK3S,
    text: str = "Some words.",
    next_job: JobId | None = None,
    holds_back: str = "",
    own: bool = False,
) -> PrinterInSight:
    summary = PrinterSummary(state=state, text=text, job=job, next_job=next_job) if state else None
    return PrinterInSight(
        peer=ME, name=name, profile=profile, summary=summary, holds_back=holds_back, own=own
    )


def waits(*printers: PrinterInSight, job: Job | None = None) -> str:
    state, text = told(job or a_job(), Sight(printers=printers))
    assert state is JobState.WAITING
    return text


def told(job: Job, sight: Sight) -> tuple[JobState, str]:
    state, why = explain(job, sight)
    return state, str(why)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("idle", "Waits its turn on Left."),
        ("printing", "Waits for Left, which is busy."),
        ("claiming", "Waits for Left, which is busy."),
        ("waiting_for_bed", "Waits until the bed of Left is clear."),
        ("stopped", "Left takes no jobs; start managing it."),
        ("offline", "Left is not ready: Some words."),
        ("busy", "Waits for Left, which prints something that is not of the queues."),
        ("cooling", "Waits until the bed of Left has cooled down."),
        ("script", "Waits for Left: Some words."),
        ("holding_back", "Left asks for no job: Some words."),
        (
            "waiting_for_material",
            "Waits for Left, to which another job has come first. Some words.",
        ),
        ("words of another version", "Waits its turn on Left."),
    ],
)
def test_a_waiting_job_says_what_it_waits_for(state: str, text: str) -> None:
    assert waits(printer(state)) == text


def test_the_job_that_a_printer_takes_next_says_so() -> None:
    assert waits(printer("idle", next_job=JOB)) == "Next for Left."
    assert waits(printer("idle", next_job=JOB_2)) == "Waits its turn on Left."
    assert waits(printer("printing", next_job=JOB)) == "Waits for Left, which is busy."


def test_what_holds_this_queue_back_is_said_rather_than_what_the_printer_does() -> None:
    held = printer("idle", holds_back="Only 1 of 3 voters is in sight.")
    assert waits(held) == "Left asks for no job: Only 1 of 3 voters is in sight."


def test_a_job_that_is_overtaken_says_why() -> None:
    left = printer("idle", next_job=JOB_2)
    by = Sight(printers=[left], overtaking=frozenset({ME}))
    _, text = told(a_job(), by)
    assert text.startswith("Left first takes a job that needs fewer changes of material")
    ender = a_job(print_set(profiles=frozenset({ENDER})))
    assert "No printer with profile ENDER" in told(ender, by)[1]


def test_only_where_changes_count_are_jobs_overtaken() -> None:
    jobs = (a_job(), a_job(job=JOB_2))
    printers = [printer("idle", next_job=JOB_2), printer(None), printer("idle")]
    settings = QueueSettings(strategy=Strategy.LEAST_CHANGES)
    assert overtaking(QueueState(jobs=jobs), printers) == {}
    assert overtaking(QueueState(jobs=jobs, settings=settings), printers[:1]) == {ME: 1}
    assert overtaking(QueueState(jobs=jobs[:1], settings=settings), printers) == {}


@pytest.mark.parametrize(("for_s", "text"), [(20.0, "20 s"), (125.0, "2 min")])
def test_a_job_in_edit_says_where_and_for_how_long(for_s: float, text: str) -> None:
    draft = Draft(peer=ME, by="workshop-laptop", beat=1)
    sight = Sight(printers=[], edited_for_s=for_s)
    state, why = told(replace(a_job(), draft=draft), sight)
    assert state is JobState.BLOCKED
    assert why == f"Being edited on workshop-laptop for {text}. It goes on when that is finished."
    paused, why = told(replace(a_job(paused=True), draft=draft), sight)
    assert (paused, why[:6]) == (JobState.PAUSED, "Paused")


def test_every_printer_that_fits_is_named_and_no_other() -> None:
    ender = printer("idle", name="Ender", profile=ENDER)
    text = waits(printer("printing"), printer("idle", name="Right", next_job=JOB), ender)
    assert text == "Waits for Left, which is busy. Next for Right."


def test_where_no_printer_fits_it_says_which_would() -> None:
    assert waits(printer("idle", profile=ENDER)) == "No printer with profile MK3S is in sight."
    absent = waits(printer(None, name="Left"), printer("idle", profile=ENDER))
    assert absent == "No printer with profile MK3S is in sight. Switch on Left."
    assert waits(job=a_job(print_set(profiles=frozenset()))) == "No printer is in sight."


@pytest.mark.parametrize("job", [a_job(print_set(copies=0)), a_job(runs=0)])
def test_a_job_with_nothing_in_it_says_so(job: Job) -> None:
    assert waits(printer("idle"), job=job) == "There is nothing to print in it."


def test_done_and_held_jobs_say_so_whatever_printers_there_are() -> None:
    done = a_job(records=(record(a_claim()),), paused=True)
    assert told(done, Sight(printers=[printer("idle")])) == (JobState.DONE, "Printed.")
    state, text = told(a_job(paused=True), Sight(printers=[printer("idle")]))
    assert state is JobState.PAUSED
    assert "Resume" in text


@pytest.mark.parametrize(
    ("owner", "state", "text"),
    [
        (printer("printing", job=JOB), JobState.PRINTING, "Printing on Left."),
        (printer("cancelling", job=JOB), JobState.PRINTING, "Cancelling on Left."),
        (printer("paused", job=JOB), JobState.PAUSED, "Paused on Left."),
        (
            printer("waiting_for_bed", job=JOB),
            JobState.WAITING,
            "Claimed by Left (lease seen 5 s ago). Some words.",
        ),
        (
            printer("printing", job=JOB_2, own=True),
            JobState.WAITING,
            "Claimed by Left. Some words.",
        ),
        (printer(None), JobState.PRINTING, "Left has it, and was last heard of 5 s ago."),
    ],
)
def test_a_job_that_a_printer_has_says_which(
    owner: PrinterInSight, state: JobState, text: str
) -> None:
    sight = Sight(printers=[owner], claim=a_claim(), silent_s=5.0)
    assert told(a_job(), sight) == (state, text)


@pytest.mark.parametrize("owner", [printer(None), printer("printing", job=JOB)])
def test_a_silent_owner_has_its_silence_told_and_what_ends_it(owner: PrinterInSight) -> None:
    silent = Sight(printers=[owner], claim=a_claim(), silent_s=190.0)
    available = replace(silent, takeover_in_s=1_610.0)
    state, why = explain(a_job(), available)
    assert state is JobState.PRINTING
    assert str(why) == (
        "Left has it and has been silent for 3 min. Another printer may take over in 27 min; or"
        " look at the printer, and mark it lost."
    )
    assert why.parts[1] == Span(seconds=190.0)
    assert why.parts[3] == Span(seconds=1_610.0, is_left=True)
    _, safe = told(a_job(), silent)
    assert "In safe mode no silence ends its claim" in safe
    assert "may take over" not in safe


def test_only_who_has_a_job_is_silent() -> None:
    assert not Sight(printers=[], silent_s=1e6).is_silent
    assert not Sight(printers=[], claim=a_claim(), silent_s=SILENT_AFTER_S - 0.1).is_silent
    assert Sight(printers=[], claim=a_claim(), silent_s=SILENT_AFTER_S).is_silent


def test_who_is_silent_is_out_of_sight_of_everybody() -> None:
    assert ClaimTimes().out_of_sight_s == SILENT_AFTER_S


def test_an_owner_that_is_not_known_is_not_named() -> None:
    state, text = told(a_job(), Sight(printers=[printer("idle")], claim=a_claim(peer(1))))
    assert state is JobState.PRINTING
    assert text.startswith("A printer that is no longer known has it")


def test_what_keeps_everybody_from_a_job_is_said_instead_of_a_turn() -> None:
    sight = Sight(printers=[printer("idle")], obstacle="Cannot be taken: it was claimed too often.")
    assert told(a_job(), sight) == (JobState.WAITING, sight.obstacle)
    assert told(a_job(paused=True), sight)[0] is JobState.PAUSED
