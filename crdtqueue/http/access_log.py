"""One line in the log for each HTTP request, at the level DEBUG."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)


class AccessLog:
    """ASGI middleware that logs method, path, status and duration; never the query or a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes everything on; logs once the answer is complete, or has broken off."""
        if scope["type"] != "http" or not log.isEnabledFor(logging.DEBUG):
            await self._app(scope, receive, send)
            return
        began_s, status = time.monotonic(), 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            took_ms = (time.monotonic() - began_s) * 1000
            log.debug("%s %s: %d in %.0f ms", scope["method"], scope["path"], status, took_ms)
