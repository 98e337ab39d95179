"""The client of a printer process on this computer, over its Unix socket, for asyncio code."""

import asyncio
import contextlib
import itertools
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import (
    Confirmation,
    PrinterStatus,
    PrintReport,
    always,
    check_in_time,
    report_from_json,
)
from printer_driver.protocol import (
    LINE_BYTES_MAX,
    Do,
    dump_line,
    error_from_json,
    status_from_json,
)

REPLY_TIMEOUT_S = 10.0
START_TIMEOUT_S = 300.0
"""`start` reads the whole file before it answers."""
STOP_TIMEOUT_S = 15.0
"""A second for the firmware's own word, then a reset and its boot."""
WATCH_TIMEOUT_S = 10.0
"""The driver sends a status at least every 2 s."""


class _Connection:
    """One open socket. It sends one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, path: Path) -> "_Connection":
        return cls(*await asyncio.open_unix_connection(os.fspath(path), limit=LINE_BYTES_MAX))

    @property
    def is_usable(self) -> bool:
        return not self._writer.is_closing() and not self._reader.at_eof()

    async def send(self, message: dict[str, Any]) -> None:
        self._writer.write(dump_line(message))
        await self._writer.drain()

    async def read(self) -> dict[str, Any]:
        """The next message. Raises OSError or ValueError when there is none."""
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the driver closed the connection")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("not an object")  # noqa: TRY004 - as json.loads says of bad content
        return message

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        await self.send(message)
        while True:
            reply = await self.read()
            if reply.get("id") == message["id"] or reply.get("id", 0) is None:
                return reply

    def close(self) -> None:
        self._writer.close()

    async def closed(self) -> None:
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class SocketPrinter:
    """Implements `printer_driver.printer.Printer`. It connects at the first call, and again as
    needed.

    A call whose connection breaks raises `PrinterUnavailable` and may be repeated: `start` is
    idempotent, and the other calls change nothing when they are repeated.
    """

    def __init__(self, socket_path: Path) -> None:
        self._socket_path = socket_path
        self._connection: _Connection | None = None
        self._is_asking: asyncio.Lock | None = None
        self._ids = itertools.count(1)

    async def status(self) -> PrinterStatus:
        """The printer now."""
        reply = await self._ask({"do": Do.STATUS})
        return _read_status(reply.get("status"))

    async def start(
        self,
        print_id: str,
        path: Path,
        sha256: str,
        *,
        name: str = "",  # noqa: ARG002
        may_begin: Callable[[], bool] = always,
    ) -> PrintReport:
        """Print the file once; see `Printer.start`."""
        check_in_time(may_begin)
        request = {"do": Do.START, "print_id": print_id, "path": os.fspath(path), "sha256": sha256}
        reply = await self._ask_alone(request, START_TIMEOUT_S)
        return _read_report(reply.get("report"))

    async def _ask_alone(self, message: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """On a connection of its own, so that neither it nor other calls wait for each other."""
        connection = await self._open()
        try:
            async with asyncio.timeout(timeout_s):
                return _result(await connection.ask({"id": next(self._ids), **message}))
        except (OSError, ValueError) as error:
            raise self._unavailable(error) from error
        finally:
            connection.close()

    async def pause(self, print_id: str) -> None:
        """Stop sending."""
        await self._ask({"do": Do.PAUSE, "print_id": print_id})

    async def resume(self, print_id: str) -> None:
        """Go on after `pause`."""
        await self._ask({"do": Do.RESUME, "print_id": print_id})

    async def cancel(self, print_id: str) -> None:
        """Give the print up and switch the heaters off."""
        await self._ask({"do": Do.CANCEL, "print_id": print_id})

    async def report(self, print_id: str) -> PrintReport | None:
        """This print's report; None for an unknown id."""
        reply = await self._ask({"do": Do.REPORT, "print_id": print_id})
        report = reply.get("report")
        return None if report is None else _read_report(report)

    async def emergency_stop(self) -> Confirmation:
        """Halt the firmware at once (M112); see `StopsAtOnce`."""
        reply = await self._ask_alone({"do": Do.EMERGENCY_STOP}, STOP_TIMEOUT_S)
        try:
            return Confirmation(reply["confirmed_by"])
        except (KeyError, ValueError):
            return Confirmation.NONE

    async def send(self, commands: Sequence[str]) -> None:
        """G-code lines of a person. Raises `PrintRefused` while something is printed."""
        await self._ask({"do": Do.SEND, "commands": list(commands)})

    async def answer(self, choice: int) -> None:
        """The place, from 0, of the answer to `PrinterStatus.question`."""
        await self._ask({"do": Do.ANSWER, "choice": choice})

    async def serial_log(self) -> list[Path]:
        """Has what is in memory written; the files of the serial log, the newest first."""
        reply = await self._ask({"do": Do.SERIAL_LOG})
        return [Path(str(path)) for path in reply.get("paths", [])]

    async def watch(self) -> AsyncIterator[PrinterStatus]:
        """The status now and at every change; see `Printer.watch`."""
        connection = await self._open()
        try:
            await connection.send({"id": next(self._ids), "do": Do.WATCH})
            while True:
                async with asyncio.timeout(WATCH_TIMEOUT_S):
                    message = await connection.read()
                if _result(message).get("event") == "status":
                    yield _read_status(message.get("status"))
        except (OSError, ValueError) as error:
            raise self._unavailable(error) from error
        finally:
            connection.close()

    async def quit(self, *, force: bool = False) -> None:
        """End the driver."""
        await self._ask({"do": Do.QUIT, "force": force})

    async def close(self) -> None:
        """Close the connection; the driver goes on."""
        connection = self._connection
        self._disconnect()
        if connection is not None:
            await connection.closed()

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        if self._is_asking is None:
            self._is_asking = asyncio.Lock()
        async with self._is_asking:
            return _result(await self._exchange({"id": next(self._ids), **message}))

    async def _exchange(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            if self._connection is None or not self._connection.is_usable:
                self._disconnect()
                self._connection = await self._open()
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                return await self._connection.ask(message)
        except (OSError, ValueError) as error:
            self._disconnect()
            raise self._unavailable(error) from error
        except asyncio.CancelledError:
            self._disconnect()  # its reply may still come and must not answer the next request
            raise

    async def _open(self) -> _Connection:
        try:
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                return await _Connection.open(self._socket_path)
        except OSError as error:
            raise self._unavailable(error) from error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _unavailable(self, error: Exception) -> PrinterUnavailable:
        reason = "it took too long" if isinstance(error, TimeoutError) else str(error)
        return PrinterUnavailable(
            f"The printer process on {self._socket_path} does not answer ({reason}); start it."
        )


def _result(reply: dict[str, Any]) -> dict[str, Any]:
    if "error" in reply:
        raise error_from_json(reply["error"])
    return reply


def _read_status(value: Any) -> PrinterStatus:
    try:
        return status_from_json(value)
    except (KeyError, TypeError, ValueError) as error:
        raise PrinterUnavailable(
            "The printer process sent a status that cannot be read."
        ) from error


def _read_report(value: Any) -> PrintReport:
    try:
        return report_from_json(value)
    except (KeyError, TypeError, ValueError) as error:
        raise PrinterUnavailable(
            "The printer process sent a report that cannot be read."
        ) from error
