"""A real OctoPrint that does what OctoPrints do: people use it, printers fail, processes die."""

import asyncio
import hashlib
import signal
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from printer_driver.core.octoprint import (
    end_cause,
    octoprint_print,
)
from printer_driver.errors import NotPrinting, PrinterUnavailable, PrintRefused
from printer_driver.octoprint.octoprint_printer import OctoPrintPrinter
from printer_driver.octoprint.print_copies import (
    FOLDER,
    copy_path,
)
from printer_driver.printer import Connection, PrinterStatus, PrintReport, PrintState
from tests.harness.octoprint_server import (
    USER_KEY,
    OctoPrintServer,
)
from tests.harness.patience import HANG_S
from tests.harness.printer_acceptance import (
    sha256,
    until,
)

pytestmark = pytest.mark.e2e

Scenario = Callable[[OctoPrintPrinter], Awaitable[None]]
FINAL = (PrintState.DONE, PrintState.FAILED, PrintState.CANCELLED)


@pytest.fixture
def print_id() -> str:
    return str(str(uuid.uuid4()))


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def run(octoprint: OctoPrintServer, journal: Path, scenario: Scenario, **options: Any) -> None:
    """A process of its own, as far as the printer can tell."""
    key = options.pop("key", octoprint.key)

    async def main() -> None:
        printer = OctoPrintPrinter(octoprint.url, key, journal, **options)
        try:
            async with asyncio.timeout(HANG_S):
                await scenario(printer)
        finally:
            await printer.close()

    asyncio.run(main())


