from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.claims.quorum import (
    VoterList,
    VoterLists,
    read_voter_lists,
    statement_entry,
    voters_entry,
)
from crdtqueue.core.document import keys as d
from crdtqueue.core.document.fractional_index import (
    DIGITS,
    KEY_CHARS_MAX,
    is_key,
)
from crdtqueue.core.document.keys import Entry
from crdtqueue.core.document.model import (
    COUNT_MAX,
    METADATA_CHARS_MAX,
    NAME_CHARS_MAX,
    NOTE_CHARS_MAX,
    Deletion,
    Draft,
    FileRef,
    Job,
    Mode,
    PrintSet,
    QueueState,
    Result,
    RosterEntry,
    RunRecord,
    Strategy,
)
from crdtqueue.core.document.parse import (
    FILAMENT_MM_MAX,
    SECONDS_MAX,
)
from crdtqueue.core.ids import JobId, PeerId, Profile, SetId, Sha256
from crdtqueue.core.yjs.lib0 import JsonValue
from tests.harness.document_entries import read
from tests.harness.samples import (
    ENDER,
    JOB,
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

# What is written is read again --------------------------------------------------------------------

NAMES = st.text(max_size=NAME_CHARS_MAX)
KEYS = st.text(DIGITS, min_size=1, max_size=KEY_CHARS_MAX).filter(is_key)
COUNTS = st.integers(0, COUNT_MAX)
SECONDS = st.floats(0, SECONDS_MAX)
SHA256 = st.from_regex(r"\A[0-9a-f]{64}\Z").map(Sha256)
PEERS = st.from_regex(r"\A[0-9a-f]{16}\Z").map(PeerId)
FILES = st.builds(FileRef, sha256=SHA256, name=NAMES, size_bytes=st.integers(0, 2**53))
PROFILES = st.sampled_from([Profile("ANY"), Profile("MK3S"), Profile("VORON V2")])
SETS = st.builds(
    PrintSet,
    id=st.from_regex(r"\A[0-9a-f]{6}\Z").map(SetId),
    order=KEYS,
    file=FILES,
    copies=COUNTS,
    profiles=st.frozensets(PROFILES),
    materials=st.lists(NAMES, max_size=16).map(tuple),
    extras=st.dictionaries(st.tuples(COUNTS, COUNTS), COUNTS, max_size=3),
    metadata=st.text(max_size=METADATA_CHARS_MAX),
)
JOBS = st.builds(
    Job,
    id=st.from_regex(r"\A[0-9a-f]{12}\Z").map(JobId),
    name=NAMES,
    order=KEYS,
    runs=COUNTS,
    generation=st.just(0),
    paused=st.booleans(),
    created_by=NAMES,
    created_at_s=SECONDS,
    sets=st.lists(SETS, max_size=4, unique_by=lambda each: each.id).map(
        lambda sets: tuple(sorted(sets, key=lambda each: (each.order, each.id)))
    ),
    note=st.text(max_size=NOTE_CHARS_MAX),
    draft=st.none() | st.builds(Draft, peer=PEERS, by=NAMES, beat=st.integers(0, 2**53)),
)


@given(st.lists(JOBS, max_size=3, unique_by=lambda job: job.id))
def test_jobs_round_trip_in_their_order(jobs: list[Job]) -> None:
    state = read(entry for job in jobs for entry in d.job_entries(job))
    assert state.jobs == tuple(sorted(jobs, key=lambda job: (job.order, job.id)))


RECORDS = st.builds(
    RunRecord,
    print_id=st.integers(0, 99).map(a_claim().print_id),
    generation=COUNTS,
    run=COUNTS,
    copy=COUNTS,
    set=st.just(SET_A),
    profile=PROFILES,
    result=st.sampled_from(Result),
    reason=NAMES,
    started_at_s=SECONDS,
    ended_at_s=SECONDS,
    bytes=st.integers(0, 2**53),
    filament_mm=st.floats(0, FILAMENT_MM_MAX),
)


@given(RECORDS)
def test_run_records_round_trip_with_their_job(done: RunRecord) -> None:
    state = read([*d.job_entries(a_job()), d.record_entry(done)])
    assert state.job(JOB) == a_job(records=(done,))


def test_claims_and_how_they_end_round_trip() -> None:
    old, new, gone = a_claim(), a_claim(peer(1), epoch=2), a_claim(peer(2), epoch=3)
    claims = [d.claim_entry(claim, at_s=1.0) for claim in (old, new, gone)]
    ends = [d.end_entry(old, "done"), d.lost_entry(gone, peer=ME, by="Ann", at_s=3.0)]
    state = read([*claims, *ends])
    assert state.claims == {old, new, gone}
    assert state.ended == {old}
    assert state.lost == {gone}


DRAFT = Draft(peer=ME, by="Ann", beat=7)
JOB_EDITS: list[tuple[Entry, Job]] = [
    (d.name_entry(JOB, "x"), replace(a_job(), name="x")),
    (d.note_entry(JOB, "y"), replace(a_job(), note="y")),
    (d.runs_entry(JOB, 9), replace(a_job(), runs=9)),
    (d.order_entry(JOB, "Z"), replace(a_job(), order="Z")),
    (d.generation_entry(JOB, 2), replace(a_job(), generation=2)),
    (d.paused_entry(JOB, paused=True), replace(a_job(), paused=True)),
    (d.paused_entry(JOB, paused=False), a_job()),
    (d.forgiven_entry(JOB, 3), replace(a_job(), forgiven=3)),
    (d.draft_entry(JOB, DRAFT), replace(a_job(), draft=DRAFT)),
    (d.draft_entry(JOB, None), a_job()),
    (d.deleted_entry(JOB, Deletion.NONE), a_job()),
]
SET_EDITS: list[tuple[Entry, PrintSet]] = [
    (d.copies_entry(JOB, SET_A, 4), print_set(copies=4)),
    (
        d.extra_entry(JOB, SET_A, generation=1, run=2, copies=3),
        print_set(extras={(1, 2): 3}),
    ),
    (
        d.profiles_entry(JOB, print_set(profiles=frozenset({ENDER, MK3S}))),
        print_set(profiles=frozenset({ENDER, MK3S})),
    ),
    (d.materials_entry(JOB, SET_A, ("PLA", "")), replace(print_set(), materials=("PLA", ""))),
    (d.set_order_entry(JOB, SET_A, "Z"), replace(print_set(), order="Z")),
]


@pytest.mark.parametrize(("entry", "job"), JOB_EDITS)
def test_an_edit_of_a_job_changes_that_and_nothing_else(entry: Entry, job: Job) -> None:
    assert read([*d.job_entries(a_job()), entry]) == QueueState(jobs=(job,))


@pytest.mark.parametrize(("entry", "each"), SET_EDITS)
def test_an_edit_of_a_set_changes_that_and_nothing_else(entry: Entry, each: PrintSet) -> None:
    assert read([*d.job_entries(a_job()), entry]) == QueueState(jobs=(a_job(each),))


def test_a_removed_set_is_gone() -> None:
    job = a_job(print_set(), print_set(SET_B))
    assert read([*d.job_entries(job), d.removed_entry(JOB, SET_B)]).jobs == (a_job(),)


def test_settings_round_trip() -> None:
    entries = [
        d.strategy_entry(Strategy.LEAST_CHANGES),
        d.mode_entry(Mode.SAFE),
        voters_entry(VoterLists(), {ME, peer(1)}),
    ]
    settings = read(entries).settings
    assert (settings.strategy, settings.mode) == (Strategy.LEAST_CHANGES, Mode.SAFE)
    current = read_voter_lists(settings.voter_fields).current
    assert current
    assert current.peers == {ME, peer(1)}


@pytest.mark.parametrize("profile", [MK3S, None])
def test_the_roster_round_trips(profile: Profile | None) -> None:
    entry = RosterEntry(peer=ME, name="Left Prusa", profile=profile, addresses=("10.0.0.7:8765",))
    assert read([d.roster_entry(entry)]).roster == {ME: entry}


def test_holders_are_gathered_by_file() -> None:
    sha256 = file().sha256
    entries = [d.holder_entry(sha256, ME), d.holder_entry(sha256, peer(1))]
    assert read(entries).holders == {sha256: {ME, peer(1)}}


# What is written is in the docs -------------------------------------------------------------------

DOCS = Path(__file__).parents[3] / "docs" / "document.md"
KEY_PARTS = {
    "job": "[0-9a-f]{12}",
    "set": "[0-9a-f]{6}",
    "peer": "[0-9a-f]{16}",
    "by": "[0-9a-f]{16}",
    "sha256": "[0-9a-f]{64}",
    "epoch": "[0-9]+",
    "incarnation": "[0-9]+",
    "n": "[0-9]+",
    "generation": "[0-9]+",
    "run": "[0-9]+",
    "digest": "[0-9a-f]{16}",
}
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "true": (bool,),
    "list": (list,),
    "object": (dict,),
    "null": (type(None),),
}
NOT_WRITTEN = {
    ("queue", "name"),
    ("queue", "generation"),
    ("queue", "schema"),
    ("more", "anything"),
}


