"""Files on their way between real peers, and from strangers that hold, lack or forge them."""

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

from crdtqueue.adapters import file_store
from crdtqueue.api.models import NewJob, NewSet
from crdtqueue.api.operations import Operations
from crdtqueue.api.view import View
from crdtqueue.core.document.keys import (
    deleted_entry,
    holder_entry,
)
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.ids import Sha256
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import (
    Binary,
    encode_binary,
)
from crdtqueue.peer import file_fetcher
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    chunks,
    fill_disk,
    running,
    stranger,
    until,
    until_linked,
)

SHA256 = Sha256(hashlib.sha256(GCODE).hexdigest())
LARGE = GCODE + b"; " + os.urandom(700_000).hex().encode() + b"\n"


def holders(peer: Peer, sha256: Sha256 = SHA256) -> int:
    return len(peer.queue("workshop").state.holders.get(sha256, ()))


async def have(peer: Peer) -> None:
    """Fetches the file of the first job, as a claimant does."""
    queue = peer.queue("workshop")
    await peer.file_fetcher.have(queue, queue.state.jobs[0].sets[0].file)


def test_a_second_peer_copies_the_file_and_the_first_may_be_switched_off(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "a", queue="workshop") as a,
            running(tmp_path / "b", queue="workshop", peers=[str(a.config.listen)]) as b,
        ):
            await add_job(a, gcode=LARGE)
            sha256 = Sha256(hashlib.sha256(LARGE).hexdigest())
            await until(a, lambda: holders(a, sha256) == 2)
            assert await asyncio.to_thread(b.files.path(sha256).read_bytes) == LARGE
            assert View(a).state()["queues"][1]["jobs"][0]["safe_to_leave"]

    asyncio.run(scenario())


def test_a_transfer_goes_on_where_an_earlier_one_broke_off(tmp_path: Path) -> None:
    sha256 = Sha256(hashlib.sha256(LARGE).hexdigest())

    async def scenario() -> None:
        async with (
            running(tmp_path / "a", queue="workshop") as a,
            running(tmp_path / "b", queue="workshop") as b,
        ):
            await b.files.append(sha256, LARGE[:1_000_000])
            await b.add_addresses("workshop", [str(a.config.listen)])
            await add_job(a, gcode=LARGE)
            await until(a, lambda: holders(a, sha256) == 2)
            assert await b.files.verify(sha256)

    asyncio.run(scenario())


def test_a_peer_gives_what_its_jobs_name_and_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            await add_job(peer)
            upload = await peer.files.receive("secret.gcode", chunks(GCODE + b"G4\n"))
            await peer.add_queue("garage", [])
            await add_job(peer, "garage", gcode=GCODE + b"M84\n")
            other_queue = Sha256(hashlib.sha256(GCODE + b"M84\n").hexdigest())
            async with stranger(peer) as other:
                await other.say(other.hello())
                await other.say(m.WantPiece(sha256=SHA256, offset=4))
                while not isinstance(frame := await other.frame(), Binary):
                    pass
                assert m.read_piece(frame.payload) == (SHA256, 4, GCODE[4:])
                for sha256 in (upload.file.sha256, other_queue, "0" * 64):
                    await other.say(m.WantPiece(sha256=sha256, offset=0))
                    answer = await other.hear(m.NoPiece)
                    assert isinstance(answer, m.NoPiece)
                    assert answer.sha256 == sha256

    asyncio.run(scenario())


@pytest.mark.parametrize("offset", [len(GCODE), len(GCODE) + 1, 2**31, 2**53])
def test_a_piece_behind_the_end_of_a_file_is_empty(tmp_path: Path, offset: int) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer, stranger(peer) as other:
            await add_job(peer)
            await other.say(other.hello())
            await other.say(m.WantPiece(sha256=SHA256, offset=offset))
            while not isinstance(frame := await other.frame(), Binary):
                pass
            assert m.read_piece(frame.payload) == (SHA256, offset, b"")

    asyncio.run(scenario())


