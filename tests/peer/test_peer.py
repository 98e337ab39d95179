"""Whole peers in one process: two that share a queue, and what people and accidents do to them."""

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from crdtqueue.adapters.links import Address
from crdtqueue.api.operations import Operations
from crdtqueue.api.view import problems
from crdtqueue.core.document.keys import roster_entry
from crdtqueue.core.document.model import RosterEntry
from crdtqueue.core.errors import Invalid, NotFound, Refused, Unavailable
from crdtqueue.core.ids import PeerId, QueueName
from crdtqueue.core.sync import messages as m
from crdtqueue.peer.config import QUEUES_MAX
from crdtqueue.peer.peer import INCARNATIONS_SKIPPED, STORE_NAME, Peer
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    done,
    fill_disk,
    running,
    stranger,
    until,
    until_linked,
)


@pytest.fixture
def nothing_blocks() -> Iterator[None]:
    """Fails the test if anything blocks the event loop."""
    with blockbuster_ctx():
        yield


@pytest.mark.usefixtures("nothing_blocks")
def test_a_job_added_at_one_peer_is_printed_once_by_the_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
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
            job = await add_job(a, copies=3)
            await until(a, lambda: done(a, job) == 3)
            await until(a, lambda: not a.queue("workshop").state.open_claims(job))
            assert len(printer.starts) == 3 == len(set(printer.starts))
            assert printer.printed == [GCODE] * 3
            assert done(b, job) == 3

    asyncio.run(scenario())


def test_two_printers_share_the_jobs_and_none_is_printed_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        printers = MemoryPrinter(auto=True), MemoryPrinter(auto=True)
        async with (
            running(tmp_path / "a", queue="workshop", printer=printers[0]) as a,
            running(
                tmp_path / "b",
                name="b",
                queue="workshop",
                peers=[str(a.config.listen)],
                printer=printers[1],
            ) as b,
        ):
            await until_linked(a, b)
            jobs = [await add_job(peer) for peer in (a, b) * 4]
            for job in jobs:
                await until(a, partial(done, a, job))
                await until(b, partial(done, b, job))
            assert len(printers[0].starts) + len(printers[1].starts) == len(jobs)

    asyncio.run(scenario())


def test_a_restarted_peer_is_the_same_peer_with_the_same_queues_and_jobs(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as first:
            job = await add_job(first)
            me = first.me
        async with running(tmp_path) as again:
            assert list(again.queues) == ["local", "workshop"]
            assert again.queue("workshop").state.job(job)
            assert (again.me.peer, again.me.incarnation) == (me.peer, me.incarnation + 1)

    asyncio.run(scenario())


def test_a_print_under_way_is_counted_once_after_a_restart_of_the_peer(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, queue="workshop", printer=printer) as first:
            job = await add_job(first)
            await until(first, lambda: first.runner and first.runner.worker.printer.phase)
        printer.finish()
        async with running(tmp_path, printer=printer) as again:
            await until(again, lambda: done(again, job) == 1)
            await until(again, lambda: not again.queue("workshop").state.open_claims(job))
        assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_a_second_process_with_the_same_folder_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path):
            with pytest.raises(Refused, match="--data"):
                async with running(tmp_path):
                    pass

    asyncio.run(scenario())


def test_an_error_in_the_context_comes_out_as_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path):
            raise Refused("No.")

    with pytest.raises(Refused, match="No"):
        asyncio.run(scenario())


def test_a_queue_is_made_once_whoever_asks_and_how_often(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            asked = ("workshop", "Workshop", " workshop ")
            made = await asyncio.gather(
                *(peer.add_queue(name, []) for name in asked), return_exceptions=True
            )
            assert [type(each).__name__ for each in made] == ["LanQueue", "Refused", "Refused"]
            assert list(peer.queues) == ["local", "workshop"]
            left = await asyncio.gather(
                peer.leave_queue("WORKSHOP"), peer.leave_queue("workshop"), return_exceptions=True
            )
            assert [type(each) for each in left] == [type(None), NotFound]

    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["", "  ", "local", "Archive", "a/b", "a\nb\x00", "x" * 201])
def test_a_queue_needs_a_name_that_can_be_shown(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            with pytest.raises(Invalid, match="Choose another name"):
                await peer.add_queue(name, [])
            assert list(peer.queues) == ["local"]

    asyncio.run(scenario())


def test_queues_and_addresses_have_limits(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            with pytest.raises(Invalid, match="at most 64 addresses"):
                await peer.add_queue(
                    "workshop", [f"127.0.0.1:{port}" for port in range(7600, 7665)]
                )
            for number in range(QUEUES_MAX - 1):
                await peer.add_queue(f"queue {number}", [])
            with pytest.raises(Refused, match="Leave one first"):
                await peer.add_queue("one more", [])

    asyncio.run(scenario())


def test_leaving_a_queue_with_links_open_leaves_the_rest_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "a", queue="workshop") as a,
            running(tmp_path / "b", queue="workshop", peers=[str(a.config.listen)]) as b,
        ):
            await until_linked(a, b)
            await b.leave_queue("workshop")
            await until(a, lambda: not a.queue("workshop").links.all)
            assert list(b.queues) == ["local"]
            job = await add_job(a)
            await b.add_queue("workshop", [str(a.config.listen)])
            await until(b, lambda: b.queue("workshop").state.job(job))

    asyncio.run(scenario())
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


