"""The commands that change jobs, against a real peer."""

from pathlib import Path

from crdtqueue.core.ids import JobId
from crdtqueue.core.model import Job
from crdtqueue.peer.peer import Peer
from tests.cli.terminal import Capture, Terminal, run
from tests.peer.peers import add_job


def jobs(peer: Peer, queue: str = "workshop") -> tuple[Job, ...]:
    return peer.queue(queue).state.jobs


def test_a_job_is_renamed_and_its_runs_are_changed(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        job = await add_job(peer)
        changed = await terminal.json("edit", job[:4], "--name", "Holder", "--runs", "4")
        assert changed == {"id": job, "name": "Holder", "runs": 4}
        await terminal.says("edit", job, "--note", "for Ann")
        assert [(j.name, j.runs, j.note) for j in jobs(peer)] == [("Holder", 4, "for Ann")]
        assert "Say what to change" in await terminal.fails("edit", job)
        assert "runs" in await terminal.fails("edit", job, "--runs", "-1")

    run(tmp_path, capsys, use, queue="workshop")


def test_jobs_are_moved_ahead_of_others_and_to_other_queues(
    tmp_path: Path, capsys: Capture
) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        first, second = await add_job(peer), await add_job(peer)
        await terminal.says("mv", second, "--before", first)
        assert [job.id for job in jobs(peer)] == [second, first]
        await terminal.says("mv", second, "--to", "local")
        assert [job.id for job in jobs(peer)] == [first]
        assert "Say where to" in await terminal.fails("mv", first)

    run(tmp_path, capsys, use, queue="workshop")


def test_deleted_jobs_come_back_and_all_is_printed_again(tmp_path: Path, capsys: Capture) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        job: JobId = await add_job(peer)
        await terminal.says("again", job)
        assert jobs(peer)[0].generation == 1
        await terminal.says("rm", job, "--after-copy")
        assert jobs(peer) == ()
        assert job in await terminal.says("ls", "--deleted")
        assert await terminal.json("restore", job[:5]) == {"id": job, "restored": True}
        assert len(jobs(peer)) == 1
        assert "no deleted job" in await terminal.fails("restore", job)

    run(tmp_path, capsys, use, queue="workshop")
