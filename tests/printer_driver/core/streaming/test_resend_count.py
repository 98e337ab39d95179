import pytest

from printer_driver.core.streaming.resend_count import (
    ECHO_S_MAX,
    RESENDS_MAX,
    STRANGE_APART_S,
    STRANGE_RESENDS_MAX,
    ResendCount,
    WireBrokenError,
)


def test_lines_behind_a_refused_one_are_the_same_trouble() -> None:
    resend_count = ResendCount()
    assert not resend_count.is_echo(1.0, is_quieting=False)
    assert resend_count.count(7, is_echo=False)
    assert resend_count.is_echo(1.1, is_quieting=True)
    assert not resend_count.count(7, is_echo=True)
    assert resend_count.count(8, is_echo=True)
    assert not resend_count.is_echo(1.0 + ECHO_S_MAX, is_quieting=True)


def test_another_line_is_another_trouble() -> None:
    resend_count = ResendCount()
    for number in range(RESENDS_MAX * 2):
        assert resend_count.count(number, is_echo=False)


def test_the_same_line_again_and_again() -> None:
    resend_count = ResendCount()
    for _ in range(RESENDS_MAX - 1):
        resend_count.count(7, is_echo=False)
    with pytest.raises(WireBrokenError, match="cable"):
        resend_count.count(7, is_echo=False)


def test_lines_that_cannot_be_had() -> None:
    resend_count = ResendCount()
    for _ in range(STRANGE_RESENDS_MAX - 1):
        resend_count.count_strange(77, 0.0)
    for _ in range(STRANGE_RESENDS_MAX - 1):
        resend_count.count_strange(77, STRANGE_APART_S + 1)
    with pytest.raises(WireBrokenError, match="line 77"):
        resend_count.count_strange(77, STRANGE_APART_S + 2)
