"""A real OctoPrint tells what its history does not: who ended a print, and when."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from printer_driver.core.octoprint import end_cause as evidence
from printer_driver.core.octoprint import (
    octoprint_print,
    poll_schedule,
)
from printer_driver.core.octoprint.push_messages import PushState
from printer_driver.errors import PrinterUnavailable
from printer_driver.octoprint import octoprint_printer, push_socket
from printer_driver.octoprint.octoprint_printer import OctoPrintPrinter
from printer_driver.printer import Printer, PrintReport, PrintState
from tests.harness import printer_acceptance
from tests.harness.octoprint_proxy import (
    Proxy,
    Sockets,
)
from tests.harness.octoprint_server import OctoPrintServer
from tests.harness.patience import HANG_S
from tests.harness.printer_acceptance import (
    Scenario,
    sha256,
    until,
)

pytestmark = pytest.mark.e2e

FINAL = (PrintState.DONE, PrintState.FAILED, PrintState.CANCELLED)


class Desk:
    """One OctoPrint, one print, and as many driver processes as it takes."""

    def __init__(self, octoprint: OctoPrintServer, gcode: Path, journal: Path) -> None:
        self.octoprint = octoprint
        self.gcode = gcode
        self.print_id = str(str(uuid.uuid4()))
        self._journal = journal

    def driven(self, scenario: Callable[[OctoPrintPrinter], Awaitable[None]]) -> None:
        async def main() -> None:
            printer = self.open()
            try:
                async with asyncio.timeout(HANG_S):
                    await scenario(printer)
            finally:
                await printer.close()

        asyncio.run(main())

    def open(self, url: str = "") -> OctoPrintPrinter:
        return OctoPrintPrinter(url or self.octoprint.url, self.octoprint.key, self._journal)

    @asynccontextmanager
    async def through(self, sockets: Sockets) -> AsyncIterator[tuple[Proxy, OctoPrintPrinter]]:
        async with Proxy(self.octoprint.port, sockets).running() as proxy:
            printer = self.open(proxy.url)
            try:
                yield proxy, printer
            finally:
                await printer.close()

    async def begin(self, printer: OctoPrintPrinter) -> None:
        await printer.start(self.print_id, self.gcode, sha256(self.gcode))
        await until(printer, self.print_id, PrintState.PRINTING)

    async def end(self, printer: OctoPrintPrinter) -> PrintReport:
        return await until(printer, self.print_id, *FINAL)

    async def do(self, act: Callable[..., object], *arguments: object) -> None:
        await asyncio.to_thread(act, *arguments)

    def ended_meanwhile(self, act: Callable[[], None]) -> PrintReport:
        """Begins, goes away, comes back after `act`."""
        reports = []

        async def again(printer: OctoPrintPrinter) -> None:
            reports.append(await self.end(printer))

        self.driven(self.begin)
        act()
        self.driven(again)
        return reports[0]

    def forget(self) -> None:
        self._journal.unlink()

    def reset_printer(self) -> None:
        self.octoprint.gcode("!!DEBUG:reset")

    def cancel(self) -> None:
        self.octoprint.job("cancel")
        self.octoprint.wait_operational()

    def print_by_hand(self) -> None:
        self.octoprint.upload("by hand.gcode", self.gcode.read_bytes(), start=True)


@pytest.fixture
def desk(octoprint: OctoPrintServer, gcode: Path, tmp_path: Path) -> Desk:
    return Desk(octoprint, gcode, tmp_path / "journal")


async def live(printer: OctoPrintPrinter, *, was: PushState | None = None) -> None:
    """Waits until OctoPrint pushes, after it `was` otherwise."""
    async with asyncio.timeout(HANG_S):
        async for _ in printer.watch():
            was = None if printer._follower.poll_schedule.push is was else was
            if was is None and printer._follower.poll_schedule.push is PushState.LIVE:
                return


def test_the_printer_resets_itself(desk: Desk) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        await desk.begin(printer)
        await live(printer)
        await desk.do(desk.reset_printer)
        report = await desk.end(printer)
        assert (report.state, report.reason) == (PrintState.FAILED, evidence.RESET)

    desk.driven(scenario)


def test_the_printer_resets_itself_while_we_are_away(desk: Desk) -> None:
    def reset() -> None:
        desk.reset_printer()
        desk.octoprint.wait_operational()

    report = desk.ended_meanwhile(reset)
    assert (report.state, report.reason) == (PrintState.FAILED, evidence.RESET)


def test_a_person_cancels_while_we_are_away(desk: Desk) -> None:
    report = desk.ended_meanwhile(desk.cancel)
    assert (report.state, report.reason) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_a_person_cancels_after_a_reset_of_a_print_before(desk: Desk) -> None:
    """The reset is still in the terminal when we come back."""
    desk.print_by_hand()
    desk.octoprint.wait(lambda: desk.octoprint.state() == "Printing")
    desk.reset_printer()
    desk.octoprint.wait_operational()
    assert desk.ended_meanwhile(desk.cancel).state is PrintState.CANCELLED


def test_a_person_cancels_and_prints_something_else_while_we_are_away(desk: Desk) -> None:
    def go_on() -> None:
        desk.cancel()
        desk.print_by_hand()

    report = desk.ended_meanwhile(go_on)
    assert (report.state, report.reason) == (PrintState.CANCELLED, octoprint_print.TAKEN_OVER)
    assert desk.octoprint.get("/api/job")["job"]["file"]["path"] == "by hand.gcode"


def test_a_person_cancels_and_prints_something_else_between_two_polls(desk: Desk) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        await desk.begin(printer)
        await live(printer)
        await desk.do(desk.cancel)
        await desk.do(desk.print_by_hand)
        report = await printer.report(desk.print_id)
        assert report
        assert (report.state, report.reason) == (PrintState.CANCELLED, evidence.CANCELLED)

    desk.driven(scenario)


def test_what_is_pushed_replaces_the_polls(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With polls that are too seldom to see anything of the print."""
    monkeypatch.setattr(octoprint_printer, "POLL_S", 0.2)
    monkeypatch.setattr(poll_schedule, "SILENCE_S", 30.0)
    monkeypatch.setattr(poll_schedule, "HEARTBEAT_S", 60.0)

    async def main() -> None:
        async with desk.through(Sockets.PASSED) as (proxy, printer):
            await live(printer)
            await desk.begin(printer)
            before, seen = proxy.looks(), set()
            async for status in printer.watch():
                assert status.print
                seen.add(status.print.bytes_done)
                if status.print.state is PrintState.DONE:
                    break
            assert len(seen) >= 3
            assert proxy.looks() - before < 10
            assert status.temperatures

    asyncio.run(main())


