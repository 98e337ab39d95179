"""Every request is one line at DEBUG, without its query."""

import asyncio
import logging

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdtqueue.http.access_log import AccessLog


async def found(_: Request) -> Response:
    return Response("x", status_code=207)


def ask(level: int, caplog: pytest.LogCaptureFixture) -> list[str]:
    app = Starlette(routes=[Route("/there", found)], middleware=[Middleware(AccessLog)])

    async def scenario() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://peer") as client:
            await client.get("/there?token=hidden")
            await client.get("/missing")

    with caplog.at_level(level, logger="crdtqueue.http.access_log"):
        asyncio.run(scenario())
    return [each.getMessage() for each in caplog.records if each.name.startswith("crdtqueue")]


def test_requests_are_logged_with_their_status_and_without_their_query(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = ask(logging.DEBUG, caplog)
    assert first.startswith("GET /there: 207 in ")
    assert second.startswith("GET /missing: 404 in ")
    assert "hidden" not in caplog.text


def test_nothing_is_logged_at_other_levels(caplog: pytest.LogCaptureFixture) -> None:
    assert ask(logging.INFO, caplog) == []
