"""The commands against a real peer: what they do, print, and say when it goes wrong."""

from pathlib import Path

import pytest

from crdtqueue.core.document.keys import roster_entry
from crdtqueue.core.document.model import RosterEntry
from crdtqueue.core.ids import PeerId
from crdtqueue.core.worker import worker
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    done,
    until,
)
from tests.harness.terminal import (
    Capture,
    Terminal,
    run,
)


@pytest.fixture
def gcode(tmp_path: Path) -> Path:
    path = tmp_path / "part [1].gcode"
    path.write_bytes(GCODE)
    return path


def test_a_file_is_added_listed_paused_resumed_and_deleted(
    tmp_path: Path, capsys: Capture, gcode: Path
) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        assert await terminal.says("ls") == "No jobs. Add one with 'crdtqueue add FILE'.\n"
        said = await terminal.says("add", str(gcode), "--copies", "2", "--runs", "3")
        job = peer.queue("workshop").state.jobs[0]
        assert said == f"Added part [1] to workshop as job {job.id}.\n"
        assert (job.runs, job.sets[0].copies, [*job.sets[0].profiles]) == (3, 2, ["MK3S"])
        listed = await terminal.says("ls")
        assert "part [1]" in listed
        assert "0/6" in listed
        said = await terminal.says("pause", job.id[:6])
        assert said == f"Job {job.id} is paused. A copy that is being printed goes on.\n"
        assert peer.queue("workshop").state.jobs[0].paused
        assert await terminal.json("resume", job.id) == {"id": job.id, "paused": False}
        assert not peer.queue("workshop").state.jobs[0].paused
        assert await terminal.json("rm", job.id, job.id[:5]) == {"id": job.id, "deleted": True}
        assert await terminal.json("ls", "--queue", "WORKSHOP") == [(await terminal.json("ls"))[1]]
        assert peer.queue("workshop").state.jobs == ()

    run(tmp_path, capsys, use, queue="workshop")


def test_several_files_are_one_job(tmp_path: Path, capsys: Capture, gcode: Path) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        other = tmp_path / "other.gcode"
        other.write_bytes(GCODE.replace(b"MK3S", b"MINI"))
        added = await terminal.json(
            "add", str(gcode), str(other), "--name", "both\x1b[31m", "--queue", "local"
        )
        job = peer.queue("local").state.jobs[0]
        assert added == {"id": job.id, "queue": "local"}
        assert job.name == "both\ufffd[31m"
        assert [each.profiles for each in job.sets] == [{"MK3S"}, {"MINI"}]

    run(tmp_path, capsys, use)


def test_what_cannot_be_added_is_said_before_anything_is_sent(
    tmp_path: Path, capsys: Capture, gcode: Path
) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        model = tmp_path / "model.stl"
        model.write_bytes(b"solid cube")
        plain = tmp_path / "plain.gcode"
        plain.write_bytes(b"G28\n")
        missing = str(tmp_path / "missing.gcode")
        assert "no file" in await terminal.fails("add", str(gcode), missing)
        assert "is a folder" in await terminal.fails("add", str(tmp_path))
        assert "is not g-code" in await terminal.fails("add", str(model))
        assert "Give --profile" in await terminal.fails("add", str(plain))
        assert "copies" in await terminal.fails("add", str(gcode), "--copies", "-1")
        assert "no queue 'x'" in await terminal.fails("add", str(gcode), "--queue", "x")
        await peer.add_queue("garage", [])
        assert "Say which with --queue" in await terminal.fails("add", str(gcode))
        assert all(not queue.state.jobs for queue in peer.queues.values())

    run(tmp_path, capsys, use, queue="workshop")


