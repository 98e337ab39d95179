from __future__ import annotations

from dataclasses import replace

from crdtqueue.core.document.model import (
    Job,
    QueueSettings,
    QueueState,
    Strategy,
)
from crdtqueue.core.ids import QueueName
from crdtqueue.core.worker.choice import (
    Choice,
    offer_of,
)
from crdtqueue.core.worker.worker_events import (
    QueueView,
    WorkerMemory,
)
from tests.harness.samples import (
    ENDER,
    JOB,
    JOB_2,
    MK3S,
    a_claim,
    a_job,
    peer,
    print_set,
)

QUEUE, LOCAL = QueueName("workshop"), QueueName("local")


def view(*jobs: Job, name: QueueName = QUEUE, holds_back: str = "") -> QueueView:
    settings = QueueSettings(strategy=Strategy.LEAST_CHANGES)
    return QueueView(
        name=name, state=QueueState(jobs=jobs, settings=settings), held={}, holds_back=holds_back
    )


def test_queue_after_queue_and_none_that_cannot_be_asked() -> None:
    choice = Choice(MK3S)
    assert choice.next_job(WorkerMemory()) is None
    assert not choice.all_ready
    first = view(a_job(), holds_back="Syncs first.")
    choice.read((first, view(a_job(job=JOB_2), name=LOCAL)))
    assert list(choice.in_turn(WorkerMemory())) == [(LOCAL, JOB_2)]
    assert not choice.all_ready
    choice.read((replace(first, holds_back=""), view(a_job(job=JOB_2), name=LOCAL)))
    assert list(choice.in_turn(WorkerMemory())) == [(QUEUE, JOB), (LOCAL, JOB_2)]
    assert choice.all_ready


def test_only_what_is_free_fits_and_is_not_held_back_is_offered() -> None:
    assert offer_of(a_job(), MK3S)
    assert offer_of(a_job(print_set(profiles=frozenset({ENDER}))), MK3S) is None
    assert offer_of(a_job(paused=True), MK3S) is None
    assert offer_of(a_job(runs=0), MK3S) is None
    choice = Choice(MK3S)
    choice.read((replace(view(a_job()), held={JOB: a_claim(peer(1))}),))
    assert choice.next_job(WorkerMemory()) is None


def test_a_job_that_has_changed_is_read_again() -> None:
    choice = Choice(MK3S)
    choice.read((view(a_job()),))
    choice.read((view(a_job(paused=True)),))
    assert choice.next_job(WorkerMemory()) is None
    choice.read((view(a_job()),))
    assert choice.next_job(WorkerMemory()) == JOB


def test_what_is_in_hand() -> None:
    saved = WorkerMemory(held_queue=QUEUE, held_claim=a_claim().key)
    choice = Choice(MK3S)
    assert choice.in_hand(saved) is None
    assert choice.reason_to_end(saved) == ""
    choice.read((view(a_job()),))
    hand = choice.in_hand(saved)
    assert hand
    assert (hand[1].id, hand[2].run, hand[2].number) == (JOB, 1, 1)
    assert choice.reason_to_end(saved) == ""
    assert choice.reason_to_end(replace(saved, managing=False)) == "stopped managing"
    choice.read((view(),))
    assert (choice.in_hand(saved), choice.reason_to_end(saved)) == (None, "deleted")
