"""Opens the file of the store: takes the lock, checks the version, looks for damage, makes the
tables."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from crdtqueue.adapters import store_rescue as rescue
from crdtqueue.adapters.store_schema import SCHEMA, migrate, version_of
from crdtqueue.adapters.wal import has_lost_commits
from crdtqueue.core.errors import Refused, Unavailable


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A store that may be written. `notices` are sentences about damage that was found at this
    opening."""

    database: sqlite3.Connection
    notices: str


def open_store(path: Path) -> Opened:
    """Opens or makes the file, for this process alone.

    Raises Refused if another process has it or a newer crdtqueue wrote it, and Unavailable if the
    disk does not let it be opened. A damaged store is set aside, and what is readable kept.
    """
    try:
        return _open(path)
    except sqlite3.Error as error:
        if rescue.code_of(error) == sqlite3.SQLITE_BUSY:
            raise Refused(
                f"Another crdtqueue is running with the folder {path.parent}. Stop it, or give"
                " another folder with --data."
            ) from error
        raise _cannot_open(path, error) from error
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: Path, error: Exception) -> Unavailable:
    return Unavailable(
        f"The store {path} cannot be opened: {error}. Check that its disk has room and its folder"
        " may be written."
    )


def _open(path: Path) -> Opened:
    finished = rescue.finish_rescue(path)
    rescue.restore_first_page(path)
    database, found = _sound_store(path)
    notices = found or finished
    try:
        database.execute("PRAGMA journal_mode = WAL")
        migrate(database, version_of(database))
        database.create_function("folded", 1, str.casefold, deterministic=True)
        if found:
            with database:
                rescue.remember(database, found)
    except BaseException:
        database.close()
        raise
    return Opened(database=database, notices=notices)


def _sound_store(path: Path) -> tuple[sqlite3.Connection, str]:
    """A store without damage, and what had to be done to get one."""
    notices, damage, kept = "", "", rescue.free_name(path)
    database = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
    try:
        _set_up(database)
        _refuse_newer(version_of(database), path)
        notices = _log_notices(database, path, kept)
        damage = rescue.find_damage(database)
    except rescue.FILE_ERRORS as error:
        if not rescue.is_damage(error):
            database.close()
            raise
        damage = str(error)
    except BaseException:
        database.close()
        raise
    if not damage:
        return database, notices
    rescue.keep_log(path, kept)  # SQLite puts what it makes of it into the store, and deletes it.
    database.close()
    notices = rescue.rescue(path, damage, kept)
    database = sqlite3.connect(path, check_same_thread=False, timeout=1.0)
    _set_up(database)
    return database, notices


def _set_up(database: sqlite3.Connection) -> None:
    # Two peers with one identity must never run: the lock goes when the process does.
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA cell_size_check = ON")
    database.text_factory = rescue.as_text
    # FULL, and the switch to the write-ahead log cannot be undone by a journal that comes back.
    database.execute("PRAGMA synchronous = EXTRA")


def _refuse_newer(version: int, path: Path) -> None:
    if version > SCHEMA:
        raise Refused(
            f"The store {path} was written by a newer crdtqueue. Update crdtqueue, or give another"
            " folder with --data."
        )


def _log_notices(database: sqlite3.Connection, path: Path, kept: Path) -> str:
    _, frames, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if not has_lost_commits(rescue.log_of(path), frames):
        return ""
    copy = rescue.keep_log(path, kept)
    return (
        f"The end of the store {path} was damaged and is cut off; what was written before it is"
        f" kept, and the damaged part is kept as {copy.name}. {rescue.ADVICE}"
    )
