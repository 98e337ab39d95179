"""One queue of a real peer, and what strangers say to it over real links."""

import asyncio
import hashlib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from crdtqueue.adapters.crdt.facade import ApplyResult, open_document
from crdtqueue.core.claims.claim_events import ClaimTimes
from crdtqueue.core.claims.claims import EPOCH_MAX
from crdtqueue.core.claims.quorum import (
    VoterLists,
    voters_entry,
)
from crdtqueue.core.document.keys import (
    ROOTS,
    claim_entry,
    end_entry,
    mode_entry,
)
from crdtqueue.core.document.model import Mode
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.ids import Claim, JobId, PeerId, QueueName
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import (
    Awareness,
    PassedOn,
    SyncStep2,
    Update,
    encode_awareness,
    encode_binary,
    encode_json,
    encode_passed_on,
    encode_sync_step_1,
    encode_update,
)
from crdtqueue.core.sync.messages import Heartbeat
from crdtqueue.peer import peer_link, queue_links
from crdtqueue.peer.lan_queue import room_of
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    TIMES,
    MemoryPrinter,
    Stranger,
    add_job,
    fill_disk,
    free_disk,
    running,
    stranger,
    until,
)

JOB = JobId("0123456789ab")


def session_count(peer: Peer) -> int:
    return len(peer.queue("workshop").links.all)


def run_with_stranger(
    folder: Path, talk: Callable[[Peer, Stranger], object], *, times: ClaimTimes = TIMES
) -> None:
    async def scenario() -> None:
        async with running(folder, queue="workshop", times=times) as peer:
            async with stranger(peer) as other:
                await talk(peer, other)  # type: ignore[misc]
            await until(peer, lambda: not session_count(peer))
            # The peer is as well as before.
            async with stranger(peer) as next_one:
                await next_one.say(next_one.hello())
                await next_one.hear(m.Hello)

    asyncio.run(scenario())


