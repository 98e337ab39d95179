from crdtqueue.core.ids import PrintId
from crdtqueue.core.worker.unconfirmed_starts import (
    SETTLED_S,
    UnconfirmedStarts,
)

A, B = PrintId("a"), PrintId("b")


def test_a_doubt_ends_when_the_printer_has_answered_for_a_while() -> None:
    unconfirmed = UnconfirmedStarts()
    assert unconfirmed.is_open(A, 5.0)  # not looked at yet
    unconfirmed.see([A], answers=True, now_s=5.0)
    unconfirmed.see([A, B], answers=True, now_s=20.0)
    assert unconfirmed.is_open(A, 4.9 + SETTLED_S)
    assert not unconfirmed.is_open(A, 5.0 + SETTLED_S)
    assert unconfirmed.is_open(B, 5.0 + SETTLED_S)


def test_a_printer_that_was_silent_meanwhile_may_have_read_it_late() -> None:
    unconfirmed = UnconfirmedStarts()
    unconfirmed.see([A], answers=True, now_s=0.0)
    unconfirmed.see([A], answers=False, now_s=500.0)
    unconfirmed.see([A], answers=True, now_s=600.0)
    assert unconfirmed.is_open(A, 499.0 + SETTLED_S)


def test_what_is_doubted_anew_is_open_again() -> None:
    unconfirmed = UnconfirmedStarts()
    unconfirmed.see([A], answers=True, now_s=0.0)
    unconfirmed.see([], answers=True, now_s=100.0)
    assert unconfirmed.is_open(A, 100.0)
