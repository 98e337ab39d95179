"""Jobs to manifests and back, and the manifests of Continuous Print."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document.model import (
    COUNT_MAX,
    FileRef,
)
from crdtqueue.core.document.profiles import (
    ANY,
    parse_profile,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.gjob.gjob import (
    Gjob,
    GjobSet,
    StoredMember,
    archive_name,
    build_manifest,
    gjob_of,
)
from crdtqueue.core.gjob.gjob_manifest import parse_manifest
from crdtqueue.core.ids import Profile, Sha256

MK3S = Profile("MK3S")
MINI = Profile("PRUSA MINI")
A, B = (FileRef(sha256=Sha256(digit * 64), name=f"{digit}.gcode", size_bytes=10) for digit in "ab")
SET = GjobSet(file=A, copies=2, remaining=1, completed=1, profiles=frozenset({MK3S}))
JOB = Gjob(
    name="Bracket", runs=3, remaining=2, created_at_s=1_668_000_000, draft=False, sets=(SET,)
)


def stored(file: FileRef, sliced_for: Profile | None = None) -> StoredMember:
    return StoredMember(file=file, sliced_for=sliced_for)


def read(manifest: object, *files: StoredMember) -> Gjob:
    parsed = parse_manifest(json.dumps(manifest).encode())
    return gjob_of(parsed, {each.file.name: each for each in files})


def written(job: Gjob) -> dict[str, object]:
    data, _ = build_manifest(job)
    manifest = json.loads(data)
    assert isinstance(manifest, dict)
    return manifest


def round_trip(job: Gjob) -> Gjob:
    data, members = build_manifest(job)
    return gjob_of(
        parse_manifest(data),
        {path: stored(replace(file, name=path)) for path, file in members.items()},
    )


def sets_of(manifest: dict[str, object]) -> list[dict[str, object]]:
    sets = manifest["sets"]
    assert isinstance(sets, list)
    return sets


def test_a_job_of_continuous_print_is_read() -> None:
    """The keys and values of its `as_dict`, as PeerPrint packs them."""
    manifest = {
        "name": "Halter",
        "count": 3,
        "draft": True,
        "sets": [
            {
                "path": "a.gcode",
                "count": 2,
                "metadata": '{"estimatedPrintTime": 60.5}',
                "materials": ["PLA_red_#ff0000", ""],
                "profiles": ["PRUSA MINI", "MK3S"],
                "id": 4,
                "rank": 1668000001.25,
                "sd": False,
                "remaining": 5,
                "completed": 1,
            },
            {
                "path": "b.gcode",
                "count": 1,
                "metadata": None,
                "materials": [None, "PETG_black_#000000"],
                "profiles": [""],
                "id": 5,
                "rank": 1668000002.5,
                "sd": False,
                "remaining": 0,
                "completed": 0,
            },
        ],
        "created": 1668000000,
        "remaining": 2,
        "version": "0.1.0",
    }
    assert read(manifest, stored(A, MK3S), stored(B, MK3S)) == Gjob(
        name="Halter",
        runs=3,
        remaining=2,
        created_at_s=1_668_000_000,
        draft=True,
        sets=(
            GjobSet(
                file=A,
                copies=2,
                remaining=5,
                completed=1,
                profiles=frozenset({MK3S, MINI}),
                materials=("PLA_red_#ff0000", ""),
                metadata='{"estimatedPrintTime": 60.5}',
            ),
            GjobSet(
                file=B,
                copies=1,
                remaining=0,
                completed=0,
                profiles=frozenset({MK3S}),
                materials=("", "PETG_black_#000000"),
            ),
        ),
    )


def test_a_job_of_its_first_versions_and_one_of_its_page_are_read() -> None:
    """No metadata and no completed copies then; text where a count was edited on its page."""
    old = {"name": "", "count": "3", "created": "1652377632", "sets": [{"path": "a.gcode"}]}
    job = read(old, stored(A))
    assert (job.name, job.runs, job.remaining) == ("untitled", 3, 3)
    assert job.created_at_s == 1_652_377_632
    assert job.sets == (GjobSet(file=A, copies=1, remaining=1, completed=0, profiles=frozenset()),)


def test_profiles_come_back_to_continuous_print_as_it_spells_them() -> None:
    entry = {
        "path": "a.gcode",
        "profiles": ["Prusa i3 MK3S+", "MK3S", "Creality Ender 3"],
        "metadata": '{"estimatedPrintTime": 60.5}',
    }
    job = read({"sets": [entry]}, stored(A))
    assert job.sets[0].profiles == {"PRUSA I3 MK3S+", "MK3S", "CREALITY ENDER 3"}
    back = sets_of(written(job))[0]
    assert back["profiles"] == ["Creality Ender 3", "MK3S", "Prusa i3 MK3S+"]
    assert back["metadata"] == '{"estimatedPrintTime": 60.5}'
    fewer = replace(job.sets[0], profiles=frozenset({Profile("PRUSA I3 MK3S+")}))
    assert sets_of(written(replace(job, sets=(fewer,))))[0]["profiles"] == ["Prusa i3 MK3S+"]
    assert round_trip(job) == job


def test_metadata_that_is_no_object_or_is_full_is_left_alone() -> None:
    for metadata in ("[1]", "no json", "[" * 3_000, '{"x": "' + "y" * 3_980 + '"}'):
        entry = {"path": "a.gcode", "profiles": ["Prusa Mini"], "metadata": metadata}
        job = read({"sets": [entry]}, stored(A))
        assert job.sets[0].metadata == metadata
        assert sets_of(written(job))[0]["metadata"] == metadata


def test_what_continuous_print_needs_is_written() -> None:
    manifest = written(replace(JOB, created_at_s=1.75, note="ä"))
    entry = sets_of(manifest)[0]
    assert manifest["created"] == 1
    assert (manifest["count"], manifest["remaining"], manifest["draft"]) == (3, 2, False)
    assert manifest["version"]
    assert (entry["path"], entry["count"], entry["remaining"]) == ("a.gcode", 2, 1)
    assert (entry["completed"], entry["materials"], entry["metadata"]) == (1, [], None)
    assert entry["profiles"] == ["MK3S"]
    assert build_manifest(JOB)[0].isascii()


def test_any_printer_is_no_profile_there_and_comes_back() -> None:
    job = replace(JOB, sets=(replace(SET, profiles=frozenset({ANY, MK3S})),))
    manifest = written(job)
    assert sets_of(manifest)[0]["profiles"] == []
    assert round_trip(job) == job
    sets_of(manifest)[0]["profiles"] = ["Prusa Mini"]
    assert read(manifest, stored(A)).sets[0].profiles == {MINI}


def test_a_file_that_had_to_be_renamed_gets_its_name_back() -> None:
    other = replace(SET, file=replace(B, name=A.name))
    job = replace(JOB, sets=(SET, other, SET))
    manifest, members = build_manifest(job)
    assert members == {"a.gcode": A, "a (2).gcode": other.file}
    assert [s["path"] for s in json.loads(manifest)["sets"]] == [
        "a.gcode",
        "a (2).gcode",
        "a.gcode",
    ]
    assert round_trip(job) == job


def test_a_name_that_no_file_can_have_stays_changed() -> None:
    job = replace(JOB, sets=(replace(SET, file=replace(A, name="../a.gcode")),))
    assert [each.file.name for each in round_trip(job).sets] == [".._a.gcode"]


def test_a_job_with_too_large_a_manifest_is_not_exported() -> None:
    huge = replace(JOB, sets=(replace(SET, metadata="\U0001f600" * 4_000),) * 200)
    with pytest.raises(Invalid, match="'Bracket' has too many sets"):
        build_manifest(huge)


def test_the_exported_file_is_named_after_the_job() -> None:
    assert archive_name("Halter 3/4") == "Halter 3_4.gjob"
    assert archive_name(" ") == "untitled.gjob"


counts = st.integers(0, COUNT_MAX)
words = st.text("aBü ./\\:?😀_#", min_size=1, max_size=12)
profiles = st.text("aMK3+ ", min_size=1).filter(str.strip).map(parse_profile)
gjob_sets = st.builds(
    GjobSet,
    file=st.builds(
        FileRef,
        sha256=st.sampled_from([A.sha256, B.sha256]),
        name=st.sampled_from(["part.gcode", "PART.gcode", "x (2).gcode", "x.gcode"]),
        size_bytes=st.just(10),
    ),
    copies=counts,
    remaining=counts,
    completed=counts,
    profiles=st.frozensets(profiles | st.just(ANY), max_size=4),
    materials=st.lists(words | st.just(""), max_size=4).map(tuple),
    metadata=st.just("") | st.dictionaries(words, st.integers(), min_size=1).map(json.dumps),
)
gjobs = st.builds(
    lambda job, most: replace(job, runs=most, remaining=min(job.remaining, most)),
    st.builds(
        Gjob,
        name=words.filter(lambda name: name == name.strip()),
        runs=counts,
        remaining=counts,
        created_at_s=st.integers(0, 10**11).map(float),
        draft=st.booleans(),
        sets=st.lists(gjob_sets, max_size=6).map(tuple),
        note=words | st.just(""),
    ),
    counts,
)


@given(gjobs)
def test_whatever_the_job_it_comes_back_the_same(job: Gjob) -> None:
    assert round_trip(job) == job
