"""Archives and the history on the command line, against a real peer."""

import asyncio
from pathlib import Path

from crdtqueue.api.operations import Operations
from crdtqueue.core.history import HistoryFilter
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
)
from tests.harness.terminal import (
    Capture,
    Terminal,
    run,
)


def test_a_job_is_exported_and_added_again(tmp_path: Path, capsys: Capture) -> None:
    target = tmp_path / "part.gjob"

    async def use(peer: Peer, terminal: Terminal) -> None:
        job = await add_job(peer)
        assert await terminal.says("export", job[:6], str(target)) == f"Wrote {target}.\n"
        assert "is there already" in await terminal.fails("export", job, str(target))
        added = await terminal.json("add", str(target))
        first, second = peer.queue("workshop").state.jobs
        assert added == {"id": second.id, "queue": "workshop"}
        assert second.sets[0].file == first.sets[0].file
        target.write_bytes(b"PK")
        assert ".gjob" in await terminal.fails("add", str(target))
        missing = tmp_path / "missing" / "x.gjob"
        assert "cannot be written" in await terminal.fails("export", job, str(missing))

    run(tmp_path, capsys, use, queue="workshop")


def test_a_job_that_cannot_be_exported_leaves_no_file(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        job = await add_job(peer)
        sha256 = peer.queue("workshop").state.jobs[0].sets[0].file.sha256
        peer.files.path(sha256).unlink()
        await terminal.fails("export", job, str(tmp_path / "x.gjob"))
        assert not (tmp_path / "x.gjob").exists()

    run(tmp_path, capsys, use, queue="workshop")


def test_what_was_printed_is_listed(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        assert await terminal.says("history") == "Nothing has been printed yet.\n"
        await add_job(peer, "local")
        for _ in range(200):
            page = await Operations(peer).history.page(HistoryFilter(), after="", limit=1)
            if page["total"]:
                break
            await asyncio.sleep(0.05)
        assert "part.gcode" in await terminal.says("history", "--result", "done")
        assert (await terminal.json("history"))["total"] == 1
        assert await terminal.says("history", "--job", "x") == "Nothing has been printed yet.\n"
        assert "none is 'won'" in await terminal.fails("history", "--result", "won")

    run(tmp_path, capsys, use, printer=MemoryPrinter(auto=True))
