from __future__ import annotations

import pytest

from crdtqueue.core.durations import (
    Sentence,
    Span,
    duration,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0 s"),
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60.0, "1 min"),
        (3_599.0, "59 min"),
        (3_900.0, "1 h 05 min"),
        (172_799.0, "47 h 59 min"),
        (172_800.0, "2 days"),
    ],
)
def test_a_duration_is_rounded_down(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 s"), (0.1, "1 s"), (59.5, "1 min"), (60.1, "2 min"), (1_600.0, "27 min")],
)
def test_what_is_left_is_rounded_up(seconds: float, text: str) -> None:
    assert str(Span(seconds=seconds, is_left=True)) == text


def test_what_has_lasted_and_what_is_left_make_up_the_whole() -> None:
    for silent_s in range(60, 1_740, 7):
        silent = str(Span(seconds=silent_s)).removesuffix(" min")
        left = str(Span(seconds=1_800.0 - silent_s, is_left=True)).removesuffix(" min")
        assert int(silent) + int(left) == 30


def test_a_sentence_is_its_parts_and_goes_on_where_one_does() -> None:
    told = Sentence("Silent for ", Span(seconds=180.0), ".")
    assert str(told) == "Silent for 3 min."
    assert told.goes_on
    assert not Sentence("Silent.").goes_on


def test_the_moment_that_a_span_refers_to_stays_while_time_passes() -> None:
    past = [Span(seconds=10.0 + s).reference_s(100.0 + s) for s in range(50)]
    left = [Span(seconds=60.0 - s, is_left=True).reference_s(100.0 + s) for s in range(50)]
    assert set(past) == {90.0}
    assert set(left) == {160.0}
