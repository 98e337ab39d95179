import pytest

from printer_driver.core.octoprint import end_cause as evidence
from printer_driver.core.octoprint.end_cause import EndCauseTracker
from printer_driver.core.octoprint.push_messages import (
    EventKind,
    PrinterReset,
    PrintEvent,
)
from printer_driver.printer import PrintState

OURS = "crdtqueue/part-1.gcode"
STARTED, CANCELLING, CANCELLED = EventKind.STARTED, EventKind.CANCELLING, EventKind.CANCELLED
DONE, FAILED = EventKind.DONE, EventKind.FAILED
RESET = PrinterReset()

Told = PrintEvent | PrinterReset


def ours(kind: EventKind, *, user: bool = False, error: str | None = None) -> PrintEvent:
    is_error, text = error is not None, error or ""
    return PrintEvent(kind=kind, path=OURS, has_user=user, is_error=is_error, error=text)


def other(kind: EventKind) -> PrintEvent:
    return PrintEvent(kind=kind, path="by hand.gcode", has_user=True)


def after(*events: Told) -> EndCauseTracker:
    found = EndCauseTracker(OURS)
    for event in events:
        found.receive(event)
    return found


@pytest.mark.parametrize(
    ("events", "state", "reason", "is_settled"),
    [
        (
            [ours(CANCELLING, user=True), ours(CANCELLED, user=True), ours(FAILED, user=True)],
            PrintState.CANCELLED,
            evidence.CANCELLED,
            True,
        ),
        (
            [ours(CANCELLING), ours(CANCELLED), RESET, ours(FAILED)],
            PrintState.FAILED,
            evidence.RESET,
            True,
        ),
        (
            [ours(CANCELLING), ours(CANCELLED), ours(FAILED), RESET],
            PrintState.FAILED,
            evidence.RESET,
            True,
        ),
        (
            [ours(CANCELLING), ours(CANCELLED), ours(FAILED)],
            PrintState.CANCELLED,
            evidence.CANCELLED_BY_NOBODY,
            False,
        ),
        ([ours(FAILED, error="")], PrintState.FAILED, evidence.DISCONNECTED, True),
        ([ours(FAILED, error="MINTEMP")], PrintState.FAILED, evidence.reported("MINTEMP"), True),
        (
            [ours(CANCELLING, error="kill()"), ours(CANCELLED), ours(FAILED)],
            PrintState.FAILED,
            evidence.reported("kill()"),
            True,
        ),
        ([ours(CANCELLED, user=True)], PrintState.CANCELLED, evidence.CANCELLED, True),
    ],
)
def test_verdicts(events: list[Told], state: PrintState, reason: str, is_settled: bool) -> None:
    found = after(other(FAILED), ours(STARTED), *events)
    assert found.verdict == (state, reason)
    assert found.is_settled == is_settled


@pytest.mark.parametrize(
    "events",
    [
        [],
        [RESET],
        [ours(STARTED)],
        [ours(STARTED), RESET],
        [other(CANCELLING), other(CANCELLED), RESET, other(FAILED)],
        [ours(STARTED), ours(EventKind.PAUSED), ours(EventKind.RESUMED)],
        [PrintEvent(kind=CANCELLED, path=None, has_user=True)],
    ],
)
def test_no_verdict(events: list[Told]) -> None:
    assert after(*events).verdict is None
    assert not after(*events).is_settled


def test_a_reset_in_another_print_is_not_ours() -> None:
    ended = (ours(CANCELLING), ours(CANCELLED), ours(FAILED))
    for later in (other(STARTED), ours(STARTED)):  # the latter: a person prints the copy again
        found = after(*ended, later, ours(CANCELLING), ours(CANCELLED), RESET)
        assert found.verdict == (PrintState.CANCELLED, evidence.CANCELLED_BY_NOBODY)


def test_the_first_end_counts() -> None:
    assert after(ours(DONE), ours(CANCELLED, user=True)).is_done
    found = after(ours(FAILED, error="MINTEMP"), ours(STARTED), ours(DONE))
    assert (found.is_done, found.verdict) == (
        False,
        (PrintState.FAILED, evidence.reported("MINTEMP")),
    )


def test_done_is_no_failure() -> None:
    found = after(ours(STARTED), ours(DONE))
    assert (found.is_done, found.is_settled, found.verdict) == (True, True, None)
