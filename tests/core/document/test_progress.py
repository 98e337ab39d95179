from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document.model import (
    COUNT_MAX,
    Deletion,
    Draft,
    Job,
    PrintSet,
    Result,
    RunRecord,
)
from crdtqueue.core.document.profiles import ANY
from crdtqueue.core.document.progress import (
    FAILURES_MAX,
    Copy,
    Progress,
    SetProgress,
    failures,
    next_copy,
    next_set,
    progress,
    set_progress,
    sets_for,
    why_nobody_may_take,
)
from crdtqueue.core.ids import Profile, SetId
from tests.harness.samples import (
    ENDER,
    ME,
    MK3S,
    SET_A,
    SET_B,
    a_claim,
    a_job,
    print_set,
    record,
)

A, B = print_set(), print_set(SET_B)


def printed(*sets: PrintSet, runs: int = 1, profile: Profile = MK3S) -> str:
    """What one printer prints of a job, as letters."""
    letters = ""
    records: tuple[RunRecord, ...] = ()
    while following := next_copy(a_job(*sets, runs=runs, records=records), profile):
        letters += "A" if following.set.id == SET_A else "B"
        records = (*records, done(following, len(letters), profile))
        assert len(letters) < 100
    job = a_job(*sets, runs=runs, records=records)
    assert progress(job).complete == bool(letters)
    return letters


def done(copy: Copy, number: int = 1, profile: Profile = MK3S, *, epoch: int = 1) -> RunRecord:
    return record(
        a_claim(epoch=epoch),
        number,
        set_id=copy.set.id,
        profile=profile,
        run=copy.run,
        copy=copy.number,
    )


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
    assert progress(a_job(*sets, runs=2, records=(by_ender,))) == Progress(done=1, total=2, run=2)


def test_only_finished_copies_of_this_generation_count() -> None:
    records = (
        record(a_claim(), 1),
        record(a_claim(), 2, generation=1),
        record(a_claim(), 3, result=Result.FAILED, generation=1),
        record(a_claim(), 4, result=Result.CANCELLED, generation=1),
        record(a_claim(), 5, set_id=SetId("ffffff"), generation=1),
    )
    job = a_job(print_set(copies=3), generation=1, records=records)
    assert set_progress(job)[SET_A] == SetProgress(run_done=1, run_wanted=3, done=1, pending=2)
    assert progress(job) == Progress(done=1, total=3)
    assert failures(job) == 1


def test_a_double_print_is_seen_and_leaves_nothing_to_do() -> None:
    job = a_job(records=(record(a_claim(), 1), record(a_claim(epoch=2), 1)))
    assert next_set(job, MK3S) is None
    assert progress(job) == Progress(done=1, total=1, doubles=1)
    assert progress(job).complete


def test_a_double_print_satisfies_another_pending_copy() -> None:
    twice = (record(a_claim()), record(a_claim(epoch=2)))
    job = a_job(print_set(copies=2), B, runs=2, records=twice)
    assert next_copy(job, MK3S) == Copy(set=B, run=1, number=1)
    assert progress(job) == Progress(done=2, total=6, doubles=1)
    job = a_job(A, B, runs=2, records=twice)
    assert next_copy(job, MK3S) == Copy(set=B, run=1, number=1)
    first_run = (*twice, record(a_claim(), 2, set_id=SET_B))
    job = a_job(A, B, runs=2, records=first_run)
    assert next_copy(job, MK3S) == Copy(set=B, run=2, number=1)
    assert progress(job) == Progress(done=3, total=4, run=2, doubles=1)
    whole = (*first_run, record(a_claim(), 3, set_id=SET_B, run=2))
    assert progress(a_job(A, B, runs=2, records=whole)).complete


def test_extra_copies_are_printed_in_their_run_only() -> None:
    assert printed(print_set(extras={(0, 2): 2}), B, runs=3) == "ABAAABAB"
    assert printed(print_set(copies=0, extras={(0, 1): 1}), B, runs=2) == "ABB"
    assert printed(print_set(copies=0, extras={(0, 1): 1}), runs=5) == "A"
    assert printed(print_set(copies=0, extras={(1, 1): 1}), B) == "B"
    far = print_set(copies=0, extras={(0, 1): 1, (0, 900_000): 1})
    assert printed(far, runs=COUNT_MAX) == "AA"


def test_runs_that_are_over_stay_over_whatever_is_edited() -> None:
    two_runs = (record(a_claim(), 1), record(a_claim(), 2, run=2))
    with_b = a_job(A, B, runs=4, records=two_runs)
    assert next_copy(with_b, MK3S) == Copy(set=B, run=2, number=1)
    more = a_job(print_set(copies=3), runs=4, records=two_runs)
    assert next_copy(more, MK3S) == Copy(set=print_set(copies=3), run=2, number=2)
    assert progress(more) == Progress(done=2, total=10, run=2)
    fewer_runs = a_job(A, runs=1, records=two_runs)
    assert next_copy(fewer_runs, MK3S) is None
    assert progress(fewer_runs).complete


