"""The journal of prints: a durable record before the first line is sent, and one at the end.

JSON lines, each written with one `write` and fsynced. A torn last line (power cut) is skipped.
"""

import contextlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from printer_driver.errors import PrintRefused
from printer_driver.printer import (
    PrintReport,
    PrintState,
    report_from_json,
    report_to_json,
)

PRINTS_MAX = 200
"""Prints that are kept; the oldest go first."""
RECORDS_MAX = 4 * PRINTS_MAX
"""Lines in the file before it is written anew."""
STOPPED = "printer process stopped in mid-print"
STOPPED_CANCELLED = "Cancelled; the printer process stopped before that was done."
_WRITE = os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""The last two: not on Windows, and only there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One print."""

    report: PrintReport
    path: str
    sha256: str
    started_unix_s: float


class Journal:
    """The prints of this printer, by id. Nothing is read before `load` or `load_open`.

    `flush` and `begin` may run in another thread than the rest, one of them at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, Entry] = {}
        self._last: str | None = None
        self._unwritten: list[bytes] = []
        self._records = 0
        self.owes_cooling = False
        """Heaters may be on that no unfinished print answers for; whoever meets the printer next
        switches them off."""

    def load(self) -> list[PrintReport]:
        """Reads the file. Prints that an earlier process left unfinished count as failed now.

        Returns those. Raises `OSError` if the file cannot be read or written.
        """
        stopped = [stopped_report(x) for x in self._recall()]
        for report in stopped:
            self._remember(replace(self._entries[report.print_id], report=report))
        self._rewrite()
        return stopped

    def load_open(self) -> list[PrintReport]:
        """Reads the file; returns the prints that an earlier process left unfinished, unchanged.

        For a printer that goes on without this process. Raises `OSError` like `load`.
        """
        unfinished = self._recall()
        self._rewrite()
        return unfinished

    def _recall(self) -> list[PrintReport]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for record in self._read():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                if "withdrawn" in record:
                    self._forget(record["withdrawn"])
                elif "owes_cooling" in record:
                    self.owes_cooling = bool(record["owes_cooling"])
                else:
                    self._remember(_entry(record))
        return [x.report for x in self._entries.values() if not x.report.state.is_final]

    def _read(self) -> list[Any]:
        if not self._path.exists():
            return []
        records = []
        for line in self._path.read_bytes().splitlines():
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
        return records

    def _remember(self, entry: Entry) -> None:
        """Keeps the place of a print when its result comes."""
        if entry.report.print_id not in self._entries:
            self._last = entry.report.print_id
        self._entries[entry.report.print_id] = entry
        while len(self._entries) > PRINTS_MAX:
            del self._entries[next(iter(self._entries))]

    def _forget(self, print_id: str) -> None:
        self._entries.pop(print_id, None)
        self._last = next(reversed(self._entries), None)

    @property
    def last(self) -> PrintReport | None:
        """The report of the print that began last; None before the first."""
        return self.report(self._last) if self._last else None

    def report(self, print_id: str) -> PrintReport | None:
        """The report of a print."""
        entry = self._entries.get(print_id)
        return entry.report if entry else None

    def entry(self, print_id: str) -> Entry:
        """The entry of a known print. Raises `KeyError`."""
        return self._entries[print_id]

    def reports(self) -> list[PrintReport]:
        """The reports of all prints, the oldest first."""
        return [entry.report for entry in self._entries.values()]

    def begin(self, report: PrintReport, *, path: str, sha256: str, started_unix_s: float) -> None:
        """Records a print before its first line. Raises `PrintRefused` if that fails."""
        entry = Entry(report=report, path=path, sha256=sha256, started_unix_s=started_unix_s)
        try:
            self._append(_line(entry))
        except OSError as error:
            raise PrintRefused(
                f"The print journal cannot be written ({error}); make room on the disk.",
                code="disk",
            ) from error
        self._remember(entry)

    def end(self, report: PrintReport) -> None:
        """Records how a print has ended, or a later change of that; `flush` writes it."""
        entry = replace(self._entries[report.print_id], report=report)
        self._remember(entry)
        self._unwritten.append(_line(entry))

    def owe_cooling(self, *, is_owed: bool) -> None:
        """Records, before the `end` of a print, that it left heaters on; `flush` writes it."""
        if is_owed is not self.owes_cooling:
            self.owes_cooling = is_owed
            self._unwritten.append(_debt(is_owed=is_owed))

    def withdraw(self, print_id: str) -> None:
        """Forget a print that was not begun after all; written by `flush`."""
        self._forget(print_id)
        self._unwritten.append(json.dumps({"withdrawn": print_id}).encode("ascii") + b"\n")

    def flush(self) -> None:
        """Write what is not written yet. Raises `OSError`; call again later."""
        while self._unwritten:
            self._append(self._unwritten[0])
            del self._unwritten[0]
        if self._records > RECORDS_MAX:
            self._rewrite()

    @property
    def is_flushed(self) -> bool:
        """Whether everything is on disk."""
        return not self._unwritten

    def _append(self, line: bytes) -> None:
        """Writes a line feed first, so that the rest of a failed write spoils only itself."""
        fd = os.open(self._path, _WRITE | os.O_APPEND, 0o600)
        try:
            _write_durably(fd, b"\n" + line)
        finally:
            os.close(fd)
        self._records += 1

    def _rewrite(self) -> None:
        scratch = self._path.with_name(self._path.name + ".new")
        fd = os.open(scratch, _WRITE | os.O_TRUNC, 0o600)
        try:
            debt = [_debt(is_owed=True)] if self.owes_cooling else []
            entries = [_line(entry) for entry in list(self._entries.values())]
            _write_durably(fd, b"".join([*debt, *entries]))
        finally:
            os.close(fd)
        scratch.replace(self._path)
        self._records = len(self._entries)
        _sync_folder(self._path.parent)


def stopped_report(report: PrintReport, *, was_cancelled: bool = False) -> PrintReport:
    """The report of a print that an earlier process has left and that cannot be continued."""
    if was_cancelled:
        return replace(report, state=PrintState.CANCELLED, reason=STOPPED_CANCELLED)
    return replace(report, state=PrintState.FAILED, reason=STOPPED)


def _entry(record: Any) -> Entry:
    return Entry(
        report=report_from_json(record),
        path=str(record["path"]),
        sha256=str(record["sha256"]),
        started_unix_s=float(record["started_unix_s"]),
    )


def _line(entry: Entry) -> bytes:
    record = {
        **report_to_json(entry.report),
        "path": entry.path,
        "sha256": entry.sha256,
        "started_unix_s": entry.started_unix_s,
    }
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def _debt(*, is_owed: bool) -> bytes:
    return json.dumps({"owes_cooling": is_owed}).encode("ascii") + b"\n"


def _write_durably(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
    os.fsync(fd)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder cannot be opened there
        return
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
