from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document import (
    ROOTS,
    Entry,
    claim_entry,
    deleted_entry,
    end_entry,
    holder_entry,
    job_entries,
    paused_entry,
    record_entry,
    roster_entry,
)
from crdtqueue.core.ids import JobId, PeerId, Profile, SetId, Sha256
from crdtqueue.core.lib0 import JsonValue
from crdtqueue.core.model import (
    COUNT_MAX,
    NAME_CHARS_MAX,
    Deletion,
    FileRef,
    Job,
    PrintSet,
    QueueState,
    Result,
    RosterEntry,
    RunRecord,
)
from crdtqueue.core.order import DIGITS, KEY_CHARS_MAX, is_key
from crdtqueue.core.reading import read_queue
from crdtqueue.core.values import SECONDS_MAX
from tests.core.samples import (
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


def read(entries: Iterable[Entry]) -> QueueState:
    roots: dict[str, dict[str, JsonValue]] = {root: {} for root in ROOTS}
    for root, key, value in entries:
        roots[root][key] = value
    return read_queue(roots)


# What we write ------------------------------------------------------------------------------------

NAMES = st.text(max_size=NAME_CHARS_MAX)
KEYS = st.text(DIGITS, min_size=1, max_size=KEY_CHARS_MAX).filter(is_key)
SECONDS = st.floats(0, SECONDS_MAX)
SHA256 = st.from_regex(r"\A[0-9a-f]{64}\Z").map(Sha256)
FILES = st.builds(FileRef, sha256=SHA256, name=NAMES, size_bytes=st.integers(0, 2**53))
PROFILES = st.sampled_from([Profile("ANY"), Profile("MK3S"), Profile("VORON V2")])
SETS = st.builds(
    PrintSet,
    id=st.from_regex(r"\A[0-9a-f]{6}\Z").map(SetId),
    order=KEYS,
    file=FILES,
    copies=st.integers(0, COUNT_MAX),
    profiles=st.frozensets(PROFILES),
)
JOBS = st.builds(
    Job,
    id=st.from_regex(r"\A[0-9a-f]{12}\Z").map(JobId),
    name=NAMES,
    order=KEYS,
    runs=st.integers(0, COUNT_MAX),
    generation=st.just(0),
    paused=st.just(False),
    created_by=NAMES,
    created_at_s=SECONDS,
    sets=st.lists(SETS, max_size=4, unique_by=lambda each: each.id).map(
        lambda sets: tuple(sorted(sets, key=lambda each: (each.order, each.id)))
    ),
)


@given(st.lists(JOBS, max_size=3, unique_by=lambda job: job.id))
def test_jobs_round_trip_in_their_order(jobs: list[Job]) -> None:
    state = read(entry for job in jobs for entry in job_entries(job))
    assert state.jobs == tuple(sorted(jobs, key=lambda job: (job.order, job.id)))


RECORDS = st.builds(
    RunRecord,
    print_id=st.integers(0, 99).map(a_claim().print_id),
    generation=st.integers(0, COUNT_MAX),
    run=st.integers(0, COUNT_MAX),
    copy=st.integers(0, COUNT_MAX),
    set=st.just(SET_A),
    profile=PROFILES,
    result=st.sampled_from(Result),
    reason=NAMES,
    started_at_s=SECONDS,
    ended_at_s=SECONDS,
    bytes=st.integers(0, 2**53),
)


@given(RECORDS)
def test_run_records_round_trip_with_their_job(done: RunRecord) -> None:
    state = read([*job_entries(a_job()), record_entry(done)])
    assert state.job(JOB) == a_job(records=(done,))


def test_a_record_that_comes_before_its_job_waits_for_it() -> None:
    assert read([record_entry(record(a_claim()))]).jobs == ()


def test_claims_and_their_ends_round_trip() -> None:
    old, new = a_claim(), a_claim(peer(1), epoch=2)
    state = read([claim_entry(old, at_s=1.0), claim_entry(new, at_s=2.0), end_entry(old, "done")])
    assert state.claims == {old, new}
    assert state.ended == {old}


def test_paused_and_deleted_jobs_are_marked() -> None:
    entries = job_entries(a_job())
    assert read([*entries, paused_entry(JOB, paused=True)]).jobs == (a_job(paused=True),)
    assert read([*entries, paused_entry(JOB, paused=False)]).jobs == (a_job(),)
    state = read([*entries, deleted_entry(JOB)])
    assert (state.jobs, state.deleted) == ((), (replace(a_job(), deletion=Deletion.NOW),))
    state = read([*entries, deleted_entry(JOB), deleted_entry(JOB, Deletion.NONE)])
    assert state.jobs == (a_job(),)


@pytest.mark.parametrize("profile", [MK3S, None])
def test_the_roster_round_trips(profile: Profile | None) -> None:
    entry = RosterEntry(peer=ME, name="Left Prusa", profile=profile, addresses=("10.0.0.7:8765",))
    assert read([roster_entry(entry)]).roster == {ME: entry}


def test_holders_are_gathered_by_file() -> None:
    sha256 = file().sha256
    entries = [holder_entry(sha256, ME), holder_entry(sha256, peer(1))]
    assert read(entries).holders == {sha256: {ME, peer(1)}}
    root, key, _ = entries[0]
    assert read([(root, key, False)]).holders == {}


def test_an_edit_after_the_deletion_brings_nothing_back() -> None:
    assert read([deleted_entry(JOB), ("jobs", f"{JOB}/runs", 3)]) == QueueState()


# What others may have written ---------------------------------------------------------------------

NUMBERS = st.integers() | st.floats() | st.integers(2**60, 10**400)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)
ANY_ID = st.sampled_from([JOB, JOB_2, ME, SET_A, SET_B, file().sha256, "1", "0", "01", "", "x"])
FIELDS = ["name", "runs", "order", "generation", "paused", "deleted", "by", "at", "file", "copies"]
FIELDS += ["profiles", "sha256", "size", "result", "set", "reason", "started", "ended", "bytes"]
FIELDS += ["profile", "addresses"]
HOSTILE_KEYS = st.text(max_size=10) | st.lists(
    ANY_ID | st.sampled_from(FIELDS), min_size=1, max_size=6
).map("/".join)
HOSTILE_VALUES = JSON | st.dictionaries(st.sampled_from(FIELDS), JSON | ANY_ID)


