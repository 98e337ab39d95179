"""Rescues a damaged store: everything readable moves into a new one, and the old one is kept.

    store.sqlite3             the store
    store.sqlite3-wal         its write-ahead log
    store.sqlite3.rescue      the new store while it is being filled; complete once it has a version
    store.sqlite3.damaged-3   a damaged store, for experts
    store.sqlite3.damaged-3.log   its log, or a damaged log of a sound store

An interrupted rescue is finished, or begun again, at the next start.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from crdtqueue.adapters.store_schema import (
    CONTENT,
    SCHEMA,
    TABLES,
    Table,
    apply,
    row_crc,
    version_of,
)

DAMAGED_KEPT_MAX: Final = 5
"""So many damaged stores are kept, the newest."""

DAMAGE_KEY: Final = "damage"
"""Where `meta` keeps what is told of damage."""
ADVICE: Final = (
    "Check the disk or SD card: it may be failing. This printer takes no more jobs until somebody"
    " says that this was seen, on the page or with 'crdtqueue accept-damage'."
)

FILE_ERRORS: Final = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What a damaged file raises; the second, if SQLite's own message quotes the damage."""
_PASSING: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
"""Errors that say nothing of what is in the file."""


def code_of(error: Exception) -> int:
    """SQLite's primary result code; 0 for errors of Python's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def is_damage(error: Exception) -> bool:
    """Whether the file is not what it was, or its disk cannot read it any more."""
    code = code_of(error)
    if code == sqlite3.SQLITE_IOERR:
        return bool(getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_READ)
    return code not in _PASSING


def as_text(stored: bytes) -> str:
    """Text from the database, which damage may have made text no more."""
    return stored.decode(errors="replace")


def find_damage(database: sqlite3.Connection) -> str:
    """What is wrong with the file or with rows in it; empty if nothing is."""
    version = version_of(database)
    if version == 0:
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return "it has no version" if tables else ""
    (verdict,) = database.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        return str(verdict).splitlines()[-1]
    tables = [table for table in CONTENT if version == SCHEMA or table.name != "history"]
    bad = {table.name: _bad_rows(database, table) for table in tables}
    return ", ".join(f"{count} damaged rows in {name}" for name, count in bad.items() if count)


def rescue(path: Path, damage: str, kept: Path) -> str:
    """Puts a new store with every readable row in the place of the damaged one.

    Returns, as a sentence that the new store remembers, what was done. Nobody may have it open.
    """
    new = _rescue_path(path)
    _remove(new)
    notices = _fill(
        new, path, f"The store {path} was damaged ({damage}). It is kept as {kept.name}."
    )
    _swap(path, kept)
    return notices


def finish_rescue(path: Path) -> str:
    """Ends a rescue that was interrupted. Raises sqlite3.Error if another process is at it.

    Returns what was done, as a sentence; empty if there was none.
    """
    new = _rescue_path(path)
    if not new.exists():
        return ""
    notices = _notices_of(new)
    if not notices:
        _remove(new)
        return ""
    last = path.with_name(f"{path.name}.damaged-{max(_kept(path), default=1)}")
    _swap(path, free_name(path) if last.exists() else last)
    return notices


def _notices_of(new: Path) -> str:
    """What a rescued store remembers; empty if it is not whole."""
    with contextlib.closing(sqlite3.connect(new, timeout=1.0)) as database:
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("BEGIN EXCLUSIVE")
            if version_of(database) == 0:
                return ""
            sql = "SELECT value FROM meta WHERE key = ?"
            ((notices,),) = database.execute(sql, (DAMAGE_KEY,)).fetchall()
        except FILE_ERRORS as error:
            if not is_damage(error):
                raise
            return ""
        return str(notices)


def remember(database: sqlite3.Connection, notices: str) -> None:
    """Keeps what is told of damage in the store, until somebody has dealt with it."""
    values = (DAMAGE_KEY, notices, row_crc(DAMAGE_KEY, notices))
    database.execute("INSERT OR REPLACE INTO meta (key, value, crc) VALUES (?, ?, ?)", values)


def keep_log(path: Path, kept: Path) -> Path:
    """Copies a write-ahead log aside, if there is one, and returns where to."""
    log, copy = log_of(path), kept.with_name(f"{kept.name}.log")
    if log.exists() and log.stat().st_size and not copy.exists():
        shutil.copyfile(log, copy)
        _forget_oldest(path)
    return copy


def keep_copy(database: sqlite3.Connection, path: Path) -> Path:
    """Copies the store aside as it is, before something is cut out of it."""
    kept = free_name(path)
    try:
        database.execute("VACUUM INTO ?", (str(kept),))
    except sqlite3.Error:
        kept.unlink(missing_ok=True)
        raise
    _forget_oldest(path)
    return kept


def log_of(path: Path) -> Path:
    """The write-ahead log of a store."""
    return path.with_name(f"{path.name}-wal")


def restore_first_page(path: Path) -> None:
    """Lets SQLite read the log of a store that was cut to nothing; it would delete the log."""
    if path.is_file() and path.stat().st_size == 0:
        log = log_of(path)
        if log.is_file() and log.stat().st_size:
            path.write_bytes(bytes(4096))


def _bad_rows(database: sqlite3.Connection, table: Table) -> int:
    database.text_factory = bytes
    try:
        rows = _rows(database, table)
        return sum(not _is_sound(table, row) for row in rows) if table.checked else 0
    finally:
        database.text_factory = as_text


def _rows(
    database: sqlite3.Connection, table: Table, direction: str = ""
) -> Iterator[dict[str, Any]]:
    """The rows by column; text as bytes, because it may be text no more."""
    there = {row[1] for row in database.execute(f"PRAGMA table_info({table.name})")}
    columns = [c for c in table.columns if c != "crc" or b"crc" in there]
    sql = f"SELECT {', '.join(columns)} FROM {table.name} NOT INDEXED ORDER BY {table.key}"  # noqa: S608 # our own names
    found = database.execute(sql + direction)
    return (dict(zip(columns, row, strict=True)) for row in found)


def _is_sound(table: Table, row: dict[str, Any]) -> bool:
    """Whether the checksum is right, if there is one: the first version had none."""
    if not table.checked or row.get("crc") is None:
        return True
    return bool(row_crc(*(row[name] for name in table.checked)) == row["crc"])


def _fill(new: Path, path: Path, notices: str) -> str:
    with contextlib.closing(sqlite3.connect(new, timeout=1.0)) as target:
        target.execute("PRAGMA locking_mode = EXCLUSIVE")
        target.execute("PRAGMA synchronous = EXTRA")
        with target:
            target.execute("BEGIN EXCLUSIVE")
            apply(target, TABLES)
            rows = _save_rows(path, target)
            notices += f" The {rows} rows that could be read are in the new one. {ADVICE}"
            remember(target, notices)
    return notices


def _save_rows(path: Path, target: sqlite3.Connection) -> int:
    before = target.total_changes
    with contextlib.closing(sqlite3.connect(path, timeout=1.0)) as source:
        try:
            _save_tables(source, target)
        except FILE_ERRORS as error:
            if not is_damage(error):
                raise
    return target.total_changes - before


def _save_tables(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    # Without this a file that is shorter than it should be cannot be read at all.
    source.execute("PRAGMA writable_schema = ON")
    source.text_factory = bytes
    for table in CONTENT:
        for row in _readable(source, table):
            _save(target, table, row)


def _readable(source: sqlite3.Connection, table: Table) -> Iterator[dict[str, Any]]:
    """The rows from both ends; what lies between two damaged places cannot be reached."""
    for direction in ("", " DESC"):
        try:
            yield from _rows(source, table, direction)
        except FILE_ERRORS as error:
            if code_of(error) in _PASSING:
                raise
        else:
            return


def _save(target: sqlite3.Connection, table: Table, row: dict[str, Any]) -> None:
    if not _is_sound(table, row):
        return
    if table.checked:
        row["crc"] = row_crc(*(row[name] for name in table.checked))
    try:
        values = [_as_stored(name, value) for name, value in row.items()]
    except UnicodeDecodeError:
        return
    sql = (
        f"INSERT OR IGNORE INTO {table.name} ({', '.join(row)})"  # noqa: S608 # our own names
        f" VALUES ({', '.join('?' * len(row))})"
    )
    target.execute(sql, values)


def _as_stored(name: str, value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) and name != "data" else value


def _swap(path: Path, kept: Path) -> None:
    keep_log(path, kept)
    log_of(path).unlink(missing_ok=True)
    if path.exists():
        path.replace(kept)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    _rescue_path(path).replace(path)
    _sync_folder(path.parent)
    _forget_oldest(path)


def _rescue_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.rescue")


def _remove(new: Path) -> None:
    for each in (new, new.with_name(f"{new.name}-journal")):
        each.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """What the next damaged store is called."""
    number = max(_kept(path), default=0) + 1
    return path.with_name(f"{path.name}.damaged-{number}")


def _kept(path: Path) -> dict[int, list[Path]]:
    """The files that were set aside, by their numbers."""
    found: dict[int, list[Path]] = {}
    for each in path.parent.glob(f"{path.name}.damaged-*"):
        number = each.name.removeprefix(f"{path.name}.damaged-").removesuffix(".log")
        if number.isascii() and number.isdigit():
            found.setdefault(int(number), []).append(each)
    return found


def _forget_oldest(path: Path) -> None:
    kept = _kept(path)
    for number in sorted(kept)[:-DAMAGED_KEPT_MAX]:
        for each in kept[number]:
            each.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes renames durable, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
