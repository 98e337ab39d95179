"""Facts about a store for a bug report: they name damage, and leave the store as it is."""

import sqlite3
from contextlib import closing
from pathlib import Path

from crdtqueue.adapters import store_facts
from crdtqueue.adapters import store_rescue as rescue
from crdtqueue.adapters.store_opening import open_store
from crdtqueue.adapters.store_schema import SCHEMA


def store_in(folder: Path) -> Path:
    path = folder / "store.sqlite3"
    open_store(path).database.close()
    return path


def test_a_sound_store_has_a_schema_and_no_damage(tmp_path: Path) -> None:
    path = store_in(tmp_path)
    before = path.read_bytes()
    assert store_facts.check(path) == {"schema": SCHEMA, "damage": "", "found": ""}
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_damage_is_named_whether_remembered_or_new(tmp_path: Path) -> None:
    path = store_in(tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        rescue.remember(database, "Something was lost.")
        database.execute("INSERT INTO meta VALUES ('x', 'y', 1)")
    facts = store_facts.check(path)
    assert facts["damage"] == "Something was lost."
    assert facts["found"] == "1 damaged rows in meta"
    path.write_bytes(b"no store at all" * 100)
    assert store_facts.check(path)["found"]


def test_a_store_that_is_missing_newer_or_too_large_is_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite3"
    assert "no store" in store_facts.check(path)["unavailable"]
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    assert "newer" in store_facts.check(path)["unavailable"]
    with path.open("r+b") as file:
        file.truncate(store_facts.CHECKED_BYTES_MAX + 1)
    assert "larger" in store_facts.check(path)["unavailable"]


def test_the_sizes_of_store_and_g_code_are_told(tmp_path: Path) -> None:
    path = store_in(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a").write_bytes(b"12345")
    facts = store_facts.sizes(path)
    assert facts["bytes"].keys() == {path.name}
    assert (facts["gcode_files"], facts["gcode_bytes"]) == (1, 5)
