from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document import keys as d
from crdtqueue.core.document.fractional_index import KEY_CHARS_MAX
from crdtqueue.core.document.keys import Entry
from crdtqueue.core.document.model import (
    COUNT_MAX,
    MATERIALS_MAX,
    METADATA_CHARS_MAX,
    NAME_CHARS_MAX,
    NOTE_CHARS_MAX,
    Draft,
    Job,
    Mode,
    PrintSet,
    QueueSettings,
    RosterEntry,
    RunRecord,
    Strategy,
)
from crdtqueue.core.document.parse import (
    FILAMENT_MM_MAX,
    SECONDS_MAX,
    read_draft,
    read_record,
    read_roster_entry,
    read_set,
    read_settings,
)
from crdtqueue.core.ids import PeerId
from crdtqueue.core.yjs.lib0 import JsonValue
from tests.harness.document_entries import (
    JSON,
    read,
)
from tests.harness.samples import (
    JOB,
    ME,
    MK3S,
    SET_A,
    a_claim,
    a_job,
    print_set,
    record,
)

NO_COUNT: list[JsonValue] = [-1, COUNT_MAX + 1, 1.5, "3", True, None, [3], 10**400]
NO_TEXT: list[JsonValue] = [7, True, None, ["x"], {"x": "x"}]
NO_SECONDS: list[JsonValue] = [-1, SECONDS_MAX + 1, "5", True, None, [5], float("inf")]


def job_with(field: str, value: JsonValue) -> Job:
    good = replace(a_job(runs=7, generation=7, paused=True), note="x", forgiven=7)
    more = [d.generation_entry(JOB, 7), d.forgiven_entry(JOB, 7)]
    (job,) = read([*d.job_entries(good), *more, ("jobs", f"{JOB}/{field}", value)]).jobs
    return job


def set_with(field: str, value: JsonValue) -> PrintSet | None:
    entries = d.set_entries(JOB, print_set(copies=5))
    fields = {key.rpartition("/")[2]: written for _, key, written in entries}
    return read_set(SET_A, fields | {field: value})


def record_with(field: str, value: JsonValue) -> RunRecord | None:
    made = record(a_claim(), generation=3, run=4, copy=5)
    _, _, fields = d.record_entry(made)
    assert isinstance(fields, dict)
    return read_record(made.print_id, fields | {field: value})


# Jobs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NO_COUNT)
@pytest.mark.parametrize(("field", "default"), [("runs", 1), ("generation", 0), ("forgiven", 0)])
def test_a_count_that_makes_no_sense_is_the_default(
    field: str, default: int, value: JsonValue
) -> None:
    assert getattr(job_with(field, value), field) == default


@pytest.mark.parametrize("value", NO_TEXT)
@pytest.mark.parametrize(
    ("field", "attribute"), [("by", "created_by"), ("note", "note"), ("order", "order")]
)
def test_a_text_that_is_none_is_empty(field: str, attribute: str, value: JsonValue) -> None:
    assert getattr(job_with(field, value), attribute) == ""


@pytest.mark.parametrize("value", NO_SECONDS)
def test_a_time_that_makes_no_sense_is_zero(value: JsonValue) -> None:
    assert job_with("at", value).created_at_s == 0.0


@pytest.mark.parametrize("value", ["yes", 1, [True], {}, None, False])
def test_only_true_pauses(value: JsonValue) -> None:
    assert job_with("paused", value).paused is False


def test_long_texts_are_cut_but_a_long_order_is_kept_whole_or_not_at_all() -> None:
    long = "z" * KEY_CHARS_MAX
    assert job_with("name", "x" * 999).name == "x" * NAME_CHARS_MAX
    assert job_with("note", "x" * 9999).note == "x" * NOTE_CHARS_MAX
    assert job_with("order", long).order == long
    assert job_with("order", long + "z").order == ""


@pytest.mark.parametrize("value", [None, 7, [], {}, {"peer": 7}, {"peer": "Ann", "by": "Ann"}])
def test_a_draft_of_nobody_is_none(value: JsonValue) -> None:
    assert read_draft(value) is None


def test_a_draft_shows_who_edits_even_if_the_rest_makes_no_sense() -> None:
    assert read_draft({"peer": ME, "by": 7, "beat": "x"}) == Draft(peer=ME, by=ME, beat=0)
    assert read_draft({"peer": ME, "by": "Ann", "beat": 9, "colour": 1}) == Draft(
        peer=ME, by="Ann", beat=9
    )


# Sets ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", NO_COUNT)
def test_copies_that_make_no_sense_are_one(value: JsonValue) -> None:
    each = set_with("copies", value)
    assert each
    assert each.copies == 1


@pytest.mark.parametrize("value", [None, 7, "x", {}, {"sha256": "A" * 64}, {"sha256": ["a" * 64]}])
def test_a_set_without_a_file_that_can_be_is_none(value: JsonValue) -> None:
    assert set_with("file", value) is None


def test_a_file_is_known_by_its_hash_whatever_it_is_called() -> None:
    each = set_with("file", {"sha256": "a" * 64, "name": 7, "size": -1})
    assert each
    assert (each.file.name, each.file.size_bytes) == ("unnamed.gcode", 0)


def test_only_true_removes_a_set() -> None:
    assert set_with("removed", True) is None
    values: list[JsonValue] = [False, "yes", 1, None]
    assert all(set_with("removed", value) == print_set(copies=5) for value in values)


