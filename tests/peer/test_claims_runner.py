"""The claims of a queue over a real store and document, with a full disk and a changed rule."""

import asyncio
from pathlib import Path

import pytest

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.quorum import (
    VoterLists,
    voters_entry,
)
from crdtqueue.core.document.keys import (
    claim_entry,
    lost_entry,
    mode_entry,
)
from crdtqueue.core.document.model import (
    Mode,
    QueueSettings,
    QueueState,
)
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.peer.claims_runner import (
    records_of,
    rules_of,
)
from printer_driver import clock
from printer_driver.printer import Connection
from tests.harness.loopback_peers import (
    TIMES,
    Eavesdropper,
    MemoryPrinter,
    add_job,
    done,
    fill_disk,
    free_disk,
    running,
    until,
)
from tests.harness.patience import HANG_S

JOB = JobId("0123456789ab")
ABSENT = PeerId("c" * 16)


def test_what_a_person_marked_lost_is_over() -> None:
    claim = Claim(job=JOB, epoch=1, peer=ABSENT, incarnation=1)
    read = records_of(QueueState(claims=frozenset({claim}), lost=frozenset({claim})))
    assert read.over == {claim}


def test_the_rules_are_those_of_the_settings() -> None:
    assert not rules_of(QueueSettings()).is_safe
    _, key, value = voters_entry(VoterLists(), {ABSENT})
    rules = rules_of(QueueSettings(mode=Mode.SAFE, voter_fields={key: value}))
    assert rules.short_of({ABSENT}) is None
    assert rules.short_of(frozenset())


def test_in_safe_mode_a_sole_voter_prints_alone_and_nobody_else_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            queue = peer.queue("workshop")
            await queue.edit([mode_entry(Mode.SAFE)])
            job = await add_job(peer)
            await until(peer, lambda: queue.holds_back)
            assert not printer.starts
            await queue.edit([voters_entry(VoterLists(), {peer.me.peer})])
            await until(peer, lambda: done(peer, job))

    asyncio.run(scenario())


def test_a_lost_owner_makes_room_for_another(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            queue = peer.queue("workshop")
            await until(peer, lambda: peer.runner and not peer.runner.worker.printer.problem)
            printer.problem, printer.connection = "Unplugged.", Connection.CONNECTING
            printer.changes.notify()
            await until(peer, lambda: peer.runner and peer.runner.worker.printer.problem)
            job = await add_job(peer)
            gone = Claim(job=job, epoch=1, peer=ABSENT, incarnation=1)
            await queue.edit([claim_entry(gone, at_s=0.0)])
            printer.problem, printer.connection = "", Connection.READY
            printer.changes.notify()
            await until(peer, lambda: peer.runner and not peer.runner.worker.printer.problem)
            assert queue.claims.held_by(job, 0.0) == gone
            await queue.edit([lost_entry(gone, peer=peer.me.peer, by="Ann", at_s=1.0)])
            await until(peer, lambda: done(peer, job))

    asyncio.run(scenario())


def test_a_print_may_begin_soon_after_the_claim_and_not_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            queue = peer.queue("workshop")
            claimed: asyncio.Queue[ce.MayHeat] = asyncio.Queue()
            claims_runner = queue.own_claims
            claims_runner._listener = Eavesdropper(peer, claimed=claimed.put_nowait)
            claims_runner.want(JOB)
            claim = (await claimed.get()).claim
            assert queue.own_claims.may_begin(claim)
            late_s = clock.now_s() + TIMES.begin_within_s + 0.1
            monkeypatch.setattr(clock, "now_s", lambda: late_s)
            assert not queue.own_claims.may_begin(claim)
            claims_runner.want(JOB)
            assert (await claimed.get()).claim.epoch == claim.epoch + 1

    asyncio.run(scenario())


def test_a_start_record_that_cannot_be_stored_is_no_start(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            queue = peer.queue("workshop")
            told: asyncio.Queue[ce.No] = asyncio.Queue()
            claims_runner = queue.own_claims
            claims_runner._listener = Eavesdropper(
                peer, missed=lambda _, reason: told.put_nowait(reason)
            )
            fill_disk(peer.store)
            claims_runner.want(JOB)
            async with asyncio.timeout(HANG_S):
                assert await told.get() is ce.No.DISK
            free_disk(peer.store)
            await until(peer, lambda: not queue.holds_back)

    asyncio.run(scenario())
