"""Finds or starts the printer process of this peer.

The printer process runs in a session of its own and has its own log, so the print goes on when this
peer is killed. The next peer process finds it by its socket.
"""

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from printer_driver import clock
from printer_driver.client import SocketPrinter
from printer_driver.core.streaming.stream_settings import StreamSettings
from printer_driver.errors import PrinterError, PrinterUnavailable
from printer_driver.port.ports import AUTO
from printer_driver.printer import Printer, PrinterStatus
from printer_driver.process.stream_options import arguments_of
from printer_driver.virtual.virtual_options import is_virtual

SOCKET_PATH_BYTES_MAX = 100
"""Linux takes 107; the rest is for temporary names."""
START_TIMEOUT_S = 10.0
LOG_TAIL_BYTES = 2_000
LOG_BYTES_MAX = 5 * 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class SerialPrinter:
    """A printer on a serial port, or a virtual one (`virtual`, `virtual:prusa,…`).

    `port` may be `auto`, and `baud` None: then the printer process finds them.
    """

    port: str
    baud: int | None = 115200
    speed_up: float = 1.0
    record: Path | None = None
    stream: StreamSettings = field(default_factory=StreamSettings)


class PrinterProcessKeeper:
    """Starts the printer process when none answers. `printer` is its client, whoever started it."""

    def __init__(self, serial: SerialPrinter, folder: Path) -> None:
        self._serial = serial
        self._folder = folder
        self._socket = socket_path(folder)
        self._child: subprocess.Popen[bytes] | None = None
        self.printer: Printer = SocketPrinter(self._socket)

    async def watch(self) -> AsyncIterator[PrinterStatus | str]:
        """The printer's status whenever it changes, or a sentence that says why there is none.

        Starts the process where it is not running. Never ends.
        """
        while True:
            problem = await self._ensure()
            if problem:
                yield problem
                await asyncio.sleep(3.0)
                continue
            try:
                async for status in self.printer.watch():
                    yield status
            except PrinterError as error:
                yield str(error)
            await asyncio.sleep(0.2)

    async def restart(self) -> None:
        """Ends the printer process, unless it prints; `watch` starts it again, as now configured.

        Raises PrintRefused in mid-print, PrinterUnavailable if it does not come back.
        """
        await self.printer.quit()
        if not await self._comes_to(answers=False) or not await self._comes_to(answers=True):
            raise PrinterUnavailable(
                f"The printer process did not come back within {START_TIMEOUT_S:.0f} seconds. Its"
                f" log is {self._log}."
            )

    async def _comes_to(self, *, answers: bool) -> bool:
        """Whether the process answers, or no longer does, within START_TIMEOUT_S."""
        deadline_s = clock.now_s() + START_TIMEOUT_S
        while clock.now_s() < deadline_s:
            if await self._answers() is answers:
                return True
            await asyncio.sleep(0.05)
        return False

    async def _ensure(self) -> str:
        """Has the process running; says why not, if it cannot be."""
        try:
            return await self._start()
        except PrinterError as error:
            return str(error)  # Something answers there that we do not understand.
        except OSError as error:
            return f"The printer process cannot be started: {error}. Make room on the disk."

    async def _start(self) -> str:
        if await self._answers():
            return ""
        self._child = await asyncio.to_thread(self._spawn)
        deadline_s = asyncio.get_running_loop().time() + START_TIMEOUT_S
        while asyncio.get_running_loop().time() < deadline_s:
            if await self._answers():
                return ""
            if self._child.poll() is not None:
                return await asyncio.to_thread(self._last_words)
            await asyncio.sleep(0.05)
        return f"The printer process does not answer. Its log is {self._log}."

    async def _answers(self) -> bool:
        try:
            await self.printer.status()
        except PrinterUnavailable:
            return False
        return True

    @property
    def _log(self) -> Path:
        return self._folder / "printer.log"

    def _spawn(self) -> subprocess.Popen[bytes]:
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES_MAX:
            self._log.replace(self._log.with_suffix(".log.1"))
        serial = self._serial
        command = [sys.executable, "-m", "printer_driver", "--port", serial.port]
        command += ["--socket", str(self._socket), "--baud", str(serial.baud or AUTO)]
        command += ["--journal", str(self._folder / "prints.journal")]
        command += arguments_of(serial.stream)
        if is_virtual(serial.port):
            command += ["--speed-up", f"{serial.speed_up:g}"]
            command += ["--record", str(serial.record)] if serial.record else []
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self._folder,
            )

    def _last_words(self) -> str:
        """What the process said before it ended: its own sentence for people."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - LOG_TAIL_BYTES))
            lines = log.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"The printer process ended. Its log is {self._log}."


def socket_path(folder: Path) -> Path:
    """Where the printer process of this folder listens.

    In the folder, or, where that name is too long for a socket, at a short one made from it.
    """
    path = folder / "printer.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"crdtqueue-{name}.sock"
