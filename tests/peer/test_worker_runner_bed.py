"""Whose word it is that the bed is clear, with a real store and a printer in memory."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from crdtqueue.core.worker.worker_events import WorkerMemory
from crdtqueue.peer import worker_runner
from crdtqueue.peer.peer import Peer
from printer_driver.printer import PrintState
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    done,
    fill_disk,
    free_disk,
    running,
    until,
)


def saved_of(peer: Peer) -> WorkerMemory:
    assert peer.runner
    return peer.runner.worker.saved


async def print_by_hand(printer: MemoryPrinter, folder: Path) -> None:
    """What somebody at the printer prints, past the queues; its part stays on the bed."""
    path = folder / "by hand.gcode"
    await asyncio.to_thread(path.write_bytes, GCODE)
    await printer.start("by hand", path, hashlib.sha256(GCODE).hexdigest())
    printer.finish()


def test_a_print_that_takes_its_part_off_makes_room_for_the_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer, self_clearing=False) as peer:
            job = await add_job(peer, "local", copies=2)
            await until(peer, lambda: printer.current)
            printer.finish(bed_cleared=True)
            await until(peer, lambda: len(printer.starts) == 2)
            assert done(peer, job, "local") == 1

    asyncio.run(scenario())


@pytest.mark.parametrize("state", [PrintState.DONE, PrintState.FAILED])
def test_the_word_of_an_older_print_does_not_clear_the_bed_of_the_newest(
    tmp_path: Path, state: PrintState
) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer, self_clearing=False) as peer:
            local = peer.queue("local")
            await add_job(peer, "local", copies=3)
            await until(peer, lambda: printer.current)
            older = printer.starts[0]
            printer.finish(bed_cleared=True)
            await until(peer, lambda: len(printer.starts) == 2)
            printer.finish(state, "Jam.")
            printer.bed_cleared_after = older
            await until(peer, lambda: len(local.state.jobs[0].records) == 2)
            await until(peer, lambda: not saved_of(peer).printing)
            assert not saved_of(peer).bed_clear
            assert len(printer.starts) == 2

    asyncio.run(scenario())


def test_what_a_print_said_does_not_clear_the_bed_of_one_by_hand_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_runner, "RETRY_WRITE_S", 0.01)

    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path / "a", printer=printer, self_clearing=False) as peer:
            local = peer.queue("local")
            job = await add_job(peer, "local", copies=2)
            await until(peer, lambda: printer.current)
            fill_disk(peer.store)
            printer.finish(reason="x" * 150, bed_cleared=True)
            await until(peer, lambda: local.replica.problem)
            await print_by_hand(printer, tmp_path)
            free_disk(peer.store)
            await until(peer, lambda: done(peer, job, "local") == 1)
            await until(peer, lambda: not saved_of(peer).printing)
            assert not saved_of(peer).bed_clear
            assert printer.starts[1:] == ["by hand"]

    asyncio.run(scenario())


def test_the_bed_of_a_print_that_the_printer_has_forgotten_is_not_cleared_by_an_older_word(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer, self_clearing=False) as peer:
            local = peer.queue("local")
            await add_job(peer, "local", copies=3)
            await until(peer, lambda: printer.current)
            older = printer.current
            assert older
            printer.finish(bed_cleared=True)
            await until(peer, lambda: len(printer.starts) == 2)
            await until(peer, lambda: peer.runner and peer.runner.worker.state == "printing")
            # Its journal has lost the print that it was at: the one before is the last it knows.
            del printer.reports[printer.starts[1]]
            printer.current, printer.bed_cleared_after = None, older.print_id
            printer.changes.notify()
            await until(peer, lambda: len(local.state.jobs[0].records) == 2)
            assert local.state.jobs[0].records[1].result == "aborted"
            await until(peer, lambda: not saved_of(peer).printing)
            assert not saved_of(peer).bed_clear
            printer.changes.notify()  # the status that comes every 2 s
            await asyncio.sleep(0.3)
            assert not saved_of(peer).bed_clear, "the next print goes onto an unfinished part"
            assert len(printer.starts) == 2

    asyncio.run(scenario())