@given(
    st.dictionaries(
        st.sampled_from(sorted(ROOTS)), st.dictionaries(HOSTILE_KEYS, HOSTILE_VALUES, max_size=5)
    )
)
def test_any_document_can_be_read(roots: dict[str, dict[str, JsonValue]]) -> None:
    state = read_queue(roots)
    for job in (*state.jobs, *state.deleted):
        assert 0 <= job.runs <= COUNT_MAX
        assert 0 <= job.created_at_s <= SECONDS_MAX


RECORD_KEY = a_claim().print_id(1)


@given(st.sampled_from(FIELDS), JSON)
def test_any_value_in_any_field_of_a_good_document_can_be_read(
    field: str, value: JsonValue
) -> None:
    good = [*job_entries(a_job()), record_entry(record(a_claim()))]
    good += [roster_entry(RosterEntry(peer=ME, name="x", profile=MK3S, addresses=()))]
    broken: list[Entry] = [(root, key, with_field(old, field, value)) for root, key, old in good]
    read(broken)
    read([*good, ("jobs", f"{JOB}/{field}", value), ("sets", f"{JOB}/{SET_A}/{field}", value)])


def with_field(old: JsonValue, field: str, value: JsonValue) -> JsonValue:
    return old | {field: value} if isinstance(old, dict) else old


@pytest.mark.parametrize("result", ["won", [], {}, None, 1, True])
def test_a_record_with_an_unknown_result_does_not_count(result: JsonValue) -> None:
    root, key, value = record_entry(record(a_claim()))
    state = read([*job_entries(a_job()), (root, key, with_field(value, "result", result))])
    assert state.jobs == (a_job(),)


@pytest.mark.parametrize(
    "entry",
    [
        ("jobs", f"{JOB_2}/runs", 3),
        ("jobs", f"{JOB_2.upper()}/name", "x"),
        ("jobs", "name", "x"),
        ("jobs", f"{JOB}/x/name", "x"),
        ("jobs", f"{JOB}/deleted", 1),
        ("jobs", f"{JOB}/paused", "yes"),
        ("sets", f"{JOB}/{SET_B}/file", {"sha256": "short", "name": "x", "size": 1}),
        ("sets", f"{JOB}/{SET_B}/copies", 3),
        ("sets", f"{JOB}/{SET_B}x/file", {"sha256": "a" * 64}),
        ("runs", f"{a_claim().key}/01", {"result": "done", "set": SET_A}),
        ("claims", f"{JOB}/1/{ME}", {}),
        ("files", f"{'a' * 64}/{ME}x", True),
        ("peers", "somebody", {"name": "x"}),
    ],
)
def test_what_makes_no_sense_is_passed_over(entry: Entry) -> None:
    assert read([*job_entries(a_job()), entry]) == QueueState(jobs=(a_job(),))


@pytest.mark.parametrize("value", [-1, COUNT_MAX + 1, 1.5, "3", True, None, [3]])
def test_a_count_that_makes_no_sense_is_the_default(value: JsonValue) -> None:
    entries = [*job_entries(a_job(runs=7)), ("jobs", f"{JOB}/runs", value)]
    assert read(entries).jobs == (a_job(runs=1),)


def test_long_texts_are_cut_but_a_long_order_is_kept_whole_or_not_at_all() -> None:
    long = "z" * KEY_CHARS_MAX
    (job,) = read(job_entries(replace(a_job(), name="x" * 999, order=long))).jobs
    assert (job.name, job.order) == ("x" * NAME_CHARS_MAX, long)
    (job,) = read(job_entries(replace(a_job(), order=long + "z"))).jobs
    assert job.order == ""


def test_a_roster_entry_keeps_only_addresses_that_can_be() -> None:
    addresses: list[JsonValue] = ["10.0.0.7:1", 7, "x" * 300, *["a"] * 20]
    value: JsonValue = {"name": 3, "profile": "mk3s", "addresses": addresses}
    entry = read([("peers", ME, value)]).roster[PeerId(ME)]
    assert entry == RosterEntry(
        peer=ME, name=ME, profile=MK3S, addresses=("10.0.0.7:1", *["a"] * 5)
    )


def test_profiles_that_make_no_sense_fit_nothing() -> None:
    profiles: JsonValue = ["", "\x1b", 7, " mk3s "]
    entries = [*job_entries(a_job()), ("sets", f"{JOB}/{SET_A}/profiles", profiles)]
    assert read(entries).jobs == (a_job(print_set(profiles=frozenset({MK3S}))),)
