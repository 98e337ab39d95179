"""A real peer's page on a real port, and requests to it as any program may send them."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import uvicorn

from crdtqueue.cli.serve import _Page
from crdtqueue.http.app import make_app
from crdtqueue.peer.peer import Peer
from tests.harness.patience import HANG_S

HOST = "127.0.0.1"


@asynccontextmanager
async def page_of(peer: Peer) -> AsyncIterator[str]:
    """Serves the page of a peer; its address, without a slash at the end."""
    with socket.create_server((HOST, 0)) as listener:
        config = uvicorn.Config(
            make_app(peer, frozenset({"localhost", "printer-pi"})),
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        page = _Page(config)
        serving = asyncio.create_task(page.serve(sockets=[listener]))
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            page.should_exit = True
            await serving


@asynccontextmanager
async def client_of(peer: Peer) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a peer's page."""
    async with (
        page_of(peer) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=HANG_S) as client,
    ):
        yield client


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error in an answer, which has nothing else in it."""
    content = json.loads(answer.content)
    assert content.keys() == {"error"}
    assert content["error"].keys() == {"code", "message"}
    assert content["error"]["message"].endswith(".")
    return dict(content["error"])
