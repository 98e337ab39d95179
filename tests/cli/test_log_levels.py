"""How much is logged: levels for all and for areas, and never too many lines."""

import logging

import pytest

from crdtqueue.cli.log_levels import AREAS, DEBUG_LINES_MAX, LineBudget, parse_levels
from crdtqueue.core.errors import Invalid


def test_a_level_is_for_everything_or_for_an_area() -> None:
    assert parse_levels("debug") == {"": logging.DEBUG}
    assert parse_levels("WARNING, claims=DEBUG,links=INFO") == {
        "": logging.WARNING,
        "claims": logging.DEBUG,
        "links": logging.INFO,
    }
    assert parse_levels("") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [("loud", "no log level"), ("claims=9", "no log level"), ("x=INFO", "no log area")],
)
def test_what_is_no_level_is_refused_with_those_that_are(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_levels(text)


def test_every_area_names_loggers_that_exist() -> None:
    for names in AREAS.values():
        for name in names:
            __import__(name)
            assert name in logging.Logger.manager.loggerDict, name


def line(level: int = logging.DEBUG) -> logging.LogRecord:
    return logging.LogRecord("crdtqueue.x", level, "", 0, "text", None, None)


def test_debug_lines_that_are_too_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 7.0
    monkeypatch.setattr("crdtqueue.cli.log_levels.time.monotonic", lambda: now_s)
    budget = LineBudget()
    passed = sum(budget.filter(line()) for _ in range(DEBUG_LINES_MAX + 50))
    assert passed == DEBUG_LINES_MAX
    assert budget.filter(line(logging.WARNING))
    now_s = 8.0
    later = line()
    assert budget.filter(later)
    assert later.getMessage() == "(50 lines left out) text"
