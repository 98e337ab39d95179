"""OctoPrint's answers, type by type. None of them is trusted.

Source: OctoPrint 1.11's REST API, https://docs.octoprint.org/en/1.11.7/api/ ("Job operations",
"Printer operations", "File operations"), and the state texts of its `util/comm.py`.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from printer_driver.printer import Temperature

TEXT_CHARS_MAX = 300
"""Of OctoPrint's own words that are shown to a person."""
HEATERS_MAX = 16
FILES_MAX = 1000


class UnreadableAnswerError(ValueError):
    """An answer that does not have the documented form."""


class JobPhase(StrEnum):
    """The state of OctoPrint's connection to the printer."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    IDLE = "idle"
    STARTING = "starting"
    PRINTING = "printing"
    PAUSING = "pausing"  # OctoPrint ignores a resume until it has paused
    PAUSED = "paused"
    CANCELLING = "cancelling"
    FINISHING = "finishing"  # all is sent, the printer still moves
    OTHER = "other"  # at something that is no print of a file of its own, such as the SD card

    @property
    def is_at_work(self) -> bool:
        """Whether a print or transfer goes on, so that no other can be begun."""
        return self not in (JobPhase.OFFLINE, JobPhase.CONNECTING, JobPhase.IDLE)


_PHASES = {
    "Operational": JobPhase.IDLE,
    "Starting": JobPhase.STARTING,
    "Printing": JobPhase.PRINTING,
    "Resuming": JobPhase.PRINTING,
    "Pausing": JobPhase.PAUSING,
    "Paused": JobPhase.PAUSED,
    "Cancelling": JobPhase.CANCELLING,
    "Finishing": JobPhase.FINISHING,
}
_PHASES_BY_START = {
    "Offline": JobPhase.OFFLINE,
    "Error": JobPhase.OFFLINE,
    "Opening": JobPhase.CONNECTING,
    "Detecting": JobPhase.CONNECTING,
    "Connecting": JobPhase.CONNECTING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class OctoPrintJob:
    """`GET /api/job`: the state of the connection, and the file that is selected or printed."""

    phase: JobPhase
    text: str
    error: str = ""
    path: str | None = None
    """In OctoPrint's own storage; None for no file, and for one on the SD card."""
    size_bytes: int = 0
    done_bytes: int | None = None
    print_time_s: float | None = None
    """Pauses left out, as OctoPrint counts."""
    is_all_sent: bool = False

    def is_at(self, path: str) -> bool:
        """Whether this file is being printed, or is paused."""
        return self.phase.is_at_work and self.path == path


@dataclass(frozen=True, kw_only=True, slots=True)
class OctoPrintFile:
    """A file in OctoPrint's own storage, with the number and the results of its prints."""

    path: str
    size_bytes: int
    sha1: str
    uploaded_unix_s: float = 0.0
    successes: int = 0
    failures: int = 0
    is_last_success: bool = False
    print_time_s: float | None = None

    @property
    def is_printed(self) -> bool:
        """Whether a print of it has ended, well or not."""
        return self.successes + self.failures > 0

    @property
    def first_succeeded(self) -> bool:
        """How its first print ended. What cannot be told of several is no success.

        OctoPrint shows the counts and the last result only; a second print of a print's own copy
        was begun by a person, and does not count.
        """
        if not self.failures:
            return self.successes > 0
        return self.successes > 0 and self.failures == 1 and not self.is_last_success


def job_of(answer: Any) -> OctoPrintJob:
    """Reads `GET /api/job`. Raises `UnreadableAnswerError`."""
    text = _text(_object(answer).get("state"))
    if not text:
        raise UnreadableAnswerError("no state")
    job = _object(answer.get("job") or {})
    file, progress = _object(job.get("file") or {}), _object(answer.get("progress") or {})
    is_local = file.get("origin") == "local" and isinstance(file.get("path"), str)
    return OctoPrintJob(
        phase=_phase(text),
        text=text,
        error=_text(answer.get("error")),
        path=file["path"] if is_local else None,
        size_bytes=int(_number(file.get("size")) or 0),
        done_bytes=_whole(progress.get("filepos")),
        print_time_s=_number(progress.get("printTime")),
        is_all_sent=(_number(progress.get("completion")) or 0.0) >= 100,
    )


def _phase(text: str) -> JobPhase:
    for start, phase in _PHASES_BY_START.items():
        if text.startswith(start):
            return phase
    return _PHASES.get(text, JobPhase.OTHER)


def file_of(answer: Any) -> OctoPrintFile:
    """Reads `GET /api/files/local/…` of a file. Raises `UnreadableAnswerError`."""
    fields = _object(answer)
    path, size = fields.get("path"), _number(fields.get("size"))
    if not isinstance(path, str) or size is None:
        raise UnreadableAnswerError("no path or size")
    prints = _object(fields.get("prints") or {})
    last = _object(prints.get("last") or {})
    return OctoPrintFile(
        path=path,
        size_bytes=int(size),
        sha1=_text(fields.get("hash")).lower(),
        uploaded_unix_s=_number(fields.get("date")) or 0.0,
        successes=_whole(prints.get("success")) or 0,
        failures=_whole(prints.get("failure")) or 0,
        is_last_success=last.get("success") is True,
        print_time_s=_number(last.get("printTime")),
    )


def folder_of(answer: Any) -> tuple[OctoPrintFile, ...]:
    """The files in `GET /api/files/local/…` of a folder; entries that are no files are left out."""
    children = _object(answer).get("children")
    if not isinstance(children, list) or len(children) > FILES_MAX:
        raise UnreadableAnswerError("no list of files")
    files = (child for child in children if _object(child).get("type") != "folder")
    return tuple(file_of(child) for child in files)


_HEATER = re.compile(r"tool(\d{1,2})")


def temperatures_of(answer: Any) -> tuple[Temperature, ...]:
    """Reads `GET /api/printer`. Raises `UnreadableAnswerError`."""
    heaters = _object(_object(answer).get("temperature") or {})
    found = []
    for name, values in list(heaters.items())[:HEATERS_MAX]:
        ours, actual_c = _heater_name(name), _number(_object(values or {}).get("actual"))
        if ours and actual_c is not None:
            target_c = _number(values.get("target")) or 0.0
            found.append(Temperature(name=ours, actual_c=actual_c, target_c=target_c))
    return tuple(found)


def _heater_name(name: str) -> str | None:
    if tool := _HEATER.fullmatch(name):
        return f"T{int(tool[1])}"
    return {"bed": "B", "chamber": "C"}.get(name)


def error_of(answer: Any) -> str:
    """Reads `GET /api/printer/error`: the printer's last error, empty if a print began since."""
    return _text(_object(answer).get("error"))


def message_of(answer: Any) -> str:
    """What OctoPrint says of a request that it refuses; empty if it says nothing readable."""
    return _text(answer.get("error")) if isinstance(answer, Mapping) else ""


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnreadableAnswerError("not an object")
    return value


def _text(value: Any) -> str:
    """One line of printable characters."""
    if not isinstance(value, str):
        return ""
    shown = "".join(x if x.isprintable() else " " for x in value[:TEXT_CHARS_MAX])
    return " ".join(shown.split())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not -1e15 < value < 1e15 or math.isnan(value):
        return None
    return float(value)


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else max(int(number), 0)
