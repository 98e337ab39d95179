"""The messages that OctoPrint pushes over its websocket, type by type. None of them is trusted.

Source: OctoPrint 1.11, https://docs.octoprint.org/en/1.11.7/api/push.html and …/events/. Seen in
1.11.8: a `current` message may be a second old, also older than an event that was sent before it.
So it never decides the state of a print.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from printer_driver.core.octoprint.rest_answers import (
    OctoPrintJob,
    UnreadableAnswerError,
    job_of,
    message_of,
    temperatures_of,
)
from printer_driver.printer import Temperature

MESSAGE_BYTES_MAX = 4 * 1024**2
"""The first message holds half an hour of temperatures."""
LOG_LINES_MAX = 300
"""OctoPrint keeps as many lines of the printer's terminal."""
SESSION_CHARS_MAX = 512
THROTTLE = 2
"""In half seconds, between two states."""


class PushState(StrEnum):
    """Whether OctoPrint pushes to us."""

    OPENING = "opening"  # for the first time, or after it had worked
    LIVE = "live"
    DOWN = "down"


class EventKind(StrEnum):
    """The names of OctoPrint's events about a print."""

    STARTED = "PrintStarted"
    PAUSED = "PrintPaused"
    RESUMED = "PrintResumed"
    CANCELLING = "PrintCancelling"
    CANCELLED = "PrintCancelled"
    DONE = "PrintDone"
    FAILED = "PrintFailed"  # follows on CANCELLED too; the result is in the history then


RESET, CONNECTED, DISCONNECTED = "PrinterReset", "Connected", "Disconnected"
SUBSCRIPTION: dict[str, Any] = {
    "state": {
        "logs": "^(Printer sent 'start' while printing|Changing monitoring state )",
        "messages": False,
    },
    "plugins": False,
    "events": [*EventKind, RESET, CONNECTED, DISCONNECTED],
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StatePushed:
    """The state, up to a second old. `temperatures` is None if the message has none."""

    job: OctoPrintJob
    temperatures: tuple[Temperature, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogPushed:
    """The last lines of the terminal, sent once for each connection."""

    has_reset: bool
    """Whether the last print that they tell of was ended by a printer that reset itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintEvent:
    """An event of a print. `path` is None for a print that is not in OctoPrint's storage."""

    kind: EventKind
    path: str | None
    has_user: bool = False
    """Whether somebody asked for it, at OctoPrint's page or over its API."""
    is_error: bool = False
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterReset:
    """The printer has restarted in mid-print, and OctoPrint has given that print up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterLink:
    """The printer was connected or disconnected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginExpired:
    """OctoPrint pushes nothing more before a new login."""


Pushed = StatePushed | LogPushed | PrintEvent | PrinterReset | PrinterLink | LoginExpired


def auth_of(login: Any) -> str | None:
    """The `auth` message for the answer to a passive login; None if that is nobody's."""
    if not isinstance(login, Mapping):
        return None
    name, session = login.get("name"), login.get("session")
    if not isinstance(name, str) or not isinstance(session, str) or not name or not session:
        return None
    auth = f"{name}:{session}"
    return auth if auth.count(":") == 1 and len(auth) <= SESSION_CHARS_MAX else None


def pushed_in(message: str | bytes) -> tuple[Pushed, ...]:
    """What a message says; nothing for one that cannot be read or is of no use."""
    try:
        content = json.loads(message)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(content, Mapping) or len(content) != 1:
        return ()
    ((kind, payload),) = content.items()
    try:
        return _pushed(kind, payload)
    except UnreadableAnswerError:
        return ()


def _pushed(kind: str, payload: Any) -> tuple[Pushed, ...]:
    match kind:
        case "reauthRequired":
            return (LoginExpired(),)
        case "current" if isinstance(payload, Mapping):
            return (_state(payload),)
        case "history" if isinstance(payload, Mapping):
            return _state(payload), LogPushed(has_reset=_has_reset(payload.get("logs")))
        case "event" if isinstance(payload, Mapping):
            return _event(payload.get("type"), payload.get("payload") or {})
    return ()


def _state(payload: Mapping[str, Any]) -> StatePushed:
    state = payload.get("state")
    if not isinstance(state, Mapping):
        raise UnreadableAnswerError("no state")
    job = job_of(
        {
            "state": state.get("text"),
            "error": state.get("error"),
            "job": payload.get("job"),
            "progress": payload.get("progress"),
        }
    )
    return StatePushed(job=job, temperatures=_temperatures(payload.get("temps")))


def _temperatures(temps: Any) -> tuple[Temperature, ...] | None:
    if not isinstance(temps, list) or not temps or not isinstance(temps[-1], Mapping):
        return None
    heaters = {name: x for name, x in temps[-1].items() if isinstance(x, Mapping)}
    return temperatures_of({"temperature": heaters})


_START = re.compile(r'Changing monitoring state from "[^"]*" to "Starting"')
_RESET_LINE = "Printer sent 'start' while printing"


def _has_reset(lines: Any) -> bool:
    if not isinstance(lines, list):
        return False
    has_reset = False
    for line in lines[-LOG_LINES_MAX:]:
        if isinstance(line, str) and line.startswith(_RESET_LINE):
            has_reset = True
        elif isinstance(line, str) and _START.match(line):
            has_reset = False
    return has_reset


def _event(kind: Any, payload: Any) -> tuple[Pushed, ...]:
    if not isinstance(payload, Mapping):
        return ()
    if kind in (CONNECTED, DISCONNECTED):
        return (PrinterLink(),)
    if kind == RESET:
        return (PrinterReset(),) if payload.get("idle") is False else ()
    if kind not in list(EventKind):
        return ()
    is_local = payload.get("origin") == "local" and isinstance(payload.get("path"), str)
    firmware = message_of({"error": payload.get("firmwareError")})
    event = PrintEvent(
        kind=EventKind(kind),
        path=payload["path"] if is_local else None,
        has_user=isinstance(payload.get("user"), str) and payload["user"] != "",
        is_error=payload.get("reason") == "error" or firmware != "",
        error=firmware or message_of(payload),
    )
    return (event,)
