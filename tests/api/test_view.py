"""What pages and programs are shown of real peers."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crdtqueue import __version__
from crdtqueue.api.view import View, problems
from crdtqueue.core import messages as m
from crdtqueue.core.errors import Unavailable
from crdtqueue.peer.peer import Peer
from tests.peer.peers import (
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
            await until(a, lambda: not a.queue("workshop").sessions)
            queue = View(a).state()["queues"][1]
            gone = next(p for p in queue["peers"] if p["name"] == "b")
            assert (gone["online"], gone["printer"]) == (False, None)
            assert queue["jobs"][0]["why"].startswith("b has it, and was last heard of ")

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
            news = m.PrinterNews(state=name, text=name, temperatures=[(name, 1.0, 2.0)] * 16)
            await other.say(m.Heartbeat(printer=news))
            await until(peer, lambda: other.id in peer.queue("workshop").remotes)
            assert state(peer)

    asyncio.run(scenario())
