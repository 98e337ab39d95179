"""Damaged stores: what is kept of them, and a rescue that is itself interrupted."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from crdtqueue.adapters import store_rescue
from crdtqueue.adapters.store import Store
from crdtqueue.adapters.store_opening import open_store
from crdtqueue.adapters.store_rescue import DAMAGED_KEPT_MAX
from crdtqueue.adapters.store_schema import TABLES
from crdtqueue.core.errors import Unavailable
from tests.harness.store_load import (
    STORE_NAME,
    read,
    write_number,
)

NUMBERS = 200


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with `NUMBERS` in it."""

    async def fill(store: Store) -> None:
        await store.open()
        await asyncio.gather(*(write_number(store, n) for n in range(1, NUMBERS + 1)))
        await store.close()

    path = tmp_path / STORE_NAME
    asyncio.run(fill(Store(path)))
    return path


def change(path: Path, sql: str) -> None:
    database = sqlite3.connect(path)
    with database:
        database.execute(sql)
    database.close()


def spoil_page(path: Path, table: str, part: float) -> None:
    """Overwrites one leaf of a table, so far from its beginning."""
    database = sqlite3.connect(path)
    pages = database.execute(
        "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,)
    ).fetchall()
    database.close()
    (page,) = pages[int(part * (len(pages) - 1))]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("UPDATE updates SET data = replace(data, 'x', 'y') WHERE id = 7", {7}),
        ("UPDATE updates SET queue = 'workshoq' WHERE id = 8", {8}),
        ("UPDATE updates SET crc = crc + 1 WHERE id IN (1, 200)", {1, 200}),
        ("UPDATE updates SET queue = CAST(x'ff00' AS TEXT) WHERE id = 9", {9}),
    ],
)
def test_a_changed_row_is_cut_out_and_all_others_stay(path: Path, sql: str, lost: set[int]) -> None:
    change(path, sql)
    found = asyncio.run(read(path))
    assert set(found.numbers) == set(range(1, NUMBERS + 1)) - lost
    assert f"{len(lost)} damaged rows in updates" in found.damage
    assert path.with_name(f"{STORE_NAME}.damaged-1").exists()


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("meta", "UPDATE meta SET value = '1' WHERE key = 'number'"),
        ("promises", "UPDATE promises SET armed = 0"),
        ("promises", "UPDATE promises SET claim = replace(claim, '/200/', '/100/')"),
    ],
)
def test_a_changed_fact_is_nobodys_fact(path: Path, table: str, sql: str) -> None:
    change(path, sql)
    found = asyncio.run(read(path))
    assert f"1 damaged rows in {table}" in found.damage
    assert (found.meta, found.epoch) == ((0, NUMBERS) if table == "meta" else (NUMBERS, 0))
    assert len(found.numbers) == NUMBERS


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_page_that_is_lost_takes_only_its_rows_along(path: Path, part: float) -> None:
    spoil_page(path, "updates", part)
    found = asyncio.run(read(path))
    assert NUMBERS * 0.6 < len(found.numbers) < NUMBERS
    assert (found.meta, found.epoch, found.history) == (NUMBERS, NUMBERS, NUMBERS)
    assert found.damage


def test_a_lost_page_of_the_index_loses_nothing(path: Path) -> None:
    spoil_page(path, "updates_of_queue", 0.5)
    found = asyncio.run(read(path))
    assert found.has(NUMBERS)
    assert found.damage


def test_a_renamed_table_takes_only_itself_along(path: Path) -> None:
    change(path, "ALTER TABLE promises RENAME TO promiser")
    found = asyncio.run(read(path))
    assert len(found.numbers) == found.meta == NUMBERS
    assert found.epoch == 0
    assert found.damage


def test_a_schema_that_is_no_text_is_damage(path: Path) -> None:
    content = path.read_bytes()
    assert content.count(b"CREATE TABLE promises") == 1
    path.write_bytes(content.replace(b"CREATE TABLE promises", b"CREATE \xf2\x28\xffE promises"))
    assert asyncio.run(read(path)).damage