@pytest.mark.parametrize("sockets", [Sockets.REFUSED, Sockets.IGNORED])
@pytest.mark.parametrize(
    "scenario",
    [
        printer_acceptance.prints_to_done,
        printer_acceptance.pauses_and_resumes,
        printer_acceptance.cancels,
    ],
    ids=lambda scenario: scenario.__name__,
)
def test_without_the_push_socket_all_is_polled(
    desk: Desk, scenario: Scenario, sockets: Sockets
) -> None:
    async def main() -> None:
        async with Proxy(desk.octoprint.port, sockets).running() as proxy:

            async def open_printer() -> Printer:
                return desk.open(proxy.url)

            await scenario(open_printer, desk.gcode, desk.print_id)
            assert not any("/api/login" in line for line in proxy.asked)

    asyncio.run(main())


def test_a_socket_that_breaks_is_opened_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_socket, "RETRY_MIN_S", 0.05)

    async def main() -> None:
        async with desk.through(Sockets.PASSED) as (proxy, printer):
            await desk.begin(printer)
            await live(printer)
            assert proxy.cut() == 1
            await live(printer, was=PushState.DOWN)
            await desk.do(desk.reset_printer)
            assert (await desk.end(printer)).reason == evidence.RESET

    asyncio.run(main())


def test_it_opens_again_after_it_was_closed(desk: Desk) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        await live(printer)
        await printer.close()
        await live(printer)
        await desk.begin(printer)
        await desk.do(desk.cancel)
        assert (await desk.end(printer)).reason == evidence.CANCELLED

    desk.driven(scenario)


def test_octoprint_is_restarted_and_pushes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two prints: the next one's reset is told again."""
    monkeypatch.setattr(push_socket, "RETRY_MAX_S", 0.5)

    async def scenario(printer: OctoPrintPrinter) -> None:
        await live(printer)
        await desk.do(desk.octoprint.kill)
        with pytest.raises(PrinterUnavailable):
            await live(printer, was=PushState.DOWN)
        await desk.do(desk.octoprint.start)
        await live(printer)
        await desk.begin(printer)
        await desk.do(desk.reset_printer)
        assert (await desk.end(printer)).reason == evidence.RESET

    desk.driven(scenario)


def test_the_part_is_named_in_octoprint(desk: Desk) -> None:
    """Also to a process that has lost its journal and is not told the name."""

    async def scenario(printer: OctoPrintPrinter) -> None:
        name = "Türgriff links.gcode"
        await printer.start(desk.print_id, desk.gcode, sha256(desk.gcode), name=name)
        file = (await asyncio.to_thread(desk.octoprint.get, "/api/job"))["job"]["file"]
        assert file["display"].startswith("Turgriff-links-")
        await until(printer, desk.print_id, PrintState.PRINTING)

    async def again(printer: OctoPrintPrinter) -> None:
        report = await printer.start(desk.print_id, desk.gcode, sha256(desk.gcode), name="other")
        assert report.state is PrintState.PRINTING
        assert (await desk.end(printer)).state is PrintState.DONE
        folder = desk.octoprint.uploads / "crdtqueue"
        assert not await asyncio.to_thread(lambda: list(folder.glob("[To]*-*.gcode")))

    desk.driven(scenario)
    desk.forget()
    desk.driven(again)
