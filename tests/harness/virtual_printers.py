"""A virtual printer in a process of its own, and the driver in another that may be killed."""

import asyncio
import hashlib
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from printer_driver.client import SocketPrinter
from printer_driver.core.gcode.command_kinds import kind_of
from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.core.gcode.position import Head
from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import Connection, PrintReport, PrintState
from tests.harness.patience import HANG_S, LOOK_S, looks

T = TypeVar("T")
RESTORES = re.compile(r"G9[01]$|M8[23]$|G1F[\d.]+$")
"""What a driver says of modes and feedrate where it goes on."""
COMMAND = re.compile(r"[GMT]\d")
"""Noise and what is said at a wrong speed reach the firmware too; it knows no such commands."""
OWN = re.compile(r"M(?:105|114|115|400)$|M(?:110|113|155) ")
"""What the driver sends of itself; no file here contains these as they stand."""
_BLANKS = re.compile(rb"[ \t]+")
_FRACTION_ZEROS = re.compile(rb"(\.\d*?)0+(?=\D|$)")
_BARE_POINT = re.compile(rb"\.(?=\D|$)")
_SIGNED_ZERO = re.compile(rb"-(0*\.?0*)(?=[A-Z]|$)")
_LEADING_ZEROS = re.compile(rb"(?<=[A-Z-])0+(?=[\d.])|(?<=[A-Z])\+")


def shortened(command: bytes) -> bytes:
    """One spelling for all spellings of the same values: no blanks, no zeros that say nothing."""
    text = _FRACTION_ZEROS.sub(rb"\1", _BLANKS.sub(b"", command))
    text = _SIGNED_ZERO.sub(rb"\1", _BARE_POINT.sub(b"", text))
    return _LEADING_ZEROS.sub(b"", text)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def spelt(command: str) -> str:
    """Moves may be sent without blanks and idle zeros."""
    return shortened(command.encode("latin-1")).decode("latin-1")


def file_commands(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [spelt(command.text) for command in commands_of(file)]


def assert_executed_once(executed: list[str], wanted: list[str]) -> None:
    """The same commands in the same order.

    A driver that goes on behind a break says modes and feedrate again: runs of those that leave
    them as they were count for nothing.
    """
    head, rest = Head(), iter(executed)
    for place, command in enumerate(wanted):
        found = next(rest, "nothing")
        modes = (head.modes(), head.feedrate)
        while found != command and RESTORES.match(found):
            _execute(head, found)
            found = next(rest, "nothing")
        now = (head.modes(), head.feedrate)
        assert now == modes, f"other modes before line {place}: {now}"
        assert found == command, f"line {place} is {command}, executed was {found}"
        _execute(head, command)
    assert list(rest) == []


def _execute(head: Head, command: str) -> None:
    head.execute(command, kind_of(command), 0.0)


def _module(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


class Board:
    """`python -m printer_driver.virtual`: it lives on when the driver dies."""

    def __init__(self, folder: Path, *options: str, speed_up: float = 50.0) -> None:
        self.port = folder / "port"
        self.record = folder / "record"
        words = ",".join([f"link={self.port}", *options])
        self._process = subprocess.Popen(
            _module(
                *("printer_driver.virtual", f"virtual:{words}"),
                *("--speed-up", f"{speed_up:g}", "--record", str(self.record)),
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self.says = self._process.stdout.readline().strip()

    def cause(self, incident: str) -> None:
        """`unplug 3`, `reset`, …: see `printer_driver.virtual.incidents`."""
        assert self._process.stdin
        self._process.stdin.write(f"{incident}\n")
        self._process.stdin.flush()

    def executed(self) -> list[str]:
        """What it has executed, without the driver's own commands."""
        if not self.record.exists():
            return []
        lines = self.record.read_text("latin-1").splitlines()
        return [spelt(line) for line in lines if COMMAND.match(line) and not OWN.match(line)]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        # Left behind, it would soon lead to another board's pseudo-terminal.
        self.port.unlink(missing_ok=True)


class DriverRig:
    """The driver on a port; `start` again after `kill` is what a supervisor does."""

    def __init__(self, folder: Path, port: str, *more: str) -> None:
        self.folder = folder
        self._port = port
        self._more = more
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "driver.log").read_text("utf-8", "replace")

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process
        return self._process

    def start(self) -> None:
        with (self.folder / "driver.log").open("ab") as log:
            self._process = subprocess.Popen(
                _module(
                    *("printer_driver", "--port", self._port, *self._more),
                    *("--socket", str(self.folder / "socket")),
                    *("--journal", str(self.folder / "journal")),
                ),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def run(self, scenario: Callable[[SocketPrinter], Awaitable[T]]) -> T:
        async def with_printer() -> T:
            printer = SocketPrinter(self.folder / "socket")
            try:
                return await scenario(printer)
            finally:
                await printer.close()

        return asyncio.run(with_printer())


async def until_ready(printer: SocketPrinter) -> None:
    await until(printer, lambda status: status.connection is Connection.READY)


async def until_up(printer: SocketPrinter) -> None:
    await until(printer, lambda _: True)


async def until(
    printer: SocketPrinter, is_so: Callable[[Any], bool], limit_s: float = HANG_S
) -> Any:
    """Polls the status; a driver that is just starting does not answer yet."""
    status = None
    for _ in looks(limit_s, 0.02):
        try:
            status = await printer.status()
        except PrinterUnavailable:
            status = None
        if status and is_so(status):
            return status
        await asyncio.sleep(0.02)
    raise AssertionError(f"it did not happen; last seen: {status}")


async def until_over(printer: SocketPrinter, print_id: str, limit_s: float = HANG_S) -> PrintReport:
    report = None
    for _ in looks(limit_s):
        try:
            report = await printer.report(print_id)
        except PrinterUnavailable:
            report = None
        if report and report.state.is_final:
            return report
        await asyncio.sleep(LOOK_S)
    raise AssertionError(f"the print did not end: {report}")


def is_at_it(status: Any) -> bool:
    return bool(status.print and status.print.state in (PrintState.STARTING, PrintState.PRINTING))
