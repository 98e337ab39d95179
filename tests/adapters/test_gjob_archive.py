"""Archives on a real disk: those of Continuous Print, hostile ones, and damaged ones."""

import asyncio
import hashlib
import json
import os
import shutil
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crdtqueue.adapters import gjob_archive as gjob_module
from crdtqueue.adapters.file_store import FileStore
from crdtqueue.adapters.gjob_archive import (
    read_gjob,
    write_gjob,
)
from crdtqueue.core.document.model import FileRef
from crdtqueue.core.errors import CrdtQueueError, Invalid, Unavailable
from crdtqueue.core.gjob.gjob import (
    Gjob,
    GjobSet,
)
from crdtqueue.core.ids import Profile, Sha256
from tests.harness.loopback_peers import (
    GCODE,
    chunks,
)

GCODE_FOLDER = Path(__file__).parents[1] / "data" / "gcode"
BRACKET = (GCODE_FOLDER / "bracket_mini.gcode").read_bytes()
PIN = (GCODE_FOLDER / "pin_mk3s.gcode").read_bytes()
MIB = 1024**2


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    opened = FileStore(tmp_path / "files")
    asyncio.run(opened.open())
    return opened


def left_over(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "files").iterdir())


def sha256(data: bytes) -> Sha256:
    return Sha256(hashlib.sha256(data).hexdigest())


def manifest_of(*paths: str, **fields: object) -> bytes:
    sets = [{"path": path, "count": 1, "profiles": ["MK3S"]} for path in paths]
    return json.dumps({"name": "Job", "count": 1, "sets": sets} | fields).encode()


def packed(tmp_path: Path, members: Mapping[str, bytes], manifest: bytes | None = None) -> Path:
    """An archive as PeerPrint's `pack_job` makes it: files deflated, then the manifest, stored."""
    path = tmp_path / "job.gjob"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2023, 3, 10, 12, 0, 0))
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
        archive.writestr("manifest.json", manifest_of(*members) if manifest is None else manifest)
    return path


def read(path: Path, store: FileStore) -> Gjob:
    return asyncio.run(read_gjob(path, store))


def refused(path: Path, store: FileStore) -> str:
    """Why the archive is refused. Nothing of it may stay."""
    before = asyncio.run(store.all())
    with pytest.raises(Invalid) as caught:
        read(path, store)
    assert asyncio.run(store.all()) == before
    assert not list(path.parent.glob("files/upload-*"))
    assert len(caught.value.message) < 400
    return caught.value.message


def test_an_archive_of_continuous_print_is_imported(store: FileStore, tmp_path: Path) -> None:
    sets = [
        {
            "path": "bracket_mini.gcode",
            "count": 2,
            "metadata": '{"estimatedPrintTime": 1234.5}',
            "materials": ["PLA_red_#ff0000"],
            "profiles": ["Prusa Mini"],
            "id": 4,
            "rank": 1668000001.25,
            "sd": False,
            "remaining": 1,
            "completed": 1,
        },
        {
            "path": "pin größer.gcode",
            "count": 1,
            "metadata": None,
            "materials": [],
            "profiles": [],
            "id": 5,
            "rank": 1668000002.5,
            "sd": False,
            "remaining": 1,
            "completed": 0,
        },
    ]
    manifest = manifest_of(sets=sets, name="Halter", count=3, remaining=2, created=1668000000)
    path = packed(tmp_path, {"bracket_mini.gcode": BRACKET, "pin größer.gcode": PIN}, manifest)
    job = read(path, store)
    assert (job.name, job.runs, job.remaining, job.draft) == ("Halter", 3, 2, False)
    assert [each.file for each in job.sets] == [
        FileRef(sha256=sha256(BRACKET), name="bracket_mini.gcode", size_bytes=len(BRACKET)),
        FileRef(sha256=sha256(PIN), name="pin größer.gcode", size_bytes=len(PIN)),
    ]
    assert [each.profiles for each in job.sets] == [{"PRUSA MINI"}, {"MK3S"}]
    assert left_over(tmp_path) == sorted([sha256(BRACKET), sha256(PIN)])
    assert store.path(sha256(BRACKET)).read_bytes() == BRACKET


def job_of(*sets: tuple[bytes, str]) -> Gjob:
    return Gjob(
        name="Job",
        runs=2,
        remaining=1,
        created_at_s=1_668_000_000,
        draft=True,
        note="by Friday",
        sets=tuple(
            GjobSet(
                file=FileRef(sha256=sha256(data), name=name, size_bytes=len(data)),
                copies=3,
                remaining=4,
                completed=1,
                profiles=frozenset({Profile("MK3S")}),
            )
            for data, name in sets
        ),
    )


