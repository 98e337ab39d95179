from __future__ import annotations

from crdtqueue.core.worker.bed import (
    Cooldown,
    Cooling,
)


def test_a_bed_is_cool_at_its_threshold_or_when_the_time_is_up() -> None:
    cooling = Cooling(Cooldown(bed_c=30.0, max_s=100.0))
    before = cooling.deadline_s
    assert before is None
    assert not cooling.is_over(60.0, 1000.0)
    assert cooling.deadline_s == 1100.0
    assert not cooling.is_over(None, 1099.0)
    assert cooling.is_over(30.0, 1050.0)
    assert cooling.is_over(60.0, 1100.0)


def test_the_next_wait_begins_anew() -> None:
    cooling = Cooling(Cooldown(bed_c=30.0, max_s=100.0))
    cooling.is_over(60.0, 0.0)
    cooling.end()
    assert not cooling.is_over(60.0, 500.0)
    assert cooling.deadline_s == 600.0