def test_a_store_cut_to_nothing_is_read_from_its_log(path: Path, tmp_path: Path) -> None:
    opened = open_store(path)
    with opened.database:
        opened.database.execute("INSERT INTO meta (key, value) VALUES ('late', 'fact')")
    copy = tmp_path / "copy"
    copy.mkdir()
    log = store_rescue.log_of(path).read_bytes()
    opened.database.close()
    (copy / STORE_NAME).touch()
    store_rescue.log_of(copy / STORE_NAME).write_bytes(log)
    assert asyncio.run(read(copy / STORE_NAME)).damage
    assert (copy / f"{STORE_NAME}.damaged-1").exists()


def test_only_the_newest_damaged_stores_are_kept(path: Path) -> None:
    for _ in range(DAMAGED_KEPT_MAX + 2):
        change(path, "UPDATE promises SET crc = 1")
        change(path, "INSERT OR REPLACE INTO meta VALUES ('key', 'x', 1)")
        asyncio.run(read(path))
    names = {each.name for each in path.parent.glob("*.damaged-*")}
    assert names == {f"{STORE_NAME}.damaged-{n}" for n in range(3, DAMAGED_KEPT_MAX + 3)}


def die_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """The process dies at this rename of a rescue."""
    real: Callable[[Path, Path], Path] = Path.replace
    calls = iter(range(100))

    def replace(self: Path, target: Path) -> Path:
        if next(calls) == call:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)


@pytest.mark.parametrize("call", [0, 1])
def test_a_rescue_that_was_interrupted_is_finished(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    change(path, "UPDATE updates SET crc = 1 WHERE id = 7")
    with monkeypatch.context() as patched:
        die_at(patched, call)
        with pytest.raises(KeyboardInterrupt):
            open_store(path)
    found = asyncio.run(read(path))
    assert len(found.numbers) == NUMBERS - 1
    assert found.epoch == NUMBERS
    assert f"{STORE_NAME}.damaged-1" in found.damage
    assert names_in(path.parent) == {STORE_NAME, f"{STORE_NAME}.damaged-1"}


@pytest.mark.parametrize("call", [0, 1])
def test_an_interrupted_rescue_keeps_the_log_with_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    path = tmp_path / STORE_NAME
    path.write_bytes(b"no store" * 999)
    store_rescue.log_of(path).write_bytes(b"no log" * 99)
    with monkeypatch.context() as patched:
        die_at(patched, call)
        with pytest.raises(KeyboardInterrupt):
            open_store(path)
    opened = open_store(path)
    assert f"{STORE_NAME}.damaged-1." in opened.notices
    opened.database.close()
    kept = f"{STORE_NAME}.damaged-1"
    assert names_in(tmp_path) == {STORE_NAME, kept, f"{kept}.log"}
    assert (tmp_path / kept).read_bytes() == b"no store" * 999


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_a_rescue_that_died_while_copying_begins_anew(path: Path) -> None:
    change(path, "UPDATE updates SET crc = 1 WHERE id = 7")
    path.with_name(f"{STORE_NAME}.rescue").write_bytes(b"half a store")
    found = asyncio.run(read(path))
    assert len(found.numbers) == NUMBERS - 1
    assert not path.with_name(f"{STORE_NAME}.rescue").exists()


def test_a_rescue_without_room_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(path, "UPDATE updates SET crc = 1 WHERE id = 7")
    before = path.read_bytes()
    monkeypatch.setattr(
        "crdtqueue.adapters.store_rescue.TABLES", ("PRAGMA max_page_count = 20", *TABLES)
    )
    with pytest.raises(Unavailable, match="has room"):
        open_store(path)
    assert path.read_bytes() == before
    monkeypatch.undo()
    assert len(asyncio.run(read(path)).numbers) == NUMBERS - 1


def test_a_copy_without_room_is_no_copy(path: Path) -> None:
    opened = open_store(path)
    opened.database.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
    with pytest.raises(sqlite3.Error):
        store_rescue.keep_copy(opened.database, path)
    opened.database.set_authorizer(None)
    opened.database.close()
    assert [each.name for each in path.parent.iterdir()] == [STORE_NAME]
