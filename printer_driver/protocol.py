"""The driver's socket protocol: JSON lines, one request, one reply with the same id.

    → {"id": 1, "do": "start", "print_id": "…", "path": "/…", "sha256": "…"}
    ← {"id": 1, "report": {…}}                 or {"id": 1, "ok": true}
    ← {"id": 1, "error": {"code": "busy", "message": "…"}}
    ← {"event": "status", "status": {…}}       after `watch`

    ← {"id": 2, "ok": true, "confirmed_by": "firmware", "message": "…"}    to `emergency_stop`
    ← {"id": 3, "paths": ["/…"]}               to `serial_log`: written, the newest first

`do` is status, start, pause, resume, cancel, report, watch, emergency_stop, send, answer,
serial_log or quit. `send` has `commands`, a list of g-code lines for a printer that prints nothing;
`answer` has `choice`, the place of an answer (from 0) to the status's `question`.
"""

import json
import os
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from printer_driver.core.gcode.gcode_lines import COMMAND_BYTES_MAX
from printer_driver.core.replies.reported_state import CHOICES_MAX
from printer_driver.errors import (
    BadRequestError,
    GcodeError,
    NotPrinting,
    PrinterError,
    PrinterUnavailable,
    PrintRefused,
)
from printer_driver.printer import (
    Connection,
    PrinterStatus,
    Question,
    Telemetry,
    Temperature,
    report_from_json,
    report_to_json,
)

LINE_BYTES_MAX = 64 * 1024
CLIENTS_MAX = 16
TOO_MANY_CLIENTS = "too_many_clients"
PRINT_ID_CHARS_MAX = 128
PATH_BYTES_MAX = 4096
REQUEST_ID_CHARS_MAX = 64
COMMANDS_MAX = 32