def test_the_own_queue_and_one_that_is_printed_from_cannot_be_left(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            with pytest.raises(Refused, match="cannot be left"):
                await peer.leave_queue("local")
            await add_job(peer)
            await until(peer, lambda: printer.starts)
            with pytest.raises(Refused, match="when it is done"):
                await peer.leave_queue("workshop")
            printer.finish()
            await until(peer, lambda: peer.runner and not peer.runner.worker.held)
            await peer.leave_queue("workshop")

    asyncio.run(scenario())


def test_a_printer_that_asks_for_a_job_keeps_its_queue(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path / "a", queue="workshop", printer=MemoryPrinter()) as peer:
            async with stranger(peer) as silent:
                await silent.say(silent.hello())
                await silent.hear(m.Heartbeat)
                await add_job(peer)
                await silent.hear(m.Ask)
                with pytest.raises(Refused, match="Try again in a few seconds"):
                    await peer.leave_queue("workshop")
            await until(peer, lambda: not peer.queue("workshop").own_claims.wanted)

    asyncio.run(scenario())


def test_a_peer_that_dials_itself_notices_and_stops(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            own = peer.config.listen
            queue = await peer.add_queue("workshop", [str(own)])
            await until(peer, lambda: queue.links.addresses.get(own) == peer.me.peer)
            await until(peer, lambda: not queue.links.all)
            assert queue.links.problem == ""
            assert queue.links.synced

    asyncio.run(scenario())


def test_peers_that_dial_each_other_keep_one_link(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "a", queue="workshop") as a,
            running(tmp_path / "b", queue="workshop", peers=[str(a.config.listen)]) as b,
        ):
            port = a.config.listen.port
            await a.add_addresses("workshop", [str(b.config.listen)])
            await b.add_addresses("workshop", [f"localhost:{port}"])
            await until(
                b,
                lambda: (
                    b.queue("workshop").links.addresses.keys()
                    >= {Address(host="localhost", port=port)}
                ),
            )
            await until_linked(a, b)

    asyncio.run(scenario())


def test_peers_find_each_other_through_the_one_that_both_know(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path / "a", queue="workshop") as a:
            known = [str(a.config.listen)]
            async with (
                running(tmp_path / "b", name="b", queue="workshop", peers=known) as b,
                running(tmp_path / "c", name="c", queue="workshop", peers=known) as c,
            ):
                await until_linked(a, b, c)

    asyncio.run(scenario())


def test_a_copied_folder_is_told_what_it_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path / "a", queue="workshop"):
            pass
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / STORE_NAME).write_bytes((tmp_path / "a" / STORE_NAME).read_bytes())
        async with running(tmp_path / "a") as a, running(tmp_path / "b") as b:
            assert a.me.peer == b.me.peer
            await b.add_addresses("workshop", [str(a.config.listen)])
            for peer in (a, b):
                await until(peer, partial(is_told, peer))

    asyncio.run(scenario())


def is_told(peer: Peer) -> bool:
    return "is a copy of this one" in peer.queue("workshop").links.problem


@pytest.mark.parametrize(
    "address",
    [
        "a..b:7601",
        ".:7601",
        f"{'x' * 64}:7601",
        "[:::::]:7601",
        "1.2.3:99999",
        "\0:1",
        "[::1%1]:7601",
    ],
)
def test_a_roster_full_of_nonsense_harms_nobody(tmp_path: Path, address: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            entry = RosterEntry(
                peer=PeerId("f" * 16), name="\x1b[31m", profile=None, addresses=(address,) * 8
            )
            await peer.queue("workshop").edit([roster_entry(entry)])
            membership = peer.memberships[QueueName("workshop")]
            async with asyncio.TaskGroup() as tasks:
                finding = tasks.create_task(membership.finder.run())
                async with stranger(peer) as other:
                    await other.say(other.hello())
                    await other.hear(m.Heartbeat)
                finding.cancel()

    asyncio.run(scenario())


def test_a_full_disk_at_the_start_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            await add_job(peer)
        for file in (tmp_path / "files").iterdir():
            file.unlink()
        # The holder entry is wrong now, and cannot be corrected.
        original = Peer._open_queues

        async def with_full_disk(peer: Peer) -> None:
            await asyncio.to_thread(fill_disk, peer.store)
            await original(peer)

        monkeypatch.setattr(Peer, "_open_queues", with_full_disk)
        async with running(tmp_path, queue="workshop") as peer:
            await until(peer, lambda: peer.queue("workshop").replica.problem)
            with pytest.raises(Unavailable, match="Make room"):
                await Operations(peer).jobs.pause(
                    "workshop", peer.queue("workshop").state.jobs[0].id, paused=True
                )
            assert peer.queue("workshop").holds_back

    asyncio.run(scenario())


def test_after_damage_no_job_is_taken_until_somebody_has_seen_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            await peer.store.append(QueueName("local"), b"no update at all")
            before = peer.me
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer) as peer:
            assert peer.me.peer == before.peer
            await add_job(peer, "local")
            assert "make no sense" in peer.queue("local").holds_back
            assert problems(peer) == [peer.store.damage]
            assert printer.starts == []
            await peer.accept_damage()
            await until(peer, lambda: printer.current)
            assert problems(peer) == []
        async with running(tmp_path) as peer:
            assert problems(peer) == []

    asyncio.run(scenario())


def test_after_damage_no_claims_token_comes_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer:
            await peer.store.set_aside(QueueName("local"), [])
        async with running(tmp_path) as peer:
            assert peer.me.incarnation > INCARNATIONS_SKIPPED

    asyncio.run(scenario())
