"""What people ask of a real peer, and what it refuses them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from crdtqueue.api import jobs
from crdtqueue.api.models import NewJob, NewQueue, NewSet
from crdtqueue.api.operations import Operations
from crdtqueue.core.document.fractional_index import is_key
from crdtqueue.core.errors import Invalid, NotFound, Refused, Unavailable
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    chunks,
    done,
    running,
    until,
)


def run(
    folder: Path,
    use: Callable[[Peer, Operations], Awaitable[None]],
    printer: MemoryPrinter | None = None,
) -> None:
    async def scenario() -> None:
        async with running(folder, printer=printer) as peer:
            await use(peer, Operations(peer))

    asyncio.run(scenario())


def test_jobs_stand_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    async def use(peer: Peer, _: Operations) -> None:
        added = [await add_job(peer, "local") for _ in range(10)]
        jobs = peer.queue("local").state.jobs
        assert [job.id for job in jobs] == added
        assert all(is_key(job.order) for job in jobs)
        assert {job.created_by for job in jobs} == {"a"}

    run(tmp_path, use)


def test_two_files_of_one_name_are_two_sets_in_their_order(tmp_path: Path) -> None:
    async def use(peer: Peer, asked: Operations) -> None:
        hashes = []
        for end in (b"G4\n", b"M84\n"):
            upload = await asked.upload("part.gcode", chunks(GCODE, end))
            hashes.append(upload.file.sha256)
        sets = [NewSet(sha256=h, name="part.gcode", profiles=[" mk3s "]) for h in hashes]
        await asked.jobs.add("LOCAL", NewJob(name="both", sets=sets))
        job = peer.queue("local").state.jobs[0]
        assert [each.file.sha256 for each in job.sets] == hashes
        assert job.sets[0].profiles == {"MK3S"}
        assert set(peer.queue("local").state.holders) == set(hashes)

    run(tmp_path, use)


def test_the_largest_job_there_can_be_fits_or_is_refused_whole(tmp_path: Path) -> None:
    async def use(peer: Peer, asked: Operations) -> None:
        sha256 = (await asked.upload("part.gcode", chunks(GCODE))).file.sha256
        profiles = [f"{n:03d}{'€' * 61}" for n in range(64)]
        widest = NewSet(sha256=sha256, name="€" * 200, profiles=profiles)
        await asked.jobs.add("local", NewJob(name="€" * 200, sets=[widest] * 20))
        assert len(peer.queue("local").state.jobs[0].sets) == 20
        with pytest.raises(Invalid, match="split"):
            await asked.jobs.add("local", NewJob(name="x", sets=[widest] * 200))
        assert len(peer.queue("local").state.jobs) == 1

    run(tmp_path, use)


def test_a_queue_takes_so_many_jobs_and_so_much_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(peer: Peer, _: Operations) -> None:
        monkeypatch.setattr(jobs, "JOBS_PER_QUEUE_MAX", 2)
        for _number in range(2):
            await add_job(peer, "local")
        with pytest.raises(Refused, match="at most 2 jobs"):
            await add_job(peer, "local")
        monkeypatch.setattr(jobs, "JOBS_PER_QUEUE_MAX", 100)
        monkeypatch.setattr(jobs, "DOCUMENT_BYTES_MAX", 100)
        with pytest.raises(Refused, match="Make a new queue"):
            await add_job(peer, "local")

    run(tmp_path, use)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def use(peer: Peer, asked: Operations) -> None:
        job = await add_job(peer, "local")
        with pytest.raises(NotFound, match="There are: local"):
            await asked.jobs.pause("workshop", job, paused=True)
        for wrong in ("", "x" * 1_000, job[:-1], f"{job}/deleted", "../"):
            with pytest.raises(NotFound, match="Look at the list again"):
                await asked.jobs.delete("local", wrong)
        await asked.jobs.delete("local", job)
        with pytest.raises(NotFound):
            await asked.jobs.pause("local", job, paused=False)

    run(tmp_path, use)


def test_a_job_that_is_printed_cannot_be_deleted_and_says_by_whom(tmp_path: Path) -> None:
    printer = MemoryPrinter()

    async def use(peer: Peer, asked: Operations) -> None:
        job = await add_job(peer, "local")
        await until(peer, lambda: printer.current)
        with pytest.raises(Refused, match=r"a has part\. Cancel the print there"):
            await asked.jobs.delete("local", job)
        printer.finish()
        await until(peer, lambda: peer.queue("local").state.ended)
        await asked.jobs.delete("local", job)

    run(tmp_path, use, printer)


def test_a_paused_job_is_not_begun(tmp_path: Path) -> None:
    printer = MemoryPrinter(auto=True)

    async def use(peer: Peer, asked: Operations) -> None:
        asked.manage(managing=False)
        await until(peer, lambda: peer.runner and not peer.runner.worker.saved.managing)
        held, free = [await add_job(peer, "local") for _ in range(2)]
        await asked.jobs.pause("local", held, paused=True)
        asked.manage(managing=True)
        await until(peer, lambda: done(peer, free, "local"))
        assert done(peer, held, "local") == 0
        await asked.jobs.pause("local", held, paused=False)
        await until(peer, lambda: done(peer, held, "local"))

    run(tmp_path, use, printer)


def test_a_peer_without_a_printer_refuses_what_is_for_printers(tmp_path: Path) -> None:
    async def use(_: Peer, asked: Operations) -> None:
        for ask in (asked.clear_bed, lambda: asked.manage(managing=True)):
            with pytest.raises(Refused, match="has no printer"):
                ask()
        for command in (asked.pause_print, asked.resume_print, asked.cancel_print):
            with pytest.raises(Refused, match="has no printer"):
                await command()

    run(tmp_path, use)


def test_a_printer_that_prints_nothing_or_is_out_of_reach_says_so(tmp_path: Path) -> None:
    printer = MemoryPrinter()

    async def use(peer: Peer, asked: Operations) -> None:
        with pytest.raises(Refused, match="prints nothing"):
            await asked.cancel_print()
        await add_job(peer, "local")
        await until(peer, lambda: peer.runner and peer.runner.worker.state == "printing")
        printer.reports.clear()
        with pytest.raises(Refused, match="The print is over"):
            await asked.pause_print()

    run(tmp_path, use, printer)


def test_files_that_jobs_need_are_never_thrown_away_for_a_new_one(tmp_path: Path) -> None:
    async def use(peer: Peer, asked: Operations) -> None:
        await add_job(peer, "local")
        peer.files._store_bytes_max = len(GCODE)
        with pytest.raises(Unavailable, match="Delete jobs that are done"):
            await asked.upload("more.gcode", chunks(GCODE, b"G4\n"))
        kept = peer.queue("local").state.jobs[0].sets[0].file.sha256
        assert await peer.files.all() == {kept}

    run(tmp_path, use)


def test_a_queue_is_joined_under_its_clean_name(tmp_path: Path) -> None:
    async def use(peer: Peer, asked: Operations) -> None:
        assert await asked.add_queue(NewQueue(name=" The   workshop ")) == "The workshop"
        with pytest.raises(Invalid, match="is no peer address"):
            await asked.add_queue(NewQueue(name="garage", peers=["nonsense"]))
        await asked.leave_queue("the WORKSHOP")
        assert list(peer.queues) == ["local"]

    run(tmp_path, use)


def test_a_job_is_moved_there_and_back_again(tmp_path: Path) -> None:
    async def use(peer: Peer, asked: Operations) -> None:
        await asked.add_queue(NewQueue(name="workshop"))
        job = await add_job(peer, "local")
        for source, target in (("local", "workshop"), ("workshop", "local")):
            await asked.jobs.pause(source, job, paused=target == "local")
            await asked.jobs.move(source, job, target)
            assert peer.queue(source).state.jobs == ()
            (moved,) = peer.queue(target).state.jobs
            assert moved.name == "part"
            assert moved.paused == (target == "local")
            assert [each.copies for each in moved.sets] == [1]
            job = moved.id
        await asked.jobs.move("local", job, "local")
        assert [each.id for each in peer.queue("local").state.jobs] == [job]

    run(tmp_path, use)


def test_a_job_that_somebody_has_or_had_is_not_moved(tmp_path: Path) -> None:
    printer = MemoryPrinter()

    async def use(peer: Peer, asked: Operations) -> None:
        await asked.add_queue(NewQueue(name="workshop"))
        job = await add_job(peer, "local")
        await until(peer, lambda: printer.current)
        with pytest.raises(Refused, match="a has part"):
            await asked.jobs.move("local", job, "workshop")
        printer.finish()
        await until(peer, lambda: peer.queue("local").state.ended)
        with pytest.raises(Refused, match="printed in part"):
            await asked.jobs.move("local", job, "workshop")
        with pytest.raises(NotFound, match="no queue"):
            await asked.jobs.move("local", job, "elsewhere")
        assert peer.queue("workshop").state.jobs == ()

    run(tmp_path, use, printer)