def test_profiles_that_make_no_sense_fit_nothing() -> None:
    values: list[JsonValue] = [["", "\x1b", 7, " mk3s "], "MK3S", None, {}, ["A", *["MK3S"] * 99]]
    found = [each.profiles for value in values if (each := set_with("profiles", value))]
    assert found == [{MK3S}, frozenset(), frozenset(), frozenset(), {"A", MK3S}]


def test_a_material_that_makes_no_sense_does_not_matter() -> None:
    long: list[JsonValue] = ["PLA"] * 99
    values: list[JsonValue] = [["PLA", 7, None, "x" * 999], "PLA", None, long]
    found = [each.materials for value in values if (each := set_with("materials", value))]
    wanted = [("PLA", "", "", "x" * NAME_CHARS_MAX), (), (), ("PLA",) * MATERIALS_MAX]
    assert found == wanted


def test_metadata_is_text_of_some_length() -> None:
    values: list[JsonValue] = ["x" * 9999, 7, {"a": 1}]
    found = [each.metadata for value in values if (each := set_with("metadata", value))]
    assert found == ["x" * METADATA_CHARS_MAX, "", ""]


@pytest.mark.parametrize("value", NO_COUNT)
def test_extra_copies_that_make_no_sense_are_none(value: JsonValue) -> None:
    each = set_with("extra.2.3", value)
    assert each
    assert each.wanted(2, 3) == 5


@pytest.mark.parametrize("field", ["extra", "extra.1", "extra.x.1", "extra.1.-1", "extra.01.1"])
def test_extra_copies_of_no_run_are_passed_over(field: str) -> None:
    assert set_with(field, 3) == print_set(copies=5)
    assert set_with("extra.2.3", 4) == print_set(copies=5, extras={(2, 3): 4})


# Run records --------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", ["won", [], {}, None, 1, True])
def test_a_record_with_an_unknown_result_does_not_count(result: JsonValue) -> None:
    assert record_with("result", result) is None


@pytest.mark.parametrize("value", ["part", 7, None, "00000A", ["00000a"]])
def test_a_record_of_no_set_does_not_count(value: JsonValue) -> None:
    assert record_with("set", value) is None


@pytest.mark.parametrize("value", [None, [], "done", 7, True])
def test_a_record_that_is_no_object_does_not_count(value: JsonValue) -> None:
    assert read_record(a_claim().print_id(1), value) is None


def test_the_rest_of_a_record_may_make_no_sense() -> None:
    odd = [record_with(field, "x") for field in ("generation", "run", "copy", "started", "bytes")]
    assert all(odd)
    read_back = [(each.generation, each.run, each.copy) for each in odd if each]
    assert read_back[:3] == [(0, 4, 5), (3, 1, 5), (3, 4, 1)]
    far = record_with("filament", FILAMENT_MM_MAX * 2)
    assert far
    assert far.filament_mm == 0.0


# Settings and roster ------------------------------------------------------------------------------


def test_settings_that_are_not_there_are_the_defaults() -> None:
    assert read_settings({}) == QueueSettings()


@pytest.mark.parametrize("value", ["quorum", 7, [], {}, True])
def test_a_mode_that_is_not_known_is_taken_for_safe(value: JsonValue) -> None:
    assert read_settings({"mode": value}).mode is Mode.SAFE


@pytest.mark.parametrize("value", ["cheapest", 7, [], {}, None])
def test_a_strategy_that_is_not_known_is_in_order(value: JsonValue) -> None:
    assert read_settings({"strategy": value}).strategy is Strategy.IN_ORDER


def test_what_is_said_of_voters_is_handed_on_as_it_is() -> None:
    fields: dict[str, JsonValue] = {"voters/1/abc": [ME], "voters": [ME], "name": "x"}
    assert read_settings(fields).voter_fields == {"voters/1/abc": [ME]}


def test_a_roster_entry_keeps_only_addresses_that_can_be() -> None:
    addresses: list[JsonValue] = ["10.0.0.7:1", 7, "x" * 300, *["a"] * 20]
    value: JsonValue = {"name": 3, "profile": "mk3s", "addresses": addresses}
    assert read_roster_entry(PeerId(ME), value) == RosterEntry(
        peer=ME, name=ME, profile=MK3S, addresses=("10.0.0.7:1", *["a"] * 5)
    )


@pytest.mark.parametrize("value", [None, 7, "Ann", [ME]])
def test_a_roster_entry_that_is_no_object_is_none(value: JsonValue) -> None:
    assert read_roster_entry(ME, value) is None


# Anything -----------------------------------------------------------------------------------------

FIELDS = ["name", "runs", "order", "generation", "paused", "deleted", "by", "at", "file", "copies"]
FIELDS += ["profiles", "sha256", "size", "result", "set", "reason", "started", "ended", "bytes"]
FIELDS += ["profile", "addresses", "forgiven", "note", "draft", "materials", "metadata", "removed"]
FIELDS += ["extra.0.1", "run", "copy", "filament"]


@given(st.sampled_from(FIELDS), JSON)
def test_any_value_in_any_field_of_a_good_document_can_be_read(
    field: str, value: JsonValue
) -> None:
    good = [*d.job_entries(a_job()), d.record_entry(record(a_claim()))]
    good += [d.roster_entry(RosterEntry(peer=ME, name="x", profile=MK3S, addresses=()))]
    broken: list[Entry] = [(root, key, with_field(old, field, value)) for root, key, old in good]
    read(broken)
    read([*good, ("jobs", f"{JOB}/{field}", value), ("sets", f"{JOB}/{SET_A}/{field}", value)])


def with_field(old: JsonValue, field: str, value: JsonValue) -> JsonValue:
    return old | {field: value} if isinstance(old, dict) else old
