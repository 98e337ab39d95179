from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.ids import Profile, SetId
from crdtqueue.core.model import Job, PrintSet, Result, RunRecord
from crdtqueue.core.profile import ANY
from crdtqueue.core.progress import (
    FAILURES_MAX,
    Progress,
    done_by_set,
    failures,
    next_set,
    on_hold,
    progress,
    sets_for,
)
from tests.core.samples import ENDER, MK3S, SET_A, SET_B, a_claim, a_job, print_set, record

A, B = print_set(), print_set(SET_B)


def printed(*sets: PrintSet, runs: int = 1, profile: Profile = MK3S) -> str:
    """What one printer prints of a job, as letters."""
    letters = ""
    records: tuple[RunRecord, ...] = ()
    while following := next_set(a_job(*sets, runs=runs, records=records), profile):
        letters += "A" if following.id == SET_A else "B"
        done = record(a_claim(), len(letters), set_id=following.id, profile=profile)
        records = (*records, done)
        assert len(letters) < 100
    job = a_job(*sets, runs=runs, records=records)
    assert progress(job).complete == bool(letters)
    return letters


def test_the_order_of_copies_sets_and_runs() -> None:
    five_a, five_b = print_set(copies=5), print_set(SET_B, copies=5)
    assert printed(five_a, five_b) == "AAAAABBBBB"
    assert printed(A, B, runs=3) == "ABABAB"
    assert printed(print_set(copies=2), B, runs=2) == "AABAAB"
    assert printed(print_set(copies=0), B, runs=2) == "BB"
    assert printed(print_set(copies=0)) == ""
    assert printed(A, runs=0) == ""


def test_a_printer_prints_only_what_fits_it() -> None:
    for_ender = print_set(SET_B, profiles=frozenset({ENDER}))
    assert printed(A, for_ender, runs=2) == "AA"
    assert printed(A, for_ender, runs=2, profile=ENDER) == "BB"
    assert printed(A, profile=Profile("MK3")) == ""
    assert printed(print_set(profiles=frozenset({ANY})), profile=ENDER) == "A"
    assert sets_for(a_job(print_set(profiles=frozenset())), MK3S) == ()


def test_runs_that_printers_of_another_kind_have_done_are_done() -> None:
    sets = A, print_set(SET_B, profiles=frozenset({ENDER}))
    by_ender = record(a_claim(), 1, set_id=SET_B, profile=ENDER)
    assert next_set(a_job(*sets, records=(by_ender,)), MK3S) is None
    assert progress(a_job(*sets, records=(by_ender,))) == Progress(done=1, total=1)
    assert next_set(a_job(*sets, runs=2, records=(by_ender,)), MK3S) == A
    assert progress(a_job(*sets, runs=2, records=(by_ender,))) == Progress(done=1, total=2)


def test_only_finished_copies_of_this_generation_count() -> None:
    records = (
        record(a_claim(), 1),
        record(a_claim(), 2, generation=1),
        record(a_claim(), 3, result=Result.FAILED, generation=1),
        record(a_claim(), 4, result=Result.CANCELLED, generation=1),
        record(a_claim(), 5, set_id=SetId("ffffff"), generation=1),
    )
    job = a_job(print_set(copies=3), generation=1, records=records)
    assert done_by_set(job)[SET_A] == 1
    assert progress(job) == Progress(done=1, total=3)
    assert failures(job) == 1


def test_a_double_print_is_counted_but_leaves_nothing_to_do() -> None:
    job = a_job(records=(record(a_claim(), 1), record(a_claim(epoch=2), 1)))
    assert next_set(job, MK3S) is None
    assert progress(job).complete
    assert done_by_set(job)[SET_A] == 2


def test_a_job_that_is_paused_or_keeps_failing_is_held_back() -> None:
    assert on_hold(a_job()) == ""
    assert on_hold(a_job(paused=True)).startswith("Paused")
    failed = [
        record(a_claim(), n, result=Result.FAILED, reason=f"Jam {n}.", ended_at_s=n)
        for n in range(1, FAILURES_MAX + 1)
    ]
    later = record(a_claim(), 9, result=Result.CANCELLED, reason="Mistake.", ended_at_s=99.0)
    assert on_hold(a_job(records=(*failed[1:], later))) == ""
    assert "Jam 3." in on_hold(a_job(records=(*failed, later)))
    assert on_hold(a_job(records=tuple(failed), generation=1)) == ""


PROFILES = st.sampled_from([MK3S, ENDER, ANY])


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.frozensets(PROFILES, max_size=2)), min_size=1, max_size=4
    ),
    st.integers(0, 3),
    st.lists(st.tuples(st.integers(0, 5), PROFILES, st.sampled_from(Result)), max_size=12),
)
def test_any_job_can_be_counted_and_what_comes_next_brings_it_on(
    shapes: list[tuple[int, frozenset[Profile]]],
    runs: int,
    prints: list[tuple[int, Profile, Result]],
) -> None:
    sets = [
        print_set(SetId(f"{n:06x}"), copies=copies, profiles=profiles)
        for n, (copies, profiles) in enumerate(shapes)
    ]
    records = tuple(
        record(a_claim(), n, set_id=SetId(f"{which:06x}"), profile=profile, result=result)
        for n, (which, profile, result) in enumerate(prints)
    )
    job = a_job(*sets, runs=runs, records=records)
    now = progress(job)
    assert 0 <= now.done <= now.total
    for printer in (MK3S, ENDER):
        following = next_set(job, printer)
        assert following is None or following in sets_for(job, printer)
        assert following is None or not now.complete
        assert finished(job, printer, len(prints))


def finished(job: Job, printer: Profile, number: int) -> bool:
    """Whether one printer alone comes to an end with the job."""
    records: tuple[RunRecord, ...] = job.records
    for n in range(200):
        following = next_set(a_job(*job.sets, runs=job.runs, records=records), printer)
        if following is None:
            return True
        done = record(a_claim(), number + n, set_id=following.id, profile=printer)
        records = (*records, done)
    return False


@pytest.mark.parametrize("total", [0, 1])
def test_nothing_done_is_not_complete(total: int) -> None:
    assert not Progress(done=0, total=total).complete
