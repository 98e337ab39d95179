"""Facts about the files of a data folder, for a bug report: sizes, schema and damage, no contents.

Nothing here opens the store in place. A process that opens and closes the file a second time drops
its own locks on it (POSIX), so a running peer would lose the lock that keeps a second peer out.
"""

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any, Final

from crdtqueue.adapters import store_rescue as rescue
from crdtqueue.adapters.store_schema import SCHEMA, version_of

CHECKED_BYTES_MAX: Final = 256 * 1024 * 1024
"""A larger store is not copied to be checked."""


def sizes(store: Path) -> dict[str, Any]:
    """The sizes in bytes of the store and the files beside it, and of the g-code.

    Raises OSError if the folder cannot be listed.
    """
    gcode = _sizes(store.parent / "files", "*")
    return {
        "bytes": _sizes(store.parent, f"{store.name}*"),
        "gcode_files": len(gcode),
        "gcode_bytes": sum(gcode.values()),
    }


def check(store: Path) -> dict[str, Any]:
    """The schema and the damage of a store that no peer of this process has open.

    `damage` is what the store remembers, `found` what is wrong with it now. Both are empty for a
    sound store. A copy is checked, so the store stays as it is.
    """
    if not store.is_file():
        return {"unavailable": "there is no store"}
    if store.stat().st_size > CHECKED_BYTES_MAX:
        return {"unavailable": f"larger than {CHECKED_BYTES_MAX} bytes, so it was not checked"}
    with tempfile.TemporaryDirectory(prefix="crdtqueue-") as folder:
        copy = Path(folder) / store.name
        shutil.copyfile(store, copy)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(rescue.log_of(store), rescue.log_of(copy))
        try:
            return _check_copy(copy)
        except rescue.FILE_ERRORS as error:
            return {"schema": None, "damage": "", "found": str(error)}


def _check_copy(copy: Path) -> dict[str, Any]:
    with contextlib.closing(sqlite3.connect(copy)) as database:
        version = version_of(database)
        if version > SCHEMA:
            return {"schema": version, "unavailable": "written by a newer crdtqueue"}
        database.text_factory = rescue.as_text
        found = rescue.find_damage(database)
        sql = "SELECT value FROM meta WHERE key = ?"
        rows = database.execute(sql, (rescue.DAMAGE_KEY,)).fetchall() if version else []
    return {"schema": version, "damage": rows[0][0] if rows else "", "found": found}


def _sizes(folder: Path, pattern: str) -> dict[str, int]:
    found = {}
    for path in sorted(folder.glob(pattern)):
        with contextlib.suppress(FileNotFoundError):  # The peer that runs deletes files, too.
            found[path.name] = path.stat().st_size
    return found
