"""Manifests of whoever wrote them: what is read, and what is refused with its reason."""

import json

import pytest

from crdtqueue.core.document.model import COUNT_MAX
from crdtqueue.core.errors import Invalid
from crdtqueue.core.gjob.gjob_manifest import (
    Manifest,
    parse_manifest,
)


def parse(manifest: object) -> Manifest:
    return parse_manifest(json.dumps(manifest).encode())


GOOD = {"name": "x", "count": 1, "sets": [{"path": "a.gcode", "count": 1}]}


def with_set(**fields: object) -> dict[str, object]:
    return GOOD | {"sets": [{"path": "a.gcode"} | fields]}


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ([], "wrong in its form"),
        ({}, r"wrong in sets: Field required"),
        (GOOD | {"sets": {}}, "wrong in sets"),
        (GOOD | {"sets": [[]]}, "wrong in sets.1"),
        (GOOD | {"sets": [{"path": "a"}] * 201}, "wrong in sets.*at most 200"),
        (GOOD | {"count": COUNT_MAX + 1}, "wrong in count.*less than or equal to 999999"),
        (GOOD | {"count": -1}, "wrong in count"),
        (GOOD | {"count": 1.5}, "wrong in count"),
        (GOOD | {"count": True}, "wrong in count"),
        (GOOD | {"count": None}, "wrong in count"),
        (GOOD | {"count": "many"}, "wrong in count"),
        (GOOD | {"count": "9" * 13}, "wrong in count"),
        (GOOD | {"count": float("nan")}, "wrong in count"),
        (GOOD | {"count": 10**400}, "wrong in count"),
        (GOOD | {"remaining": 2}, "2 of 1 runs remain"),
        (GOOD | {"created": float("nan")}, "wrong in created"),
        (GOOD | {"created": float("inf")}, "wrong in created"),
        (GOOD | {"created": -1}, "wrong in created"),
        (GOOD | {"created": 1e300}, "wrong in created"),
        (GOOD | {"draft": "no"}, "wrong in draft"),
        (GOOD | {"name": 5}, "wrong in name"),
        (GOOD | {"name": "x" * 201}, "wrong in name.*at most 200"),
        (GOOD | {"name": "a\u202eb"}, "wrong in name: it has control"),
        (with_set(path="../a.gcode"), "is a path"),
        (with_set(path="C:\\a.gcode"), "is a path"),
        (with_set(path=""), "has no name"),
        (with_set(path=None), "wrong in sets.1.path"),
        (with_set(path="Manifest.json"), "the manifest itself is no file"),
        (with_set(count=10**6), "wrong in sets.1.count"),
        (with_set(remaining=-1), "wrong in sets.1.remaining"),
        (with_set(completed="x"), "wrong in sets.1.completed"),
        (with_set(profiles="MK3S"), "wrong in sets.1.profiles"),
        (with_set(profiles=["x" * 65]), "is no profile"),
        (with_set(profiles=["a\0"]), "is no profile"),
        (with_set(profiles=["   "]), "A profile is empty"),
        (with_set(profiles=[5]), "wrong in sets.1.profiles.1"),
        (with_set(profiles=["P"] * 65), "wrong in sets.1.profiles.*at most 64"),
        (with_set(materials=["PLA"] * 17), "wrong in sets.1.materials.*at most 16"),
        (with_set(materials=["x" * 101]), "wrong in sets.1.materials.1"),
        (with_set(materials=["a\nb"]), "control characters"),
        (with_set(materials=[{}]), "wrong in sets.1.materials.1"),
        (with_set(metadata={}), "wrong in sets.1.metadata"),
        (with_set(metadata="x" * 4_001), "wrong in sets.1.metadata"),
        (with_set(metadata="\0"), "zero characters"),
        (with_set(crdtqueue={"name": "../x", "profiles": []}), "is a path"),
        (with_set(crdtqueue=[]), "wrong in sets.1.crdtqueue"),
        (GOOD | {"crdtqueue": {"note": 7}}, "wrong in crdtqueue.note"),
        (GOOD | {"crdtqueue": {"note": "x" * 2_001}}, "wrong in crdtqueue.note"),
    ],
)
def test_a_manifest_that_lies_is_refused(manifest: object, says: str) -> None:
    parse(GOOD)
    with pytest.raises(Invalid, match=says) as caught:
        parse(manifest)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"name": "\xff", "sets": []}',
        b'{"name": "\\ud800", "sets": []}',
        b"[" * 100_000,
        b'{"sets":' * 100_000,
        b'{"count": ' + b"9" * 10_000 + b', "sets": []}x',
    ],
)
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="Export the job again"):
        parse_manifest(data)


def test_a_manifest_has_a_largest_size() -> None:
    with pytest.raises(Invalid, match="larger than"):
        parse_manifest(b" " * (1024**2 + 1))


def test_what_nobody_knows_is_passed_over() -> None:
    known = GOOD | {"acquired": True, "queue": 7, "rank": float("nan"), "version": None}
    assert parse(known) == parse(GOOD)
    assert parse(GOOD | {"sets": []}).paths == frozenset()
    assert parse(GOOD).paths == {"a.gcode"}
