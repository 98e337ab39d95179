from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document import keys as d
from crdtqueue.core.document.keys import (
    ROOTS,
    Entry,
)
from crdtqueue.core.document.model import (
    COUNT_MAX,
    Deletion,
    Job,
    QueueState,
)
from crdtqueue.core.document.parse import SECONDS_MAX
from crdtqueue.core.document.progress import (
    next_copy,
    progress,
    set_progress,
    why_nobody_may_take,
)
from crdtqueue.core.document.reader import (
    DocumentReader,
    read_queue,
)
from crdtqueue.core.ids import Claim
from crdtqueue.core.yjs.lib0 import JsonValue
from crdtqueue.peer.claims_runner import records_of
from tests.harness.document_entries import (
    JSON,
    read,
)
from tests.harness.samples import (
    JOB,
    JOB_2,
    ME,
    MK3S,
    SET_A,
    SET_B,
    a_claim,
    a_job,
    file,
    peer,
    print_set,
    record,
)

# Deletion -----------------------------------------------------------------------------------------


def deletion(*entries: Entry) -> Deletion:
    """How a job stands after these entries; it is in one of the two lists."""
    state = read([*d.job_entries(a_job()), *entries])
    (job,) = (*state.jobs, *state.deleted)
    assert (job in state.deleted) is (job.deletion is Deletion.NOW)
    return job.deletion


def test_a_deleted_job_is_kept_and_can_be_brought_back() -> None:
    entries = d.job_entries(a_job())
    state = read([*entries, d.deleted_entry(JOB)])
    assert (state.jobs, state.deleted) == ((), (replace(a_job(), deletion=Deletion.NOW),))
    state = read([*entries, d.deleted_entry(JOB), d.deleted_entry(JOB, Deletion.NONE)])
    assert state == QueueState(jobs=(a_job(),))


def test_after_copy_waits_until_no_claim_of_the_job_is_open() -> None:
    mine, theirs = a_claim(), a_claim(peer(1), epoch=2)
    other = d.claim_entry(a_claim(job=JOB_2), at_s=1.0)
    after_copy = d.deleted_entry(JOB, Deletion.AFTER_COPY)
    claims = [d.claim_entry(mine, at_s=1.0), d.claim_entry(theirs, at_s=2.0)]
    end, lost = d.end_entry(mine, "done"), d.lost_entry(theirs, peer=ME, by="Ann", at_s=3.0)
    assert deletion(after_copy) is Deletion.NOW
    assert deletion(after_copy, other) is Deletion.NOW
    assert deletion(after_copy, *claims) is Deletion.AFTER_COPY
    assert deletion(after_copy, *claims, end) is Deletion.AFTER_COPY
    assert deletion(after_copy, *claims, lost) is Deletion.AFTER_COPY
    assert deletion(after_copy, *claims, end, lost) is Deletion.NOW
    assert deletion(end, lost, *claims, after_copy) is Deletion.NOW


def test_an_end_that_is_taken_back_opens_the_claim_again() -> None:
    reader, claim = DocumentReader(), a_claim()
    lost = d.lost_entry(claim, peer=ME, by="Ann", at_s=1.0)
    more = [d.deleted_entry(JOB, Deletion.AFTER_COPY), d.claim_entry(claim, at_s=1.0), lost]
    for entry in [*d.job_entries(a_job()), *more]:
        reader.change(*entry)
    assert reader.state().deleted
    reader.change(lost[0], lost[1], None)
    assert reader.state().jobs
    assert reader.state().lost == frozenset()


def test_what_comes_before_its_job_waits_for_it() -> None:
    reader, done = DocumentReader(), record(a_claim())
    late = [
        d.record_entry(done),
        d.paused_entry(JOB, paused=True),
        d.claim_entry(a_claim(), at_s=1),
    ]
    for entry in late:
        reader.change(*entry)
    assert reader.state().jobs == ()
    assert reader.state().claims == {a_claim()}
    for entry in d.job_entries(a_job()):
        reader.change(*entry)
    assert reader.state().jobs == (a_job(records=(done,), paused=True),)


def test_an_edit_after_the_deletion_brings_nothing_back() -> None:
    assert read([d.deleted_entry(JOB), d.runs_entry(JOB, 3)]) == QueueState()
    assert deletion(d.deleted_entry(JOB), d.runs_entry(JOB, 3)) is Deletion.NOW


# Key by key ---------------------------------------------------------------------------------------


def two_jobs() -> DocumentReader:
    reader = DocumentReader()
    for job in (a_job(), a_job(job=JOB_2)):
        for entry in d.job_entries(job):
            reader.change(*entry)
    return reader