def test_fewer_copies_only_stop_later_ones() -> None:
    records = tuple(record(a_claim(), n, copy=n) for n in range(1, 4))
    job = a_job(print_set(copies=2), runs=2, records=records)
    assert next_copy(job, MK3S) == Copy(set=print_set(copies=2), run=2, number=1)
    assert progress(job) == Progress(done=3, total=5, run=2)


def test_the_counts_of_each_set() -> None:
    records = (
        record(a_claim(), 1),
        record(a_claim(), 2, set_id=SET_B),
        record(a_claim(), 3, run=2),
    )
    job = a_job(A, print_set(SET_B, copies=2, extras={(0, 2): 1}), runs=3, records=records)
    assert set_progress(job) == {
        SET_A: SetProgress(run_done=1, run_wanted=1, done=2, pending=1),
        SET_B: SetProgress(run_done=0, run_wanted=3, done=1, pending=5),
    }


@pytest.mark.parametrize("copies", [0, 1])
def test_twenty_thousand_prints_of_one_copy_are_counted_quickly(copies: int) -> None:
    records = tuple(record(a_claim(), n) for n in range(20_000))
    job = a_job(print_set(copies=copies, extras={(0, 7): 5}), B, runs=COUNT_MAX, records=records)
    assert progress(job).doubles == 19_999


def test_a_job_that_is_paused_or_keeps_failing_is_held_back() -> None:
    assert why_nobody_may_take(a_job()) == ""
    assert why_nobody_may_take(a_job(paused=True)).startswith("Paused")
    failed = [
        record(a_claim(), n, result=Result.FAILED, reason=f"Jam {n}.", ended_at_s=n)
        for n in range(1, FAILURES_MAX + 1)
    ]
    later = record(a_claim(), 9, result=Result.CANCELLED, reason="Mistake.", ended_at_s=99.0)
    assert why_nobody_may_take(a_job(records=(*failed[1:], later))) == ""
    assert "Jam 3." in why_nobody_may_take(a_job(records=(*failed, later)))
    assert "after it failed: Jam 1." in why_nobody_may_take(
        a_job(records=(failed[0],), paused=True)
    )
    assert why_nobody_may_take(a_job(records=tuple(failed), generation=1)) == ""
    assert why_nobody_may_take(replace(a_job(records=tuple(failed)), forgiven=1)) == ""


def test_a_job_that_is_edited_or_about_to_go_is_held_back() -> None:
    draft = Draft(peer=ME, by="workshop-laptop", beat=1)
    assert "workshop-laptop" in why_nobody_may_take(replace(a_job(), draft=draft))
    assert "deleted" in why_nobody_may_take(replace(a_job(), deletion=Deletion.AFTER_COPY))


def test_a_record_that_names_no_copy_fills_none() -> None:
    """Other programs write records too."""
    records = tuple(record(a_claim(), n, run=0, copy=0) for n in range(2))
    now = progress(a_job(print_set(copies=1), runs=0, records=records))
    assert now.done <= now.total


PROFILES = st.sampled_from([MK3S, ENDER, ANY])


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.frozensets(PROFILES, max_size=2)), min_size=1, max_size=4
    ),
    st.integers(0, 3),
    st.lists(
        st.tuples(
            st.integers(0, 5),
            PROFILES,
            st.sampled_from(Result),
            st.integers(0, 4),
            st.integers(0, 4),
        ),
        max_size=12,
    ),
)
def test_any_job_can_be_counted_and_what_comes_next_brings_it_on(
    shapes: list[tuple[int, frozenset[Profile]]],
    runs: int,
    prints: list[tuple[int, Profile, Result, int, int]],
) -> None:
    sets = [
        print_set(SetId(f"{n:06x}"), copies=copies, profiles=profiles)
        for n, (copies, profiles) in enumerate(shapes)
    ]
    records = tuple(
        record(
            a_claim(),
            n,
            set_id=SetId(f"{which:06x}"),
            profile=profile,
            result=result,
            run=run,
            copy=copy,
        )
        for n, (which, profile, result, run, copy) in enumerate(prints)
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
        following = next_copy(a_job(*job.sets, runs=job.runs, records=records), printer)
        if following is None:
            return True
        records = (*records, done(following, number + n, printer))
    return False


@pytest.mark.parametrize("total", [0, 1])
def test_nothing_done_is_not_complete(total: int) -> None:
    assert not Progress(done=0, total=total).complete