def test_an_exported_job_is_a_folder_for_continuous_print_and_comes_back_the_same(
    store: FileStore, tmp_path: Path
) -> None:
    """As its `unpack_job` does it: everything extracted into a folder, the manifest read there."""
    job = job_of((BRACKET, "part.gcode"), (PIN, "part.gcode"), (BRACKET, "part.gcode"))
    target = tmp_path / "exported.gjob"

    async def scenario() -> Gjob:
        await store.receive("part.gcode", chunks(BRACKET))
        await store.receive("part.gcode", chunks(PIN))
        await write_gjob(target, job, store)
        await write_gjob(tmp_path / "again.gjob", job, store)
        other = FileStore(tmp_path / "other")
        await other.open()
        return await read_gjob(target, other)

    assert asyncio.run(scenario()) == job
    assert target.read_bytes() == (tmp_path / "again.gjob").read_bytes()
    with zipfile.ZipFile(target) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "unpacked")
    manifest = json.loads((tmp_path / "unpacked" / "manifest.json").read_text("ascii"))
    unpacked = [(tmp_path / "unpacked" / s["path"]).read_bytes() for s in manifest["sets"]]
    assert unpacked == [BRACKET, PIN, BRACKET]
    assert len(list((tmp_path / "unpacked").iterdir())) == 3
    assert target.stat().st_size < (len(BRACKET) + len(PIN)) / 2
    assert not list(tmp_path.glob("*.part"))


def test_an_archive_packed_again_by_a_program_that_does_not_say_utf8(
    store: FileStore, tmp_path: Path
) -> None:
    path = packed(tmp_path, {"gr\u00f6\u00dfer.gcode": PIN})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00"))
    assert path.read_bytes() != data
    assert read(path, store).sets[0].file.name == "größer.gcode"


def test_a_job_without_sets_is_a_job(store: FileStore, tmp_path: Path) -> None:
    job = replace(job_of(), note="")
    asyncio.run(write_gjob(tmp_path / "empty.gjob", job, store))
    assert read(tmp_path / "empty.gjob", store) == job


def test_a_file_that_is_not_here_or_damaged_is_not_exported(
    store: FileStore, tmp_path: Path
) -> None:
    target = tmp_path / "exported.gjob"
    target.write_bytes(b"the earlier one")
    job = job_of((PIN, "pin.gcode"))
    with pytest.raises(Unavailable, match=r"'pin.gcode' is not on this machine yet"):
        asyncio.run(write_gjob(target, job, store))
    store.path(sha256(PIN)).write_bytes(BRACKET)
    with pytest.raises(Unavailable, match=r"'pin.gcode' is damaged on this disk"):
        asyncio.run(write_gjob(target, job, store))
    assert target.read_bytes() == b"the earlier one"
    assert not list(tmp_path.glob("*.part"))