def rows() -> list[tuple[str, str, str]]:
    """Root, key and type of each row of the table."""
    cells = re.findall(r"^\| `(\w+)` \| `?([^|`]+)`? \| ([^|]+) \|", DOCS.read_text(), re.MULTILINE)
    return [(root, key.strip(), kind) for root, key, kind in cells]


def pattern(root: str, key: str) -> str:
    """A documented key as a pattern: its last part is a field's name, if it can be one."""
    head, _, last = key.rpartition("/")
    names = [*re.split(r"(\W)", head), "/"] if head else []
    parts = [KEY_PARTS.get(part, re.escape(part)) for part in names]
    if root in {"jobs", "sets", "queue"} and last not in {"digest", "peer"}:
        field, *numbers = last.split(".")
        return "".join(parts) + r"\.".join([field, *(KEY_PARTS[n] for n in numbers)])
    return "".join(parts) + KEY_PARTS[last]


def every_entry() -> Iterable[tuple[str, list[Entry]]]:
    """What each function of the module writes, by its name."""
    each = replace(print_set(), materials=("PLA",), extras={(0, 1): 1}, metadata="x", order="K")
    job = replace(a_job(each), note="x", paused=True, draft=DRAFT)
    roster = RosterEntry(peer=ME, name="x", profile=MK3S, addresses=())
    yield "job_entries", d.job_entries(job)
    yield "set_entries", d.set_entries(JOB, each)
    for entry, _ in (*JOB_EDITS, *SET_EDITS):
        yield "", [entry]
    yield "deleted_entry", [d.deleted_entry(JOB, deletion) for deletion in Deletion]
    yield "removed_entry", [d.removed_entry(JOB, SET_A)]
    yield "strategy_entry", [d.strategy_entry(Strategy.IN_ORDER)]
    yield "mode_entry", [d.mode_entry(Mode.SAFE)]
    named = VoterList(generation=1, peers=frozenset({ME}))
    yield "voters", [voters_entry(VoterLists(), {ME}), statement_entry(named, ME)]
    yield "claim_entry", [d.claim_entry(a_claim(), at_s=1.0)]
    yield "end_entry", [d.end_entry(a_claim(), "done")]
    yield "lost_entry", [d.lost_entry(a_claim(), peer=ME, by="Ann", at_s=1.0)]
    yield "record_entry", [d.record_entry(record(a_claim()))]
    yield "roster_entry", [d.roster_entry(roster)]
    yield "holder_entry", [d.holder_entry(file().sha256, ME)]


