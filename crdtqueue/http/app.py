"""The routes: the API as JSON, the state as server-sent events, the page as static files."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from crdtqueue_web import static_dir
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from crdtqueue.api.diagnosis import diagnosis
from crdtqueue.api.models import Managing, NewQueue, QueueEdit, read
from crdtqueue.api.operations import Operations
from crdtqueue.api.view import View
from crdtqueue.core.errors import (
    CrdtQueueError,
    Hostile,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)
from crdtqueue.http.access_log import AccessLog
from crdtqueue.http.guard import (
    Guard,
    Handler,
    body,
)
from crdtqueue.http.history_routes import HistoryRoutes
from crdtqueue.http.job_routes import JobRoutes
from crdtqueue.http.printer_routes import PrinterRoutes
from crdtqueue.peer.peer import Peer

EVENT_GAP_S = 0.25
EVENT_CHARS_PER_S = 1_000_000
"""A page of a large queue is told less often, so that it has time left to show what it is told."""
PING_S = 5.0
WATCHERS_MAX = 64

mimetypes.init()  # It reads files: now, and not with the first page that is served by the loop.

STATUS: Mapping[type[CrdtQueueError], int] = {
    Invalid: 422,
    Refused: 409,
    NotFound: 404,
    Hostile: 400,
    Unavailable: 503,
}


class PeerRoutes:
    """The handlers of one peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._service = Operations(peer)
        self._view = View(peer)
        self._watchers = 0

    async def state(self, _: Request) -> Response:
        """Everything that a page shows."""
        return Response(self._view.snapshot().text, media_type="application/json")

    async def events(self, _: Request) -> Response:
        """The state, at once and after every change of it; that time has passed is none."""
        if self._watchers >= WATCHERS_MAX:
            raise Unavailable(f"{WATCHERS_MAX} pages watch this peer already. Close some of them.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._stream(), media_type="text/event-stream", headers=headers)

    async def _stream(self) -> AsyncIterator[str]:
        self._watchers += 1
        try:
            with self._peer.changes.watch() as changed:
                last: tuple[str, ...] = ()
                while not self._peer.changes.is_closed:
                    changed.clear()
                    now = self._view.snapshot()
                    yield (
                        f"event: state\ndata: {now.text}\n\n"
                        if now.fingerprint != last
                        else "event: ping\ndata:\n\n"
                    )
                    last = now.fingerprint
                    await asyncio.sleep(EVENT_GAP_S + len(now.text) / EVENT_CHARS_PER_S)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(PING_S):
                            await changed.wait()
        finally:
            self._watchers -= 1

    async def upload(self, request: Request) -> Response:
        """A g-code file, as the raw body."""
        name = request.query_params.get("name", "")
        upload = await self._service.upload(name, request.stream())
        file = upload.file
        return JSONResponse(
            {
                "sha256": file.sha256,
                "name": file.name,
                "size_bytes": file.size_bytes,
                "profile": upload.profile,
                "materials": upload.materials,
            },
            status_code=201,
        )

    async def diagnosis(self, _: Request) -> Response:
        """Versions, settings and store facts for a bug report, without secrets."""
        return JSONResponse(await diagnosis(self._peer))

    async def add_queue(self, request: Request) -> Response:
        """A new LAN queue, or one to join."""
        new = read(NewQueue, await body(request))
        name = await self._service.add_queue(new)
        return JSONResponse({"name": name}, status_code=201)

    async def edit_queue(self, request: Request) -> Response:
        """New settings of a queue."""
        edit = read(QueueEdit, await body(request))
        await self._service.edit_queue(request.path_params["queue"], edit)
        return Response(status_code=204)

    async def leave_queue(self, request: Request) -> Response:
        """Leaves a LAN queue."""
        await self._service.leave_queue(request.path_params["queue"])
        return Response(status_code=204)

    async def accept_damage(self, _: Request) -> Response:
        """A person has read what the store has lost."""
        await self._service.accept_damage()
        return Response(status_code=204)

    async def restart_printer(self, _: Request) -> Response:
        """Restarts the printer process between two prints."""
        await self._service.restart_printer()
        return Response(status_code=204)

    async def clear_bed(self, _: Request) -> Response:
        """A person says that the bed is clear."""
        self._service.clear_bed()
        return Response(status_code=204)

    async def manage(self, request: Request) -> Response:
        """Starts or stops managing the printer."""
        self._service.manage(managing=read(Managing, await body(request)).managing)
        return Response(status_code=204)

    async def pause_print(self, _: Request) -> Response:
        """Pauses the print."""
        await self._service.pause_print()
        return Response(status_code=204)

    async def resume_print(self, _: Request) -> Response:
        """Goes on with the print."""
        await self._service.resume_print()
        return Response(status_code=204)

    async def cancel_print(self, _: Request) -> Response:
        """Gives the print up."""
        await self._service.cancel_print()
        return Response(status_code=204)

    def table(self) -> list[Route]:
        """Every route of the API."""
        rows: list[tuple[str, str, Handler]] = [
            ("GET", "/state", self.state),
            ("GET", "/events", self.events),
            ("GET", "/diagnosis", self.diagnosis),
            ("POST", "/files", self.upload),
            ("POST", "/queues", self.add_queue),
            ("DELETE", "/queues/{queue}", self.leave_queue),
            ("PATCH", "/queues/{queue}", self.edit_queue),
            ("POST", "/store/accept-damage", self.accept_damage),
            ("POST", "/printer/bed-clear", self.clear_bed),
            ("POST", "/printer/restart", self.restart_printer),
            ("POST", "/printer/managing", self.manage),
            ("POST", "/printer/pause", self.pause_print),
            ("POST", "/printer/resume", self.resume_print),
            ("POST", "/printer/cancel", self.cancel_print),
        ]
        rows += JobRoutes(self._service.jobs, self._service.archives).table()
        rows += HistoryRoutes(self._service.history).table()
        rows += PrinterRoutes(self._service.printer).table()
        return [Route(f"/api{path}", handler, methods=[method]) for method, path, handler in rows]


def error_response(code: str, message: str, status: int) -> JSONResponse:
    """An error as every face shows it."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def _on_error(_: Request, error: Exception) -> Response:
    if isinstance(error, CrdtQueueError):
        status = next((s for kind, s in STATUS.items() if isinstance(error, kind)), 500)
        return error_response(error.code, error.message, status)
    if isinstance(error, HTTPException):
        return error_response("http", f"{error.detail}.", error.status_code)
    if isinstance(error, ClientDisconnect):
        return error_response("broken_off", "The request broke off. Try again.", 400)
    text = "crdtqueue has made a mistake; its log says more. Please report it."
    return error_response("internal", text, 500)


def make_app(peer: Peer, own_names: frozenset[str], token: str | None = None) -> Starlette:
    """The whole HTTP face. `own_names` are the host names that browsers may call it by."""
    kinds = (CrdtQueueError, HTTPException, ClientDisconnect, Exception)
    handlers: dict[Any, Any] = dict.fromkeys(kinds, _on_error)
    return Starlette(
        routes=[
            *PeerRoutes(peer).table(),
            Mount(
                "/", StaticFiles(directory=static_dir(), html=True, check_dir=False), name="page"
            ),
        ],
        middleware=[
            Middleware(AccessLog),
            Middleware(Guard, own_names=own_names, token=token),
        ],
        exception_handlers=handlers,
    )
