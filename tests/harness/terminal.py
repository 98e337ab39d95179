"""The command line, run in a thread beside a real peer and its page."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from crdtqueue.cli.main import main
from crdtqueue.cli.output import printable
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    MemoryPrinter,
    running,
)
from tests.harness.peer_pages import page_of

Capture = pytest.CaptureFixture[str]


class Terminal:
    """Runs commands against one peer and reads what they print."""

    def __init__(self, url: str, capture: Capture) -> None:
        self.url = url
        self._capture = capture

    async def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors of `crdtqueue COMMAND ARGUMENTS --url …`."""
        self._capture.readouterr()
        code = await asyncio.to_thread(main, [command, "--url", self.url, *arguments])
        out, err = self._capture.readouterr()
        return code, out, err

    async def says(self, command: str, *arguments: str) -> str:
        """What a command prints that must succeed."""
        code, out, err = await self.run(command, *arguments)
        assert (code, err if command != "add" else "") == (0, "")
        return out

    async def json(self, command: str, *arguments: str) -> Any:
        """What a command prints as JSON."""
        return json.loads(await self.says(command, "--json", *arguments))

    async def fails(self, command: str, *arguments: str) -> str:
        """The one sentence, or more, of a command that must fail; checks both forms of it."""
        code, out, err = await self.run(command, *arguments)
        assert (code, out) == (1, "")
        message = err.strip().splitlines()[-1]
        assert message.startswith("crdtqueue: ")
        assert message.endswith(".")
        code, out, err = await self.run(command, "--json", *arguments)
        error = json.loads(out)["error"]
        assert (code, err) == (1, "")
        assert error.keys() == {"code", "message"}
        assert f"crdtqueue: {printable(error['message'])}" == message
        return message


def run(
    folder: Path,
    capture: Capture,
    use: Callable[[Peer, Terminal], Awaitable[None]],
    *,
    queue: str = "",
    printer: MemoryPrinter | None = None,
) -> None:
    """Lets `use` have a peer and a terminal."""

    async def scenario() -> None:
        async with (
            running(folder / "peer", queue=queue, printer=printer) as peer,
            page_of(peer) as url,
        ):
            await use(peer, Terminal(url, capture))

    asyncio.run(scenario())
