"""A proxy before a real OctoPrint, as people have them: some pass no websockets, all break."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Self


class Sockets(StrEnum):
    """What becomes of websockets."""

    PASSED = "passed"
    REFUSED = "refused"
    IGNORED = "ignored"  # opened, and never answered


_REFUSAL = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    try:
        with suppress(OSError, asyncio.IncompleteReadError):
            yield
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


class Proxy:
    """Counts the requests by their first line; `cut` breaks the websockets off."""

    def __init__(self, port: int, sockets: Sockets) -> None:
        self.sockets = sockets
        self.asked: list[str] = []
        self.url = ""
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> int:
        """Breaks every websocket off; how many there were."""
        for writer in self._open:
            writer.transport.abort()
        return len(self._open)

    def looks(self) -> int:
        """How often the job was asked for."""
        return sum(line.startswith("GET /api/job ") for line in self.asked)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            is_socket = b" /sockjs" in head.partition(b"\r\n")[0]
            if is_socket and self.sockets is Sockets.IGNORED:
                await reader.read()
            elif is_socket and self.sockets is Sockets.REFUSED:
                writer.write(_REFUSAL)
            else:
                await self._pass(head, reader, writer, is_socket)

    async def _pass(
        self,
        head: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_socket: bool,
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        if is_socket:
            self._open.add(writer)
        async with _closing(back):
            self._note(head)
            back.write(head)
            pumps = [self._pump(reader, back, notes=not is_socket), self._pump(there, writer)]
            await asyncio.gather(*pumps)
        self._open.discard(writer)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, notes: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if notes:
                    self._note(data)
                writer.write(data)
                await writer.drain()
        writer.close()

    def _note(self, data: bytes) -> None:
        self.asked.append(data.partition(b"\r\n")[0].decode("latin-1"))
