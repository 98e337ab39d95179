"""`crdtqueue script` and `crdtqueue loaded` against a real peer."""

from pathlib import Path

from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
    until,
)
from tests.harness.terminal import (
    Capture,
    Terminal,
    run,
)


def test_scripts_are_set_shown_and_cleared(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "sweep.gcode"
    path.write_text("G1 Y200\nM117 \x1b[31mdone\n")

    async def use(_: Peer, terminal: Terminal) -> None:
        assert "no such script" in await terminal.says("script")
        said = await terminal.says("script", "clear-bed", str(path))
        assert said == f"{path} is run on clear-bed.\n"
        assert await terminal.says("script") == (
            "clear-bed:\n  G1 Y200\n  M117 \N{REPLACEMENT CHARACTER}[31mdone\n"
        )
        assert "no such script" in await terminal.says("script", "waiting")
        assert list(await terminal.json("script", "clear-bed")) == ["clear-bed"]
        assert await terminal.json("script", "clear-bed", "--clear") == {
            "event": "clear-bed",
            "cleared": True,
        }
        assert "There is no script" in await terminal.fails("script", "clear-bed", "--clear")
        assert "Say which script" in await terminal.fails("script", "--clear")
        assert "no file" in await terminal.fails("script", "waiting", str(path) + "x")
        path.write_text("hello")
        assert "no G or M command" in await terminal.fails("script", "waiting", str(path))

    run(tmp_path, capsys, use, printer=MemoryPrinter())


def test_what_is_loaded_is_said_confirmed_and_forgotten(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        assert "asks for nothing" in await terminal.fails("loaded")
        assert await terminal.says("loaded", "PLA", "") == ("Loaded: PLA in tool 1,  in tool 2.\n")
        await add_job(peer, "local", materials=["", "", "PETG"])
        await until(peer, lambda: peer.runner and peer.runner.worker.missing)
        assert "Waits for PETG in tool 3." in await terminal.says("status")
        assert await terminal.json("loaded") == {"materials": ["PLA", "", "PETG"]}
        await until(peer, lambda: peer.runner and peer.runner.worker.saved.printing)
        assert await terminal.json("loaded", "--forget") == {"materials": None}
        await until(peer, lambda: peer.runner and not peer.runner.worker.saved.loaded.said)

    run(tmp_path, capsys, use, printer=MemoryPrinter())