def test_every_key_that_is_written_is_in_the_docs_and_every_one_there_is_written() -> None:
    written: dict[tuple[str, str], list[JsonValue]] = {}
    for name, entries in every_entry():
        for root, key, value in entries:
            match = [k for r, k, _ in rows() if r == root and re.fullmatch(pattern(r, k), key)]
            assert len(match) == 1, f"{name}: {root} {key} is not in {DOCS.name}, or twice"
            written.setdefault((root, match[0]), []).append(value)
    for root, key, kind in rows():
        allowed = tuple(t for word in re.findall(r"\w+", kind) for t in TYPES.get(word, ()))
        for value in written.get((root, key), []):
            assert type(value) in allowed, f"{root} {key} is a {type(value).__name__}"
    documented = {(root, key) for root, key, _ in rows()}
    assert documented - written.keys() == NOT_WRITTEN
    assert {root for root, _ in documented} == d.ROOTS


def test_no_function_that_writes_is_forgotten_here() -> None:
    tested = {name for name, _ in every_entry()}
    source = Path(__file__).read_text()
    functions = inspect.getmembers(d, inspect.isfunction)
    writing = {name for name, function in functions if function.__module__ == d.__name__}
    assert {name for name in writing if name not in tested and f"d.{name}(" not in source} == set()


def test_the_docs_name_the_fields_of_every_object() -> None:
    for _, entries in every_entry():
        for root, key, value in entries:
            if isinstance(value, dict) and root != "runs":
                kind = next(
                    t for r, k, t in rows() if r == root and re.fullmatch(pattern(r, k), key)
                )
                assert set(re.findall(r"`(\w+)`", kind)) == set(value)
