from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document.profiles import (
    ANY,
    PROFILE_CHARS_MAX,
    fits,
    parse_profile,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import Profile


def test_a_profile_is_compared_in_one_form() -> None:
    assert parse_profile("  voron \t v2\n") == "VORON V2"
    assert parse_profile("any") == ANY


@pytest.mark.parametrize("text", ["", " \n", "x" * (PROFILE_CHARS_MAX + 1), "a\0b", "a\x1b[2J"])
def test_what_is_no_profile_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_profile(text)


@given(st.text(max_size=80))
def test_parsing_twice_changes_nothing(text: str) -> None:
    try:
        once = parse_profile(text)
    except Invalid:
        return
    assert parse_profile(once) == once
    assert len(once) <= PROFILE_CHARS_MAX


def test_profiles_fit_whole_or_not_at_all() -> None:
    delta, voron = Profile("MONOPRICE MINI DELTA V2"), Profile("VORON V2")
    assert fits({voron}, voron)
    assert fits({delta, ANY}, voron)
    assert not fits({delta}, voron)
    assert not fits({voron}, Profile("V2"))
    assert not fits(set(), voron)
