"""What is written down of a print, whoever looks at its records, and when."""

from dataclasses import replace
from itertools import pairwise, permutations

import pytest

from crdtqueue.core.document.model import (
    Job,
    QueueState,
    Result,
    RosterEntry,
    RunRecord,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.history import (
    FILTER_CHARS_MAX,
    HistoryFilter,
    entry_of,
    job_entries,
    queue_entries,
)
from crdtqueue.core.ids import PrintId, QueueName
from tests.harness.samples import (
    JOB,
    ME,
    MK3S,
    SET_B,
    a_claim,
    a_job,
    peer,
    print_set,
    record,
)

QUEUE = QueueName("workshop")
OTHER = peer(7)


ROSTER = {ME: RosterEntry(peer=ME, name="Voron", profile=MK3S, addresses=())}


def job_with(*records: RunRecord) -> Job:
    return replace(a_job(print_set()), records=records)


def doubles(*records: RunRecord) -> set[PrintId]:
    return {e.print_id for e in job_entries(QUEUE, job_with(*records), {}) if e.double}


def test_an_entry_says_who_printed_what() -> None:
    done = replace(record(a_claim(), reason="", ended_at_s=60.0), filament_mm=812.5)
    job = job_with(done)
    (entry,) = queue_entries(QUEUE, QueueState(jobs=(job,), roster=ROSTER))
    assert entry.job_id == JOB
    assert entry.job_name == job.name
    assert entry.file_name == job.sets[0].file.name
    assert entry.sha256 == job.sets[0].file.sha256
    assert (entry.peer, entry.printer_name, entry.profile) == (ME, "Voron", MK3S)
    assert (entry.ended_at_s, entry.filament_mm, entry.run) == (60.0, 812.5, 1)
    assert entry == entry_of(QUEUE, job, done, printer_name="Voron")


@pytest.mark.parametrize("result", Result)
def test_every_result_is_written_down_deleted_jobs_included(result: Result) -> None:
    job = job_with(record(a_claim(), result=result, reason="why"))
    for state in (QueueState(jobs=(job,)), QueueState(deleted=(job,))):
        (entry,) = queue_entries(QUEUE, state)
        assert (entry.result, entry.reason, entry.printer_name) == (result, "why", "")


def test_a_set_that_was_removed_leaves_its_names_empty() -> None:
    (entry,) = job_entries(QUEUE, job_with(record(a_claim(), set_id=SET_B)), {})
    assert (entry.file_name, entry.sha256) == ("", "")


def test_a_record_under_a_strange_key_is_passed_over() -> None:
    strange = replace(record(a_claim()), print_id=PrintId("strange"))
    job = job_with(strange)
    assert job_entries(QUEUE, job, {}) == []
    with pytest.raises(ValueError, match="strange"):
        entry_of(QUEUE, job, strange, printer_name="")


def test_the_second_print_of_a_copy_is_a_double() -> None:
    first, second = record(a_claim()), record(a_claim(OTHER))
    assert doubles(first) == set()
    assert doubles(first, second) == {max(first.print_id, second.print_id)}
    assert doubles(first, replace(second, copy=2)) == set()
    assert doubles(first, replace(second, run=2)) == set()
    assert doubles(first, replace(second, generation=1)) == set()
    assert doubles(first, replace(second, result=Result.FAILED)) == set()


def test_what_is_a_double_stays_one_whatever_comes_later() -> None:
    prints = [record(a_claim(peer(n))) for n in range(4)]
    final = doubles(*prints)
    assert len(final) == 3
    for order in permutations(prints):
        known = [doubles(*order[:n]) for n in range(1, 5)]
        assert all(earlier <= later for earlier, later in pairwise(known))
        assert known[-1] == final


@pytest.mark.parametrize(
    "wrong", [{"text": "x" * (FILTER_CHARS_MAX + 1)}, {"from_s": float("nan")}]
)
def test_a_filter_out_of_bounds_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        HistoryFilter(**wrong)  # type: ignore[arg-type]  # one field of its own type
