"""One printer's operator with a real store, real files and a printer in memory."""

import asyncio
from pathlib import Path

import pytest

from crdtqueue.core.ids import Claim, JobId, PeerId, QueueName, claim_of_print
from crdtqueue.core.worker import worker
from crdtqueue.core.worker import worker_events as w
from crdtqueue.peer import worker_runner
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.worker_runner import WorkerRunner
from printer_driver.printer import Connection, PrintState
from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
    done,
    fill_disk,
    free_disk,
    running,
    until,
)

CLAIM = Claim(job=JobId("0123456789ab"), epoch=2, peer=PeerId("a" * 16), incarnation=3)


def runner_of(peer: Peer) -> WorkerRunner:
    assert peer.runner
    return peer.runner


def test_each_copy_is_one_print_with_a_claim_that_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer) as peer:
            job = await add_job(peer, "local", copies=2)
            local = peer.queue("local")
            await until(peer, lambda: done(peer, job, "local") == 2)
            await until(peer, lambda: len(local.state.ended) == 2)
            assert local.state.claims == local.state.ended
            named = [claim_of_print(start) for start in printer.starts]
            assert [each and (each[0].epoch, each[1]) for each in named] == [(1, 1), (2, 1)]

    asyncio.run(scenario())


def test_a_print_whose_claim_no_longer_holds_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_S", 0.1)

    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer) as peer:
            local = peer.queue("local")
            with monkeypatch.context() as patch:
                patch.setattr(local.own_claims, "may_begin", lambda claim: False)
                job = await add_job(peer, "local")
                await until(peer, lambda: runner_of(peer).worker.problem == worker_runner.TOO_LATE)
                assert printer.starts == []
            await until(peer, lambda: done(peer, job, "local") == 1)
            assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_nothing_is_begun_on_a_bed_that_nobody_has_cleared(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer, self_clearing=False) as peer:
            job = await add_job(peer, "local", copies=2)
            await until(peer, lambda: done(peer, job, "local") == 1)
            await until(peer, lambda: not runner_of(peer).worker.saved.printing)
            assert len(printer.starts) == 1
            runner_of(peer).post(w.BedCleared())
            await until(peer, lambda: done(peer, job, "local") == 2)

    asyncio.run(scenario())


def test_a_job_for_another_kind_of_printer_is_left_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer, profile="Monoprice Mini Delta V2") as peer:
            await add_job(peer, "local", profile="Voron V2")
            job = await add_job(peer, "local", profile="MONOPRICE  mini delta v2")
            await until(peer, lambda: done(peer, job, "local") == 1)
            assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_a_cancelled_print_holds_its_job_back_and_stops_the_printer(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer) as peer:
            job = await add_job(peer, "local")
            await until(peer, lambda: printer.current)
            printer.finish(PrintState.CANCELLED, "Cancelled.")
            local = peer.queue("local")
            await until(peer, lambda: local.state.jobs[0].paused and local.state.ended)
            assert not runner_of(peer).worker.saved.managing
            assert done(peer, job, "local") == 0

    asyncio.run(scenario())


def test_a_printer_that_refuses_a_file_fails_the_print_with_its_words(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(refusal="part.gcode is not g-code.")
        async with running(tmp_path, printer=printer) as peer:
            await add_job(peer, "local")
            local = peer.queue("local")
            await until(peer, lambda: local.state.jobs[0].records)
            assert local.state.jobs[0].records[0].reason == "part.gcode is not g-code."
            await until(peer, lambda: runner_of(peer).worker.saved.bed_clear)

    asyncio.run(scenario())


def test_a_printer_out_of_reach_is_a_sentence_until_it_is_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True, is_unreachable=True)
        async with running(tmp_path, printer=printer) as peer:
            job = await add_job(peer, "local")
            await until(peer, lambda: "does not answer" in runner_of(peer).worker.printer.problem)
            assert runner_of(peer).status is None
            printer.is_unreachable = False
            await until(peer, lambda: done(peer, job, "local") == 1)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "connection", [Connection.OFFLINE, Connection.HALTED, Connection.CONNECTING]
)
def test_a_printer_that_is_not_ready_gets_no_print(tmp_path: Path, connection: Connection) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True, connection=connection, problem="Plug it in.")
        async with running(tmp_path, printer=printer) as peer:
            job = await add_job(peer, "local")
            await until(peer, lambda: runner_of(peer).worker.printer.problem == "Plug it in.")
            assert peer.queue("local").state.claims == frozenset()
            printer.connection, printer.problem = Connection.READY, ""
            printer.changes.notify()
            await until(peer, lambda: done(peer, job, "local") == 1)

    asyncio.run(scenario())


def test_a_full_disk_at_the_end_of_a_print_delays_its_record_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_runner, "RETRY_WRITE_S", 0.01)

    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer) as peer:
            job = await add_job(peer, "local")
            await until(peer, lambda: printer.current)
            fill_disk(peer.store)
            printer.finish(reason="x" * 150)
            local = peer.queue("local")
            await until(peer, lambda: local.replica.problem)
            assert runner_of(peer).worker.saved.printing
            free_disk(peer.store)
            await until(peer, lambda: local.state.ended)
            assert done(peer, job, "local") == 1
        async with running(tmp_path, printer=printer) as peer:
            assert done(peer, job, "local") == 1
        assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_a_print_that_never_reached_the_printer_is_started_after_a_restart(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=MemoryPrinter()) as peer:
            job = await add_job(peer, "local")
            await until(peer, lambda: runner_of(peer).worker.saved.printing)
        # Another printer process, which has never heard of it.
        async with running(tmp_path, printer=printer) as peer:
            await until(peer, lambda: done(peer, job, "local") == 1)
            assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_asking_and_pausing_in_a_queue_that_was_left_is_answered(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, printer=MemoryPrinter()) as peer:
            gone, job = QueueName("gone"), JobId("0123456789ab")
            await runner_of(peer)._carry_out(w.AskForJob(queue=gone, job=job))
            assert w.NotClaimed(queue=gone, job=job) in runner_of(peer)._events
            await runner_of(peer)._carry_out(w.PauseJob(queue=gone, job=job))
            await runner_of(peer)._carry_out(w.EndClaim(queue=gone, claim=CLAIM, reason="left"))

    asyncio.run(scenario())
