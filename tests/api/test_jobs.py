"""What people do with jobs, on a real peer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crdtqueue.api.jobs import Jobs
from crdtqueue.api.models import JobEdit, NewJob, NewSet, SetEdit
from crdtqueue.api.operations import Operations
from crdtqueue.api.view import View
from crdtqueue.core.claims.mark_lost import MARK_LOST_AFTER_S
from crdtqueue.core.document.keys import (
    claim_entry,
    draft_entry,
)
from crdtqueue.core.document.model import (
    Draft,
    Job,
)
from crdtqueue.core.document.progress import (
    Progress,
    progress,
)
from crdtqueue.core.errors import NotFound, Refused
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile, claim_of_print
from crdtqueue.core.worker import worker
from crdtqueue.peer.peer import Peer
from printer_driver import clock
from printer_driver.printer import PrintState
from tests.harness.loopback_peers import (
    GCODE,
    TIMES,
    MemoryPrinter,
    add_job,
    chunks,
    done,
    running,
    until,
    until_linked,
)


def run(
    folder: Path,
    use: Callable[[Peer, Jobs], Awaitable[None]],
    printer: MemoryPrinter | None = None,
    queue: str = "",
) -> None:
    async def scenario() -> None:
        async with running(folder, printer=printer, queue=queue) as peer:
            await use(peer, Jobs(peer))

    asyncio.run(scenario())


def the_job(peer: Peer, job: str, queue: str = "local") -> Job:
    found = peer.queue(queue).state.job(JobId(job))
    assert found
    return found


def names(peer: Peer, queue: str = "local") -> list[str]:
    return [job.name for job in peer.queue(queue).state.jobs]


async def named(peer: Peer, *names: str, runs: int = 1) -> list[JobId]:
    upload = await Operations(peer).upload("part.gcode", chunks(GCODE))
    new = NewSet(sha256=upload.file.sha256, name="part.gcode", profiles=["MK3S"])
    jobs = Jobs(peer)
    return [await jobs.add("local", NewJob(name=name, runs=runs, sets=[new])) for name in names]


async def second_set(peer: Peer) -> NewSet:
    upload = await Operations(peer).upload("other.gcode", chunks(GCODE, b"M84\n"))
    return NewSet(sha256=upload.file.sha256, name="other.gcode", profiles=["ENDER"])


def test_each_field_is_edited_on_its_own(tmp_path: Path) -> None:
    async def use(peer: Peer, jobs: Jobs) -> None:
        (job,) = await named(peer, "Bracket")
        await jobs.edit("local", job, JobEdit(runs=7))
        await jobs.edit("local", job, JobEdit(name="Holder", note="for Ann"))
        found = the_job(peer, job)
        assert (found.name, found.runs, found.note) == ("Holder", 7, "for Ann")

    run(tmp_path, use)


def test_sets_are_added_edited_ordered_and_removed(tmp_path: Path) -> None:
    async def use(peer: Peer, jobs: Jobs) -> None:
        (job,) = await named(peer, "Bracket")
        new = await second_set(peer)
        second, third = await jobs.add_sets("local", job, [new, new])
        first = the_job(peer, job).sets[0].id
        assert [each.id for each in the_job(peer, job).sets] == [first, second, third]
        await jobs.place_set("local", job, third, before=first)
        await jobs.place_set("local", job, first, before=None)
        assert [each.id for each in the_job(peer, job).sets] == [third, second, first]
        edit = SetEdit(copies=5, extra=2, profiles=["mini"], materials=["PLA", ""])
        await jobs.edit_set("local", job, second, edit)
        edited = the_job(peer, job).sets[1]
        assert (edited.copies, edited.wanted(0, 1), edited.wanted(0, 2)) == (5, 7, 5)
        assert edited.profiles == {Profile("MINI")}
        assert edited.materials == ("PLA", "")
        await jobs.remove_set("local", job, third)
        await jobs.remove_set("local", job, second)
        with pytest.raises(Refused, match="Delete the job instead"):
            await jobs.remove_set("local", job, first)
        with pytest.raises(NotFound, match="Look at the job again"):
            await jobs.edit_set("local", job, second, edit)

    run(tmp_path, use)


def test_jobs_are_put_where_people_drag_them(tmp_path: Path) -> None:
    async def use(peer: Peer, jobs: Jobs) -> None:
        a, b, c = await named(peer, "a", "b", "c")
        await jobs.place("local", c, before=a)
        assert names(peer) == ["c", "a", "b"]
        await jobs.place("local", c, before=b)
        assert names(peer) == ["a", "c", "b"]
        await jobs.place("local", a, before=None)
        await jobs.place("local", a, before=a)
        assert names(peer) == ["c", "b", "a"]
        with pytest.raises(NotFound):
            await jobs.place("local", a, before="000000000000")

    run(tmp_path, use)


def test_a_duplicate_stands_behind_its_original_with_nothing_printed(tmp_path: Path) -> None:
    async def use(peer: Peer, jobs: Jobs) -> None:
        a, _ = await named(peer, "a", "b")
        copy = await jobs.duplicate("local", a)
        assert names(peer) == ["a", "a", "b"]
        assert peer.queue("local").state.jobs[1].id == copy

    run(tmp_path, use)


def test_a_job_in_edit_waits_and_says_who_edits_it(tmp_path: Path) -> None:
    printer = MemoryPrinter(auto=True)

    async def use(peer: Peer, jobs: Jobs) -> None:
        upload = await Operations(peer).upload("part.gcode", chunks(GCODE))
        new = NewSet(sha256=upload.file.sha256, name="part.gcode", profiles=["MK3S"])
        job = await jobs.add("local", NewJob(name="x", draft=True, sets=[new]))
        await jobs.begin_draft("local", job)
        beat = the_job(peer, job).draft
        await jobs.edit("local", job, JobEdit(runs=2))
        assert the_job(peer, job).draft != beat
        shown: dict[str, Any] = View(peer).state()["queues"][0]["jobs"][0]
        assert (shown["state"], shown["draft"]["by"], shown["draft"]["self"]) == (
            "blocked",
            "a",
            True,
        )
        assert "Being edited on a" in shown["why"]
        assert printer.starts == []
        await jobs.end_draft("local", job)
        await until(peer, lambda: done(peer, job, "local") == 1)

    run(tmp_path, use, printer)


def test_an_edit_elsewhere_is_respected_until_somebody_ends_it(tmp_path: Path) -> None:
    async def use(peer: Peer, jobs: Jobs) -> None:
        (job,) = await named(peer, "a")
        other = Draft(peer=PeerId("f" * 16), by="laptop", beat=1)
        await peer.queue("local").edit([draft_entry(job, other)])
        with pytest.raises(Refused, match="being edited on laptop"):
            await jobs.begin_draft("local", job)
        await jobs.edit("local", job, JobEdit(runs=3))
        assert the_job(peer, job).draft == other
        await jobs.end_draft("local", job)
        assert the_job(peer, job).draft is None

    run(tmp_path, use)


def test_a_reset_prints_everything_again(tmp_path: Path) -> None:
    printer = MemoryPrinter(auto=True)

    async def use(peer: Peer, jobs: Jobs) -> None:
        job = await add_job(peer, "local")
        await until(peer, lambda: done(peer, job, "local") == 1)
        await jobs.print_again("local", job)
        await until(peer, lambda: len(the_job(peer, job).records) == 2)
        assert progress(the_job(peer, job)) == Progress(done=1, total=1)

    run(tmp_path, use, printer)


def test_a_job_that_is_printed_goes_after_its_copy(tmp_path: Path) -> None:
    printer = MemoryPrinter()

    async def use(peer: Peer, jobs: Jobs) -> None:
        job = await add_job(peer, "local", copies=3)
        await until(peer, lambda: printer.current)
        with pytest.raises(Refused, match=r"a has part\.") as refused:
            await jobs.delete("local", job)
        assert refused.value.code == "job_is_claimed"
        await jobs.delete("local", job, after_copy=True)
        assert View(peer).state()["queues"][0]["jobs"][0]["deleting"]
        printer.finish()
        await until(peer, lambda: names(peer) == [])
        assert len(peer.queue("local").state.deleted[0].records) == 1
        await jobs.restore("local", job)
        assert names(peer) == ["part"]
        assert View(peer).state()["queues"][0]["deleted"] == []

    run(tmp_path, use, printer)


def test_deleted_jobs_are_brought_back(tmp_path: Path) -> None:
    async def use(peer: Peer, jobs: Jobs) -> None:
        a, _ = await named(peer, "a", "b")
        await jobs.delete("local", a)
        shown = View(peer).state()["queues"][0]["deleted"]
        assert [(each["id"], each["name"]) for each in shown] == [(a, "a")]
        await jobs.restore("local", a)
        await jobs.restore("local", a)
        assert names(peer) == ["a", "b"]
        with pytest.raises(NotFound):
            await jobs.restore("local", "000000000000")

    run(tmp_path, use)


def test_runs_that_are_printed_stay_when_the_others_move(tmp_path: Path) -> None:
    printer = MemoryPrinter(auto=True)

    async def use(peer: Peer, jobs: Jobs) -> None:
        (job,) = await named(peer, "a", runs=3)
        await until(peer, lambda: done(peer, job, "local") == 1)
        await until(peer, lambda: peer.runner and not peer.runner.worker.saved.printing)
        Operations(peer).manage(managing=False)
        await until(peer, lambda: not peer.queue("local").claims.held(0.0))
        await jobs.move("local", job, "workshop")
        assert the_job(peer, job).runs == 1
        (moved,) = peer.queue("workshop").state.jobs
        assert (moved.runs, moved.paused, moved.records) == (2, False, ())
        await jobs.move("workshop", moved.id, "local", before=job)
        assert names(peer) == ["a", "a"]
        assert [each.runs for each in peer.queue("local").state.jobs] == [2, 1]
        assert names(peer, "workshop") == []
        assert View(peer).state()["queues"][1]["deleted"] == []
        with pytest.raises(NotFound):
            await jobs.restore("workshop", moved.id)

    run(tmp_path, use, printer, queue="workshop")


def test_a_run_that_is_printed_in_part_does_not_move(tmp_path: Path) -> None:
    printer = MemoryPrinter(auto=True)

    async def use(peer: Peer, jobs: Jobs) -> None:
        job = await add_job(peer, "local", copies=2)
        await until(peer, lambda: done(peer, job, "local") == 1)
        Operations(peer).manage(managing=False)
        await until(peer, lambda: not peer.queue("local").claims.held(0.0))
        with pytest.raises(Refused, match="printed in part"):
            await jobs.move("local", job, "workshop")

    run(tmp_path, use, printer, queue="workshop")


def test_resuming_lets_a_job_that_has_failed_too_often_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_S", 0.1)
    printer = MemoryPrinter()

    async def use(peer: Peer, jobs: Jobs) -> None:
        job = await add_job(peer, "local")
        for number in range(3):
            await until(peer, lambda n=number: len(printer.starts) == n + 1)  # type: ignore[misc]
            printer.finish(PrintState.FAILED, "Jam.")
            await until(peer, lambda n=number: len(the_job(peer, job).records) == n + 1)  # type: ignore[misc]
            await until(peer, lambda: peer.runner and not peer.runner.worker.saved.printing)
            Operations(peer).clear_bed()
        assert "Jam." in View(peer).state()["queues"][0]["jobs"][0]["why"]
        await jobs.pause("local", job, paused=False)
        await until(peer, lambda: len(printer.starts) == 4)

    run(tmp_path, use, printer)


def test_a_printer_that_does_not_answer_is_given_up_by_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead_s, real = [0.0], clock.now_s
    monkeypatch.setattr(clock, "now_s", lambda: real() + ahead_s[0])

    async def scenario() -> None:
        # The jump is no sleep of this process, of which a silence would not count.
        times = replace(TIMES, out_of_sight_s=1e9)
        async with running(tmp_path / "a", name="office", queue="workshop", times=times) as a:
            printer = MemoryPrinter()
            async with running(tmp_path / "b", name="mini", printer=printer) as b:
                await b.add_queue("workshop", [str(a.config.listen)])
                await until_linked(a, b)
                job = await add_job(a)
                await until(a, lambda: a.queue("workshop").claims.held(clock.now_s()))
                await until(b, lambda: printer.current)
                with pytest.raises(Refused, match="mini is in sight"):
                    await Jobs(a).mark_lost("workshop", job)
                with pytest.raises(Refused, match="This printer has part itself"):
                    await Jobs(b).mark_lost("workshop", job)
            await until(a, lambda: not a.queue("workshop").links.all)
            with pytest.raises(Refused, match="look at the printer once more") as early:
                await Jobs(a).mark_lost("workshop", job)
            assert early.value.code == "heard_lately"
            ahead_s[0] = MARK_LOST_AFTER_S
            await Jobs(a).mark_lost("workshop", job)
            assert a.queue("workshop").claims.held(clock.now_s()) == {}
            (mark,) = a.queue("workshop").replica.document.read()["lost"].values()
            assert isinstance(mark, dict)
            assert mark["by"] == "office"
            with pytest.raises(Refused, match="No printer has"):
                await Jobs(a).mark_lost("workshop", job)

    asyncio.run(scenario())


SILENT, ANOTHER = PeerId("c" * 16), PeerId("d" * 16)


def a_claim(job: JobId, owner: PeerId, epoch: int) -> Claim:
    return Claim(job=job, epoch=epoch, peer=owner, incarnation=1)


def marked(peer: Peer) -> dict[str, object]:
    """The marks in the document: whose claim, and who says so."""
    marks = peer.queue("workshop").replica.document.read()["lost"].items()
    return {key.rpartition("/")[0]: mark["by"] for key, mark in marks if isinstance(mark, dict)}


def run_with_silent(
    folder: Path, use: Callable[[Peer, JobId], Awaitable[None]], *, after_s: float = 0.0
) -> None:
    """Other peers claim the job of the workshop, and are never heard of."""
    times = replace(TIMES, mark_lost_after_s=after_s)

    async def scenario() -> None:
        async with running(folder, name="office", queue="workshop", times=times) as peer:
            await use(peer, await add_job(peer))

    asyncio.run(scenario())


async def claimed(peer: Peer, *claims: Claim) -> None:
    queue = peer.queue("workshop")
    await queue.edit([claim_entry(each, at_s=0.0) for each in claims])
    await until(peer, lambda: queue.claims.held_by(claims[-1].job, clock.now_s()) == claims[-1])


def test_one_mark_ends_all_that_a_silent_owner_has_open_on_the_job(tmp_path: Path) -> None:
    async def use(peer: Peer, job: JobId) -> None:
        queue, elsewhere = peer.queue("workshop"), await add_job(peer)
        lost = [a_claim(job, SILENT, epoch) for epoch in (1, 2, 3)]
        kept = a_claim(elsewhere, SILENT, 1)
        await claimed(peer, kept)
        await claimed(peer, *lost)
        await Jobs(peer).mark_lost("workshop", job)
        assert marked(peer) == {each.key: "office" for each in lost}
        assert queue.state.lost == set(lost)
        await until(peer, lambda: not queue.claims.open_of_owner(lost[0]))
        assert queue.claims.held(clock.now_s()) == {elsewhere: kept}
        with pytest.raises(Refused, match="No printer has part"):
            await Jobs(peer).mark_lost("workshop", job)

    run_with_silent(tmp_path, use)


def test_a_mark_ends_nothing_that_another_owner_has_open(tmp_path: Path) -> None:
    async def use(peer: Peer, job: JobId) -> None:
        queue = peer.queue("workshop")
        before, other, newest = (
            a_claim(job, SILENT, 1),
            a_claim(job, ANOTHER, 2),
            a_claim(job, SILENT, 3),
        )
        await claimed(peer, before, other, newest)
        await Jobs(peer).mark_lost("workshop", job)
        assert queue.state.lost == {before, newest}
        await until(peer, lambda: queue.claims.held_by(job, clock.now_s()) == other)
        await Jobs(peer).mark_lost("workshop", job)
        assert queue.state.lost == {before, other, newest}
        await until(peer, lambda: not queue.claims.held(clock.now_s()))

    run_with_silent(tmp_path, use)


def test_an_owner_that_has_just_claimed_once_more_is_not_marked_for_its_older_claims(
    tmp_path: Path,
) -> None:
    async def use(peer: Peer, job: JobId) -> None:
        await claimed(peer, a_claim(job, SILENT, 1), a_claim(job, SILENT, 2))
        with pytest.raises(Refused, match="has not been silent for long") as early:
            await Jobs(peer).mark_lost("workshop", job)
        assert early.value.code == "heard_lately"
        assert marked(peer) == {}

    run_with_silent(tmp_path, use, after_s=MARK_LOST_AFTER_S)


def test_a_job_of_which_all_claims_are_marked_is_printed_here_once(tmp_path: Path) -> None:
    times, printer = replace(TIMES, mark_lost_after_s=0.0), MemoryPrinter(auto=True)

    async def scenario() -> None:
        async with running(tmp_path, queue="workshop", printer=printer, times=times) as peer:
            Operations(peer).manage(managing=False)
            await until(peer, lambda: peer.runner and not peer.runner.worker.saved.managing)
            job = await add_job(peer)
            await claimed(peer, a_claim(job, SILENT, 1), a_claim(job, SILENT, 2))
            Operations(peer).manage(managing=True)
            await until(peer, lambda: peer.runner and peer.runner.worker.saved.managing)
            assert printer.starts == []
            await Jobs(peer).mark_lost("workshop", job)
            await until(peer, lambda: done(peer, job) == 1)
            (printed,) = [claim_of_print(each) for each in printer.starts]
            assert printed
            assert printed[0].epoch == 3

    asyncio.run(scenario())
