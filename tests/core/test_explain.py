from __future__ import annotations

import pytest

from crdtqueue.core.explain import JobState, Printer, explain
from crdtqueue.core.ids import JobId, Profile
from crdtqueue.core.messages import PrinterNews
from crdtqueue.core.model import Job
from tests.core.samples import (
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
) -> Printer:
    news = PrinterNews(state=state, text=text, job=job) if state else None
    return Printer(peer=ME, name=name, profile=profile, news=news)


def waits(*printers: Printer, job: Job | None = None) -> str:
    state, text = explain(job or a_job(), None, 0.0, printers)
    assert state is JobState.WAITING
    return text


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("idle", "Next for Left."),
        ("printing", "Waits for Left, which is busy."),
        ("claiming", "Waits for Left, which is busy."),
        ("waiting_for_bed", "Waits until the bed of Left is clear."),
        ("stopped", "Left takes no jobs; start managing it."),
        ("offline", "Left is not ready: Some words."),
        ("words of another version", "Next for Left."),
    ],
)
def test_a_waiting_job_says_what_it_waits_for(state: str, text: str) -> None:
    assert waits(printer(state)) == text


def test_every_printer_that_fits_is_named_and_no_other() -> None:
    ender = printer("idle", name="Ender", profile=ENDER)
    text = waits(printer("printing"), printer("idle", name="Right"), ender)
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
    assert explain(done, None, 0.0, [printer("idle")]) == (JobState.DONE, "Printed.")
    state, text = explain(a_job(paused=True), None, 0.0, [printer("idle")])
    assert state is JobState.PAUSED
    assert "Resume" in text


@pytest.mark.parametrize(
    ("owner", "state", "text"),
    [
        (printer("printing", job=JOB), JobState.PRINTING, "Printing on Left."),
        (printer("cancelling", job=JOB), JobState.PRINTING, "Cancelling on Left."),
        (printer("paused", job=JOB), JobState.PAUSED, "Paused on Left."),
        (printer("waiting_for_bed", job=JOB), JobState.WAITING, "Left has it. Some words."),
        (printer("printing", job=JOB_2), JobState.WAITING, "Left has it. Some words."),
        (printer(None), JobState.PRINTING, "Left has it, and was last heard of 59 s ago."),
    ],
)
def test_a_job_that_a_printer_has_says_which(owner: Printer, state: JobState, text: str) -> None:
    assert explain(a_job(), a_claim(), 59.0, [owner]) == (state, text)


def test_a_long_silence_is_told_in_minutes_and_an_unknown_owner_is_not_named() -> None:
    _, text = explain(a_job(), a_claim(), 120.0, [printer(None)])
    assert text.endswith("2 min ago.")
    state, text = explain(a_job(), a_claim(peer(1)), 0.0, [printer("idle")])
    assert state is JobState.PRINTING
    assert "no longer known" in text
