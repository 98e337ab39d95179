import pytest

from printer_driver.core.file_wait import SHOWN_S, WAIT_S_MAX, WAITS, FileWait
from printer_driver.errors import GcodeError


def test_a_short_wait_is_not_worth_a_word() -> None:
    wait = FileWait()
    assert [wait.go_on(7, 1.0), wait.go_on(7, 0.9 + SHOWN_S), wait.end()] == ["", "", ""]
    assert not wait.is_on


def test_a_longer_one_is_told_once_and_shown_until_it_is_over() -> None:
    wait = FileWait()
    assert [wait.go_on(7, now_s) for now_s in (1.0, 1.0 + SHOWN_S, 9.0)] == ["", WAITS, ""]
    assert (wait.words, wait.is_on) == (WAITS, True)
    assert "no longer" in wait.end()
    assert (wait.words, wait.is_on, wait.end()) == ("", False, "")


def test_each_wait_counts_for_itself() -> None:
    wait = FileWait()
    wait.go_on(7, 0.0)
    wait.go_on(7, WAIT_S_MAX - 1)
    assert "no longer" in wait.go_on(8, WAIT_S_MAX + 1)  # the lines between were there
    assert [wait.words, wait.go_on(8, WAIT_S_MAX + 2)] == ["", ""]
    with pytest.raises(GcodeError, match="for 10 minutes; look after the disk"):
        wait.go_on(8, 2 * WAIT_S_MAX + 1)
