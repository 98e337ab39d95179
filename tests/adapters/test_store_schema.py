"""What a store of the first version becomes."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from crdtqueue.adapters import store_schema
from crdtqueue.adapters.store import Store
from crdtqueue.adapters.store_schema import CONTENT, SCHEMA, TABLES, migrate, row_crc, version_of
from crdtqueue.core.errors import Unavailable
from tests.harness.store_load import (
    QUEUE,
    STORE_NAME,
    claim_of,
    read,
    write_version_1,
)


def columns(database: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in database.execute(f"PRAGMA table_info({table})")}


@pytest.mark.parametrize("version", [0, 1])
def test_every_version_leads_to_the_tables_of_the_present_one(tmp_path: Path, version: int) -> None:
    if version == 1:
        write_version_1(tmp_path, 2)
    database = sqlite3.connect(tmp_path / STORE_NAME)
    migrate(database, version)
    migrate(database, SCHEMA)
    assert version_of(database) == SCHEMA
    for table in CONTENT:
        assert columns(database, table.name) == set(table.columns)
        assert set(table.checked) < set(table.columns)
    database.close()


def test_what_the_first_version_wrote_is_still_there(tmp_path: Path) -> None:
    write_version_1(tmp_path, 12)

    async def use() -> None:
        store = Store(tmp_path / STORE_NAME)
        await store.open()
        assert await store.promises(QUEUE) == [(claim_of(12), True)]
        await store.append(QUEUE, b"13")
        await store.close()

    found = asyncio.run(read(tmp_path / STORE_NAME))
    assert found.numbers == tuple(range(1, 13))
    assert found.meta == found.epoch == 12
    asyncio.run(use())


def test_what_the_first_version_wrote_is_guarded_from_then_on(tmp_path: Path) -> None:
    write_version_1(tmp_path, 12)
    assert asyncio.run(read(tmp_path / STORE_NAME)).damage == ""
    database = sqlite3.connect(tmp_path / STORE_NAME)
    for table in ("meta", "updates", "promises"):
        sql = f"SELECT count(*) FROM {table} WHERE crc IS NULL"  # noqa: S608 # our own names
        assert database.execute(sql).fetchone() == (0,)
    with database:
        database.execute("UPDATE updates SET data = replace(data, 'x', 'y') WHERE id = 3")
    database.close()
    found = asyncio.run(read(tmp_path / STORE_NAME))
    assert set(found.numbers) == set(range(1, 13)) - {3}
    assert found.damage


def test_text_of_the_first_version_that_is_none_does_not_stop_the_migration(
    tmp_path: Path,
) -> None:
    write_version_1(tmp_path, 2)
    database = sqlite3.connect(tmp_path / STORE_NAME)
    with database:
        database.execute("INSERT INTO meta VALUES ('odd', CAST(x'ff' AS TEXT))")
    database.close()
    assert asyncio.run(read(tmp_path / STORE_NAME)).meta == 2


def test_a_migration_happens_wholly_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version_1(tmp_path, 2)
    statements = (*store_schema._MIGRATIONS[1], "SELECT no_such_column")
    monkeypatch.setitem(store_schema._MIGRATIONS, 1, statements)
    with pytest.raises(Unavailable):
        asyncio.run(Store(tmp_path / STORE_NAME).open())
    database = sqlite3.connect(tmp_path / STORE_NAME)
    assert version_of(database) == 1
    assert columns(database, "meta") == {"key", "value"}
    database.close()
    monkeypatch.undo()
    assert asyncio.run(read(tmp_path / STORE_NAME)).meta == 2


def test_the_checksum_is_of_the_content_however_it_was_read() -> None:
    assert row_crc("workshop", b"data", 1) == row_crc(b"workshop", b"data", 1)
    assert row_crc("a", "bc") != row_crc("ab", "c")


def test_each_table_is_made_once() -> None:
    assert len(TABLES) == len(set(TABLES))
