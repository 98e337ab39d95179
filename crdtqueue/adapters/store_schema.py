"""The tables of the store, the steps from one version to the next, and the checksum of a row.

SQLite notices damage to its own structure, but not to the content of a row. A flipped bit in an
update would make this replica differ from all others for ever, unnoticed. A flipped bit in a
promise could let two printers print one job. Therefore these rows carry a checksum.
"""

import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

SCHEMA: Final = 2
"""1: meta, queues, updates, promises. 2: checksums, history."""

HISTORY_TABLE: Final = """CREATE TABLE history (
    print_id TEXT PRIMARY KEY, queue TEXT NOT NULL, job_id TEXT NOT NULL, job_name TEXT NOT NULL,
    file_name TEXT NOT NULL, sha256 TEXT NOT NULL, peer TEXT NOT NULL, printer_name TEXT NOT NULL,
    profile TEXT NOT NULL, result TEXT NOT NULL, reason TEXT NOT NULL,
    started_at_s REAL NOT NULL, ended_at_s REAL NOT NULL, bytes INTEGER NOT NULL,
    filament_mm REAL NOT NULL, generation INTEGER NOT NULL, run INTEGER NOT NULL,
    double INTEGER NOT NULL
) WITHOUT ROWID"""
HISTORY_INDEX: Final = "CREATE INDEX history_by_end ON history (ended_at_s, print_id)"

TABLES: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER) WITHOUT ROWID",
    """CREATE TABLE queues (
    name TEXT PRIMARY KEY, peers TEXT NOT NULL, position INTEGER NOT NULL, crc INTEGER
)""",
    """CREATE TABLE updates (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, data BLOB NOT NULL, crc INTEGER
)""",
    "CREATE INDEX updates_of_queue ON updates (queue, id)",
    """CREATE TABLE promises (
    queue TEXT NOT NULL, job TEXT NOT NULL, claim TEXT NOT NULL, armed INTEGER NOT NULL,
    crc INTEGER, PRIMARY KEY (queue, job)
) WITHOUT ROWID""",
    HISTORY_TABLE,
    HISTORY_INDEX,
)

Value: TypeAlias = str | bytes | int | float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table as check and rescue read it. The checksum of a row covers the columns `checked`."""

    name: str
    key: str
    columns: tuple[str, ...]
    checked: tuple[str, ...] = ()


HISTORY_COLUMNS: Final = (
    *("print_id", "queue", "job_id", "job_name", "file_name", "sha256", "peer", "printer_name"),
    *("profile", "result", "reason", "started_at_s", "ended_at_s", "bytes", "filament_mm"),
    *("generation", "run", "double"),
)

CONTENT: Final = (
    Table(name="meta", key="key", columns=("key", "value", "crc"), checked=("key", "value")),
    Table(
        name="queues",
        key="rowid",
        columns=("name", "peers", "position", "crc"),
        checked=("name", "peers"),
    ),
    Table(
        name="updates",
        key="id",
        columns=("id", "queue", "data", "crc"),
        checked=("queue", "data"),
    ),
    Table(
        name="promises",
        key="queue, job",
        columns=("queue", "job", "claim", "armed", "crc"),
        checked=("queue", "job", "claim", "armed"),
    ),
    Table(name="history", key="print_id", columns=HISTORY_COLUMNS),
)


def _checksums(table: Table) -> str:
    values = ", ".join(f"CAST({column} AS BLOB)" for column in table.checked)
    return f"UPDATE {table.name} SET crc = row_crc({values})"  # noqa: S608 # our own names


_MIGRATIONS: Final = {
    0: TABLES,
    1: (
        "ALTER TABLE meta ADD COLUMN crc INTEGER",
        "ALTER TABLE queues ADD COLUMN crc INTEGER",
        "ALTER TABLE updates ADD COLUMN crc INTEGER",
        "ALTER TABLE promises ADD COLUMN crc INTEGER",
        *(_checksums(table) for table in CONTENT if table.checked),
        HISTORY_TABLE,
        HISTORY_INDEX,
    ),
}
"""From which version, the statements that lead to `SCHEMA`."""


def row_crc(*values: Value) -> int:
    """The checksum of a row's columns."""
    parts = (value if isinstance(value, bytes) else str(value).encode() for value in values)
    return zlib.crc32(b"\0".join(parts))


def version_of(database: sqlite3.Connection) -> int:
    """The schema version of a store; 0 if it is empty."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)


def migrate(database: sqlite3.Connection, version: int) -> None:
    """Brings a store of `version` to `SCHEMA`, wholly or not at all."""
    if version == SCHEMA:
        return
    database.create_function("row_crc", -1, row_crc, deterministic=True)
    with database:
        database.execute("BEGIN IMMEDIATE")
        apply(database, _MIGRATIONS[version])


def apply(database: sqlite3.Connection, statements: Sequence[str]) -> None:
    """Runs statements in the transaction that is open, and names the version that they lead to."""
    for statement in statements:
        database.execute(statement)
    database.execute(f"PRAGMA user_version = {SCHEMA}")
