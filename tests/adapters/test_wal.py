"""Lost transactions in SQLite's own logs, damaged frame by frame."""

import sqlite3
from pathlib import Path

import pytest

from crdtqueue.adapters.wal import has_lost_commits

COMMITS = 6
HEADER, FRAME = 32, 24 + 4096


@pytest.fixture
def log(tmp_path: Path) -> bytes:
    """A log of one frame for each transaction."""
    path = tmp_path / "store"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE facts (fact)")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for number in range(COMMITS):
        database.execute("INSERT INTO facts VALUES (?)", (number,))
        database.commit()
    log = path.with_name("store-wal").read_bytes()
    database.close()
    assert len(log) == HEADER + COMMITS * FRAME
    return log


def lost(tmp_path: Path, log: bytes) -> bool:
    """The verdict on a log, with SQLite's own word for how much of it is good."""
    path, wal = tmp_path / "copy", tmp_path / "copy-wal"
    path.write_bytes((tmp_path / "store").read_bytes())
    wal.write_bytes(log)
    database = sqlite3.connect(path)
    (_, frames, _) = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    verdict = has_lost_commits(wal, frames)
    database.close()
    return verdict


def flipped(log: bytes, place: int) -> bytes:
    return log[:place] + bytes([log[place] ^ 1]) + log[place + 1 :]


def test_a_whole_log_has_lost_nothing(tmp_path: Path, log: bytes) -> None:
    assert not lost(tmp_path, log)


@pytest.mark.parametrize("place", [0, 16, 24])
def test_a_bad_header_loses_everything(tmp_path: Path, log: bytes, place: int) -> None:
    assert lost(tmp_path, flipped(log, place))


@pytest.mark.parametrize("frame", range(COMMITS))
@pytest.mark.parametrize("place", [0, 8, 16, 24, 4000])
def test_a_bad_frame_is_noticed_unless_a_power_cut_may_have_left_it(
    tmp_path: Path, log: bytes, frame: int, place: int
) -> None:
    damaged = flipped(log, HEADER + frame * FRAME + place)
    is_chain_broken = place == 16
    behind = COMMITS - 1 - frame - is_chain_broken
    assert lost(tmp_path, damaged) == (behind > 0)


@pytest.mark.parametrize("size", [0, 1, HEADER, HEADER + FRAME - 1, HEADER + 3 * FRAME + 100])
def test_a_short_log_is_a_power_cut(tmp_path: Path, log: bytes, size: int) -> None:
    assert not lost(tmp_path, log[:size])


def test_zeros_are_what_a_file_system_leaves_after_a_power_cut(tmp_path: Path, log: bytes) -> None:
    assert not lost(tmp_path, bytes(len(log)))
    torn = HEADER + 2 * FRAME
    assert not lost(tmp_path, log[:torn] + bytes(len(log) - torn))


def test_what_an_earlier_log_left_behind_is_no_loss(tmp_path: Path, log: bytes) -> None:
    database = sqlite3.connect(tmp_path / "store")
    for number in range(COMMITS):
        database.execute("INSERT INTO facts VALUES (?)", (number,))
        database.commit()
    database.execute("PRAGMA wal_checkpoint(RESTART)")
    database.execute("INSERT INTO facts VALUES (9)")
    database.commit()
    assert not lost(tmp_path, (tmp_path / "store-wal").read_bytes())
    database.close()


def test_no_log_has_lost_nothing(tmp_path: Path) -> None:
    assert not has_lost_commits(tmp_path / "nothing", 0)
