"""Five real peers whose cables are cut, that are stopped, and killed.

What counts is read from the stores of the peers afterwards, not from what they say.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path

import httpx
import pytest

from crdtqueue.adapters.store import Store
from crdtqueue.core.document.model import (
    QueueState,
    Result,
)
from crdtqueue.core.document.progress import progress
from crdtqueue.core.ids import QueueName, claim_of_print
from crdtqueue.peer.replica import Replica
from tests.harness.namespaces import (
    Lan,
    why_no_namespaces,
)
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    stop_all,
)

pytestmark = pytest.mark.e2e

PIN = GCODE / "pin_mini.gcode"
NAMES = ("anna", "bert", "cara", "dora", "emil")
PRINTERS = 2
JOBS = 6
HOUR_S = 3600


def state_of(folder: Path) -> QueueState:
    """The document of `workshop` in the store of a peer that has ended."""

    async def read() -> QueueState:
        store = Store(folder / "store.sqlite3")
        await store.open()
        replica = Replica(QueueName("workshop"), store, lambda *_: None)
        try:
            await replica.open()
            return replica.state
        finally:
            replica.close()
            await store.close()

    return asyncio.run(read())


def peers_in(folder: Path) -> list[PeerProcess]:
    """Five, of which the first two print the same kind of file."""
    return [
        PeerProcess(
            folder / name,
            name,
            profile="MINI" if number < PRINTERS else None,
            speed_up=300,
        )
        for number, name in enumerate(NAMES)
    ]


def judge(peers: Sequence[PeerProcess], jobs: Sequence[str], *, doubles: int = 0) -> None:
    """What must hold in every store, and on every printer, once all peers have ended."""
    states = [state_of(peer.folder) for peer in peers]
    records = [{r for job in state.jobs for r in job.records} for state in states]
    assert all(each == records[0] for each in records)
    assert all(state.claims == states[0].claims for state in states)
    assert all(state.ended == states[0].ended for state in states)
    done = [record for record in records[0] if record.result is Result.DONE]
    assert len(done) == len(jobs) + doubles
    for state in states:
        assert {job.id for job in state.jobs} == set(jobs)
        assert all(progress(job).complete for job in state.jobs)
        assert sum(progress(job).doubles for job in state.jobs) == doubles
    for record in records[0]:
        named = claim_of_print(record.print_id)
        assert named
        assert named[0] in states[0].claims
    one = commands(PIN)
    assert sum(len(executed(peer.record)) for peer in peers) == len(done) * len(one)


@contextmanager
def stopped(peer: PeerProcess) -> Iterator[None]:
    """SIGSTOP, as when a laptop's lid is closed, until SIGCONT."""
    assert peer.process
    os.kill(peer.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(peer.process.pid, signal.SIGCONT)


def all_done(peers: Sequence[PeerProcess], jobs: Sequence[str]) -> bool:
    seen = [peer.jobs() for peer in peers]
    return all(set(jobs) <= set(each) for each in seen) and all(
        job["state"] == "done" for each in seen for job in each.values()
    )


def test_stopped_and_killed_in_mid_claim_and_mid_print_each_job_is_printed_once(
    tmp_path: Path,
) -> None:
    peers = peers_in(tmp_path)
    try:
        for peer in peers:
            peer.start([other for other in peers if other is not peer])
        for peer in peers:
            peer.wait(lambda peer=peer: peer.sees(*peers))  # type: ignore[misc]
        jobs = [peers[n % len(peers)].add(PIN, name=f"pin {n}") for n in range(JOBS)]
        peers[4].wait(lambda: len(peers[4].jobs()) == JOBS)
        with stopped(peers[3]):
            peers[0].wait(lambda: printing(peers[0]), 60)
            with stopped(peers[0]):
                peers[1].wait(lambda: "anna" not in names_in_sight(peers[1]), 60)
        for peer in (peers[1], peers[2]):
            peer.kill()
            peer.start([other for other in peers if other is not peer])
        peers[4].wait(lambda: all_done(peers, jobs), 120)
    finally:
        stop_all(*peers)
    judge(peers, jobs)


def printing(peer: PeerProcess) -> bool:
    return any(job["state"] == "printing" for job in peer.jobs().values())


def names_in_sight(peer: PeerProcess) -> set[str]:
    return {each["name"] for each in peer.queue()["peers"] if each["online"]}


def clock_is_off_by(peer: PeerProcess, hours: int) -> bool:
    """Whether this peer's clock is so much ahead of ours."""
    date = httpx.get(peer.url, timeout=30, trust_env=False).headers["date"]
    return round((parsedate_to_datetime(date).timestamp() - time.time()) / HOUR_S) == hours


FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed: `apt install faketime`")
def test_clocks_that_are_set_in_mid_print_change_nothing(tmp_path: Path) -> None:
    peers = peers_in(tmp_path)[:3]
    clocks = [tmp_path / f"clock-{peer.name}" for peer in peers]
    for peer, clock in zip(peers, clocks, strict=True):
        clock.write_text("+0")
        peer.environment = {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Else it may take it for needed, and then waits for conditions by the wrong clock. The
            # interpreter's lock is one: a process with two threads is 50 times slower, or hangs.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }
    try:
        for peer in peers:
            peer.start([other for other in peers if other is not peer])
        for peer in peers:
            peer.wait(lambda peer=peer: peer.sees(*peers))  # type: ignore[misc]
        jobs = [peers[2].add(PIN, name=f"pin {n}") for n in range(3)]
        for offset_h in (-3, 48, -72):
            peers[0].wait(lambda: printing(peers[0]) or all_done(peers, jobs), 60)
            for peer, clock, sign in zip(peers, clocks, (1, -1, 1), strict=True):
                clock.write_text(f"{sign * offset_h * HOUR_S:+d}")
                peer.wait(partial(clock_is_off_by, peer, sign * offset_h))
            peers[1].wait(lambda: peers[1].sees(*peers))
        peers[2].wait(lambda: all_done(peers, jobs), 120)
    finally:
        stop_all(*peers)
    judge(peers, jobs)


WHY_NOT = why_no_namespaces()


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("mode", ["available", "safe"])
def test_a_partition_in_mid_print_heals(tmp_path: Path, mode: str) -> None:
    peers = peers_in(tmp_path)
    with Lan(len(peers)).open() as lan:
        try:
            start_all(lan, peers)
            for peer in peers:
                peer.wait(lambda peer=peer: peer.sees(*peers))  # type: ignore[misc]
            if mode == "safe":
                make_safe(peers)
            jobs = [peers[2].add(PIN, name=f"pin {n}") for n in range(2)]
            for peer in peers[:PRINTERS]:
                peer.wait(lambda peer=peer: printing(peer), 60)  # type: ignore[misc]
            # The first printer is cut off with one other; three are a majority.
            with lan.parted([0, 3]):
                peers[1].wait(lambda: names_in_sight(peers[1]) <= {"bert", "cara", "emil"}, 60)
                late = peers[2].add(PIN, name="late")
                peers[1].wait(lambda: peers[1].jobs()[late]["state"] == "done", 90)
                if mode == "safe":
                    alone = peers[3].add(PIN, name="for the minority")
                    peers[0].wait(lambda: alone in peers[0].jobs())
                    peers[0].wait(lambda: "safe mode" in str(peers[0].state()), 60)
                    assert peers[0].jobs()[alone]["state"] != "done"
                    jobs.append(alone)
            peers[0].wait(lambda: all_done(peers, [*jobs, late]), 120)
        finally:
            stop_all(*peers)
    judge(peers, [*jobs, late])


def start_all(lan: Lan, peers: Sequence[PeerProcess]) -> None:
    """Each in its namespace; pages and links at its address there."""
    for number, peer in enumerate(peers):
        peer.address = f"{lan.host(number)}:7420"
        peer.url = f"http://{lan.host(number)}:7421"
        peer.client = type(peer.client)(peer.url)
    for number, peer in enumerate(peers):
        with lan.inside(number):
            peer.start([other for other in peers if other is not peer])


def make_safe(peers: Sequence[PeerProcess]) -> None:
    """All five vote, and all know it."""
    voters = [peer.state()["peer"]["id"] for peer in peers]
    peers[0].client.patch("/api/queues/workshop", {"mode": "safe", "voters": voters})
    for peer in peers:
        peer.wait(lambda peer=peer: peer.queue()["mode"] == "safe")  # type: ignore[misc]