def test_a_job_that_has_not_changed_stays_the_same_object() -> None:
    reader = two_jobs()
    before = reader.state()
    assert reader.state() is before
    reader.change(*d.name_entry(JOB_2, "x"))
    after = reader.state()
    assert after.jobs[0] is before.jobs[0]
    assert after.jobs[1] == replace(before.jobs[1], name="x")


def test_each_kind_of_change_reaches_its_job() -> None:
    reader = two_jobs()
    changes = [
        d.copies_entry(JOB, SET_A, 7),
        d.claim_entry(a_claim(), at_s=1.0),
        d.record_entry(record(a_claim())),
    ]
    for change in changes:
        before = reader.state()
        reader.change(*change)
        after = reader.state()
        assert after.jobs[0] is not before.jobs[0]
        assert after.jobs[1] is before.jobs[1]
    root, key, _ = changes[-1]
    reader.change(root, key, None)
    assert reader.state().jobs[0].records == ()


def test_a_job_without_a_name_any_more_is_gone_until_it_has_one() -> None:
    reader = two_jobs()
    whole = reader.state()
    reader.change("jobs", f"{JOB}/name", None)
    assert [job.id for job in reader.state().jobs] == [JOB_2]
    reader.change(*d.name_entry(JOB, "Brackets"))
    assert reader.state() == whole


ANY_ID = st.sampled_from([JOB, JOB_2, ME, SET_A, SET_B, file().sha256, "1", "0", "01", "", "x"])
FIELDS = ["name", "runs", "order", "generation", "paused", "deleted", "by", "at", "file", "copies"]
FIELDS += ["profiles", "sha256", "size", "result", "set", "reason", "started", "ended", "bytes"]
FIELDS += ["profile", "addresses", "forgiven", "note", "draft", "peer", "beat", "materials"]
FIELDS += ["metadata", "removed", "extra.0.1", "extra.1.2", "extra.x", "run", "copy", "filament"]
FIELDS += ["strategy", "mode", "voters", "schema", "colour"]
HOSTILE_KEYS = st.text(max_size=10) | st.lists(
    ANY_ID | st.sampled_from(FIELDS), min_size=1, max_size=6
).map("/".join)
HOSTILE_VALUES = JSON | st.dictionaries(st.sampled_from(FIELDS), JSON | ANY_ID)
CLAIMS = st.builds(
    Claim,
    job=st.sampled_from([JOB, JOB_2]),
    epoch=st.integers(1, 2),
    peer=st.sampled_from([ME, peer(1)]),
    incarnation=st.just(1),
)
KNOWN_KEYS = st.one_of(
    st.tuples(st.just("jobs"), st.sampled_from(FIELDS).map(lambda field: f"{JOB}/{field}")),
    st.tuples(st.just("sets"), st.sampled_from(FIELDS).map(lambda f: f"{JOB}/{SET_A}/{f}")),
    st.tuples(st.just("queue"), st.sampled_from(FIELDS)),
    st.tuples(st.sampled_from(["claims", "ends"]), CLAIMS.map(lambda claim: claim.key)),
    st.tuples(st.just("lost"), CLAIMS.map(lambda claim: f"{claim.key}/{ME}")),
    st.tuples(st.just("runs"), CLAIMS.map(lambda claim: claim.print_id(1))),
    st.tuples(st.just("peers"), st.just(ME)),
    st.tuples(st.just("files"), st.just(f"{file().sha256}/{ME}")),
    st.tuples(st.sampled_from(sorted(ROOTS)), HOSTILE_KEYS),
)
GOOD: list[Entry] = [
    *d.job_entries(a_job(print_set(extras={(0, 1): 2}))),
    d.claim_entry(a_claim(), at_s=1.0),
    d.record_entry(record(a_claim())),
    d.deleted_entry(JOB, Deletion.AFTER_COPY),
]
CHANGES = st.lists(
    st.sampled_from(GOOD)
    | st.tuples(KNOWN_KEYS, HOSTILE_VALUES | st.sampled_from([None, True, "after-copy"])).map(
        lambda change: (*change[0], change[1])
    ),
    max_size=12,
)


@given(CHANGES)
def test_reading_by_changes_is_reading_the_whole(changes: list[Entry]) -> None:
    roots: dict[str, dict[str, JsonValue]] = {root: {} for root in ROOTS}
    reader = DocumentReader()
    for root, key, value in changes:
        if value is None:
            roots[root].pop(key, None)
        else:
            roots[root][key] = value
        reader.change(root, key, value)
        assert reader.state() == read_queue(roots)


