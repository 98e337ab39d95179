from __future__ import annotations

from crdtqueue.core.worker.observed_printer import ObservedPrinter
from crdtqueue.core.worker.worker_events import (
    PrinterSeen,
    PrintPhase,
)
from tests.harness.samples import a_claim

OURS = a_claim().print_id(1)


def test_what_we_did_not_begin_is_somebody_elses() -> None:
    watch = ObservedPrinter()
    assert watch.seen.problem
    assert not watch.see(PrinterSeen(print_id=OURS, phase=PrintPhase.PRINTING), ours=OURS)
    assert watch.is_busy
    assert watch.is_at(OURS)
    assert watch.see(PrinterSeen(print_id=OURS, phase=PrintPhase.PRINTING), ours=None)
    assert watch.see(PrinterSeen(phase=PrintPhase.PAUSED), ours=OURS)
    assert not watch.see(PrinterSeen(phase=PrintPhase.DONE), ours=OURS)
    assert not watch.is_at(None)


def test_late_news_of_a_print_that_is_over_is_no_news() -> None:
    watch = ObservedPrinter()
    watch.is_over(OURS)
    assert not watch.see(PrinterSeen(print_id=OURS, phase=PrintPhase.PRINTING), ours=None)
    assert not watch.is_busy
