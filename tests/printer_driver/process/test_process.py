"""The real process on the virtual printer behind a real pseudo-terminal."""

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from printer_driver.background import Background
from printer_driver.client import SocketPrinter
from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.errors import NotPrinting, PrinterUnavailable, PrintRefused
from printer_driver.printer import Connection, PrintReport, PrintState
from printer_driver.prints.file_check import BLOCK_BYTES
from printer_driver.prints.journal import Journal
from printer_driver.process.process import (
    HALTED_S_MAX,
    PrinterProcess,
    Settings,
)
from tests.harness.patience import HANG_S, looks
from tests.harness.virtual_printers import shortened

pytestmark = pytest.mark.e2e

GCODE = Path(__file__).parents[2] / "data" / "gcode"
PIN = GCODE / "pin_ender3.gcode"
T = TypeVar("T")
P1 = "p1"
START_LIMIT_S = 15.0
OWN = re.compile(r"M(?:105|114|115|400)$|M(?:110|113|155) ")
"""What the driver sends of itself, and no file here contains."""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_commands(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [spelt(command.text) for command in commands_of(file)]


def spelt(command: str) -> str:
    """Moves may be sent without blanks and idle zeros."""
    return shortened(command.encode("latin-1")).decode("latin-1")


@dataclass
class Rig:
    """One driver process and its files."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    module: tuple[str, ...] = ("printer_driver",)

    def run(self, scenario: Callable[[SocketPrinter], Awaitable[T]]) -> T:
        async def with_printer() -> T:
            printer = SocketPrinter(self.folder / "socket")
            try:
                return await scenario(printer)
            finally:
                await printer.close()

        return asyncio.run(with_printer())

    def spawn(self, *more: str, port: str = "virtual") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *self.module, "--port", port]
        command += ["--socket", str(self.folder / "socket")]
        command += ["--journal", str(self.folder / "journal"), *more]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
        self.processes.append(process)
        return process

    def start(self, speed_up: float = 2000) -> None:
        record = str(self.folder / "record")
        self.process = self.spawn("--speed-up", f"{speed_up:g}", "--record", record)
        self.run(until_ready)

    def recorded(self) -> list[str]:
        """What the virtual printer executed, without the driver's own commands."""
        lines = (self.folder / "record").read_text("latin-1").splitlines()
        return [spelt(x) for x in lines if not OWN.match(x)]


async def until_ready(printer: SocketPrinter) -> None:
    for _ in looks(START_LIMIT_S, 0.02):
        try:
            if (await printer.status()).connection is Connection.READY:
                return
        except PrinterUnavailable:
            pass
        await asyncio.sleep(0.02)
    pytest.fail("the driver did not come up")


async def until(printer: SocketPrinter, *states: PrintState) -> PrintReport:
    async with asyncio.timeout(HANG_S):
        async for status in printer.watch():
            if status.print and status.print.state in states:
                return status.print
    raise AssertionError


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    yield rig
    for process in rig.processes:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


@pytest.mark.parametrize("name", ["pin_ender3.gcode", "pin_mk3s.gcode"])
def test_prints_a_real_file_exactly_once(rig: Rig, name: str) -> None:
    rig.start()
    path = GCODE / name

    async def scenario(printer: SocketPrinter) -> None:
        await printer.start(P1, path, sha256(path))
        report = await until(printer, PrintState.DONE)
        assert report.lines_done == len(file_commands(path))
        again = await printer.start(P1, path, sha256(path))
        assert again.state is PrintState.DONE
        await printer.quit()

    rig.run(scenario)
    assert rig.process
    assert rig.process.wait(HANG_S) == 0
    assert rig.recorded() == file_commands(path)
    assert not (rig.folder / "socket").exists()


def test_two_starts_at_once_print_once(rig: Rig) -> None:
    rig.start()

    async def scenario(printer: SocketPrinter) -> None:
        starts = [printer.start(P1, PIN, sha256(PIN)) for _ in range(5)]
        assert {x.print_id for x in await asyncio.gather(*starts)} == {P1}
        await until(printer, PrintState.DONE)

    rig.run(scenario)
    assert rig.recorded() == file_commands(PIN)


def test_pause_resume_and_the_rest_of_the_file(rig: Rig) -> None:
    rig.start(speed_up=100)

    async def scenario(printer: SocketPrinter) -> None:
        await printer.start(P1, PIN, sha256(PIN))
        await printer.pause(P1)
        paused = await until(printer, PrintState.PAUSED)
        await asyncio.sleep(0.3)
        still = await printer.report(P1)
        assert still
        assert (still.state, still.lines_done) == (PrintState.PAUSED, paused.lines_done)
        await printer.resume(P1)
        await until(printer, PrintState.DONE)

    rig.run(scenario)
    assert rig.recorded() == file_commands(PIN)


def test_cancel_while_heating_switches_everything_off(rig: Rig) -> None:
    rig.start(speed_up=5)

    async def scenario(printer: SocketPrinter) -> None:
        await printer.start(P1, PIN, sha256(PIN))
        await asyncio.sleep(0.5)
        with pytest.raises(NotPrinting):
            await printer.cancel("another")
        with pytest.raises(PrintRefused, match="running"):
            await printer.quit()
        await printer.cancel(P1)
        report = await until(printer, PrintState.CANCELLED)
        assert report.reason
        with pytest.raises(NotPrinting):
            await printer.cancel(P1)

    rig.run(scenario)
    assert rig.recorded()[-4:] == ["M104S0", "M140S0", "M107", "M84"]


def test_killed_in_mid_print_it_reports_failure_and_cools(rig: Rig) -> None:
    rig.start(speed_up=20)
    assert rig.process

    async def begin(printer: SocketPrinter) -> None:
        await printer.start(P1, PIN, sha256(PIN))
        await until(printer, PrintState.PRINTING)

    rig.run(begin)
    rig.process.kill()
    rig.process.wait()
    before = len(rig.recorded())
    rig.start(speed_up=20)

    async def look(printer: SocketPrinter) -> None:
        report = await printer.report(P1)
        assert report
        assert report.state is PrintState.FAILED
        assert report.reason == "printer process stopped in mid-print"
        again = await printer.start(P1, PIN, sha256(PIN))
        assert again.state is PrintState.FAILED

    rig.run(look)
    assert set(rig.recorded()[before:]) == {"M108", "M104S0", "M140S0"}


def test_sigterm_cancels_the_print_first(rig: Rig) -> None:
    rig.start(speed_up=20)
    assert rig.process

    async def begin(printer: SocketPrinter) -> None:
        await printer.start(P1, PIN, sha256(PIN))
        await until(printer, PrintState.PRINTING)

    rig.run(begin)
    rig.process.send_signal(signal.SIGTERM)
    assert rig.process.wait(HANG_S) == 0
    assert rig.recorded()[-4:] == ["M104S0", "M140S0", "M107", "M84"]
    rig.start()
    report = rig.run(lambda printer: printer.report(P1))
    assert report
    assert report.state is PrintState.CANCELLED


@pytest.fixture
def blocks(rig: Rig, tmp_path: Path) -> Path:
    """A file that is being printed; its disk hangs in the kernel, and all before that is sent."""
    path, fifo = tmp_path / "blocks.gcode", tmp_path / "fifo"
    line = f"G1 X10 Y10 F6000 ; {'x' * 100}\n"
    path.write_text("G90\nG92 X0 Y0 Z0 E0\n" + line * 2000)
    os.mkfifo(fifo)
    rig.module = ("tests.harness.hanging_disk", str(fifo))
    rig.start()
    sent = path.read_bytes()[:BLOCK_BYTES].count(b"\n")

    async def scenario(printer: SocketPrinter) -> None:
        await printer.start(P1, path, sha256(path))
        async with asyncio.timeout(HANG_S):
            async for status in printer.watch():
                if status.print and status.print.lines_done == sent:
                    break

    rig.run(scenario)
    return path


def test_a_disk_that_hangs_delays_a_print_and_nothing_else(rig: Rig, blocks: Path) -> None:
    async def scenario(printer: SocketPrinter) -> None:
        report = await printer.report(P1)
        assert report
        assert report.state is PrintState.PRINTING
        await printer.pause(P1)
        await until(printer, PrintState.PAUSED)
        await printer.resume(P1)
        await until(printer, PrintState.PRINTING)
        (rig.folder / "fifo").write_bytes(b"!")
        await until(printer, PrintState.DONE)

    rig.run(scenario)
    assert rig.recorded() == file_commands(blocks)


def test_a_process_whose_disk_hangs_ends_as_it_should(rig: Rig, blocks: Path) -> None:
    assert rig.process
    rig.process.send_signal(signal.SIGTERM)
    assert rig.process.wait(HANG_S) == 0
    assert rig.process.stderr
    log = rig.process.stderr.read().decode()
    assert not re.search("fatal|traceback", log, re.IGNORECASE), log
    assert rig.recorded()[-4:] == ["M104S0", "M140S0", "M107", "M84"]
    rig.start()
    report = rig.run(lambda printer: printer.report(P1))
    assert report
    assert report.state is PrintState.CANCELLED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_driver_at_once(rig: Rig, number: signal.Signals) -> None:
    rig.start()
    assert rig.process
    rig.process.send_signal(number)
    assert rig.process.wait(HANG_S) == 0


def test_a_signal_ends_a_driver_soon_whose_printer_has_stopped_itself(rig: Rig) -> None:
    rig.start()
    assert rig.process
    rig.run(lambda printer: printer.emergency_stop())
    rig.process.send_signal(signal.SIGTERM)
    assert rig.process.wait(HALTED_S_MAX + 3) == 0


def test_wrong_files_are_refused(rig: Rig, tmp_path: Path) -> None:
    rig.start()
    prose, long = tmp_path / "prose.gcode", tmp_path / "long.gcode"
    prose.write_text("to be or not to be\n")
    long.write_text("G28\nG1 " + "X1 " * 60 + "\n")

    async def scenario(printer: SocketPrinter) -> None:
        with pytest.raises(PrintRefused, match="SHA-256"):
            await printer.start(P1, PIN, "0" * 64)
        with pytest.raises(PrintRefused, match="no G or M command"):
            await printer.start(P1, prose, sha256(prose))
        with pytest.raises(PrintRefused, match="Line 2"):
            await printer.start(P1, long, sha256(long))
        with pytest.raises(PrintRefused, match="cannot be read"):
            await printer.start(P1, tmp_path / "none", "0" * 64)
        with pytest.raises(PrintRefused, match="not a file"):
            await printer.start(P1, tmp_path, "0" * 64)
        assert await printer.report(P1) is None

    rig.run(scenario)
    assert rig.recorded() == []


def test_emergency_stop_halts(rig: Rig) -> None:
    rig.start(speed_up=5)

    async def scenario(printer: SocketPrinter) -> None:
        await printer.start(P1, PIN, sha256(PIN))
        await asyncio.sleep(0.3)
        await printer.emergency_stop()
        status = await printer.status()
        assert status.connection is Connection.HALTED
        assert "Emergency stop" in status.problem
        assert status.print
        assert status.print.state is PrintState.FAILED
        with pytest.raises(PrintRefused, match="Emergency stop"):
            await printer.start("p2", PIN, sha256(PIN))

    rig.run(scenario)


def test_a_port_that_is_not_there(rig: Rig) -> None:
    process = rig.spawn(port="/dev/ttyNOWHERE9")
    _, error = process.communicate(timeout=20)
    assert process.returncode == 2
    assert error.count(b"\n") == 1
    assert error.startswith(b"There is no port /dev/ttyNOWHERE9; ")
    assert not (rig.folder / "socket").exists()


def test_a_second_driver_is_refused_and_a_stale_socket_is_not(rig: Rig) -> None:
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(rig.folder / "socket"))
    rig.start()
    assert stat.S_IMODE((rig.folder / "socket").stat().st_mode) == 0o600
    second = rig.spawn()
    _, error = second.communicate(timeout=20)
    assert second.returncode == 2
    assert b"already runs" in error
    rig.run(until_ready)


