"""The hosts of the serial benchmarks: ours and its opponents, each a process that is measured."""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from printer_driver.client import SocketPrinter
from printer_driver.errors import PrinterError
from printer_driver.printer import Connection, PrintState

HERE = Path(__file__).parent
CONNECT_S = 60.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_OVER = {PrintState.DONE, PrintState.FAILED, PrintState.CANCELLED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_s: float
    rss_max_bytes: int


def usage(pid: int) -> Usage:
    """From /proc. Raises `OSError` when it has ended."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    cpu_s = (int(stat[11]) + int(stat[12])) / TICKS_PER_S
    return Usage(cpu_s=cpu_s, rss_max_bytes=int(peak.split()[1]) * 1024)


class Job(ABC):
    """One print by one host; `begun` and `over` are set when it gets there."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()
        self.problem = ""

    @abstractmethod
    def usage(self) -> Usage:
        """What the host has used so far."""

    @abstractmethod
    def end(self) -> None:
        """End the host."""


class ScriptJob(Job):
    """A script of ours around somebody else's host, run by an interpreter that has it."""

    def __init__(self, python: str, script: str, port: str, baud: int, path: Path, folder: Path):
        super().__init__()
        command = [python, str(HERE / script), port, str(baud), str(path), str(folder)]
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            if line == "printing\n":
                self.begun.set()
            if line == "done\n":
                break
        else:
            self.problem = f"see {self._log.name}"
        self.begun.set()
        self.over.set()

    def usage(self) -> Usage:
        return usage(self._process.pid)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream:
                stream.close()


class OurJob(Job):
    """The printer process, asked over its socket as the peer asks it."""

    def __init__(self, port: str, baud: int, path: Path, folder: Path) -> None:
        super().__init__()
        command = [sys.executable, "-m", "printer_driver", "--port", port, "--baud", str(baud)]
        command += ["--socket", str(folder / "socket"), "--journal", str(folder / "journal")]
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(command, stderr=self._log, stdout=self._log)
        self._socket = folder / "socket"
        with path.open("rb") as file:
            self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        threading.Thread(target=lambda: asyncio.run(self._print(path)), daemon=True).start()

    async def _print(self, path: Path) -> None:
        printer = SocketPrinter(self._socket)
        try:
            await _connected(printer)
            await printer.start("benchmark", path, self._sha256)
            self.begun.set()
            async for status in printer.watch():
                if status.print and status.print.state in _OVER:
                    is_done = status.print.state is PrintState.DONE
                    self.problem = "" if is_done else status.print.reason
                    break
        except (PrinterError, TimeoutError) as error:
            self.problem = str(error) or "it did not connect"
        finally:
            self.begun.set()
            self.over.set()
            await printer.close()

    def usage(self) -> Usage:
        return usage(self._process.pid)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()


async def _connected(printer: SocketPrinter) -> None:
    async with asyncio.timeout(CONNECT_S):
        while True:
            with contextlib.suppress(PrinterError):
                if (await printer.status()).connection is Connection.READY:
                    return
            await asyncio.sleep(0.05)


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A program that prints; `python` empty: the printer process of this repository."""

    name: str
    python: str = ""
    script: str = ""

    def start(self, port: str, baud: int, path: Path, folder: Path) -> Job:
        """Begin to print the file."""
        folder.mkdir(parents=True)
        if not self.python:
            return OurJob(port, baud, path, folder)
        return ScriptJob(self.python, self.script, port, baud, path, folder)


def hosts() -> list[Host]:
    """Ours and those opponents whose interpreters the environment names."""
    found = [Host(name="crdtqueue")]
    for name in ("OctoPrint", "Printrun"):
        if python := os.environ.get(f"CRDTQUEUE_{name.upper()}_PYTHON"):
            script = f"serial_feed_{name.lower()}.py"
            found.append(Host(name=name, python=python, script=script))
    return found
