"""The g-code files on a real disk: uploads, pieces, damage, and a disk without room."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crdtqueue.adapters import file_store
from crdtqueue.adapters.file_store import FileStore
from crdtqueue.core.document.model import FileRef
from crdtqueue.core.errors import Invalid, Unavailable
from crdtqueue.core.ids import Sha256
from tests.harness.loopback_peers import (
    GCODE,
    chunks,
)

GCODE_FOLDER = Path(__file__).parents[1] / "data" / "gcode"
SHA256 = Sha256(hashlib.sha256(GCODE).hexdigest())
FILE = FileRef(sha256=SHA256, name="part.gcode", size_bytes=len(GCODE))


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    opened = FileStore(tmp_path / "files")
    asyncio.run(opened.open())
    return opened


def left_over(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").iterdir())


def test_an_upload_is_kept_by_its_hash_whatever_its_pieces(
    store: FileStore, tmp_path: Path
) -> None:
    upload = asyncio.run(store.receive("part.gcode", chunks(GCODE[:1], b"", GCODE[1:])))
    assert upload.file == FILE
    assert upload.profile == "MK3S"
    assert left_over(tmp_path) == [SHA256]
    assert store.path(SHA256).read_bytes() == GCODE
    assert asyncio.run(store.verify(SHA256))
    assert asyncio.run(store.all()) == {SHA256}
    assert asyncio.run(store.size_bytes(SHA256)) == len(GCODE)


def test_the_same_file_twice_and_at_once_is_one_file(store: FileStore, tmp_path: Path) -> None:
    async def scenario() -> None:
        uploads = await asyncio.gather(
            *(store.receive(f"part {n}.gcode", chunks(GCODE)) for n in range(5))
        )
        assert {upload.file.sha256 for upload in uploads} == {SHA256}

    asyncio.run(scenario())
    assert left_over(tmp_path) == [SHA256]


@pytest.mark.parametrize("path", sorted(GCODE_FOLDER.glob("*.gcode")), ids=lambda path: path.name)
def test_files_of_real_slicers_name_their_printer(store: FileStore, path: Path) -> None:
    data = path.read_bytes()
    pieces = [data[start : start + 64_000] for start in range(0, len(data), 64_000)]
    upload = asyncio.run(store.receive(path.name, chunks(*pieces)))
    assert upload.profile
    assert upload.file.size_bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\r\n ", "is empty"),
        (b"solid cube\nfacet normal 0 0 1\n", "is not g-code"),
        (b"G28\n\0\0\0", "is not g-code"),
        (os.urandom(50_000) + b"\0", "is not g-code"),
    ],
)
def test_what_is_no_gcode_is_not_kept(
    store: FileStore, tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        asyncio.run(store.receive("thing.stl", chunks(content)))
    assert left_over(tmp_path) == []


def test_a_file_that_is_too_large_is_given_up_at_once(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store, "FILE_BYTES_MAX", 1_000)
    with pytest.raises(Invalid, match="Slice it with less detail"):
        asyncio.run(store.receive("big.gcode", chunks(*[GCODE] * 100)))
    assert left_over(tmp_path) == []


def test_an_upload_that_breaks_off_leaves_nothing(store: FileStore, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield GCODE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        asyncio.run(store.receive("part.gcode", broken()))
    assert left_over(tmp_path) == []


def test_uploads_of_an_earlier_process_are_cleared_away_and_parts_kept(
    store: FileStore, tmp_path: Path
) -> None:
    (tmp_path / "files" / "upload-dead").write_bytes(b"x")
    (tmp_path / "files" / f"{SHA256}.part").write_bytes(GCODE[:10])
    asyncio.run(store.open())
    assert left_over(tmp_path) == [f"{SHA256}.part"]
    assert asyncio.run(store.partial_bytes(SHA256)) == 10


def test_a_full_disk_takes_no_file_and_keeps_what_it_has(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_store, "DISK_RESERVE_BYTES", 2**62)
    with pytest.raises(Unavailable, match=r"no space left on device\. Make room"):
        asyncio.run(store.receive("part.gcode", chunks(GCODE)))
    with pytest.raises(Unavailable, match="Make room"):
        asyncio.run(store.append(SHA256, GCODE))
    assert left_over(tmp_path) == []


def test_pieces_are_read_from_any_offset(store: FileStore) -> None:
    async def scenario() -> None:
        await store.receive("part.gcode", chunks(GCODE))
        assert await store.piece(SHA256, 0, 5) == GCODE[:5]
        assert await store.piece(SHA256, 5, 10**6) == GCODE[5:]
        assert await store.piece(SHA256, len(GCODE), 5) == b""
        assert await store.piece(SHA256, 2**53, 5) == b""
        assert await store.piece(Sha256("0" * 64), 0, 5) is None

    asyncio.run(scenario())


def test_a_fetched_file_is_whole_once_its_hash_is_right(store: FileStore, tmp_path: Path) -> None:
    async def scenario() -> None:
        assert not await store.finish(FILE)
        await store.append(SHA256, GCODE[:20])
        assert await store.partial_bytes(SHA256) == 20
        assert await store.size_bytes(SHA256) is None
        await store.append(SHA256, GCODE[20:])
        assert await store.finish(FILE)
        assert await store.partial_bytes(SHA256) == 0

    asyncio.run(scenario())
    assert left_over(tmp_path) == [SHA256]


def test_a_fetched_file_with_another_hash_is_thrown_away(store: FileStore, tmp_path: Path) -> None:
    async def scenario() -> None:
        await store.append(SHA256, b"G1 X666\n")
        assert not await store.finish(FILE)

    asyncio.run(scenario())
    assert left_over(tmp_path) == []


def test_a_file_that_was_damaged_on_the_disk_is_removed(store: FileStore, tmp_path: Path) -> None:
    async def scenario() -> None:
        await store.receive("part.gcode", chunks(GCODE))
        await asyncio.to_thread(store.path(SHA256).write_bytes, GCODE[:-1])
        assert not await store.verify(SHA256)
        assert not await store.verify(SHA256)

    asyncio.run(scenario())
    assert left_over(tmp_path) == []


def test_the_oldest_files_that_no_job_names_go_first(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "files", store_bytes_max=3 * len(GCODE))

    async def scenario() -> list[Sha256]:
        await store.open()
        kept = []
        for number in range(5):
            gcode = GCODE[:-2] + f"{number}\n".encode()
            kept.append((await store.receive("part.gcode", chunks(gcode))).file.sha256)
            await asyncio.to_thread(os.utime, store.path(kept[-1]), (number, number))
        assert await store.evict({kept[0], kept[4]}) == kept[1:3]
        assert await store.evict(set(kept)) == []
        return kept

    kept = asyncio.run(scenario())
    assert left_over(tmp_path) == sorted([kept[0], kept[3], kept[4]])


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "files").write_bytes(b"a file stands here")
    with pytest.raises(Unavailable, match="The disk does not take the file"):
        asyncio.run(FileStore(tmp_path / "files").open())
