"""Jobs out of a real peer's queue and into another's, as archives."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crdtqueue.api import archives
from crdtqueue.api.archives import Archives
from crdtqueue.api.jobs import Jobs
from crdtqueue.api.models import NewJob, NewSet
from crdtqueue.api.operations import Operations
from crdtqueue.core.errors import Invalid
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    GCODE,
    chunks,
    running,
)


async def two_sets(peer: Peer) -> str:
    sets = []
    for end in (b"G4\n", b"M84\n"):
        file = (await Operations(peer).upload("part.gcode", chunks(GCODE, end))).file
        sets.append(NewSet(sha256=file.sha256, name=file.name, copies=2, profiles=["MK3S"]))
    sets[0] = sets[0].model_copy(update={"materials": ["PLA"]})
    return await Jobs(peer).add("local", NewJob(name="Böx", runs=3, note="for Ann", sets=sets))


async def exported(peer: Peer, job: str) -> bytes:
    async with Archives(peer).exported("local", job) as archive:
        assert archive.name == "Böx.gjob"
        return await asyncio.to_thread(archive.path.read_bytes)


def test_a_job_goes_from_one_peer_to_another_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path / "a") as a, running(tmp_path / "b") as b:
            data = await exported(a, await two_sets(a))
            await Archives(b).take_in("local", chunks(data))
            (there,) = a.queue("local").state.jobs
            (here,) = b.queue("local").state.jobs
            assert (here.name, here.runs, here.note) == ("Böx", 3, "for Ann")
            assert [each.file for each in here.sets] == [each.file for each in there.sets]
            assert [each.materials for each in here.sets] == [("PLA",), ()]
            assert all(each.copies == 2 for each in here.sets)
            for each in here.sets:
                assert await b.files.verify(each.file.sha256)
            assert not list((tmp_path / "b" / "files").glob("upload-*"))

    asyncio.run(scenario())


def test_what_is_no_archive_leaves_nothing_behind(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            empty = io.BytesIO()
            manifest = {"name": "x", "count": 1, "remaining": 1, "created": 0, "version": "1"}
            with zipfile.ZipFile(empty, "w") as archive:
                archive.writestr("manifest.json", json.dumps(manifest | {"draft": 0, "sets": []}))
            for data in (b"", b"G28\n", empty.getvalue()):
                with pytest.raises(Invalid):
                    await Archives(peer).take_in("local", chunks(data))
            assert peer.queue("local").state.jobs == ()
            assert not await peer.files.all()
            assert not list((tmp_path / "files").iterdir())

    asyncio.run(scenario())


def test_an_archive_may_be_so_large_and_no_larger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "ARCHIVE_BYTES_MAX", 100)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 60

    async def scenario() -> None:
        async with running(tmp_path) as peer:
            with pytest.raises(Invalid, match="larger than"):
                await Archives(peer).take_in("local", endless())
            assert not list((tmp_path / "files").iterdir())

    asyncio.run(scenario())