def test_a_full_disk_exports_nothing(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(store.receive("pin.gcode", chunks(PIN)))
    monkeypatch.setattr(gjob_module, "DISK_RESERVE_BYTES", 2**62)
    with pytest.raises(Unavailable, match="no space left on device"):
        asyncio.run(write_gjob(tmp_path / "x.gjob", job_of((PIN, "pin.gcode")), store))
    assert not list(tmp_path.glob("x.gjob*"))


def test_a_disk_that_fills_up_in_the_middle_keeps_nothing_of_the_archive(
    store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(store.receive("bracket.gcode", chunks(BRACKET)))
    path = packed(tmp_path, {"a.gcode": BRACKET, "b.gcode": GCODE, "c.gcode": PIN})
    real, calls = shutil.disk_usage, 0

    def filling(folder: Path) -> object:
        nonlocal calls
        calls += 1
        return real(folder) if calls < 3 else real(folder)._replace(free=0)

    monkeypatch.setattr(shutil, "disk_usage", filling)
    with pytest.raises(Unavailable, match="no space left on device"):
        read(path, store)
    assert calls == 3
    assert left_over(tmp_path) == [sha256(BRACKET)]


def test_a_cancelled_import_keeps_nothing(store: FileStore, tmp_path: Path) -> None:
    path = packed(tmp_path, {"a.gcode": BRACKET, "b.gcode": PIN})

    async def scenario() -> None:
        task = asyncio.ensure_future(read_gjob(path, store))
        while not await asyncio.to_thread(left_over, tmp_path):
            assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())
    assert left_over(tmp_path) == []


def test_the_same_file_under_two_names_is_kept_once(store: FileStore, tmp_path: Path) -> None:
    job = read(packed(tmp_path, {"a.gcode": PIN, "b.gcode": PIN}), store)
    assert [each.file.name for each in job.sets] == ["a.gcode", "b.gcode"]
    assert left_over(tmp_path) == [sha256(PIN)]


@pytest.mark.parametrize(
    ("members", "manifest", "says"),
    [
        ({"a.gcode": PIN, "part.stl": b"solid cube\n"}, None, "part.stl is not g-code"),
        ({"a.gcode": PIN, "b.gcode": b""}, None, "b.gcode is empty"),
        ({"a.gcode": PIN}, manifest_of("a.gcode", "b.gcode"), "'b.gcode', which is not in"),
        (
            {"a.gcode": PIN, "b.gcode": PIN},
            manifest_of("a.gcode"),
            "'b.gcode' is in the .gjob, but",
        ),
        ({"a.gcode": PIN}, manifest_of("a.gcode", count=10**6), "wrong in count"),
        ({"a.gcode": PIN}, b"{", "manifest.json in the .gjob is damaged"),
        ({"a.gcode": PIN}, b"[" * 500_000, "manifest.json in the .gjob is damaged"),
        ({"a.gcode": PIN}, b" " * 2 * MIB, "manifest.json' in the .gjob is larger than 1 MB"),
        ({"../a.gcode": PIN}, None, "is a path"),
        ({"/etc/a.gcode": PIN}, None, "is a path"),
        ({"sub/a.gcode": PIN}, None, "is a path"),
        ({"sub/": b"", "a.gcode": PIN}, manifest_of("a.gcode"), "is a path"),
        ({"a\\b.gcode": PIN}, None, "is a path"),
        ({"C:a.gcode": PIN}, None, "is a path"),
        ({"a.gcode": PIN, "A.GCODE": PIN}, None, "twice in the .gjob"),
        ({"\u00e9.gcode": PIN, "e\u0301.gcode": PIN}, None, "twice in the .gjob"),
        ({f"{n}.gcode": PIN for n in range(201)}, manifest_of(), "202 files"),
        ({"a.gcode": b"G28\n" * MIB}, None, "looks like a bomb"),
        ({"a.gcode": PIN, "Manifest.json": b"{}"}, manifest_of("a.gcode"), "twice"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_archives_are_refused_with_the_reason(
    store: FileStore, tmp_path: Path, members: dict[str, bytes], manifest: bytes, says: str
) -> None:
    asyncio.run(store.receive("here.gcode", chunks(GCODE)))
    assert says in refused(packed(tmp_path, members, manifest), store)


def test_a_zip_of_something_else_is_refused(store: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.gcode", PIN)
    assert "no manifest.json" in refused(path, store)
    path.write_bytes(b"PK\5\6" + bytes(18))
    assert "no manifest.json" in refused(path, store)
    for data in (b"", b"PK", os.urandom(1000), PIN):
        path.write_bytes(data)
        assert "no sound .gjob" in refused(path, store)


def test_the_same_name_twice_is_refused(store: FileStore, tmp_path: Path) -> None:
    path = packed(tmp_path, {"a.gcode": PIN, "b.gcode": BRACKET}, manifest_of("a.gcode"))
    path.write_bytes(path.read_bytes().replace(b"b.gcode", b"a.gcode"))
    assert "is twice in" in refused(path, store)


def test_a_link_is_refused(store: FileStore, tmp_path: Path) -> None:
    path = tmp_path / "link.gjob"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("a.gcode")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("manifest.json", manifest_of("a.gcode"))
    assert "is a link" in refused(path, store)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_with_unbounded_memory_is_refused(
    store: FileStore, tmp_path: Path, method: int
) -> None:
    path = tmp_path / "other.gjob"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.gcode", PIN)
        archive.writestr("manifest.json", manifest_of("a.gcode"))
    assert f"method {method}" in refused(path, store)


TABLE = b"PK\1\2"
FLAGS, CRC, PACKED, SIZE = 8, 16, 20, 24
"""Where in an entry of the table of contents they stand (APPNOTE 4.3.12)."""


def forged(path: Path, offset: int, change: Callable[[bytes], bytes]) -> Path:
    """Changes 4 bytes of the first member's entry in the table of contents."""
    data = bytearray(path.read_bytes())
    start = data.index(TABLE) + offset
    data[start : start + 4] = change(bytes(data[start : start + 4]))
    path.write_bytes(data)
    return path


def longer(by: int) -> Callable[[bytes], bytes]:
    return lambda size: struct.pack("<I", struct.unpack("<I", size)[0] + by)


def test_an_encrypted_file_is_refused(store: FileStore, tmp_path: Path) -> None:
    path = packed(tmp_path, {"a.gcode": PIN})
    assert "is encrypted" in refused(forged(path, FLAGS, longer(1)), store)


@pytest.mark.parametrize(
    ("offset", "by", "says"),
    [
        (SIZE, -1, "not as large as the archive says"),
        (SIZE, 1, "not as large as the archive says"),
        (SIZE, 2**30, "looks like a bomb"),
        (PACKED, -1_000, "no sound .gjob"),
        (PACKED, 2**30, "overlap"),
        (CRC, 1, "no sound .gjob, or only a part of one (Bad CRC-32"),
    ],
)
def test_sizes_that_lie_are_refused(
    store: FileStore, tmp_path: Path, offset: int, by: int, says: str
) -> None:
    path = forged(packed(tmp_path, {"a.gcode": b"; x\n" + PIN}), offset, longer(by))
    assert says in refused(path, store)


def test_a_size_that_lies_with_a_checksum_that_agrees_is_refused(
    store: FileStore, tmp_path: Path
) -> None:
    """`zipfile` alone unpacks the promised bytes, finds everything in order and drops the rest."""
    path = packed(tmp_path, {"a.gcode": PIN})
    crc = struct.pack("<I", zlib.crc32(PIN[:-1_000]))
    forged(forged(path, SIZE, longer(-1_000)), CRC, lambda _: crc)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("a.gcode") == PIN[:-1_000]
    assert "no sound .gjob" in refused(path, store)


def test_names_that_are_not_utf8_are_refused(store: FileStore, tmp_path: Path) -> None:
    path = packed(tmp_path, {"\u00e4.gcode": PIN})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\xc3\xa4.gcode", b"\xff\xfe.gcode"))
    assert "is not UTF-8" in refused(path, store)
    path.write_bytes(path.read_bytes().replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00"))
    assert "is not UTF-8" in refused(path, store)


def test_every_truncated_archive_is_refused(store: FileStore, tmp_path: Path) -> None:
    path = packed(tmp_path, {"a.gcode": GCODE})
    data = path.read_bytes()
    assert read(path, store).sets
    for end in range(len(data)):
        path.write_bytes(data[:end])
        assert refused(path, store)


def test_a_table_of_contents_of_any_size_takes_little_memory(
    store: FileStore, tmp_path: Path
) -> None:
    path = tmp_path / "table.gjob"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(30_000):
            archive.writestr(f"{number}", b"")
    tracemalloc.start()
    message = refused(path, store)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "table of contents is too large" in message
    assert peak_bytes < 10 * MIB


def test_a_large_file_takes_little_memory(store: FileStore, tmp_path: Path) -> None:
    gcode = b"".join(b"G1 X%d.%d E%d\n" % (n % 211, n % 97, n) for n in range(900_000))
    path, target = packed(tmp_path, {"a.gcode": gcode}), tmp_path / "out.gjob"
    size_bytes = len(gcode)
    del gcode
    tracemalloc.start()
    job = read(path, store)
    asyncio.run(write_gjob(target, job, store))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert job.sets[0].file.size_bytes == size_bytes > 14 * MIB
    assert peak_bytes < 4 * MIB


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_mutated_archives_have_a_defined_outcome(
    store: FileStore, tmp_path: Path, data: st.DataObject
) -> None:
    """Either the job, with files that are what their hashes say, or a sentence and no file."""
    path = packed(tmp_path, {"a.gcode": GCODE, "b.gcode": GCODE + b"G1 X1\n"})
    archive = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        mutate(archive, data)
    path.write_bytes(archive)
    for name in left_over(tmp_path):
        store.path(Sha256(name)).unlink()
    try:
        job = read(path, store)
    except CrdtQueueError as error:
        assert isinstance(error, Invalid), error  # noqa: PT017  # either outcome is right
        assert left_over(tmp_path) == []
    else:
        assert {each.file.sha256 for each in job.sets} == set(left_over(tmp_path))
        for each in job.sets:
            assert sha256(store.path(each.file.sha256).read_bytes()) == each.file.sha256


def mutate(archive: bytearray, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, max(len(archive) - 1, 0)))
    match data.draw(st.sampled_from(["set", "cut", "insert", "number", "end"])):
        case "set" if archive:
            archive[at] = data.draw(st.integers(0, 255))
        case "cut":
            del archive[at : at + data.draw(st.integers(1, 64))]
        case "insert":
            archive[at:at] = data.draw(st.binary(max_size=64))
        case "number":
            number = data.draw(st.sampled_from([0, 1, 2**16 - 1, 2**31, 2**32 - 1]))
            archive[at : at + 4] = struct.pack("<I", number)
        case _:
            del archive[at:]