def test_garbage_and_crowds_do_no_harm(rig: Rig) -> None:
    rig.start()
    answers = []
    for garbage in (b"\xff\xfe\n", b"[]\n", b'{"do":"dance"}\n', b"[" * 5000 + b"\n"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(rig.folder / "socket"))
            client.sendall(garbage)
            answers.append(client.recv(4096))
    assert all(b'"error":{"code":"bad_request"' in x for x in answers)
    crowd = [socket.socket(socket.AF_UNIX) for _ in range(30)]
    for member in crowd:
        member.connect(str(rig.folder / "socket"))
    with contextlib.suppress(OSError):  # it hangs up on the endless line
        crowd[0].sendall(b"x" * 200_000)
    for member in crowd:
        member.close()
    rig.run(until_ready)


def test_closed_standard_streams_and_an_unplugged_cable(rig: Rig) -> None:
    """A pseudo-terminal of ours stands for the printer; closing it is pulling the cable."""
    master, slave = os.openpty()
    rig.process = rig.spawn(port=os.ttyname(slave))
    assert rig.process.stderr
    rig.process.stderr.close()

    async def scenario(printer: SocketPrinter) -> None:
        for _ in looks(START_LIMIT_S, 0.02):
            with contextlib.suppress(PrinterUnavailable):
                if (await printer.status()).connection is Connection.CONNECTING:
                    break
            await asyncio.sleep(0.02)
        os.close(master)
        os.close(slave)
        async with asyncio.timeout(HANG_S):
            async for status in printer.watch():
                if status.connection is Connection.OFFLINE:
                    assert "gone" in status.problem
                    break
        with pytest.raises(PrinterUnavailable):
            await printer.start(P1, PIN, sha256(PIN))
        await asyncio.sleep(3.5)  # one attempt to reopen, logged to a closed stream
        assert (await printer.status()).connection is Connection.OFFLINE
        await printer.quit()

    rig.run(scenario)
    assert rig.process.wait(HANG_S) == 0


