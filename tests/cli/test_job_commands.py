"""The commands that change jobs, against a real peer."""

import re
from pathlib import Path

from crdtqueue.core.document.keys import (
    claim_entry,
    roster_entry,
)
from crdtqueue.core.document.model import (
    Job,
    RosterEntry,
)
from crdtqueue.core.explain import SILENT_AFTER_S
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.peer.peer import Peer
from printer_driver import clock
from tests.harness.loopback_peers import (
    add_job,
    until,
)
from tests.harness.samples import MK3S
from tests.harness.terminal import (
    Capture,
    Terminal,
    run,
)


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
        await terminal.says("print-again", job)
        assert jobs(peer)[0].generation == 1
        await terminal.says("rm", job, "--after-copy")
        assert jobs(peer) == ()
        assert job in await terminal.says("ls", "--deleted")
        assert await terminal.json("restore", job[:5]) == {"id": job, "restored": True}
        assert len(jobs(peer)) == 1
        assert "no deleted job" in await terminal.fails("restore", job)

    run(tmp_path, capsys, use, queue="workshop")


def test_a_silent_printer_is_listed_and_cannot_be_given_up_at_once(
    tmp_path: Path, capsys: Capture
) -> None:
    async def use(peer: Peer, terminal: Terminal) -> None:
        queue, job = peer.queue("workshop"), await add_job(peer)
        owner = RosterEntry(peer=PeerId("c" * 16), name="ender", profile=MK3S, addresses=())
        claim = Claim(job=job, epoch=1, peer=owner.peer, incarnation=1)
        await queue.edit([roster_entry(owner), claim_entry(claim, at_s=0.0)])
        await until(peer, lambda: queue.claims.held(clock.now_s()))
        assert "last heard of 0 s ago." in " ".join((await terminal.says("ls")).split())
        (listed,) = (await terminal.json("ls", "--queue", "workshop"))[0]["jobs"]
        assert listed["printing_by"]["name"] == "ender"
        assert listed["why_parts"][1]["for_s"] < SILENT_AFTER_S
        code, _, refused = await terminal.run("lost", job)
        assert code == 1
        assert "ender has not been silent for long" in refused
        assert re.search(r"Wait (1 min|5\d s), look at the printer once more", refused)
        assert queue.claims.held(clock.now_s()) == {job: claim}

    run(tmp_path, capsys, use, queue="workshop")
