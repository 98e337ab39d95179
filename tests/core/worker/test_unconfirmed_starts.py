from crdtqueue.core.ids import PrintId
from crdtqueue.core.worker.unconfirmed_starts import (
    SETTLED_S,
    Doubts,
)

A, B = PrintId("a"), PrintId("b")


def test_a_doubt_ends_when_the_printer_has_answered_for_a_while() -> None:
    doubts = Doubts()
    assert doubts.is_open(A, 5.0)  # not looked at yet
    doubts.see([A], answers=True, now_s=5.0)
    doubts.see([A, B], answers=True, now_s=20.0)
    assert doubts.is_open(A, 4.9 + SETTLED_S)
    assert not doubts.is_open(A, 5.0 + SETTLED_S)
    assert doubts.is_open(B, 5.0 + SETTLED_S)


def test_a_printer_that_was_silent_meanwhile_may_have_read_it_late() -> None:
    doubts = Doubts()
    doubts.see([A], answers=True, now_s=0.0)
    doubts.see([A], answers=False, now_s=500.0)
    doubts.see([A], answers=True, now_s=600.0)
    assert doubts.is_open(A, 499.0 + SETTLED_S)


def test_what_is_doubted_anew_is_open_again() -> None:
    doubts = Doubts()
    doubts.see([A], answers=True, now_s=0.0)
    doubts.see([], answers=True, now_s=100.0)
    assert doubts.is_open(A, 100.0)
