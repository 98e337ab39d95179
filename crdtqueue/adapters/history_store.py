"""The history on disk: a table in the store, one row for each print that ended."""

import math
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from crdtqueue.adapters.store import Store
from crdtqueue.adapters.store_schema import HISTORY_COLUMNS, Value
from crdtqueue.core.document.model import Result
from crdtqueue.core.errors import Invalid
from crdtqueue.core.history import (
    HISTORY_ROWS_MAX,
    PAGE_ROWS_MAX,
    HistoryEntry,
    HistoryFilter,
)
from crdtqueue.core.ids import PrintId

RECORD_ROWS: Final = 200
"""So many entries are written at a time, so that a promise never waits long for its turn."""

_TEXTS: Final = ("job_name", "file_name", "sha256", "printer_name", "profile", "reason")
_NUMBERS: Final = ("started_at_s", "ended_at_s", "bytes", "filament_mm", "double")
_NUMERIC: Final = frozenset((*_NUMBERS, "generation", "run"))
_EMPTY: Final = dict.fromkeys(_TEXTS, "''") | dict.fromkeys(_NUMBERS, "0")
"""What may become known later than the print itself, and how it is stored while it is not."""

_RECORD: Final = (
    f"INSERT INTO history ({', '.join(HISTORY_COLUMNS)})"  # noqa: S608 # our own names
    f" VALUES ({', '.join('?' * len(HISTORY_COLUMNS))}) ON CONFLICT (print_id) DO UPDATE SET "
    + ", ".join(f"{c} = iif({c} = {e}, excluded.{c}, {c})" for c, e in _EMPTY.items())
    + " WHERE "
    + " OR ".join(f"({c} = {e} AND excluded.{c} <> {e})" for c, e in _EMPTY.items())
)
_FORGET_OLDEST: Final = (
    "DELETE FROM history WHERE print_id IN (SELECT print_id FROM history"
    " ORDER BY ended_at_s DESC, print_id DESC LIMIT -1 OFFSET ?)"
)
_SHOWN: Final = " || char(10) || ".join(
    ("queue", "job_name", "file_name", "printer_name", "profile", "reason")
)
_FITS: Final = (
    "(:printer = '' OR peer = :printer OR folded(printer_name) = folded(:printer))"
    " AND (:job = '' OR job_id = :job OR folded(job_name) = folded(:job))"
    " AND (:queue = '' OR folded(queue) = folded(:queue))"
    " AND (:result IS NULL OR result = :result)"
    " AND (:from_s IS NULL OR ended_at_s >= :from_s)"
    " AND (:until_s IS NULL OR ended_at_s < :until_s)"
    f" AND (:text = '' OR instr(folded({_SHOWN}), folded(:text)) > 0)"
    # Several times as fast as folding all of the history, and the same for ASCII.
    f" AND (:ascii = '' OR {_SHOWN} LIKE :ascii ESCAPE '!')"
)
_SELECT: Final = f"SELECT {', '.join(HISTORY_COLUMNS)} FROM history"  # noqa: S608 # our own names
_PAGE: Final = (
    f"{_SELECT} WHERE (ended_at_s, print_id) < (:end_s, :print_id) AND {_FITS}"
    " ORDER BY ended_at_s DESC, print_id DESC LIMIT :limit"
)
_COUNT: Final = f"SELECT count(*) FROM history WHERE {_FITS}"  # noqa: S608 # our own names


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryPage:
    """Entries, the latest first. `total` counts the entries of all pages; `after` is the cursor of
    the next page, if there is one."""

    entries: tuple[HistoryEntry, ...]
    total: int
    after: str


