"""A small peer with the API that the page uses: real HTTP, real events, state in one dict.

It has no rules of its own. What the real peer makes of an edit is tested with the real peer.
"""

import asyncio
import hashlib
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import uvicorn
from crdtqueue_web import static_dir
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.harness.patience import HANG_S
from tests.harness.sample_state import (
    Json,
    queue,
)
from tests.harness.stand_in_jobs import (
    JobRoutes,
    Refusal,
)
from tests.harness.stand_in_printer import PrinterRoutes

POLICY = "default-src 'self'"
PING_S = 1.0
PRINTER_MODEL = re.compile(rb"^; printer_model = (\w+)$", re.MULTILINE)

Action = Callable[[Request], Awaitable[Any]]


class StandInPeer:
    """Serves `state`; `calls` are the actions asked of it, each refused while `refuse` is set.

    `refuse_with` is the code of those refusals. `history` is what was printed, the latest
    first, and `questions` what was asked of it.

    While `silent`, the event stream stays open and says nothing.
    """

    def __init__(self, state: Json) -> None:
        self.state = state
        self.calls: list[str] = []
        self.bodies: list[Any] = []
        self.refuse = ""
        self.refuse_with = "refused"
        self.history: list[Json] = []
        self.questions: list[dict[str, str]] = []
        self.job_file: bytes | None = None
        self.printer = PrinterRoutes(self)
        self.silent = False
        self._version = 0
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        """Serve until `stop`; a second start takes the same port."""
        config = uvicorn.Config(
            WithPolicy(self._app()),
            host="127.0.0.1",
            port=self._port,
            log_level="warning",
            lifespan="off",
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        end_s = time.monotonic() + HANG_S
        while not self._server.started:
            assert time.monotonic() < end_s, "the stand-in peer did not start"
            time.sleep(0.01)
        self._port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join(timeout=HANG_S)
        assert not self._thread.is_alive()

    def change(self, edit: Callable[[Json], object]) -> None:
        """Edit the state and tell the pages."""
        edit(self.state)
        self._version += 1

    def queue(self, name: str) -> Json:
        found: Json = next(each for each in self.state["queues"] if each["name"] == name)
        return found

    def _app(self) -> Starlette:
        queues = "/api/queues"
        jobs = JobRoutes(self)
        return Starlette(
            routes=[
                Route("/api/events", self._events),
                Route("/api/history", self._history),
                Route("/api/history/printers", self._printers),
                Route("/api/queues/{queue}/jobs/{id}/gjob", self._export),
                self._route("POST", "/api/files", self._add_file),
                self._route("POST", queues, self._add_queue),
                self._route("DELETE", queues + "/{queue}", self._leave),
                *(self._route(*row) for row in jobs.table()),
                self._route("PATCH", queues + "/{queue}", self._edit_queue),
                self._route("POST", "/api/store/accept-damage", self._accept_damage),
                *(self._route(*row) for row in self.printer.table()),
                Mount("/", StaticFiles(directory=static_dir(), html=True)),
            ]
        )

    def _route(self, method: str, path: str, act: Action) -> Route:
        async def answer(request: Request) -> Response:
            query = f"?{request.url.query}" if request.url.query and method != "POST" else ""
            self.calls.append(f"{method} {request.url.path.removeprefix('/api/')}{query}")
            if self.refuse:
                return _refusal(Refusal(self.refuse, code=self.refuse_with))
            try:
                result = await act(request)
            except Refusal as refusal:
                return _refusal(refusal)
            self._version += 1
            return JSONResponse(result, status_code=201)

        return Route(path, answer, methods=[method])

    async def _history(self, request: Request) -> Response:
        asked = request.query_params
        self.questions.append(dict(asked))
        fitting = [e for e in self.history if asked.get("result", e["result"]) == e["result"]]
        first, limit = int(asked.get("after", "0")), int(asked["limit"])
        after = str(first + limit) if first + limit < len(fitting) else ""
        page = fitting[first : first + limit]
        return JSONResponse({"entries": page, "total": len(fitting), "after": after})

    async def _printers(self, _: Request) -> Response:
        names = sorted({e["printer_name"] for e in self.history} - {""})
        return JSONResponse({"printers": names})

    async def _export(self, _: Request) -> Response:
        if self.job_file is None:
            return _refusal(Refusal("A file of it is not here.", code="no_file"))
        return Response(self.job_file, media_type="application/zip")

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        assert self._server is not None
        server, sent, ping_s = self._server, -1, 0.0
        while not server.should_exit:
            if not self.silent and sent != self._version:
                sent = self._version
                yield f"event: state\ndata: {json.dumps(self.state)}\n\n"
            if not self.silent and time.monotonic() - ping_s > PING_S:
                ping_s = time.monotonic()
                yield "event: ping\ndata: {}\n\n"
            await asyncio.sleep(0.02)

    async def _add_file(self, request: Request) -> Json:
        body = await request.body()
        name = request.query_params["name"]
        model = PRINTER_MODEL.search(body)
        profile = model[1].decode() if model else None
        digest = hashlib.sha256(body).hexdigest()
        return {"sha256": digest, "name": name, "size_bytes": len(body), "profile": profile}

    async def _add_queue(self, request: Request) -> None:
        new = await request.json()
        self.bodies.append(new)
        self.state["queues"].append(queue(new["name"], [], []))

    async def _leave(self, request: Request) -> None:
        left = self.queue(request.path_params["queue"])
        self.state["queues"].remove(left)

    async def _edit_queue(self, request: Request) -> None:
        self.bodies.append(await request.json())
        self.queue(request.path_params["queue"]).update(self.bodies[-1])

    async def _accept_damage(self, _: Request) -> None:
        self.state["peer"].update(store_damaged=False, problems=[])


def _refusal(refusal: Refusal) -> Response:
    error = {"code": refusal.code, "message": str(refusal)}
    return JSONResponse({"error": error}, status_code=409)


class WithPolicy:
    """Adds the strict content policy that the page has to run under."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Content-Security-Policy"] = POLICY
            await send(message)

        await self._app(scope, receive, send_with_policy)
