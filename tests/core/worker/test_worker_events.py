from __future__ import annotations

from crdtqueue.core.ids import QueueName
from crdtqueue.core.worker.worker_events import (
    RESULTS,
    CopyPrint,
    PrintPhase,
    WorkerMemory,
)
from tests.harness.samples import (
    SET_A,
    a_claim,
    file,
)

QUEUE = QueueName("workshop")


def test_the_printer_knows_a_print_by_its_claim_and_number() -> None:
    printing = CopyPrint(
        queue=QUEUE,
        claim=a_claim(),
        number=2,
        generation=0,
        run=1,
        copy=1,
        set=SET_A,
        file=file(),
        started_at_s=1.0,
    )
    assert printing.print_id == f"{a_claim().key}/2"


def test_a_claim_is_held_only_if_queue_and_claim_are_stored() -> None:
    assert WorkerMemory().held is None
    assert WorkerMemory(held_queue=QUEUE).held is None
    assert WorkerMemory(held_claim=a_claim().key).held is None
    assert WorkerMemory(held_queue=QUEUE, held_claim="damaged").held is None
    assert WorkerMemory(held_queue=QUEUE, held_claim=a_claim().key).held == (QUEUE, a_claim())


def test_a_print_is_over_in_three_ways() -> None:
    over = {PrintPhase.DONE, PrintPhase.FAILED, PrintPhase.CANCELLED}
    assert set(RESULTS) == over
    assert all(phase.value == result.value for phase, result in RESULTS.items())
