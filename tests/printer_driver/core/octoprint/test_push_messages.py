import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.octoprint import push_messages as push
from printer_driver.core.octoprint.push_messages import (
    EventKind,
    LoginExpired,
    LogPushed,
    PrinterLink,
    PrinterReset,
    PrintEvent,
    StatePushed,
    pushed_in,
)
from printer_driver.core.octoprint.rest_answers import JobPhase
from printer_driver.printer import Temperature

STATE = {
    "state": {"text": "Printing", "flags": {"printing": True}, "error": ""},
    "job": {"file": {"origin": "local", "path": "crdtqueue/a.gcode", "size": 49906}},
    "progress": {"completion": 25.2, "filepos": 12615, "printTime": 2},
    "temps": [
        {"time": 1, "tool0": {"actual": 1.0, "target": 0.0}},
        {"time": 2, "tool0": {"actual": 41.25, "target": 215.0}, "chamber": {"actual": None}},
    ],
    "logs": [],
}
RESET_LINE = "Printer sent 'start' while printing. External reset? Aborting job."


def pushed(kind: str, payload: Any) -> tuple[push.Pushed, ...]:
    return pushed_in(json.dumps({kind: payload}))


def event(kind: str, **payload: Any) -> tuple[push.Pushed, ...]:
    return pushed("event", {"type": kind, "payload": payload})


def changed(before: str, after: str) -> str:
    return f'Changing monitoring state from "{before}" to "{after}"'


def test_the_state() -> None:
    (state,) = pushed("current", STATE)
    assert isinstance(state, StatePushed)
    assert (state.job.phase, state.job.path) == (JobPhase.PRINTING, "crdtqueue/a.gcode")
    assert (state.job.done_bytes, state.job.print_time_s) == (12615, 2.0)
    assert state.temperatures == (Temperature(name="T0", actual_c=41.25, target_c=215.0),)


@pytest.mark.parametrize(
    ("temps", "seen"), [([], None), (None, None), ([1], None), ([{"time": 1}], ())]
)
def test_no_temperatures(temps: Any, seen: Any) -> None:
    (state,) = pushed("current", {**STATE, "temps": temps})
    assert isinstance(state, StatePushed)
    assert state.temperatures == seen


@pytest.mark.parametrize(
    ("lines", "has_reset"),
    [
        ([], False),
        (None, False),
        ([changed("Operational", "Starting"), changed("Starting", "Printing"), RESET_LINE], True),
        ([RESET_LINE, changed("Printing", "Cancelling"), "Send: M104 S0"], True),
        ([RESET_LINE, changed("Operational", "Starting"), changed("x", "Cancelling")], False),
        ([f"Recv: {RESET_LINE}", 7], False),
        ([RESET_LINE] + ["Recv: wait"] * push.LOG_LINES_MAX, False),
    ],
)
def test_the_terminals_last_lines(lines: Any, has_reset: bool) -> None:
    _, log = pushed("history", {**STATE, "logs": lines})
    assert log == LogPushed(has_reset=has_reset)


def test_events_of_a_print() -> None:
    file = {"origin": "local", "path": "crdtqueue/a.gcode", "name": "a.gcode", "size": 1}
    path = "crdtqueue/a.gcode"
    assert event("PrintStarted", **file, user="tester") == (
        PrintEvent(kind=EventKind.STARTED, path=path, has_user=True),
    )
    assert event("PrintFailed", **file, reason="cancelled", user="tester") == (
        PrintEvent(kind=EventKind.FAILED, path=path, has_user=True),
    )
    assert event("PrintFailed", **file, reason="error", error="MAXTEMP\n") == (
        PrintEvent(kind=EventKind.FAILED, path=path, is_error=True, error="MAXTEMP"),
    )
    assert event("PrintCancelling", **file, firmwareError="kill()") == (
        PrintEvent(kind=EventKind.CANCELLING, path=path, is_error=True, error="kill()"),
    )
    assert event("PrintDone", **{**file, "origin": "sdcard"}) == (
        PrintEvent(kind=EventKind.DONE, path=None),
    )


def test_other_events() -> None:
    assert event("PrinterReset", idle=False) == (PrinterReset(),)
    assert event("PrinterReset", idle=True) == event("PrinterReset") == ()
    assert pushed("event", {"type": "Disconnected", "payload": None}) == (PrinterLink(),)
    assert event("Upload", path="a") == ()
    assert pushed("reauthRequired", {"reason": "stale"}) == (LoginExpired(),)


def test_everything_that_is_read_is_subscribed_to() -> None:
    names = push.SUBSCRIPTION["events"]
    assert {"PrintStarted", "PrintCancelling", "PrintDone", "PrintFailed"} <= set(names)
    assert {"PrinterReset", "Connected", "Disconnected"} <= set(names)
    assert json.loads(json.dumps(push.SUBSCRIPTION)) == push.SUBSCRIPTION


@pytest.mark.parametrize(
    ("login", "auth"),
    [
        ({"name": "tester", "session": "abc"}, "tester:abc"),
        ({"name": "a:b", "session": "abc"}, None),
        ({"name": "", "session": "abc"}, None),
        ({"name": "tester", "session": None}, None),
        ({"name": "tester", "session": "x" * push.SESSION_CHARS_MAX}, None),
        ({"name": None}, None),
        (["tester"], None),
        (None, None),
    ],
)
def test_the_login(login: Any, auth: str | None) -> None:
    assert push.auth_of(login) == auth


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["local", "Printing"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*STATE, "text", "file", "path", "origin", "type", "payload", "reason", "user"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(["current", "history", "event", "reauthRequired", "connected"]), JSON)
def test_any_message_is_read_or_left(kind: str, payload: Any) -> None:
    assert isinstance(pushed(kind, payload), tuple)


@given(st.sampled_from([*EventKind, "PrinterReset", "Connected", 7, None]), JSON)
def test_any_event_is_read_or_left(kind: Any, payload: Any) -> None:
    assert isinstance(pushed("event", {"type": kind, "payload": payload}), tuple)


@pytest.mark.parametrize(
    "message", ["", "{", "null", "[]", "{}", '{"a":1,"b":2}', "[" * 100_000, b"\xff\xfe\x00", "o"]
)
def test_what_is_no_message(message: str | bytes) -> None:
    assert pushed_in(message) == ()
