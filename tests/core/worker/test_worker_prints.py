from __future__ import annotations

from crdtqueue.core.document.model import (
    QueueState,
    Result,
)
from crdtqueue.core.document.progress import next_copy
from crdtqueue.core.ids import QueueName
from crdtqueue.core.worker.worker_events import (
    Printing,
    QueueView,
)
from crdtqueue.core.worker.worker_prints import (
    is_recorded,
    printing_of,
    record_of,
)
from tests.harness.samples import (
    MK3S,
    a_claim,
    a_job,
    print_set,
    record,
)

QUEUE = QueueName("workshop")


def printing(*numbers: int) -> Printing:
    job = a_job(print_set(copies=9), records=tuple(record(a_claim(), n) for n in numbers))
    view = QueueView(name=QUEUE, state=QueueState(jobs=(job,)), held={})
    copy = next_copy(job, MK3S)
    assert copy
    return printing_of(view, job, a_claim(), copy, 5.0)


def test_a_print_keeps_its_number_until_it_is_recorded() -> None:
    assert printing().number == 1
    assert printing(1, 2).number == 3
    assert printing().print_id == printing().print_id


def test_the_prints_of_another_claim_do_not_count() -> None:
    job = a_job(print_set(copies=9), records=(record(a_claim(epoch=2), 7),))
    view = QueueView(name=QUEUE, state=QueueState(jobs=(job,)), held={})
    copy = next_copy(job, MK3S)
    assert copy
    assert printing_of(view, job, a_claim(), copy, 5.0).number == 1


def test_a_record_says_of_which_copy_it_is() -> None:
    made = record_of(printing(), Result.FAILED, "Jam.", MK3S, 17, 9.0)
    assert (made.print_id, made.run, made.copy) == (a_claim().print_id(1), 1, 1)
    assert (made.result, made.reason, made.bytes) == (Result.FAILED, "Jam.", 17)
    assert (made.started_at_s, made.ended_at_s) == (5.0, 9.0)


def test_a_print_of_a_queue_that_cannot_be_looked_at_counts_as_recorded() -> None:
    job = a_job(records=(record(a_claim()),))
    gone = QueueView(name=QUEUE, state=QueueState(deleted=(job,)), held={})
    empty = QueueView(name=QUEUE, state=QueueState(), held={})
    assert is_recorded(printing(), None)
    assert is_recorded(printing(), gone)
    assert not is_recorded(printing(), empty)
