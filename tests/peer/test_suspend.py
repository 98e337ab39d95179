"""A machine that sleeps between the claim and the start of its print, on real peers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from crdtqueue.adapters.store import Store
from crdtqueue.core.document.keys import (
    claim_entry,
    roster_entry,
)
from crdtqueue.core.document.model import RosterEntry
from crdtqueue.core.ids import Claim, JobId, claim_of_print
from crdtqueue.core.sync import messages as m
from crdtqueue.core.worker import worker
from crdtqueue.core.worker.worker_events import (
    WorkerMemory,
    WorkerState,
)
from crdtqueue.peer import worker_runner
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.worker_store import save
from printer_driver import clock
from printer_driver.printer import PrintReport, always
from tests.harness.loopback_peers import (
    TIMES,
    MemoryPrinter,
    Stranger,
    add_job,
    done,
    running,
    stranger,
    until,
    until_linked,
)

SLEPT_S = 3600.0
TIMES_OF_SLEEPERS = replace(TIMES, cold_start_hold_s=60.0)
JOB = JobId("0123456789ab")


class Clock:
    """This machine's clock, and how far it has gone on while the machine slept."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._real = clock.now_s

    def __call__(self) -> float:
        return self._real() + self.ahead_s

    def sleep(self, seconds: float = SLEPT_S) -> None:
        self.ahead_s += seconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Clock:
    machine = Clock()
    monkeypatch.setattr(clock, "now_s", machine)
    return machine


@dataclass(kw_only=True)
class SlowToLoad(MemoryPrinter):
    """A printer to which a file is on its way for as long as a test likes, and then begins."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(
        self,
        print_id: str,
        path: Path,
        sha256: str,
        *,
        name: str = "",
        may_begin: Callable[[], bool] = always,
    ) -> PrintReport:
        self.asked.set()
        await self.loaded.wait()
        return await super().start(print_id, path, sha256, name=name, may_begin=may_begin)


def worker_of(peer: Peer) -> worker.Worker:
    assert peer.runner
    return peer.runner.worker


async def let_printer_say_that_it_is_idle(peer: Peer, printer: MemoryPrinter) -> None:
    """As a printer does every 2 s; the worker waits for that before it asks for the job again."""
    await until(peer, lambda: worker_of(peer).state is WorkerState.RESUMING)
    printer.changes.notify()


def epochs(printer: MemoryPrinter) -> list[int]:
    """The claims under which was printed."""
    claims = [claim_of_print(start) for start in printer.starts]
    return [each[0].epoch for each in claims if each]


async def claim_with(other: Stranger, peer: Peer) -> Claim:
    """The peer has claimed the job, and the other one has agreed."""
    queue = peer.queue("workshop")
    await other.say(other.hello())
    await other.hear(m.Heartbeat)
    await until(peer, lambda: not queue.holds_back)
    queue.own_claims.want(JOB)
    ask = await other.hear(m.Ask)
    assert isinstance(ask, m.Ask)
    await other.say(m.Grant(claim=ask.claim))
    await other.hear(m.Arm)
    await other.say(m.Armed(claim=ask.claim))
    await until(peer, lambda: not queue.own_claims.wanted)
    return ask.claim.claim


def run_with_claim(folder: Path, use: Callable[[Peer, Stranger, Claim], Awaitable[None]]) -> None:
    async def scenario() -> None:
        async with (
            running(folder, queue="workshop", times=TIMES_OF_SLEEPERS) as peer,
            stranger(peer) as other,
        ):
            await use(peer, other, await claim_with(other, peer))

    asyncio.run(scenario())


def test_after_a_sleep_nothing_is_owned_until_another_peer_was_met(
    tmp_path: Path, machine: Clock
) -> None:
    async def use(peer: Peer, other: Stranger, claim: Claim) -> None:
        queue = peer.queue("workshop")
        known = RosterEntry(peer=other.id, name="mini", profile=None, addresses=())
        await queue.edit([roster_entry(known)])
        assert queue.own_claims.may_begin(claim)
        assert queue.still_owns(claim)
        machine.sleep()
        assert not queue.own_claims.may_begin(claim)
        assert not queue.still_owns(claim)
        assert "waits up to a minute for the other peers" in queue.holds_back
        await other.say(m.Heartbeat())
        await until(peer, lambda: not queue.holds_back)
        assert queue.still_owns(claim)
        assert not queue.own_claims.may_begin(claim)

    run_with_claim(tmp_path, use)


def test_a_job_that_was_taken_over_during_the_sleep_is_not_owned(
    tmp_path: Path, machine: Clock
) -> None:
    async def use(peer: Peer, other: Stranger, claim: Claim) -> None:
        queue = peer.queue("workshop")
        machine.sleep()
        assert queue.still_owns(claim)  # no other peer is known
        successor = replace(claim, epoch=claim.epoch + 1, peer=other.id, incarnation=1)
        await queue.edit([claim_entry(successor, at_s=0.0)])
        assert not queue.still_owns(claim)
        assert not queue.own_claims.may_begin(claim)

    run_with_claim(tmp_path, use)


def test_a_print_is_not_begun_after_a_sleep_before_it_but_asked_for_again(
    tmp_path: Path, machine: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_S", 0.1)
    printings = list[str]()

    async def sleep_after_saving(store: Store, saved: WorkerMemory) -> None:
        await save(store, saved)
        if saved.printing and not printings:
            printings.append(saved.printing.print_id)
            machine.sleep()

    monkeypatch.setattr(worker_runner, "save", sleep_after_saving)

    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer) as peer:
            job = await add_job(peer, "local")
            await until(peer, lambda: printings)
            await until(peer, lambda: worker_of(peer).problem == worker_runner.TOO_LATE)
            assert printer.starts == []
            await let_printer_say_that_it_is_idle(peer, printer)
            await until(peer, lambda: done(peer, job, "local") == 1)
            assert epochs(printer) == [2]

    asyncio.run(scenario())


def test_a_print_is_not_begun_by_an_upload_that_a_sleep_interrupted(
    tmp_path: Path, machine: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "RETRY_S", 0.1)

    async def scenario() -> None:
        printer, times = SlowToLoad(auto=True), TIMES_OF_SLEEPERS
        async with running(tmp_path / "a", printer=printer, queue="workshop", times=times) as a:
            seeds = [str(a.config.listen)]
            async with running(tmp_path / "b", queue="workshop", peers=seeds, times=times) as b:
                await until_linked(a, b)
                job = await add_job(a)
                await printer.asked.wait()
            await until(a, lambda: not a.queue("workshop").links.all)
            machine.sleep()
            printer.loaded.set()
            await until(a, lambda: "took too long to begin" in worker_of(a).problem)
            assert printer.starts == []
            await let_printer_say_that_it_is_idle(a, printer)
            async with running(tmp_path / "b", peers=seeds, times=times):
                await until(a, lambda: done(a, job) == 1)
            assert epochs(printer) == [2]

    asyncio.run(scenario())