# Anything can be read -----------------------------------------------------------------------------


@given(
    st.dictionaries(
        st.sampled_from(sorted(ROOTS)), st.dictionaries(HOSTILE_KEYS, HOSTILE_VALUES, max_size=5)
    )
)
def test_any_document_can_be_read(roots: dict[str, dict[str, JsonValue]]) -> None:
    check(read_queue(roots))


@given(CHANGES)
def test_a_good_document_with_anything_beside_can_be_read(changes: list[Entry]) -> None:
    check(read([*GOOD, *changes]))


def check(state: QueueState) -> None:
    """What is read is within its bounds, and what is made of it can be made."""
    for job in (*state.jobs, *state.deleted):
        assert 0 <= job.runs <= COUNT_MAX
        assert 0 <= job.created_at_s <= SECONDS_MAX
        check_progress(job)


def check_progress(job: Job) -> None:
    far, sets = progress(job), set_progress(job)
    assert 0 <= far.done <= far.total
    assert sets.keys() == {each.id for each in job.sets}
    copy = next_copy(job, MK3S)
    assert copy is None or copy.set in job.sets
    assert isinstance(why_nobody_may_take(job), str)


@pytest.mark.parametrize(
    "entry",
    [
        ("jobs", f"{JOB_2}/runs", 3),
        ("jobs", f"{JOB_2.upper()}/name", "x"),
        ("jobs", "name", "x"),
        ("jobs", f"{JOB}/x/name", "x"),
        ("jobs", f"{JOB}/deleted", 1),
        ("jobs", f"{JOB}/deleted", "later"),
        ("jobs", f"{JOB}/paused", "yes"),
        ("jobs", f"{JOB}/draft", {"by": "Ann"}),
        ("jobs", f"{JOB}/colour", "red"),
        ("sets", f"{JOB}/{SET_B}/file", {"sha256": "short", "name": "x", "size": 1}),
        ("sets", f"{JOB}/{SET_B}/copies", 3),
        ("sets", f"{JOB}/{SET_B}x/file", {"sha256": "a" * 64}),
        ("sets", f"{JOB}/{SET_A}/removed", "yes"),
        ("sets", f"{JOB}/{SET_A}/extra.1", 3),
        ("sets", f"{JOB}/{SET_A}/extra.01.1", 3),
        ("runs", f"{a_claim().key}/01", {"result": "done", "set": SET_A}),
        ("runs", a_claim().print_id(1), {"result": "won", "set": SET_A}),
        ("claims", f"{JOB}/1/{ME}", {}),
        ("lost", f"{a_claim().key}/Ann", {}),
        ("files", f"{'a' * 64}/{ME}x", True),
        ("files", f"{'a' * 64}/{ME}", "yes"),
        ("peers", "somebody", {"name": "x"}),
        ("more", f"{JOB}/name", "x"),
    ],
)
def test_what_makes_no_sense_is_passed_over(entry: Entry) -> None:
    assert read([*d.job_entries(a_job()), entry]) == QueueState(jobs=(a_job(),))


def test_a_document_of_a_newer_schema_shows_what_can_be_shown() -> None:
    newer: list[Entry] = [
        ("queue", "schema", 2),
        ("queue", "strategy", "cheapest"),
        ("queue", "mode", "quorum"),
        ("queue", "colour", "red"),
        ("jobs", f"{JOB}/priority", 3),
        ("sets", f"{JOB}/{SET_A}/nozzle", 0.4),
        ("runs", a_claim().print_id(1), {"result": "half done", "set": SET_A}),
        ("more", "anything", {"a": [1]}),
    ]
    state = read([*d.job_entries(a_job()), *newer])
    assert state.jobs == (a_job(),)
    assert state.settings.schema == 2


def test_a_root_that_is_not_known_is_passed_over() -> None:
    assert read_queue({"elsewhere": {"a": 1}}) == QueueState()


@given(st.lists(st.floats(min_value=0, max_value=1e12), min_size=2, max_size=2), JSON)
def test_who_wrote_a_start_record_and_when_decides_nothing(
    at_s: list[float], junk: JsonValue
) -> None:
    """The claimant and each voter that arms it write the same key, each with its own `at`."""
    claim = a_claim()
    first, second = (read([d.claim_entry(claim, at_s=each)]) for each in at_s)
    root, key, _ = d.claim_entry(claim, at_s=0.0)
    assert first == second
    assert read([(root, key, junk if junk is not None else {})]) == first
    assert records_of(first) == records_of(second)
    assert records_of(first).claims == {claim}
