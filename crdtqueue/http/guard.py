"""Decides which requests reach the API, and bounds their size.

A page of another site must not reach a printer through the browser of a visitor, neither by a
request across origins nor by a host name that resolves to this machine (DNS rebinding). Where
another program passes requests on and checks their authors, a token keeps everybody else from going
around that program.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crdtqueue.api.models import BODY_BYTES_MAX
from crdtqueue.core.errors import Invalid

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class Guard:
    """ASGI middleware that checks Host, Origin and token, and sets security headers."""

    def __init__(self, app: ASGIApp, own_names: frozenset[str], token: str | None = None) -> None:
        self._app = app
        self._own_names = own_names
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 to what another site may have sent; passes everything else on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        message = self._objection(headers)
        if message:
            content = {"error": {"code": "forbidden", "message": message}}
            await JSONResponse(content, status_code=403)(scope, receive, send)
            return

        async def send_guarded(event: Message) -> None:
            if event["type"] == "http.response.start":
                out = MutableHeaders(scope=event)
                for name, value in SECURITY_HEADERS.items():
                    out.setdefault(name, value)
            await send(event)

        await self._app(scope, receive, send_guarded)

    def _objection(self, headers: Headers) -> str:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return (
                f"This peer is not known as {host[:80]!r}. Open the page by its IP address, or by"
                " the name of this computer."
            )
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2] != host:
            return "Another web site tried to use this peer; that is not allowed."
        if self._token is not None:
            given = headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
                return "This peer belongs to another program. Use the queue's page there."
        return ""

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        name = name.strip("[]").lower().removesuffix(".")
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._own_names or name.removesuffix(".local") in self._own_names
        return True


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


async def body(request: Request) -> bytes:
    """The request's body. Raises Invalid if it is larger than any request of ours."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_BYTES_MAX:
            raise Invalid(f"The request is larger than {BODY_BYTES_MAX // 1024} kB.")
    return bytes(data)
