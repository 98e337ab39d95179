"""What pages and programs are shown of real peers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crdtqueue import __version__
from crdtqueue.api.operations import Operations
from crdtqueue.api.view import View, problems
from crdtqueue.core.claims.claim_events import HeardOf
from crdtqueue.core.claims.claims import EPOCH_MAX
from crdtqueue.core.document.keys import (
    claim_entry,
    end_entry,
    mode_entry,
)
from crdtqueue.core.document.model import Mode
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.ids import Claim, PeerId
from crdtqueue.core.sync import messages as m
from crdtqueue.peer.peer import Peer
from printer_driver import clock
from tests.harness.loopback_peers import (
    TIMES,
    MemoryPrinter,
    add_job,
    done,
    fill_disk,
    running,
    stranger,
    until,
    until_linked,
)


def state(peer: Peer) -> dict[str, object]:
    """The state, having been JSON in between, as a browser reads it."""
    return dict(json.loads(json.dumps(View(peer).state(), allow_nan=False)))


def test_a_peer_alone_shows_itself_and_its_own_queue(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            assert state(peer) == {
                "peer": {
                    "id": peer.me.peer,
                    "name": "a",
                    "version": __version__,
                    "address": str(peer.config.listen),
                    "problems": [],
                    "store_damaged": False,
                },
                "printer": None,
                "queues": [
                    {
                        "name": "local",
                        "mode": "available",
                        "voters": [],
                        "voters_before": [],
                        "strategy": "in-order",
                        "open": False,
                        "local": True,
                        "synced": True,
                        "peers": [
                            {
                                "id": peer.me.peer,
                                "name": "a",
                                "profile": None,
                                "self": True,
                                "online": True,
                                "heard_s": None,
                                "address": None,
                                "printer": None,
                            }
                        ],
                        "deleted": [],
                        "jobs": [],
                    }
                ],
            }

    asyncio.run(scenario())


def shown(peer: Peer) -> dict[str, Any]:
    """The first job of the queue workshop."""
    jobs = View(peer).state()["queues"][1]["jobs"]
    return dict(jobs[0]) if jobs else {}


def is_shown(peer: Peer, field: str, value: object) -> bool:
    return bool(shown(peer).get(field) == value)


def test_both_peers_show_who_prints_what_and_what_is_done(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with (
            running(tmp_path / "a", queue="workshop") as a,
            running(
                tmp_path / "b",
                name="b",
                queue="workshop",
                peers=[str(a.config.listen)],
                printer=printer,
            ) as b,
        ):
            await until_linked(a, b)
            job = await add_job(a, copies=2)

            for peer in (a, b):
                await until(peer, partial(is_shown, peer, "why", "Printing on b."))
                assert shown(peer)["state"] == "printing"
                assert shown(peer)["printing_by"] == {
                    "peer": b.me.peer,
                    "name": "b",
                    "progress": 0.0,
                    "file_name": "part.gcode",
                    "in_sight": True,
                    "silent_s": None,
                    "takeover_in_s": None,
                }
                on_b = next(p for p in View(peer).state()["queues"][1]["peers"] if p["name"] == "b")
                assert on_b["online"]
                assert on_b["printer"]["text"] == "Prints part.gcode."
                assert on_b["printer"]["temperatures"][0]["actual_c"] == 21.5
            own = View(b).state()["printer"]
            assert (own["queue"], own["job_id"], own["state"]) == ("workshop", job, "printing")
            printer.finish()
            await until(a, lambda: done(a, job) == 1)
            await until(a, partial(is_shown, a, "copies_done", 1))
            assert shown(a)["sets"][0] | {"id": "", "file": {}} == {
                "id": "",
                "file": {},
                "copies": 2,
                "extra": 0,
                "profiles": ["MK3S"],
                "materials": [],
                "run_done": 1,
                "run_total": 2,
                "done": 1,
                "pending": 1,
                "total": 2,
            }

    asyncio.run(scenario())


def test_a_peer_that_has_gone_is_shown_as_gone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path / "a", queue="workshop") as a:
            known = [str(a.config.listen)]
            async with running(
                tmp_path / "b", name="b", queue="workshop", peers=known, printer=MemoryPrinter()
            ) as b:
                await until_linked(a, b)
                await add_job(a)
                await until(a, lambda: len(View(a).state()["queues"][1]["peers"]) == 2)
                await until(
                    a,
                    lambda: a.queue("workshop").state.open_claims(
                        a.queue("workshop").state.jobs[0].id
                    ),
                )
            await until(a, lambda: not a.queue("workshop").links.all)
            queue = View(a).state()["queues"][1]
            gone = next(p for p in queue["peers"] if p["name"] == "b")
            assert (gone["online"], gone["printer"]) == (False, None)
            assert queue["jobs"][0]["why"].startswith("b has it, and was last heard of ")

    asyncio.run(scenario())


class SilentOwner:
    """A peer in whose queue somebody has a job who is never heard of. Time passes as it is told."""

    def __init__(self, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queue = peer.queue("workshop")
        self.view = View(peer)
        self._peer = peer
        self._ahead_s = 0.0
        real = clock.now_s
        monkeypatch.setattr(clock, "now_s", lambda: real() + self._ahead_s)

    async def claim(self) -> None:
        job = await add_job(self._peer)
        self.held = Claim(job=job, epoch=1, peer=PeerId("c" * 16), incarnation=1)
        await self.queue.edit([claim_entry(self.held, at_s=0.0)])
        await until(self._peer, lambda: self.queue.claims.held(clock.now_s()))

    def pass_s(self, seconds: float) -> None:
        self._ahead_s += seconds

    @property
    def job(self) -> dict[str, Any]:
        return dict(self.view.state()["queues"][1]["jobs"][0])


def with_silent_owner(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[SilentOwner], Awaitable[None]],
) -> None:
    async def scenario() -> None:
        # The jumps are no sleep of this process, of which a silence would not count.
        times = replace(TIMES, out_of_sight_s=1e9)
        async with running(folder, queue="workshop", times=times) as peer:
            owner = SilentOwner(peer, monkeypatch)
            await owner.claim()
            await use(owner)

    asyncio.run(scenario())


def test_a_silence_is_counted_and_told_with_what_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(owner: SilentOwner) -> None:
        assert "was last heard of 0 s ago" in owner.job["why"]
        owner.pass_s(190)
        job = owner.job
        assert "silent for 3 min. Another printer may take over in 27 min" in job["why"]
        assert job["printing_by"]["silent_s"] == pytest.approx(190, abs=1)
        assert job["printing_by"]["takeover_in_s"] == pytest.approx(1610, abs=1)
        for_s, in_s = (part for part in job["why_parts"] if isinstance(part, dict))
        assert for_s == {"for_s": job["printing_by"]["silent_s"]}
        assert in_s == {"in_s": job["printing_by"]["takeover_in_s"]}
        await owner.queue.edit([mode_entry(Mode.SAFE)])
        await until(owner._peer, lambda: "In safe mode" in owner.job["why"])
        assert owner.job["printing_by"]["takeover_in_s"] is None
        await owner.queue.edit([mode_entry(Mode.AVAILABLE)])
        owner.pass_s(1_611)
        await until(owner._peer, lambda: owner.job["printing_by"] is None)
        assert owner.job["why"] == "No printer with profile MK3S is in sight."
        assert owner.job["why_parts"] is None

    with_silent_owner(tmp_path, monkeypatch, use)


def test_only_what_is_more_than_time_is_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(owner: SilentOwner) -> None:
        owner.pass_s(100)
        before = owner.view.snapshot()
        owner.pass_s(100)
        after = owner.view.snapshot()
        assert before.text != after.text
        assert before.fingerprint == after.fingerprint
        text = m.ClaimText.of(owner.held)
        heard = m.HeldClaim(claim=text, silent_s=50.0)
        owner.queue.claims.receive(
            HeardOf(peer=PeerId("d" * 16), held=(heard,)), now_s=clock.now_s()
        )
        assert owner.view.snapshot().fingerprint != after.fingerprint

    with_silent_owner(tmp_path, monkeypatch, use)


def test_a_job_that_cannot_be_taken_any_more_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop", printer=MemoryPrinter()) as peer:
            queue, view = peer.queue("workshop"), View(peer)
            service = Operations(peer)
            service.manage(managing=False)
            await until(peer, lambda: peer.runner and not peer.runner.worker.saved.managing)
            job = await add_job(peer)
            assert "start managing it" in view.state()["queues"][1]["jobs"][0]["why"]
            last = Claim(job=job, epoch=EPOCH_MAX, peer=PeerId("c" * 16), incarnation=1)
            await queue.edit([claim_entry(last, at_s=0.0), end_entry(last, "done")])
            await until(peer, lambda: queue.readiness.obstacle(job))
            assert view.state()["queues"][1]["jobs"][0]["why"] == queue.readiness.obstacle(job)

    asyncio.run(scenario())


def test_problems_are_told_with_their_queue(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            assert problems(peer) == []
            free = f"127.0.0.1:{peer.config.listen.port}"
            await peer.add_addresses("workshop", ["no-such-name.invalid:7699", free])
            await until(peer, lambda: problems(peer))
            assert problems(peer)[0].startswith("workshop: no-such-name.invalid:7699")
            fill_disk(peer.store)
            with pytest.raises(Unavailable, match="Make room"):
                await peer.queue("local").edit([("jobs", "0123456789ab/name", "x" * 9_000)])
            await until(peer, lambda: any(p.startswith("local: ") for p in problems(peer)))

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["<b>&\"'", "\x1b[31mred", "\u202eevil", "x" * 200])
def test_whatever_a_stranger_calls_itself_is_only_text(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer, stranger(peer) as other:
            await other.say(other.hello(name=name))
            summary = m.PrinterSummary(state=name, text=name, temperatures=[(name, 1.0, 2.0)] * 16)
            await other.say(m.Heartbeat(printer=summary))
            await until(peer, lambda: other.id in peer.queue("workshop").links.remotes)
            assert state(peer)

    asyncio.run(scenario())