GARBAGE: dict[str, str | bytes] = {
    "text": "hello",
    "nothing": b"",
    "a sync message that is cut off": b"\0\0",
    "changes passed on that are cut off": encode_passed_on([b"x", b"y"])[:-1],
    "a change passed on that is none": encode_passed_on([b"\x01\x01\xff\xff\xff\xff\x0f"]),
    "a state vector that is none": encode_sync_step_1(b"\xff\xff\xff\xff"),
    "an update that is none": encode_update(b"\x01\x01\xff\xff\xff\xff\x0f"),
    "an update of random bytes": encode_update(hashlib.sha512(b"seed").digest() * 50),
    "no JSON": encode_json("{"),
    "deep JSON": encode_json("[" * 60_000),
    "JSON of nothing known": encode_json('{"kind": "surprise"}'),
    "a heartbeat before hello": encode_json('{"kind": "heartbeat"}'),
    "a request before hello": encode_json(
        f'{{"kind": "want_piece", "sha256": "{"0" * 64}", "offset": 0}}'
    ),
    "a hello of nobody": encode_json('{"kind": "hello", "peer": "", "incarnation": 1}'),
    "a heartbeat that JSON cannot show": encode_json(
        '{"kind": "heartbeat", "printer": {"state": "", "text": "", "elapsed_s": 1e999}}'
    ),
    "a piece that is too short": encode_binary(b"x"),
    "a JSON text that is too long": encode_json('"' + "x" * 70_000 + '"'),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_ends_the_link_and_nothing_else(tmp_path: Path, what: str) -> None:
    async def talk(_: Peer, other: Stranger) -> None:
        await other.websocket.send(GARBAGE[what])
        assert await other.closed() == (1000, "protocol error")

    run_with_stranger(tmp_path, talk)


def test_a_frame_that_is_larger_than_any_ends_the_link(tmp_path: Path) -> None:
    async def talk(_: Peer, other: Stranger) -> None:
        await other.websocket.send(bytes(9 * 1024**2))
        assert (await other.closed())[0] == 1009

    run_with_stranger(tmp_path, talk)


def test_what_stock_clients_and_later_versions_say_is_passed_over(tmp_path: Path) -> None:
    async def talk(_: Peer, other: Stranger) -> None:
        await other.websocket.send(encode_awareness(b"\x00"))
        await other.websocket.send(b"\x55anything")
        await other.say(other.hello())
        await other.hear(m.Hello)

    run_with_stranger(tmp_path, talk)


def test_a_hello_is_answered_with_name_and_port(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        await other.say(other.hello())
        answer = await other.hear(m.Hello)
        assert isinstance(answer, m.Hello)
        assert (answer.peer, answer.name) == (peer.me.peer, "a")
        assert answer.port == peer.config.listen.port
        await until(peer, lambda: peer.queue("workshop").links.to(other.id))
        assert other.id in peer.queue("workshop").claims.in_sight()

    run_with_stranger(tmp_path, talk)


def test_nobody_says_hello_twice(tmp_path: Path) -> None:
    async def talk(_: Peer, other: Stranger) -> None:
        await other.say(other.hello())
        await other.say(other.hello(peer="e" * 16))
        assert await other.closed() == (1000, "protocol error")

    run_with_stranger(tmp_path, talk)


def test_another_version_is_a_problem_until_it_is_updated(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        await other.say(other.hello(version=2))
        assert await other.closed() == (1000, "protocol error")
        assert queue.links.problem == "stranger runs another version of crdtqueue. Update both."
        async with stranger(peer) as updated:
            await updated.say(updated.hello())
            await until(peer, lambda: not queue.links.problem)

    run_with_stranger(tmp_path, talk)


def test_a_stolen_identity_is_hung_up_on_and_shown(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        await other.say(other.hello(peer=peer.me.peer, incarnation=77))
        await other.hear(m.DuplicateIdentity)
        assert await other.closed() == (1000, "two peers have this identity")
        queue = peer.queue("workshop")
        assert "delete the file store.sqlite3" in queue.links.problem == queue.holds_back
        assert queue.holds_back

    run_with_stranger(tmp_path, talk)


def test_the_newer_of_two_links_from_one_peer_stays(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        await other.say(other.hello())
        await other.hear(m.Heartbeat)
        async with stranger(peer) as again:
            await again.say(again.hello(peer=other.id, incarnation=2))
            assert await other.closed() == (1000, "a second link to the same peer")
            await until(peer, lambda: session_count(peer) == 1)
            assert queue.links.to(other.id)
            assert other.id in queue.claims.in_sight()

    run_with_stranger(tmp_path, talk)


def test_a_dead_link_does_not_hold_up_the_one_that_replaces_it(tmp_path: Path) -> None:
    """The other machine lost its power: nobody answers the close."""

    async def talk(peer: Peer, other: Stranger) -> None:
        await other.say(other.hello())
        await other.hear(m.Heartbeat)
        other.websocket.transport.pause_reading()
        async with stranger(peer) as again:
            await again.say(again.hello(peer=other.id, incarnation=2))
            await again.hear(m.Hello)
            queue = peer.queue("workshop")
            assert queue.links.to(other.id) is not queue.links.all[0]
            await again.say(ask(peer, claim_of(other, incarnation=2)))
            await again.hear(m.Grant)
        other.websocket.transport.abort()

    run_with_stranger(tmp_path, talk)


def test_a_third_refuses_both_of_two_that_have_one_identity(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        await other.say(other.hello(instance="aa"))
        await other.hear(m.Heartbeat)
        async with stranger(peer) as copy:
            await copy.say(copy.hello(peer=other.id, instance="bb", port=7698))
            await copy.hear(m.Heartbeat)
            assert await other.closed() == (1000, "a second link to the same peer")
            async with stranger(peer) as again:
                await again.say(again.hello(peer=other.id, instance="aa"))
                told = await again.hear(m.DuplicateIdentity)
                assert isinstance(told, m.DuplicateIdentity)
                assert told.places == ["127.0.0.1:7698", "127.0.0.1:7699"]
                assert await again.closed() == (1000, "two peers have this identity")
            await copy.hear(m.DuplicateIdentity)
            assert await copy.closed() == (1000, "two peers have this identity")
        assert "a copy, at 127.0.0.1:7698 and 127.0.0.1:7699" in queue.links.problem
        assert "delete the file store.sqlite3" in queue.links.problem
        assert not queue.holds_back

    run_with_stranger(tmp_path, talk)


def test_who_is_told_of_its_own_twin_claims_nothing(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        await other.say(m.DuplicateIdentity(places=["mini.local:7420"]))
        assert await other.closed() == (1000, "two peers have this identity")
        assert "mini.local:7420 is a copy of this one" in queue.holds_back

    run_with_stranger(tmp_path, talk)


def test_long_and_many_places_of_copies_are_passed_on_within_the_limits(tmp_path: Path) -> None:
    """What one stranger says goes into the message for the next one, which has limits, too."""

    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        places = [f"{number}" * 200 for number in range(m.DUPLICATE_PLACES_MAX)]
        await other.say(m.DuplicateIdentity(places=places))
        await other.closed()
        async with stranger(peer) as again:
            await again.say(m.DuplicateIdentity(places=[f"copy-{x}" for x in places[0][:8]]))
            await again.closed()
        async with stranger(peer) as copy:
            await copy.say(copy.hello(peer=peer.me.peer, incarnation=77))
            told = await copy.hear(m.DuplicateIdentity)
            assert isinstance(told, m.DuplicateIdentity)
            assert told.places == places
            assert await copy.closed() == (1000, "two peers have this identity")
        assert "is a copy of this one" in queue.holds_back

    run_with_stranger(tmp_path, talk)


def test_records_of_a_later_start_of_this_peer_stop_it(tmp_path: Path) -> None:
    """Its store was put back from a backup: what it has promised since is forgotten."""

    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            queue = peer.queue("workshop")
            later = Claim(job=JOB, epoch=1, peer=peer.me.peer, incarnation=99)
            await queue.edit([claim_entry(later, at_s=0.0)])
            await until(peer, lambda: queue.holds_back)
            assert "put back from a backup" in queue.holds_back

    asyncio.run(scenario())


def test_a_queue_in_safe_mode_says_which_voters_are_absent(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        await queue.edit([mode_entry(Mode.SAFE)])
        await until(peer, lambda: "has no voters" in queue.holds_back)
        voters = (peer.me.peer, other.id, PeerId("c" * 16))
        await queue.edit([voters_entry(VoterLists(), frozenset(voters))])
        await until(peer, lambda: "only 1 of its 3 voters are in sight" in queue.holds_back)
        assert f"a peer unknown here ({'c' * 16})" in queue.holds_back
        await other.say(other.hello())
        await other.hear(m.Heartbeat)
        await until(peer, lambda: not queue.holds_back)

    run_with_stranger(tmp_path, talk)


def test_a_job_that_was_claimed_too_often_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            queue = peer.queue("workshop")
            last = Claim(job=JOB, epoch=EPOCH_MAX, peer=PeerId("c" * 16), incarnation=1)
            assert queue.readiness.obstacle(JOB) == ""
            await queue.edit([claim_entry(last, at_s=0.0), end_entry(last, "done")])
            await until(peer, lambda: queue.readiness.obstacle(JOB))
            assert "delete it and add it again" in queue.readiness.obstacle(JOB)

    asyncio.run(scenario())


@pytest.mark.parametrize("fields", [{"peer": "c" * 16}, {"incarnation": 2}])
def test_who_speaks_for_a_claim_that_is_not_its_own_is_hung_up_on(
    tmp_path: Path, fields: dict[str, object]
) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        await other.say(other.hello())
        await other.hear(m.Heartbeat)
        forged = m.ClaimText.model_validate(claim_of(other).model_dump() | fields)
        await other.say(m.Ask(claim=forged, basis=basis_of(peer, claim_of(other))))
        assert await other.closed() == (1000, "protocol error")
        assert await peer.store.promises(peer.queue("workshop").name) == []

    run_with_stranger(tmp_path, talk)


def claim_of(other: Stranger, epoch: int = 1, incarnation: int = 1) -> m.ClaimText:
    claim = Claim(job=JOB, epoch=epoch, peer=other.id, incarnation=incarnation)
    return m.ClaimText.of(claim)


def basis_of(peer: Peer, claim: m.ClaimText) -> str:
    """What somebody would say who knows what `peer` knows."""
    return peer.queue("workshop").claims._records.basis(claim.claim)


def ask(peer: Peer, claim: m.ClaimText) -> m.Ask:
    return m.Ask(claim=claim, basis=basis_of(peer, claim))


def arm(peer: Peer, claim: m.ClaimText) -> m.Arm:
    return m.Arm(claim=claim, basis=basis_of(peer, claim))


def test_a_promise_is_in_the_store_before_it_is_given(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        await other.say(other.hello())
        await other.hear(m.Heartbeat)
        await other.say(ask(peer, claim_of(other)))
        await other.hear(m.Grant)
        assert await peer.store.promises(peer.queue("workshop").name) == [
            (claim_of(other).claim, False)
        ]
        await other.say(arm(peer, claim_of(other)))
        await other.hear(m.Armed)
        assert await peer.store.promises(peer.queue("workshop").name) == [
            (claim_of(other).claim, True)
        ]
        # Its own record has not come yet: whoever looks here can still see it, and mark it lost.
        assert claim_of(other).claim in peer.queue("workshop").state.claims

    run_with_stranger(tmp_path, talk)


def test_a_full_disk_promises_nothing_until_there_is_room(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        await other.say(other.hello())
        await other.hear(m.Heartbeat)
        fill_disk(peer.store)
        await other.say(ask(peer, claim_of(other)))
        denied = await other.hear(m.Deny)
        assert isinstance(denied, m.Deny)
        assert denied.reason == "a disk is full"
        with pytest.raises(Unavailable, match="Make room"):
            await queue.edit([("jobs", f"{JOB}/name", "x" * 5_000)])
        assert queue.holds_back
        free_disk(peer.store)
        await until(peer, lambda: not queue.holds_back)
        await other.say(ask(peer, claim_of(other, epoch=2)))
        await other.hear(m.Grant)

    run_with_stranger(tmp_path, talk)


def test_a_peer_that_never_answers_does_not_hold_up_the_queue_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_link, "SYNC_TIMEOUT_S", 0.2)

    async def talk(peer: Peer, other: Stranger) -> None:
        other.syncs = False
        await other.say(other.hello())
        await until(peer, lambda: not peer.queue("workshop").links.synced)
        assert await other.closed() == (1000, "no answer to sync step 1")
        await until(peer, lambda: peer.queue("workshop").links.synced)

    run_with_stranger(tmp_path, talk)


def test_what_many_strangers_said_is_not_kept_for_ever(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            queue = peer.queue("workshop")
            for number in range(queue_links.REMOTES_MAX + 5):
                queue.links.receive_heartbeat(PeerId(f"{number:016x}"), Heartbeat())
            assert len(queue.links.remotes) == queue_links.REMOTES_MAX
            assert PeerId(f"{4:016x}") not in queue.links.remotes
            assert PeerId(f"{5:016x}") in queue.links.remotes

    asyncio.run(scenario())


def test_a_claim_asked_for_before_the_queue_runs_is_stored_as_soon_as_it_does(
    tmp_path: Path,
) -> None:
    """Joined again, a queue has jobs at once; the printer may ask before its tasks have begun."""

    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, queue="workshop", printer=printer) as peer:
            queue = peer.queue("workshop")
            await until(peer, lambda: queue.own_claims._tasks)
            claims_runner = queue.own_claims
            tasks, claims_runner._tasks = claims_runner._tasks, None
            job = await add_job(peer)
            await until(peer, lambda: claims_runner._waiting)
            assert queue.own_claims.wanted == job
            claims_runner._tasks = tasks
            claims_runner._store_waiting()
            await until(peer, lambda: printer.starts)

    asyncio.run(scenario())


def test_a_voter_that_vanishes_while_we_leave_breaks_nothing(tmp_path: Path) -> None:
    """Its answer would have armed our claim, which nothing stores any more."""

    async def scenario() -> None:
        async with running(tmp_path, queue="workshop", printer=MemoryPrinter()) as peer:
            queue = peer.queue("workshop")
            async with stranger(peer) as voter:
                await voter.say(voter.hello())
                await voter.hear(m.Heartbeat)
                await add_job(peer)
                await voter.hear(m.Ask)
                membership = peer.memberships[queue.name]
                assert membership.task
                membership.task.cancel()
                await asyncio.wait([membership.task])
            await until(peer, lambda: not queue.links.all)
            await queue.close()
            await until(peer, lambda: peer.runner and peer.runner.worker.state == "idle")

    asyncio.run(scenario())


def test_a_stock_client_hears_something_now_and_then(tmp_path: Path) -> None:
    async def talk(_: Peer, other: Stranger) -> None:
        heard = [await other.frame() for _ in range(4)]
        assert heard[-1] == Awareness(payload=b"\0")

    run_with_stranger(tmp_path, talk)


def test_what_one_peer_changes_reaches_the_next_before_what_was_changed_later(
    tmp_path: Path,
) -> None:
    author, note = open_document(1, ROOTS), f"{JOB}/note"
    updates: list[bytes] = []
    author.on_update(updates.append)
    copy = open_document(2, ROOTS)

    async def follow(third: Stranger, root: str, key: str, value: str) -> None:
        while copy.get(root, key) != value:
            match await third.frame():
                case Update(update=update) | SyncStep2(update=update):
                    assert copy.apply(update) is not ApplyResult.GAP
                case PassedOn(updates=passed_on):
                    assert all(copy.apply(each) is not ApplyResult.GAP for each in passed_on)
                case _:
                    pass

    async def talk(peer: Peer, other: Stranger) -> None:
        queue = peer.queue("workshop")
        async with stranger(peer) as third:
            for each in (other, third):
                await each.say(each.hello())
                await each.hear(m.Heartbeat)
            await third.websocket.send(encode_sync_step_1(copy.state_vector()))
            await until(peer, lambda: queue.links.synced)
            for text in ("first", "second"):
                author.set("jobs", note, text)
                await other.websocket.send(encode_update(updates[-1]))
            await follow(third, "jobs", note, "second")
            author.set("jobs", note, "third")
            await other.websocket.send(encode_update(updates[-1]))
            await until(peer, lambda: queue.replica.document.get("jobs", note) == "third")
            await queue.edit([mode_entry(Mode.SAFE)])
            await follow(third, "queue", "mode", "safe")
            assert copy.get("jobs", note) == "third"

    run_with_stranger(tmp_path, talk)


def test_no_frame_waits_for_the_acknowledgement_of_another(tmp_path: Path) -> None:
    async def talk(peer: Peer, other: Stranger) -> None:
        await other.say(other.hello())
        await until(peer, lambda: session_count(peer))
        (link,) = peer.queue("workshop").links.all
        accepted = link.websocket._websocket.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    run_with_stranger(tmp_path, talk)


def test_the_room_of_an_open_queue_depends_on_its_name_alone() -> None:
    room = room_of(QueueName("Workshop"))
    assert room == room_of(QueueName("workshop"))
    assert room != room_of(QueueName("Work shop"))