def test_a_file_with_a_name_that_is_no_text_is_added(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "b\udce4r.gcode"
    path.write_bytes(GCODE)

    async def use(peer: Peer, terminal: Terminal) -> None:
        await terminal.says("add", str(path))
        assert peer.queue("local").state.jobs[0].sets[0].file.name == "b\ufffdr.gcode"
        assert "no file" in await terminal.fails("add", str(path) + "x")

    run(tmp_path, capsys, use)


def test_jobs_that_are_not_there_or_not_clear_are_refused(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        jobs = [await add_job(peer, "local") for _ in range(17)]
        first = jobs[0]
        assert "no job 'zzz'" in await terminal.fails("rm", first, "zzz")
        assert "no job ''" in await terminal.fails("pause", "")
        by_digit = max("0123456789abcdef", key=lambda d: sum(j.startswith(d) for j in jobs))
        assert "Give more of the id" in await terminal.fails("rm", by_digit)
        assert len(peer.queue("local").state.jobs) == 17
        assert "no queue 'x'" in await terminal.fails("ls", "--queue", "x")

    run(tmp_path, capsys, use)


def test_the_printer_is_driven_from_the_command_line(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_S", 0.05)
    printer = MemoryPrinter()

    async def use(peer: Peer, terminal: Terminal) -> None:
        job = await add_job(peer, "local")
        await until(peer, lambda: peer.runner and peer.runner.worker.state == "printing")
        said = await terminal.says("status")
        assert "Printer (MK3S): Prints part.gcode. 0%\n  T0: 21.5 / 0.0 °C" in said
        assert await terminal.says("pause") == "The printer pauses.\n"
        assert await terminal.says("resume") == "The print goes on.\n"
        assert "Confirm the bed when" in await terminal.fails("clear")
        assert "Cancel the print there" in await terminal.fails("rm", job)
        assert await terminal.says("cancel") == "The print is cancelled.\n"
        await until(peer, lambda: peer.runner and not peer.runner.worker.saved.printing)
        assert "prints nothing" in await terminal.fails("cancel")
        assert await terminal.says("clear") == "The bed is clear.\n"
        assert await terminal.json("resume", job) == {"id": job, "paused": False}
        assert await terminal.json("start") == {"managing": True}
        await until(peer, lambda: len(printer.starts) == 2)
        printer.finish()
        await until(peer, lambda: done(peer, job, "local") == 1)
        assert await terminal.json("stop") == {"managing": False}

    run(tmp_path, capsys, use, printer=printer)


def test_a_peer_without_a_printer_says_so(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        assert "No printer on this peer." in await terminal.says("status")
        assert (await terminal.json("status"))["peer"]["id"] == peer.me.peer
        for command in ("clear", "pause", "resume", "cancel", "start", "stop"):
            assert "has no printer" in await terminal.fails(command)

    run(tmp_path, capsys, use)


def test_queues_are_joined_and_left(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        assert "no slash" in await terminal.fails("join", "a/b")
        assert "is no peer address" in await terminal.fails("join", "shop", "--peer", "x")
        said = await terminal.says("join", " The  shop ä? ", "--peer", "127.0.0.1:7699")
        assert said == "This peer takes part in The shop ä?.\n"
        assert "already" in await terminal.fails("join", "the shop Ä?")
        assert await terminal.says("leave", "The shop ä?") == "This peer has left The shop ä?.\n"
        assert "There are: local" in await terminal.fails("leave", "The shop ä?")
        assert "cannot be left" in await terminal.fails("leave", "local")

    run(tmp_path, capsys, use)


def test_peers_are_listed_and_what_they_call_themselves_does_not_reach_the_terminal(
    tmp_path: Path, capsys: Capture
) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        entry = RosterEntry(
            peer=PeerId("e" * 16),
            name="\x1b]0;evil\x07[red]x\n\u202e",
            profile=None,
            addresses=("\x1b[2J",),
        )
        await peer.queue("workshop").edit([roster_entry(entry)])
        said = await terminal.says("peers")
        assert "this one" in said
        assert "[red]x" in said
        assert not {"\x1b", "\x07", "\u202e"} & set(said)
        assert len(await terminal.json("peers")) == 2

    run(tmp_path, capsys, use, queue="workshop")