def test_a_disk_that_fails_gives_no_piece_and_no_crash(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer, stranger(peer) as other:
            await add_job(peer)
            path = peer.files.path(SHA256)
            await asyncio.to_thread(path.unlink)
            await asyncio.to_thread(path.mkdir)  # reading it fails as a broken disk does
            await other.say(other.hello())
            await other.say(m.WantPiece(sha256=SHA256, offset=0))
            await other.hear(m.NoPiece)
            await asyncio.to_thread(path.rmdir)

    asyncio.run(scenario())


def test_whoever_asks_for_very_many_pieces_at_once_gets_few(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer, stranger(peer) as other:
            await add_job(peer)
            await other.say(other.hello())
            asked = 40 * file_fetcher.PIECES_MAX
            for _ in range(asked):
                await other.say(m.WantPiece(sha256=SHA256, offset=0))
            answers = 0
            while answers < asked:
                frame = await other.frame()
                answers += isinstance(frame, Binary) or "no_piece" in str(frame)
            session = peer.queue("workshop").links.to(other.id)
            assert session
            assert session.pieces == 0

    asyncio.run(scenario())


def test_a_holder_that_forges_a_file_is_not_believed_and_the_next_one_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "b", name="b", queue="workshop") as holder,
            running(tmp_path / "a", queue="workshop") as peer,
        ):
            job = await add_job(holder)
            async with stranger(peer) as forger:
                await forger.say(forger.hello())
                await forger.hear(m.Heartbeat)
                entry = holder_entry(SHA256, forger.id)
                await holder.queue("workshop").edit([entry])
                await peer.add_addresses("workshop", [str(holder.config.listen)])
                await until(peer, lambda: peer.queue("workshop").state.job(job))
                fetched = asyncio.create_task(have(peer))
                asked = await forger.hear(m.WantPiece)
                assert isinstance(asked, m.WantPiece)
                forged = m.piece(SHA256, asked.offset, b"G1 X666\n" * 100)
                await forger.websocket.send(encode_binary(forged))
                # Nobody asked for this one.
                await forger.websocket.send(encode_binary(m.piece(SHA256, 12, b"x")))
                await fetched
            assert await peer.files.verify(SHA256)

    asyncio.run(scenario())


def test_a_claimant_says_who_is_to_be_switched_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path / "b", name="bee", queue="workshop") as b:
            job = await add_job(b)
            await until(b, lambda: b.me.peer in b.queue("workshop").state.roster)
            document = b.queue("workshop").replica.diff(b"\0")
        async with running(tmp_path / "a", queue="workshop", printer=printer) as a:
            a.queue("workshop").replica.integrate(document)
            queue = a.queue("workshop")
            await until(
                a,
                lambda: (
                    a.runner
                    and a.runner.worker.problem
                    == "No peer in sight has part.gcode. Switch on bee, and it goes on by itself."
                ),
            )
            await until(a, lambda: not queue.state.open_claims(job))
            assert printer.starts == []

    asyncio.run(scenario())


def test_the_document_is_corrected_at_the_start_and_when_files_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            job = await add_job(peer)
            await asyncio.to_thread(peer.files.path(SHA256).unlink)
        async with running(tmp_path) as peer:
            await until(peer, lambda: holders(peer) == 0)
            await add_job(peer)
            assert holders(peer) == 1
            for each in peer.queue("workshop").state.jobs:
                await peer.queue("workshop").edit([deleted_entry(each.id)])
            peer.files._store_bytes_max = 0
            assert await peer.file_fetcher.make_room() == [SHA256]
            assert holders(peer) == 0
            assert not peer.queue("workshop").state.job(job)

    asyncio.run(scenario())


def test_a_disk_without_room_copies_nothing_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with (
            running(tmp_path / "a", queue="workshop") as a,
            running(tmp_path / "b", queue="workshop", peers=[str(a.config.listen)]) as b,
        ):
            await until_linked(a, b)
            file = (await Operations(a).upload("part.gcode", chunks(GCODE))).file
            monkeypatch.setattr(file_store, "DISK_RESERVE_BYTES", 2**62)
            new = NewSet(sha256=file.sha256, name=file.name, profiles=["ANY"])
            job = await Operations(a).jobs.add("workshop", NewJob(name="x", sets=[new]))
            await until(b, lambda: b.queue("workshop").state.job(job))
            with pytest.raises(Unavailable, match="Make room"):
                await b.file_fetcher.have(b.queue("workshop"), file)
            assert holders(a) == 1

    asyncio.run(scenario())


def test_leaving_a_queue_while_files_are_copied_for_it_ends_the_copying_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_fetcher, "PIECE_TIMEOUT_S", 0.3)

    async def scenario() -> None:
        async with (
            running(tmp_path / "b", name="b", queue="workshop") as holder,
            running(tmp_path / "a", queue="workshop") as peer,
        ):
            await add_job(holder)
            queue = peer.queue("workshop")
            async with stranger(peer) as silent:
                await silent.say(silent.hello())
                await silent.hear(m.Heartbeat)
                await holder.queue("workshop").edit([holder_entry(SHA256, silent.id)])
                await peer.add_addresses("workshop", [str(holder.config.listen)])
                await until(peer, lambda: queue.state.jobs)
                fetched = asyncio.create_task(have(peer))
                await silent.hear(m.WantPiece)
                await peer.leave_queue("workshop")
            with pytest.raises(Unavailable):
                await fetched
            assert not await peer.file_fetcher._copy_for(queue)  # it was about to be looked at
            await peer.add_queue("workshop", [str(holder.config.listen)])
            await until_linked(peer, holder)
            await have(peer)
            assert peer.me.peer in peer.queue("workshop").state.holders[SHA256]

    asyncio.run(scenario())


def test_a_store_that_takes_nothing_does_not_stop_a_peer_from_starting(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, queue="workshop") as peer:
            await add_job(peer)
            fill_disk(peer.store)
            await asyncio.to_thread(peer.files.path(SHA256).unlink)
            await peer.file_fetcher.correct_holders(peer.queue("workshop"))
            await until(peer, lambda: peer.queue("workshop").replica.problem)

    asyncio.run(scenario())
