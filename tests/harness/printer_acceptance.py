"""What every `Printer` must do, whatever drives it. Each scenario runs on a real printer at rest.

A scenario opens the printer as often as it likes, each time as a process does that starts anew,
and leaves the printer at rest.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from printer_driver.errors import NotPrinting, PrintRefused
from printer_driver.printer import Connection, Printer, PrintReport, PrintState
from tests.harness.patience import HANG_S

OpenPrinter = Callable[[], Awaitable[Printer]]
Scenario = Callable[[OpenPrinter, Path, str], Coroutine[None, None, None]]
"""Gets the printer, a g-code file that takes some seconds to print, and an id for its print."""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@asynccontextmanager
async def opened(open_printer: OpenPrinter) -> AsyncIterator[Printer]:
    printer = await open_printer()
    try:
        yield printer
    finally:
        await printer.close()


async def until(printer: Printer, print_id: str, *states: PrintState) -> PrintReport:
    """Watches until the print is in one of these states."""
    async with asyncio.timeout(HANG_S):
        async for status in printer.watch():
            report = status.print
            if report and report.print_id == print_id and report.state in states:
                return report
            assert not (report and report.print_id == print_id and report.state.is_final), report
    raise AssertionError


async def prints_to_done(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    async with opened(open_printer) as printer:
        status = await printer.status()
        assert (status.connection, status.problem) == (Connection.READY, "")
        begun = await printer.start(print_id, gcode, sha256(gcode))
        assert (begun.print_id, begun.state.is_final) == (print_id, False)
        done = await until(printer, print_id, PrintState.DONE)
        assert begun.bytes_done < done.bytes_done <= done.bytes_total == begun.bytes_total
        assert done.reason == ""
        assert await printer.report(print_id) == done
        status = await printer.status()
        assert {heater.name for heater in status.temperatures} >= {"T0", "B"}


async def begins_nothing_too_late(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    async with opened(open_printer) as printer:
        with pytest.raises(PrintRefused) as refused:
            await printer.start(print_id, gcode, sha256(gcode), may_begin=lambda: False)
        assert refused.value.code == "late"
        assert await printer.report(print_id) is None
        await printer.start(print_id, gcode, sha256(gcode))
        await until(printer, print_id, PrintState.DONE)


async def starts_once(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    """While it runs, after it is done, and at the same time."""
    async with opened(open_printer) as printer:
        starts = [printer.start(print_id, gcode, sha256(gcode)) for _ in range(3)]
        assert {report.print_id for report in await asyncio.gather(*starts)} == {print_id}
        running = await until(printer, print_id, PrintState.PRINTING)
        again = await printer.start(print_id, gcode, sha256(gcode))
        assert again.bytes_done >= running.bytes_done
        await until(printer, print_id, PrintState.DONE)
        assert (await printer.start(print_id, gcode, sha256(gcode))).state is PrintState.DONE
        status = await printer.status()
        assert status.print
        assert status.print.state is PrintState.DONE


async def pauses_and_resumes(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    async with opened(open_printer) as printer:
        await printer.start(print_id, gcode, sha256(gcode))
        await until(printer, print_id, PrintState.PRINTING)
        await printer.pause(print_id)
        await until(printer, print_id, PrintState.PAUSED)
        with pytest.raises(PrintRefused) as refused:
            await printer.start(f"{print_id}-other", gcode, sha256(gcode))
        assert refused.value.code == "busy"
        await printer.resume(print_id)
        await until(printer, print_id, PrintState.PRINTING)
        await until(printer, print_id, PrintState.DONE)
        for command in (printer.pause, printer.resume, printer.cancel):
            with pytest.raises(NotPrinting):
                await command(print_id)


async def cancels(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    async with opened(open_printer) as printer:
        await printer.start(print_id, gcode, sha256(gcode))
        await until(printer, print_id, PrintState.PRINTING)
        with pytest.raises(NotPrinting):
            await printer.cancel(f"{print_id}-other")
        await printer.cancel(print_id)
        report = await until(
            printer, print_id, PrintState.CANCELLED, PrintState.CANCELLING, PrintState.PRINTING
        )
        if not report.state.is_final:
            report = await _final(printer, print_id)
        assert report.state is PrintState.CANCELLED
        assert report.reason
        again = await printer.start(print_id, gcode, sha256(gcode))
        assert again.state is PrintState.CANCELLED


async def refuses_another_file(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    async with opened(open_printer) as printer:
        with pytest.raises(PrintRefused, match="SHA-256"):
            await printer.start(print_id, gcode, "0" * 64)
        with pytest.raises(PrintRefused):
            await printer.start(print_id, gcode.with_name("missing.gcode"), "0" * 64)
        assert await printer.report(print_id) is None


async def knows_no_other_print(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    async with opened(open_printer) as printer:
        assert await printer.report(print_id) is None
        with pytest.raises(NotPrinting):
            await printer.pause(print_id)


async def outlives_its_client(open_printer: OpenPrinter, gcode: Path, print_id: str) -> None:
    """The print goes on when its client ends, and the next one finds it, running and over."""
    async with opened(open_printer) as printer:
        await printer.start(print_id, gcode, sha256(gcode))
    async with opened(open_printer) as printer:
        report = await printer.report(print_id)
        assert report
        assert not report.state.is_final
        await until(printer, print_id, PrintState.DONE)
    async with opened(open_printer) as printer:
        report = await printer.report(print_id)
        assert report
        assert report.state is PrintState.DONE
        assert (await printer.start(print_id, gcode, sha256(gcode))).state is PrintState.DONE


async def _final(printer: Printer, print_id: str) -> PrintReport:
    async with asyncio.timeout(HANG_S):
        while True:
            report = await printer.report(print_id)
            if report and report.state.is_final:
                return report
            await asyncio.sleep(0.05)


SCENARIOS: tuple[Scenario, ...] = (
    prints_to_done,
    begins_nothing_too_late,
    starts_once,
    pauses_and_resumes,
    cancels,
    refuses_another_file,
    knows_no_other_print,
    outlives_its_client,
)
