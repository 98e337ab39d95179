"""The history of real peers."""

import asyncio
from pathlib import Path

import pytest

from crdtqueue.api.jobs import Jobs
from crdtqueue.api.operations import Operations
from crdtqueue.core.document.model import Result
from crdtqueue.core.errors import Invalid, NotFound
from crdtqueue.core.history import HistoryFilter
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
    running,
    until,
    until_linked,
)

ALL = HistoryFilter()


async def entries(peer: Peer, wanted: HistoryFilter = ALL) -> list[dict[str, object]]:
    page = await Operations(peer).history.page(wanted, after="", limit=100)
    return list(page["entries"])


async def until_entries(peer: Peer, count: int) -> list[dict[str, object]]:
    for _ in range(200):
        if len(found := await entries(peer)) >= count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("the prints are not in the history")


def test_every_peer_of_the_queue_remembers_what_was_printed(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with (
            running(tmp_path / "a", queue="workshop", name="office") as a,
            running(tmp_path / "b", name="mk3s", printer=printer) as b,
        ):
            await b.add_queue("workshop", [str(a.config.listen)])
            await until_linked(a, b)
            job = await add_job(a)
            for peer in (a, b):
                (entry,) = await until_entries(peer, 1)
                assert entry["result"] == "done"
                assert (entry["job_name"], entry["file_name"]) == ("part", "part.gcode")
                assert (entry["printer_name"], entry["queue"]) == ("mk3s", "workshop")
            file = a.queue("workshop").state.jobs[0].sets[0].file
            a.files.path(file.sha256).unlink()
            await Operations(a).history.print_again(str(entry["print_id"]), "local")
            assert await a.files.size_bytes(file.sha256) == file.size_bytes
            await until(a, lambda: not a.queue("workshop").claims.held(0.0))
            await Jobs(a).delete("workshop", job)
            assert len(await entries(a)) == 1
            assert await entries(a, HistoryFilter(result=Result.FAILED)) == []

    asyncio.run(scenario())


def test_a_print_is_added_again_from_the_history(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer) as peer:
            await add_job(peer, "local")
            (entry,) = await until_entries(peer, 1)
            history = Operations(peer).history
            await history.print_again(str(entry["print_id"]), "local")
            await until_entries(peer, 2)
            assert printer.printed[0] == printer.printed[1]
            with pytest.raises(NotFound):
                await history.print_again("nothing", "local")

    asyncio.run(scenario())


def test_the_history_survives_a_restart_and_is_not_written_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, printer=MemoryPrinter(auto=True)) as peer:
            await add_job(peer, "local")
            before = await until_entries(peer, 1)
        async with running(tmp_path) as peer:
            assert await entries(peer) == before
            lines = [line async for line in Operations(peer).history.csv(ALL)]
            assert len(lines) == 2
            assert "part.gcode" in lines[1]
            assert "part.gcode" in "".join([p async for p in Operations(peer).history.json(ALL)])
            with pytest.raises(Invalid):
                await Operations(peer).history.page(ALL, after="", limit=0)

    asyncio.run(scenario())
