"""Who may open a store, and what is found out before anything is written."""

import sqlite3
from pathlib import Path

import pytest

from crdtqueue.adapters.store_opening import open_store
from crdtqueue.adapters.store_rescue import DAMAGE_KEY
from crdtqueue.core.errors import Refused, Unavailable
from tests.harness.store_load import STORE_NAME


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / STORE_NAME


def test_a_new_store_has_no_news(path: Path) -> None:
    opened = open_store(path)
    assert opened.notices == ""
    assert opened.database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert opened.database.execute("PRAGMA synchronous").fetchone() == (3,)
    opened.database.close()


def test_a_store_of_a_newer_version_is_not_written_to(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE future (fact)")
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = path.read_bytes()
    with pytest.raises(Refused, match="Update crdtqueue"):
        open_store(path)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [STORE_NAME]


def test_a_store_that_is_in_use_is_refused_and_not_taken_for_damaged(path: Path) -> None:
    opened = open_store(path)
    with pytest.raises(Refused, match="Another crdtqueue"):
        open_store(path)
    opened.database.close()


def test_a_rescue_that_another_process_is_at_is_refused(path: Path) -> None:
    other = sqlite3.connect(path.with_name(f"{STORE_NAME}.rescue"))
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Refused, match="Another crdtqueue"):
        open_store(path)
    other.close()


@pytest.mark.parametrize("what", ["folder", "nowhere"])
def test_what_cannot_be_opened_is_one_sentence_and_stays(tmp_path: Path, what: str) -> None:
    path = tmp_path / "nowhere" / STORE_NAME if what == "nowhere" else tmp_path
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_store(path)
    assert list(tmp_path.iterdir()) == []


def test_damage_is_told_once_and_remembered(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(84))
    opened = open_store(path)
    assert f"{STORE_NAME}.damaged-1" in opened.notices
    opened.database.close()
    opened = open_store(path)
    assert opened.notices == ""
    (remembered,) = opened.database.execute(
        "SELECT value FROM meta WHERE key = ?", (DAMAGE_KEY,)
    ).fetchone()
    assert "damaged" in remembered
    opened.database.close()


def test_a_store_that_lost_its_version_is_rescued(path: Path) -> None:
    opened = open_store(path)
    with opened.database:
        opened.database.execute("INSERT INTO meta (key, value) VALUES ('peer', 'me')")
        opened.database.execute("PRAGMA user_version = 0")
    opened.database.close()
    opened = open_store(path)
    assert "no version" in opened.notices
    assert opened.database.execute("SELECT value FROM meta WHERE key = 'peer'").fetchone() == (
        "me",
    )
    opened.database.close()


def test_text_is_compared_without_case_in_any_language(path: Path) -> None:
    opened = open_store(path)
    assert opened.database.execute("SELECT folded('WÜRFEL')").fetchone() == ("würfel",)
    opened.database.close()