async def in_thread(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return await asyncio.to_thread(call, *arguments, **named)


def print_by_hand(octoprint: OctoPrintServer, gcode: Path) -> None:
    octoprint.upload("by hand.gcode", gcode.read_bytes(), start=True)


def begun(octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        await printer.start(print_id, gcode, sha256(gcode))
        await until(printer, print_id, PrintState.PRINTING)

    run(octoprint, journal, scenario)


def ended(
    octoprint: OctoPrintServer, journal: Path, print_id: str, *, within_s: float = HANG_S
) -> PrintReport:
    reports = []

    async def scenario(printer: OctoPrintPrinter) -> None:
        async with asyncio.timeout(within_s):
            reports.append(await until(printer, print_id, *FINAL))

    run(octoprint, journal, scenario)
    return reports[0]


def test_nothing_happens_before_the_first_call(tmp_path: Path) -> None:
    OctoPrintPrinter("http://127.0.0.1:1", "key", tmp_path / "none" / "journal")
    assert list(tmp_path.iterdir()) == []


def test_each_print_has_a_copy_and_each_content_one_upload(
    octoprint: OctoPrintServer, journal: Path, gcode: Path
) -> None:
    ids = [str(str(uuid.uuid4())) for _ in range(2)]
    upload = octoprint.uploads / FOLDER / f"{sha256(gcode)}.gcode"
    uploaded_ns = set()

    async def scenario(printer: OctoPrintPrinter) -> None:
        for print_id in ids:
            await printer.start(print_id, gcode, sha256(gcode))
            path = await in_thread(octoprint.printing)
            assert path == copy_path(print_id, gcode.name)
            uploaded_ns.add((await in_thread(upload.stat)).st_mtime_ns)
            await printer.cancel(print_id)
            with suppress(AssertionError):
                await until(printer, print_id, PrintState.CANCELLED)
            assert await printer.report(print_id)
            assert not await in_thread((octoprint.uploads / copy_path(print_id, gcode.name)).exists)

    run(octoprint, journal, scenario)
    assert len(uploaded_ns) == 1
    assert len({copy_path(print_id, gcode.name) for print_id in ids}) == 2


def test_a_person_pauses_resumes_and_cancels(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        await printer.start(print_id, gcode, sha256(gcode))
        await in_thread(octoprint.job, "pause", action="pause")
        await until(printer, print_id, PrintState.PAUSED)
        await in_thread(octoprint.job, "pause", action="resume")
        await until(printer, print_id, PrintState.PRINTING)
        await in_thread(octoprint.job, "cancel")
        await asyncio.sleep(0.5)
        report = await final(printer, print_id)
        assert (report.state, report.reason) == (PrintState.CANCELLED, end_cause.CANCELLED)

    run(octoprint, journal, scenario)


async def final(printer: OctoPrintPrinter, print_id: str) -> PrintReport:
    while True:
        report = await printer.report(print_id)
        assert report
        if report.state.is_final:
            return report
        await asyncio.sleep(0.1)


def test_a_print_begun_by_hand_is_left_alone(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    print_by_hand(octoprint, gcode)

    async def scenario(printer: OctoPrintPrinter) -> None:
        with pytest.raises(PrintRefused, match="by hand") as refused:
            await printer.start(print_id, gcode, sha256(gcode))
        assert refused.value.code == "busy"
        assert await printer.report(print_id) is None
        shown = (await printer.status()).print
        assert shown
        assert shown.state in (PrintState.STARTING, PrintState.PRINTING)
        assert shown.print_id != print_id
        for command in (printer.pause, printer.cancel):
            with pytest.raises(NotPrinting):
                await command(print_id)
        assert await in_thread(octoprint.printing) == "by hand.gcode"

    run(octoprint, journal, scenario)


def test_a_person_is_quicker_by_a_moment(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        print_file = printer._api.print_file

        async def late(path: str) -> None:
            await in_thread(print_by_hand, octoprint, gcode)
            await print_file(path)

        printer._api.print_file = late  # type: ignore[method-assign]
        with pytest.raises(PrintRefused) as refused:
            await printer.start(print_id, gcode, sha256(gcode))
        assert refused.value.code == "busy"
        assert await in_thread(octoprint.printing) == "by hand.gcode"
        assert await printer.report(print_id) is None
        await in_thread(octoprint.job, "cancel")
        await in_thread(octoprint.wait_operational)
        printer._api.print_file = print_file  # type: ignore[method-assign]
        assert not (await printer.start(print_id, gcode, sha256(gcode))).state.is_final
        await until(printer, print_id, PrintState.PRINTING)

    run(octoprint, journal, scenario)


def test_the_journal_forgets_a_refused_print_on_disk_too(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        async def refuse(path: str) -> None:
            raise PrintRefused("no", code="busy")

        printer._api.print_file = refuse  # type: ignore[method-assign]
        with pytest.raises(PrintRefused):
            await printer.start(print_id, gcode, sha256(gcode))

    async def again(printer: OctoPrintPrinter) -> None:
        assert await printer.report(print_id) is None

    run(octoprint, journal, scenario)
    assert print_id in journal.read_text()
    run(octoprint, journal, again)


def test_octoprint_ignores_the_request_to_begin(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    """It answers 204 also when another print has begun in the meantime."""

    async def scenario(printer: OctoPrintPrinter) -> None:
        async def ignored(path: str) -> None:
            await in_thread(print_by_hand, octoprint, gcode)

        printer._api.print_file = ignored  # type: ignore[method-assign]
        with pytest.raises(PrintRefused, match="by hand"):
            await printer.start(print_id, gcode, sha256(gcode))
        assert await printer.report(print_id) is None
        assert not (octoprint.uploads / copy_path(print_id, gcode.name)).exists()

    run(octoprint, journal, scenario)


def test_an_answer_that_never_comes(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    """OctoPrint hangs as it is asked to begin, and begins later: once."""

    async def scenario(printer: OctoPrintPrinter) -> None:
        print_file = printer._api.print_file

        async def hanging(path: str) -> None:
            octoprint.signal(signal.SIGSTOP)
            await print_file(path)

        printer._api.print_file = hanging  # type: ignore[method-assign]
        try:
            with pytest.raises(PrinterUnavailable, match="too long"):
                await printer.start(print_id, gcode, sha256(gcode))
            with pytest.raises(PrinterUnavailable):
                await printer.start(print_id, gcode, sha256(gcode))
        finally:
            octoprint.signal(signal.SIGCONT)
        await in_thread(
            octoprint.wait, lambda: octoprint.printing() == copy_path(print_id, gcode.name)
        )
        report = await printer.start(print_id, gcode, sha256(gcode))
        assert report.state in (PrintState.STARTING, PrintState.PRINTING)
        await until(printer, print_id, PrintState.DONE)

    run(octoprint, journal, scenario, answer_timeout_s=1.5)


def test_the_request_to_begin_is_lost(
    octoprint: OctoPrintServer,
    journal: Path,
    gcode: Path,
    print_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What may have begun is never begun again, and cannot begin after it is given up."""
    monkeypatch.setattr(octoprint_print, "OUTCOME_WAIT_S", 0.5)

    async def scenario(printer: OctoPrintPrinter) -> None:
        print_file = printer._api.print_file

        async def lost(path: str) -> None:
            printer._api._key = "a key that is not one"
            await printer._api.close()
            raise asyncio.CancelledError

        printer._api.print_file = lost  # type: ignore[method-assign]
        with pytest.raises(asyncio.CancelledError):
            await printer.start(print_id, gcode, sha256(gcode))
        printer._api._key = octoprint.key
        await printer._api.close()
        report = await final(printer, print_id)
        assert (report.state, report.reason) == (PrintState.FAILED, octoprint_print.LOST)
        with pytest.raises(PrintRefused):
            await print_file(copy_path(print_id, gcode.name))

    run(octoprint, journal, scenario)


@pytest.mark.parametrize("keeps_journal", [True, False])
def test_a_new_process_finds_the_running_print(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str, keeps_journal: bool
) -> None:
    begun(octoprint, journal, gcode, print_id)
    if not keeps_journal:
        journal.unlink()

    async def scenario(printer: OctoPrintPrinter) -> None:
        report = await printer.start(print_id, gcode, sha256(gcode))
        assert report.state is PrintState.PRINTING
        assert (await printer.report(print_id)) is not None
        await printer.cancel(print_id)

    run(octoprint, journal, scenario)
    assert ended(octoprint, journal, print_id).state is PrintState.CANCELLED


@pytest.mark.parametrize("keeps_journal", [True, False])
def test_a_print_that_ended_while_nobody_watched(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str, keeps_journal: bool
) -> None:
    """Also when a person then prints its copy once more, which is a print by hand."""
    begun(octoprint, journal, gcode, print_id)
    octoprint.wait_operational()
    octoprint.job("start")
    octoprint.wait(lambda: octoprint.state() == "Printing")
    if not keeps_journal:
        journal.unlink()

    async def scenario(printer: OctoPrintPrinter) -> None:
        report = await printer.report(print_id)
        assert report
        assert report.state is PrintState.DONE
        assert (await printer.start(print_id, gcode, sha256(gcode))).state is PrintState.DONE
        shown = (await printer.status()).print
        assert shown
        assert shown.print_id != print_id

    run(octoprint, journal, scenario)


def test_the_firmware_fails(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        await printer.start(print_id, gcode, sha256(gcode))
        await until(printer, print_id, PrintState.PRINTING)
        await in_thread(octoprint.gcode, "!!DEBUG:trigger_fatal_error_marlin")
        report = await until(printer, print_id, *FINAL)
        assert report.state is PrintState.FAILED
        assert "Thermal Runaway" in report.reason
        status = await offline(printer)
        assert "Connect it at" in status.problem
        with pytest.raises(PrinterUnavailable, match="Connect it at"):
            await printer.start("another", gcode, sha256(gcode))
        await in_thread(octoprint.connect)
        assert (await printer.status()).connection is Connection.READY

    run(octoprint, journal, scenario)


async def offline(printer: OctoPrintPrinter) -> PrinterStatus:
    async for status in printer.watch():
        if status.connection is Connection.OFFLINE:
            return status
    raise AssertionError


def test_a_person_disconnects_the_printer(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    begun(octoprint, journal, gcode, print_id)
    octoprint.disconnect()
    report = ended(octoprint, journal, print_id)
    assert report.state is PrintState.FAILED
    octoprint.connect()


def test_the_copy_is_deleted_before_its_result_is_read(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    begun(octoprint, journal, gcode, print_id)
    octoprint.job("cancel")
    octoprint.wait_operational()
    octoprint.request("DELETE", f"/api/files/local/{copy_path(print_id, gcode.name)}")
    report = ended(octoprint, journal, print_id)
    assert (report.state, report.reason) == (PrintState.FAILED, octoprint_print.DELETED)


def test_a_person_prints_the_upload_itself(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, print_id: str
) -> None:
    """A copy takes over the results of what it is copied from, and those are not our print's."""
    upload = f"{FOLDER}/{sha256(gcode)}.gcode"
    begun(octoprint, journal, gcode, f"{print_id}-first")
    octoprint.job("cancel")
    octoprint.wait_operational()
    octoprint.request(
        "POST", f"/api/files/local/{upload}", json={"command": "select", "print": True}
    )
    octoprint.job("cancel")
    octoprint.wait_operational()
    octoprint.wait(lambda: "prints" in octoprint.get(f"/api/files/local/{upload}"))
    ended(octoprint, journal, f"{print_id}-first")
    begun(octoprint, journal, gcode, print_id)
    assert octoprint.printing() == copy_path(print_id, gcode.name)
    octoprint.request("POST", "/api/job", json={"command": "cancel"})
    octoprint.wait_operational()
    octoprint.request("DELETE", f"/api/files/local/{upload}")
    assert ended(octoprint, journal, print_id).state is not PrintState.DONE


@pytest.mark.parametrize("key", ["withdrawn", "", "ключ", "new\nline"])
def test_a_wrong_key(octoprint: OctoPrintServer, journal: Path, key: str) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        with pytest.raises(PrinterUnavailable, match="Application Keys") as refused:
            await anext(aiter(printer.watch()))
        assert not key or key not in str(refused.value)

    run(octoprint, journal, scenario, key=key)


def test_a_key_without_rights(octoprint: OctoPrintServer, journal: Path, gcode: Path) -> None:
    name, password = f"guest-{uuid.uuid4()}", "a password"
    user = {"name": name, "password": password, "active": True, "groups": ["readonly"]}
    octoprint.request("POST", "/api/access/users", json=user)
    made = octoprint.request("POST", f"/api/access/users/{name}/apikey").json()

    async def scenario(printer: OctoPrintPrinter) -> None:
        assert (await printer.status()).connection is Connection.READY
        with pytest.raises(PrinterUnavailable, match="right to upload"):
            await printer.start("p", gcode, sha256(gcode))

    run(octoprint, journal, scenario, key=made["apikey"])


def test_a_users_key_will_do(octoprint: OctoPrintServer, journal: Path) -> None:
    async def scenario(printer: OctoPrintPrinter) -> None:
        assert (await printer.status()).connection is Connection.READY

    run(octoprint, journal, scenario, key=USER_KEY)


def test_octoprint_takes_no_file_so_large(
    octoprint: OctoPrintServer, journal: Path, tmp_path: Path
) -> None:
    path = tmp_path / "large.gcode"
    path.write_bytes(b"G1 X1 Y1 F1000\n" * 150_000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()

    async def scenario(printer: OctoPrintPrinter) -> None:
        with pytest.raises(PrinterUnavailable, match="limit for uploads"):
            await printer.start("large", path, digest)
        assert await printer.report("large") is None

    run(octoprint, journal, scenario)


def test_octoprint_cannot_write(
    octoprint: OctoPrintServer, journal: Path, gcode: Path, tmp_path: Path, print_id: str
) -> None:
    path = tmp_path / "new.gcode"
    path.write_bytes(gcode.read_bytes() + b"; new\n")
    folder = octoprint.uploads / FOLDER
    aside = folder.with_name("kept")
    folder.rename(aside)
    folder.symlink_to("/proc/self/nothing")  # nobody can write there, not even root

    async def scenario(printer: OctoPrintPrinter) -> None:
        with pytest.raises(PrinterUnavailable, match="disk is not full"):
            await printer.start(print_id, path, sha256(path))

    try:
        run(octoprint, journal, scenario)
    finally:
        folder.unlink()
        aside.rename(folder)


def test_octoprint_is_killed_in_mid_print(
    octoprint: OctoPrintServer,
    journal: Path,
    gcode: Path,
    print_id: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(octoprint_print, "OUTCOME_WAIT_S", 0.5)

    async def scenario(printer: OctoPrintPrinter) -> None:
        await printer.start(print_id, gcode, sha256(gcode))
        await until(printer, print_id, PrintState.PRINTING)
        octoprint.kill()
        with pytest.raises(PrinterUnavailable, match="does not answer"):
            await anext(aiter(printer.watch()))
        with pytest.raises(PrinterUnavailable):
            await printer.report(print_id)
        await in_thread(octoprint.start)
        report = await final(printer, print_id)
        assert (report.state, report.reason) == (PrintState.FAILED, octoprint_print.LOST)
        assert await printer.start(print_id, gcode, sha256(gcode)) == report

    run(octoprint, journal, scenario)
