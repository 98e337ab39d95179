"""The history as a file: CSV (RFC 4180) for spreadsheets, JSON for programs.

Both are produced in pieces, so that a long history is never in memory as a whole.
"""

import csv
import io
import json
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Final

from crdtqueue.core.history import HistoryEntry

COLUMNS: Final = tuple(field.name.removesuffix("_at_s") for field in fields(HistoryEntry))
"""The columns of the CSV; `started` and `ended` are ISO 8601, UTC."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Source: OWASP, "CSV Injection"."""


async def csv_lines(entries: AsyncIterable[HistoryEntry]) -> AsyncIterator[str]:
    """The entries as CSV, a header line first.

    Text that a spreadsheet could take for a formula begins with an apostrophe.
    """
    yield _csv_line(COLUMNS)
    async for entry in entries:
        yield _csv_line([_cell(name, value) for name, value in asdict(entry).items()])


async def json_pieces(entries: AsyncIterable[HistoryEntry]) -> AsyncIterator[str]:
    """The entries as one JSON array of objects, with the fields of `HistoryEntry`."""
    between = "["
    async for entry in entries:
        yield f"{between}\n{json.dumps(asdict(entry), allow_nan=False)}"
        between = ","
    yield "[]\n" if between == "[" else "\n]\n"


def _csv_line(cells: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # type: ignore[arg-type]  # strings and numbers
    return line.getvalue()


def _cell(name: str, value: object) -> object:
    if name.endswith("_at_s") and isinstance(value, float):
        return _iso(value)
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _iso(time_s: float) -> str:
    """Empty for a time that nobody knew."""
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time_s else ""
