"""Scripts, cooling and materials with a real store, real files and a printer in memory."""

import asyncio
from pathlib import Path

from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.worker_events import (
    BedCleared,
    MaterialsLoaded,
)
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.worker_runner import WorkerRunner
from printer_driver.printer import PrintState, Temperature
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    done,
    running,
    until,
)

SWEEP = "G1 Y200\nG1 Y0\n"


def runner_of(peer: Peer) -> WorkerRunner:
    assert peer.runner
    return peer.runner


def state_of(peer: Peer) -> str:
    summary = peer.summary()
    assert summary
    return summary.state


def test_a_script_clears_the_bed_between_two_copies(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        scripts: dict[CycleStep, str | None] = {
            CycleStep.CLEAR_BED: SWEEP,
            CycleStep.BEFORE_PRINT: "M300",
        }
        async with running(tmp_path, printer=printer, self_clearing=False, scripts=scripts) as peer:
            job = await add_job(peer, "local", copies=2)
            await until(peer, lambda: done(peer, job, "local") == 2)
            await until(peer, lambda: len(printer.starts) == 6)
            await until(peer, lambda: state_of(peer) == "idle")
            assert printer.printed == [b"M300", GCODE, SWEEP.encode()] * 2
            assert len(peer.queue("local").state.jobs[0].records) == 2

    asyncio.run(scenario())


def test_a_script_that_runs_while_the_peer_is_off_is_not_run_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        async with running(tmp_path, printer=printer, self_clearing=False) as peer:
            await runner_of(peer).set_script(CycleStep.CLEAR_BED, SWEEP)
            job = await add_job(peer, "local", copies=2)
            await until(peer, lambda: printer.current)
            printer.finish()
            await until(peer, lambda: state_of(peer) == "script")
            summary = peer.summary()
            assert summary
            assert summary.text == "Runs the script clear-bed."
            await until(peer, lambda: len(printer.starts) == 2)
        printer.finish()
        async with running(tmp_path, printer=printer, self_clearing=False) as peer:
            await until(peer, lambda: len(printer.starts) == 3)
            printer.finish()
            await until(peer, lambda: done(peer, job, "local") == 2)
        assert printer.printed == [GCODE, SWEEP.encode(), GCODE]

    asyncio.run(scenario())


def test_a_script_that_fails_stops_the_printer_with_its_words(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        scripts: dict[CycleStep, str | None] = {CycleStep.BEFORE_PRINT: "G28"}
        async with running(tmp_path, printer=printer, scripts=scripts) as peer:
            await add_job(peer, "local")
            await until(peer, lambda: printer.current)
            printer.finish(PrintState.FAILED, "Homing failed.")
            await until(peer, lambda: state_of(peer) == "stopped")
            summary = peer.summary()
            assert summary
            assert "before-print has not run to its end: Homing failed." in summary.text
            await until(peer, lambda: peer.queue("local").state.ended)
        async with running(tmp_path, printer=printer, scripts=scripts) as peer:
            await until(peer, lambda: state_of(peer) == "stopped")
            summary = peer.summary()
            assert summary
            assert "Homing failed." in summary.text
            assert len(printer.starts) == 1

    asyncio.run(scenario())


def test_the_bed_is_cool_before_anybody_is_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter()
        printer.temperatures = (Temperature(name="B", actual_c=60.0, target_c=0.0),)
        async with running(
            tmp_path, printer=printer, self_clearing=False, cooldown=Cooldown(bed_c=30.0)
        ) as peer:
            await add_job(peer, "local", copies=2)
            await until(peer, lambda: printer.current)
            printer.finish()
            await until(peer, lambda: state_of(peer) == "cooling")
            printer.temperatures = (Temperature(name="B", actual_c=29.0, target_c=0.0),)
            printer.changes.notify()
            await until(peer, lambda: state_of(peer) == "waiting_for_bed")
            runner_of(peer).post(BedCleared())
            await until(peer, lambda: len(printer.starts) == 2)

    asyncio.run(scenario())


def test_a_print_waits_for_its_material(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer) as peer:
            runner_of(peer).post(MaterialsLoaded(tools=("PLA",)))
            job = await add_job(peer, "local", materials=["PETG"])
            await until(peer, lambda: state_of(peer) == "waiting_for_material")
            summary = peer.summary()
            assert summary
            assert summary.text.startswith("Waits for PETG in tool 1.")
            runner_of(peer).post(MaterialsLoaded(tools=("PETG",)))
            await until(peer, lambda: done(peer, job, "local") == 1)

    asyncio.run(scenario())
