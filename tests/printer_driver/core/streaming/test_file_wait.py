import pytest

from printer_driver.core.streaming.file_wait import (
    SHOWN_S,
    WAIT_S_MAX,
    WAITS,
    FileWait,
)
from printer_driver.errors import GcodeError


def test_a_short_wait_is_not_worth_a_word() -> None:
    wait = FileWait()
    assert [wait.go_on(7, 1.0), wait.go_on(7, 0.9 + SHOWN_S), wait.end(6.0)] == ["", "", ""]
    assert not wait.is_on


def test_a_longer_one_is_told_once_and_shown_until_it_is_over() -> None:
    wait = FileWait()
    assert [wait.go_on(7, now_s) for now_s in (1.0, 1.0 + SHOWN_S, 9.0)] == ["", WAITS, ""]
    assert (wait.words, wait.is_on) == (WAITS, True)
    assert "no longer" in wait.end(10.0)
    assert (wait.words, wait.is_on, wait.end(11.0)) == ("", False, "")


def test_it_is_given_up() -> None:
    wait = FileWait()
    wait.go_on(7, 0.0)
    wait.go_on(7, WAIT_S_MAX - 1)
    with pytest.raises(GcodeError, match="for 10 minutes; look after the disk"):
        wait.go_on(7, WAIT_S_MAX)


def test_a_piece_now_and_then_does_not_keep_a_nozzle_hot_for_ever() -> None:
    wait = FileWait()
    wait.go_on(7, 0.0)
    wait.end(WAIT_S_MAX - 10)
    wait.go_on(7, WAIT_S_MAX - 5)  # of which five seconds are made good
    wait.go_on(7, WAIT_S_MAX + 9)
    with pytest.raises(GcodeError):
        wait.go_on(7, WAIT_S_MAX + 10)


def test_what_was_printed_in_between_makes_up_for_it() -> None:
    wait, now_s = FileWait(), 0.0
    for _ in range(10):
        wait.go_on(7, now_s)
        wait.go_on(7, now_s + WAIT_S_MAX / 2)
        wait.end(now_s + WAIT_S_MAX / 2)
        now_s += WAIT_S_MAX
    assert not wait.is_on


def test_words_are_of_the_line_that_is_waited_for() -> None:
    wait = FileWait()
    assert [wait.go_on(7, now_s) for now_s in (0.0, SHOWN_S)] == ["", WAITS]
    assert "no longer" in wait.go_on(8, SHOWN_S + 1)  # it came, and the next one did not
    assert (wait.words, wait.is_on) == ("", True)
    with pytest.raises(GcodeError):
        wait.go_on(8, WAIT_S_MAX)