class HistoryStore:
    """The history of all queues of this peer. The store must be open."""

    def __init__(self, store: Store, *, rows_max: int = HISTORY_ROWS_MAX) -> None:
        self._store = store
        self._rows_max = rows_max

    async def record(self, entries: Iterable[HistoryEntry]) -> None:
        """Writes entries down, durably. Any of them may have been written down before.

        Raises Unavailable if the disk is full; it may be called again with all of them.
        """
        left = iter(entries)
        while chunk := [(_RECORD, _values(entry)) for entry in islice(left, RECORD_ROWS)]:
            await self._store.write(*chunk)
        await self._store.write((_FORGET_OLDEST, (self._rows_max,)))

    async def entry(self, print_id: PrintId) -> HistoryEntry | None:
        """The entry of one print, to print the same once more; None if there is none."""
        rows = await self._store.read(f"{_SELECT} WHERE print_id = ?", (print_id,))
        return _entry(rows[0]) if rows else None

    async def page(
        self, wanted: HistoryFilter, *, after: str = "", limit: int = PAGE_ROWS_MAX
    ) -> HistoryPage:
        """The latest entries, or those after a page. Raises Invalid if there is no such page."""
        if not 1 <= limit <= PAGE_ROWS_MAX:
            raise Invalid(f"A page of the history has 1 to {PAGE_ROWS_MAX} entries.")
        entries = await self._after(wanted, after, limit)
        ((total,),) = await self._store.read(_COUNT, _filter(wanted))
        is_full = len(entries) == limit
        return HistoryPage(
            entries=tuple(entries), total=total, after=_mark(entries[-1]) if is_full else ""
        )

    async def all(self, wanted: HistoryFilter) -> AsyncIterator[HistoryEntry]:
        """Every entry, the latest first, with no more than a page of them in memory."""
        after = ""
        while entries := await self._after(wanted, after, PAGE_ROWS_MAX):
            for entry in entries:
                yield entry
            after = _mark(entries[-1])

    async def _after(self, wanted: HistoryFilter, after: str, limit: int) -> list[HistoryEntry]:
        end_s, print_id = _place(after)
        values = _filter(wanted) | {"end_s": end_s, "print_id": print_id, "limit": limit}
        return [_entry(row) for row in await self._store.read(_PAGE, values)]


def _filter(wanted: HistoryFilter) -> dict[str, Value]:
    values = asdict(wanted) | {"ascii": ""}
    if wanted.text.isascii() and wanted.text:
        escaped = "".join(f"!{char}" if char in "!%_" else char for char in wanted.text)
        values |= {"text": "", "ascii": f"%{escaped}%"}
    return values


def _mark(entry: HistoryEntry) -> str:
    return f"{entry.ended_at_s!r}:{entry.print_id}"


def _place(after: str) -> tuple[float, str]:
    if not after:
        return math.inf, ""
    end, _, print_id = after.partition(":")
    try:
        return float(end), print_id
    except ValueError as error:
        raise Invalid("There is no such page of the history. Begin with the first.") from error


def _values(entry: HistoryEntry) -> tuple[Value, ...]:
    fields = asdict(entry)
    return tuple(_storable(fields[column]) for column in HISTORY_COLUMNS)


def _storable(value: str | float) -> Value:
    """Other peers can put halves of characters, and no numbers, into their records."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    return value if math.isfinite(value) else 0


def _entry(row: Sequence[Any]) -> HistoryEntry:
    """History rows have no checksum: a damaged one is shown as it is, and breaks nothing."""
    fields = dict(zip(HISTORY_COLUMNS, row, strict=True))
    for name, value in fields.items():
        is_number = isinstance(value, int | float)
        fields[name] = (value if is_number else 0) if name in _NUMERIC else str(value)
    known = fields["result"] in set(Result)
    result = Result(fields["result"]) if known else Result.ABORTED
    return HistoryEntry(**fields | {"result": result, "double": bool(fields["double"])})


PRINTERS_MAX: Final = 500
"""Those that have printed last; the others are found by typing their name."""

_NAMES: Final = (
    "SELECT printer_name FROM history WHERE printer_name <> ''"
    " GROUP BY printer_name ORDER BY max(ended_at_s) DESC LIMIT ?"
)


async def printer_names(store: Store, limit: int = PRINTERS_MAX) -> list[str]:
    """Each name once, whatever its case, as it was written last; in alphabetical order."""
    names: dict[str, str] = {}
    for (name,) in await store.read(_NAMES, (limit,)):
        names.setdefault(str(name).casefold(), str(name))
    return [names[folded] for folded in sorted(names)]
