"""Requests as JSON, good and bad."""

import json

import pytest

from crdtqueue.api.models import Managing, NewJob, NewQueue, read
from crdtqueue.core.document.model import (
    COUNT_MAX,
    SETS_PER_JOB_MAX,
)
from crdtqueue.core.errors import Invalid

SET = {"sha256": "0" * 64, "name": "part.gcode", "profiles": ["MK3S"]}


def test_a_job_has_one_run_of_one_copy_unless_it_says_more() -> None:
    job = read(NewJob, json.dumps({"name": " part ", "sets": [SET]}).encode())
    assert (job.name, job.runs, job.sets[0].copies) == ("part", 1, 1)
    assert read(NewQueue, b'{"name": "workshop"}').peers == []


def test_counts_and_sets_go_up_to_their_limits() -> None:
    most = {"name": "x", "runs": COUNT_MAX, "sets": [SET] * SETS_PER_JOB_MAX}
    assert read(NewJob, json.dumps(most).encode()).runs == COUNT_MAX


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"runs": COUNT_MAX + 1}, "runs: "),
        ({"runs": True}, "runs: "),
        ({"runs": 1.5}, "runs: "),
        ({"name": "   "}, "name: "),
        ({"name": None}, "name: "),
        ({"sets": [SET] * (SETS_PER_JOB_MAX + 1)}, "sets: "),
        ({"sets": [SET | {"sha256": "0" * 63 + "G"}]}, "sets.0.sha256: "),
        ({"sets": [SET, SET | {"profiles": []}]}, "sets.1.profiles: "),
        ({"sets": [SET | {"profiles": ["x"] * 65}]}, "sets.0.profiles: "),
        ({"unknown": 1}, "unknown: "),
    ],
)
def test_the_field_that_is_wrong_is_named(changes: dict[str, object], where: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(NewJob, json.dumps({"name": "x", "sets": [SET]} | changes).encode())
    field = where.removesuffix(": ")
    assert caught.value.message.startswith(where) or f"({field})" in caught.value.message
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"1", b'{"managing": "perhaps"}'])
def test_what_is_no_request_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        read(Managing, body)


def test_an_unknown_field_with_a_huge_name_is_told_in_a_short_sentence() -> None:
    with pytest.raises(Invalid) as caught:
        read(Managing, json.dumps({"managing": True, "x" * 100_000: 1}).encode())
    assert len(caught.value.message) < 300
