import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from printer_driver.client import SocketPrinter
from printer_driver.errors import NotPrinting, PrinterUnavailable
from printer_driver.printer import Confirmation, Connection, Printer, StopsAtOnce
from tests.harness.patience import HANG_S

STATUS = b'{"connection":"ready","problem":"","print":null,"temperatures":[],"firmware":""}'


def with_driver(
    path: Path, replies: list[bytes], scenario: Callable[[SocketPrinter], Awaitable[None]]
) -> None:
    """Run `scenario` against a server that answers each line with the next of `replies`."""

    served = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while replies and await reader.readline():
            reply = replies.pop(0)
            if not reply:
                break
            writer.write(reply)
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        server = await asyncio.start_unix_server(
            lambda reader, writer: served.append(asyncio.create_task(serve(reader, writer))), path
        )
        printer = SocketPrinter(path)
        await scenario(printer)
        await printer.close()
        server.close()
        async with asyncio.timeout(HANG_S):
            await asyncio.gather(*served)

    asyncio.run(main())


def test_it_is_a_printer(tmp_path: Path) -> None:
    printer: Printer = SocketPrinter(tmp_path / "s")
    with pytest.raises(PrinterUnavailable, match="start it"):
        asyncio.run(printer.status())


def test_it_connects_again_after_a_break(tmp_path: Path) -> None:
    async def scenario(printer: SocketPrinter) -> None:
        assert (await printer.status()).connection is Connection.READY
        with pytest.raises(PrinterUnavailable):
            await printer.status()
        assert (await printer.status()).connection is Connection.READY

    replies = [b'{"id":1,"status":%s}\n' % STATUS, b"", b'{"id":3,"status":%s}\n' % STATUS]
    with_driver(tmp_path / "s", replies, scenario)


@pytest.mark.parametrize("reply", [b"nonsense\n", b"[]\n", b'{"id":1,"status":{}}\n', b"x" * 99999])
def test_unreadable_replies(tmp_path: Path, reply: bytes) -> None:
    async def scenario(printer: SocketPrinter) -> None:
        with pytest.raises(PrinterUnavailable):
            await printer.status()

    with_driver(tmp_path / "s", [reply], scenario)


def test_errors_come_as_their_kind(tmp_path: Path) -> None:
    async def scenario(printer: SocketPrinter) -> None:
        with pytest.raises(NotPrinting, match="over"):
            await printer.pause("p")

    reply = b'{"id":1,"error":{"code":"not_printing","message":"It is over."}}\n'
    with_driver(tmp_path / "s", [reply], scenario)


def test_watch_ends_when_the_driver_goes(tmp_path: Path) -> None:
    async def scenario(printer: SocketPrinter) -> None:
        statuses = printer.watch()
        assert (await anext(statuses)).connection is Connection.READY
        with pytest.raises(PrinterUnavailable):
            await anext(statuses)

    reply = b'{"id":1,"ok":true}\n{"event":"status","status":%s}\n' % STATUS
    with_driver(tmp_path / "s", [reply], scenario)


@pytest.mark.parametrize(
    ("said", "confirmation"),
    [
        (b'"confirmed_by":"firmware"', Confirmation.BY_FIRMWARE),
        (b'"confirmed_by":"reset"', Confirmation.BY_RESET),
        (b'"confirmed_by":"prayer"', Confirmation.NONE),
        (b'"paths":[]', Confirmation.NONE),
    ],
)
def test_an_emergency_stop_is_confirmed_or_not(
    said: bytes, confirmation: Confirmation, tmp_path: Path
) -> None:
    async def scenario(printer: SocketPrinter) -> None:
        stops: StopsAtOnce = printer
        assert await stops.emergency_stop() is confirmation

    with_driver(tmp_path / "s", [b'{"id":1,"ok":true,%s}\n' % said], scenario)
