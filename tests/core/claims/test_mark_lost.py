from __future__ import annotations

import pytest

from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.claims.mark_lost import (
    MARK_LOST_AFTER_S,
    OwnerPresence,
    why_not_lost,
)


def why_not(where: OwnerPresence, silent_s: float) -> str:
    return why_not_lost("ender", "pins", where, silent_s=silent_s, after_s=MARK_LOST_AFTER_S)


@pytest.mark.parametrize(
    ("silent_s", "wait"), [(0.0, "1 min"), (30.5, "30 s"), (59.0, "1 s"), (59.99, "1 s")]
)
def test_who_was_heard_of_lately_is_waited_for(silent_s: float, wait: str) -> None:
    assert f"Wait {wait}, look at the printer" in why_not(OwnerPresence.AWAY, silent_s)


@pytest.mark.parametrize("silent_s", [MARK_LOST_AFTER_S, 1e6])
def test_who_was_silent_for_long_can_be_marked_lost(silent_s: float) -> None:
    assert why_not(OwnerPresence.AWAY, silent_s) == ""


@pytest.mark.parametrize(
    ("where", "says"),
    [
        (OwnerPresence.HERE, "This printer has pins itself. Cancel its print, or stop managing"),
        (OwnerPresence.IN_SIGHT, "ender is in sight. Cancel the print there, or stop managing"),
    ],
)
def test_who_can_be_asked_is_never_marked_lost(where: OwnerPresence, says: str) -> None:
    assert why_not(where, 1e6).startswith(says)


def test_nobody_can_have_begun_a_print_within_the_silence_before_a_mark() -> None:
    times = ClaimTimes()
    assert times.mark_lost_after_s > times.begin_within_s + times.out_of_sight_s + times.answer_s
