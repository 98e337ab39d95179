"""Leaving a queue of which a print may begin yet: its printer was told, and did not answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crdtqueue.api.operations import Operations
from crdtqueue.core.errors import Refused
from crdtqueue.core.ids import JobId
from crdtqueue.core.worker import (
    unconfirmed_starts,
    worker,
)
from crdtqueue.core.worker.worker_events import (
    WorkerMemory,
    WorkerState,
)
from crdtqueue.peer.peer import Peer
from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import PrintReport, always
from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
    done,
    running,
    until,
)


@dataclass(kw_only=True)
class SlowWire(MemoryPrinter):
    """A printer that answers no request to begin, and is given each one when a test says so."""

    on_its_way: list[tuple[str, Path, str]] = field(default_factory=list)

    async def start(
        self,
        print_id: str,
        path: Path,
        sha256: str,
        *,
        name: str = "",
        may_begin: Callable[[], bool] = always,
    ) -> PrintReport:
        self.on_its_way.append((print_id, path, sha256))
        raise PrinterUnavailable("The printer process does not answer.")

    async def arrive(self) -> None:
        """What was asked for first is there at last."""
        await super().start(*self.on_its_way.pop(0))


@pytest.fixture(autouse=True)
def tries_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RETRY_S", 0.1)


def worker_of(peer: Peer) -> worker.Worker:
    assert peer.runner
    return peer.runner.worker


def saved_of(peer: Peer) -> WorkerMemory:
    return worker_of(peer).saved


async def doubtful_print(peer: Peer, printer: SlowWire) -> JobId:
    """The printer was told to begin a print of the workshop, which was then given back."""
    job = await add_job(peer)
    await until(peer, lambda: printer.on_its_way and worker_of(peer).problem)
    Operations(peer).manage(managing=False)
    await until(peer, lambda: worker_of(peer).state is WorkerState.RESUMING)
    printer.changes.notify()
    await until(peer, lambda: saved_of(peer).doubtful and not saved_of(peer).held)
    assert saved_of(peer).printing is None
    del printer.on_its_way[1:]
    return job


def test_a_queue_whose_print_has_begun_after_all_is_not_left_before_its_end(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        printer = SlowWire()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            job = await doubtful_print(peer, printer)
            await printer.arrive()
            await until(peer, lambda: worker_of(peer).state is WorkerState.PRINTING)
            with pytest.raises(Refused, match=r"is printing a job of workshop\. Leave when it is"):
                await peer.leave_queue("workshop")
            printer.finish()
            await until(peer, lambda: done(peer, job) == 1 and not saved_of(peer).held)
            await peer.leave_queue("workshop")
            assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_it_is_not_left_either_while_the_printer_holds_a_job_of_another_queue(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        printer = SlowWire()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            job = await doubtful_print(peer, printer)
            await Operations(peer).jobs.pause("workshop", job, paused=True)
            other = await add_job(peer, "local")
            Operations(peer).manage(managing=True)
            await until(peer, lambda: len(printer.on_its_way) == 2)
            held = saved_of(peer).held
            assert held
            assert (held[0], held[1].job) == ("local", other)
            await printer.arrive()
            await until(peer, lambda: worker_of(peer).state is WorkerState.PRINTING)
            assert saved_of(peer).held == held
            with pytest.raises(Refused, match=r"is printing a job of workshop\. Leave when it is"):
                await peer.leave_queue("workshop")
            printer.finish()
            await until(peer, lambda: done(peer, job) == 1)
            assert done(peer, other, "local") == 0

    asyncio.run(scenario())


def test_a_print_that_may_begin_yet_is_remembered_by_the_next_process_and_keeps_its_queue(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        printer = SlowWire()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            job = await doubtful_print(peer, printer)
        await printer.arrive()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            await until(peer, lambda: worker_of(peer).state is WorkerState.PRINTING)
            with pytest.raises(Refused, match=r"is printing a job of workshop\. Leave when it is"):
                await peer.leave_queue("workshop")
            printer.finish()
            await until(peer, lambda: done(peer, job) == 1)
            assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_a_queue_with_a_print_in_doubt_is_left_when_its_printer_has_answered_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        printer = SlowWire()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            await doubtful_print(peer, printer)
            with pytest.raises(Refused, match=r"to print a job of workshop .* may begin it yet"):
                await peer.leave_queue("workshop")
            monkeypatch.setattr(unconfirmed_starts, "SETTLED_S", 0.0)
            await peer.leave_queue("workshop")

    asyncio.run(scenario())


def test_a_print_of_a_queue_that_was_left_is_at_least_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        printer = SlowWire()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            await doubtful_print(peer, printer)
            monkeypatch.setattr(unconfirmed_starts, "SETTLED_S", 0.0)
            await peer.leave_queue("workshop")
            await printer.arrive()
            await until(peer, lambda: worker_of(peer).state is WorkerState.PRINTING)
            printer.finish()
            await until(peer, lambda: not saved_of(peer).printing)

    asyncio.run(scenario())
    assert "of the queue workshop, which this peer has left" in caplog.text