def test_a_printer_that_clears_its_bed_itself(rig: Rig, tmp_path: Path) -> None:
    """First by the end g-code of a print, then by a person at the printer after another."""
    rig.start()
    sweeps = tmp_path / "sweeps.gcode"
    sweeps.write_bytes(PIN.read_bytes() + b"G1 Y0 F6000\nM118 A1 action:bed_clear\n")

    async def by_itself(printer: SocketPrinter) -> None:
        await printer.start(P1, sweeps, sha256(sweeps))
        assert not (await until(printer, PrintState.STARTING, PrintState.PRINTING)).bed_cleared
        assert (await until(printer, PrintState.DONE)).bed_cleared
        assert (await printer.status()).bed_cleared_after == P1

    async def by_a_person(printer: SocketPrinter) -> None:
        await printer.start("p2", PIN, sha256(PIN))
        await until(printer, PrintState.DONE)
        assert (await printer.status()).bed_cleared_after is None
        await printer.send(["M118 A1 action:notification Take it off", "M118 A1 action:bed_clear"])
        async with asyncio.timeout(HANG_S):
            async for status in printer.watch():
                if status.bed_cleared_after == "p2":
                    assert status.notification == "Take it off"
                    await printer.quit()
                    break

    async def to_the_next_process(printer: SocketPrinter) -> None:
        assert (await printer.status()).bed_cleared_after == "p2"

    rig.run(by_itself)
    rig.run(by_a_person)
    assert rig.process
    rig.process.wait(HANG_S)
    rig.start()
    rig.run(to_the_next_process)


def test_a_journal_whose_turn_is_refused_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not at once, again and again: the loop would do nothing else."""
    monkeypatch.setattr(Background, "run", lambda _self, _task: False)
    monkeypatch.setattr(Journal, "is_flushed", property(lambda _: False))
    settings = Settings(port="virtual", socket=tmp_path / "socket", journal=tmp_path / "journal")
    process = PrinterProcess(settings)
    process._flush_journal()
    assert process._flush_at_s > time.monotonic()
    process._selector.close()