_PRINT_ID = re.compile(rf"[!-~]{{1,{PRINT_ID_CHARS_MAX}}}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Do(StrEnum):
    """What a client may ask for."""

    STATUS = "status"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    REPORT = "report"
    WATCH = "watch"
    EMERGENCY_STOP = "emergency_stop"
    SEND = "send"
    ANSWER = "answer"
    SERIAL_LOG = "serial_log"
    QUIT = "quit"


_NO_PRINT = ""
_NAMES_A_PRINT = (Do.START, Do.PAUSE, Do.RESUME, Do.CANCEL, Do.REPORT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request; fields that its `do` does not need are empty."""

    id: int | str | None
    do: Do
    print_id: str = _NO_PRINT
    path: Path = Path()
    sha256: str = ""
    force: bool = False
    commands: tuple[str, ...] = ()
    choice: int = 0


def load_json_object(line: bytes) -> dict[str, Any]:
    """One line as a JSON object. Raises `BadRequestError`."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRequestError("This is no JSON; send one JSON object per line.") from None
    if not isinstance(value, dict):
        raise BadRequestError("This is no JSON object; send one JSON object per line.")
    return value


def request_id(message: dict[str, Any]) -> int | str | None:
    """The request's id if it is a usable one."""
    value = message.get("id")
    if isinstance(value, str) and len(value) <= REQUEST_ID_CHARS_MAX:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    return None


def parse_request(message: dict[str, Any]) -> Request:
    """The request in a message. Raises `BadRequestError` that names the field."""
    do = message.get("do")
    if not isinstance(do, str) or do not in list(Do):
        raise BadRequestError(f"`do` must be one of {', '.join(Do)}.")
    return Request(
        id=request_id(message),
        do=Do(do),
        print_id=_print_id(message) if do in _NAMES_A_PRINT else _NO_PRINT,
        path=_path(message) if do == Do.START else Path(),
        sha256=_sha256(message) if do == Do.START else "",
        force=message.get("force") is True,
        commands=_commands(message) if do == Do.SEND else (),
        choice=_choice(message) if do == Do.ANSWER else 0,
    )


def _commands(message: dict[str, Any]) -> tuple[str, ...]:
    value = message.get("commands")
    if not isinstance(value, list) or not 0 < len(value) <= COMMANDS_MAX:
        raise BadRequestError(f"`commands` must be a list of 1 to {COMMANDS_MAX} lines.")
    if not all(isinstance(x, str) and len(x) <= COMMAND_BYTES_MAX for x in value):
        raise BadRequestError(f"Each command must be text of at most {COMMAND_BYTES_MAX} letters.")
    return tuple(value)


def _choice(message: dict[str, Any]) -> int:
    value = message.get("choice")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < CHOICES_MAX:
        raise BadRequestError(f"`choice` must be a number from 0 to {CHOICES_MAX - 1}.")
    return value


def _print_id(message: dict[str, Any]) -> str:
    value = message.get("print_id")
    if not isinstance(value, str) or not _PRINT_ID.fullmatch(value):
        raise BadRequestError(
            f"`print_id` must be 1 to {PRINT_ID_CHARS_MAX} printable ASCII characters."
        )
    return value


def _path(message: dict[str, Any]) -> Path:
    value = message.get("path")
    if not isinstance(value, str) or "\0" in value or not value.startswith("/"):
        raise BadRequestError("`path` must be the absolute path of a g-code file.")
    try:
        name = os.fsencode(value)
    except UnicodeEncodeError:
        raise BadRequestError("`path` has characters that no file name has.") from None
    if len(name) > PATH_BYTES_MAX:
        raise BadRequestError(f"`path` must not be longer than {PATH_BYTES_MAX} bytes.")
    return Path(value)


def _sha256(message: dict[str, Any]) -> str:
    value = message.get("sha256")
    if not isinstance(value, str) or not _SHA256.fullmatch(value.lower()):
        raise BadRequestError("`sha256` must be 64 hexadecimal digits.")
    return value.lower()


def dump_line(message: dict[str, Any]) -> bytes:
    """A message as its line on the socket."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def error_to_json(error: PrinterError) -> dict[str, Any]:
    """An error as it goes over the socket."""
    return {"code": error.code, "message": str(error)}


_ERRORS: dict[str, type[PrinterError]] = {
    kind.code: kind for kind in (PrinterUnavailable, NotPrinting, BadRequestError, GcodeError)
}
_ERRORS[TOO_MANY_CLIENTS] = PrinterUnavailable


def error_from_json(value: Any) -> PrinterError:
    """The error in a reply; an unknown code is a refusal."""
    if not isinstance(value, dict):
        return PrinterUnavailable("The printer driver sent a reply that cannot be read.")
    code, message = str(value.get("code")), str(value.get("message"))
    return _ERRORS.get(code, PrintRefused)(message, code=code)


def status_to_json(status: PrinterStatus) -> dict[str, Any]:
    """A status as it goes over the socket."""
    return {
        "connection": status.connection.value,
        "problem": status.problem,
        "print": report_to_json(status.print) if status.print else None,
        "temperatures": [
            {"name": x.name, "actual_c": x.actual_c, "target_c": x.target_c}
            for x in status.temperatures
        ],
        "firmware": status.firmware,
        "fault": status.fault,
        "question": asdict(status.question) if status.question else None,
        "notification": status.notification,
        "bed_cleared_after": status.bed_cleared_after,
        "telemetry": asdict(status.telemetry) if status.telemetry else None,
    }


def status_from_json(value: dict[str, Any]) -> PrinterStatus:
    """Raises KeyError, TypeError or ValueError for anything else than a status."""
    return PrinterStatus(
        connection=Connection(value["connection"]),
        problem=str(value["problem"]),
        print=report_from_json(value["print"]) if value["print"] else None,
        temperatures=tuple(
            Temperature(
                name=str(x["name"]), actual_c=float(x["actual_c"]), target_c=float(x["target_c"])
            )
            for x in value["temperatures"]
        ),
        firmware=str(value["firmware"]),
        fault=str(value.get("fault", "")),
        question=_question(value["question"]) if value.get("question") else None,
        notification=str(value.get("notification", "")),
        bed_cleared_after=_cleared(value.get("bed_cleared_after")),
        telemetry=_telemetry(value["telemetry"]) if value.get("telemetry") else None,
    )


def _cleared(value: Any) -> str | None:
    return str(value) if value else None


def _question(value: dict[str, Any]) -> Question:
    return Question(text=str(value["text"]), choices=tuple(map(str, value["choices"])))


def _telemetry(value: dict[str, Any]) -> Telemetry:
    """What another version measures besides is left out."""
    nothing = asdict(Telemetry())
    return Telemetry(
        **{name: type(nothing[name])(x) for name, x in value.items() if name in nothing}
    )
