"""The push socket, of a friendly OctoPrint, of none, and of something else at its address."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from printer_driver.core.octoprint.push_messages import (
    LoginExpired,
    Pushed,
    PushState,
    StatePushed,
)
from printer_driver.errors import PrinterUnavailable
from printer_driver.octoprint import push_socket
from printer_driver.octoprint.push_socket import PushSocket
from printer_driver.octoprint.rest_api import OctoPrintApi
from tests.harness.patience import HANG_S

STATE = json.dumps({"current": {"state": {"text": "Operational"}, "job": {}, "progress": {}}})
Handler = Callable[[ServerConnection], Awaitable[None]]


class Api(OctoPrintApi):
    """An OctoPrint that gives a session, if `session` is one."""

    def __init__(self, url: str, session: str = "session") -> None:
        super().__init__(url, "key")
        self.session = session
        self.logins = 0

    async def push_login(self) -> str:
        self.logins += 1
        if not self.session:
            raise PrinterUnavailable("no session")
        return f"user:{self.session}"


class Listener:
    """What a push socket says, until `count` states were turned to."""

    def __init__(self, count: int) -> None:
        self.turns: list[PushState] = []
        self.heard: list[Pushed] = []
        self.is_enough = asyncio.Event()
        self._count = count

    def hear(self, pushed: tuple[Pushed, ...]) -> None:
        self.heard += pushed

    def turn(self, state: PushState) -> None:
        self.turns.append(state)
        if len(self.turns) >= self._count:
            self.is_enough.set()

    async def listen(self, api: OctoPrintApi) -> None:
        task = asyncio.create_task(PushSocket(api, hear=self.hear, turn=self.turn).run())
        try:
            async with asyncio.timeout(HANG_S):
                await self.is_enough.wait()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_socket, "RETRY_MIN_S", 0.01)
    monkeypatch.setattr(push_socket, "RETRY_MAX_S", 0.05)
    monkeypatch.setattr(push_socket, "OPEN_TIMEOUT_S", 0.5)


def url_of(server: Server) -> str:
    return f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def heard_from(handler: Handler, count: int, *, session: str = "session") -> tuple[Listener, Api]:
    """What comes of a server that does this with every socket."""

    async def main() -> tuple[Listener, Api]:
        async with serve(handler, "127.0.0.1", 0) as server:
            api, listener = Api(url_of(server), session), Listener(count)
            await listener.listen(api)
            return listener, api

    return asyncio.run(main())


UP, DOWN = PushState.LIVE, PushState.DOWN


def test_it_subscribes_before_it_logs_in() -> None:
    asked = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request
        asked.append(socket.request.path)
        asked.extend([next(iter(json.loads(await socket.recv()))) for _ in range(3)])
        await socket.send(STATE)

    listener, _ = heard_from(handler, 2)
    assert asked[:4] == ["/sockjs/websocket", "subscribe", "throttle", "auth"]
    assert listener.turns == [UP, DOWN]
    assert isinstance(listener.heard[0], StatePushed)


def test_a_long_first_message() -> None:
    async def handler(socket: ServerConnection) -> None:
        long = {**json.loads(STATE)["current"], "temps": [{"time": 1}] * 10_000}
        await socket.send(json.dumps({"history": long}))
        await socket.send(STATE)
        await socket.send('{"event": {"type": "PrinterReset", "payload": {"idle": false}}}')
        await socket.send('{"reauthRequired": {"reason": "stale"}}')
        await socket.wait_closed()

    listener, _ = heard_from(handler, 2)
    assert listener.turns == [UP, DOWN]
    kinds = [type(each).__name__ for each in listener.heard]
    assert kinds == ["StatePushed", "LogPushed", "StatePushed", "PrinterReset"]


def test_it_comes_back_with_a_new_login() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send(STATE)
        await socket.send('{"reauthRequired": {"reason": "stale"}}')
        await socket.wait_closed()

    listener, api = heard_from(handler, 4)
    assert listener.turns == [UP, DOWN, UP, DOWN]
    assert api.logins >= 2
    assert not any(isinstance(each, LoginExpired) for each in listener.heard)


@pytest.mark.parametrize(
    "sent",
    [
        [],
        ["nonsense", "[]", '{"current": 7}', b"\x00\xff", '{"event": {"type": [], "payload": 1}}'],
        ['{"connected": {}}'],
    ],
)
def test_a_socket_without_a_state_is_none(sent: list[str | bytes]) -> None:
    async def handler(socket: ServerConnection) -> None:
        for message in sent:
            await socket.send(message)
        await socket.wait_closed()

    listener, _ = heard_from(handler, 1)
    assert (listener.turns, listener.heard) == ([DOWN], [])


def test_too_long_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_socket, "MESSAGE_BYTES_MAX", 1000)

    async def handler(socket: ServerConnection) -> None:
        await socket.send(STATE)
        with suppress(ConnectionClosed):
            await socket.send("x" * 1001)
        await socket.wait_closed()

    listener, api = heard_from(handler, 4)
    assert listener.turns.count(DOWN) >= 2
    assert api.logins >= 2


def test_without_a_session_nothing_is_said() -> None:
    said = []

    async def handler(socket: ServerConnection) -> None:
        said.extend([message async for message in socket])

    listener, _ = heard_from(handler, 2, session="")
    assert (listener.turns, said) == ([DOWN, DOWN], [])


def test_the_session_goes_to_no_other_address() -> None:
    visits = []

    async def elsewhere(socket: ServerConnection) -> None:
        visits.append(socket)

    async def main() -> None:
        async with serve(elsewhere, "127.0.0.1", 0) as other:

            def redirect(socket: ServerConnection, request: Request) -> Response:
                response = socket.respond(HTTPStatus.FOUND, "")
                response.headers["Location"] = url_of(other).replace("http", "ws")
                return response

            async with serve(elsewhere, "127.0.0.1", 0, process_request=redirect) as server:
                listener = Listener(2)
                await listener.listen(Api(url_of(server)))
                assert listener.turns == [DOWN, DOWN]

    asyncio.run(main())
    assert visits == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[::1", "ftp://x", "", "http://\x00"])
def test_nobody_there(url: str) -> None:
    async def main() -> list[PushState]:
        listener = Listener(2)
        await listener.listen(Api(url))
        return listener.turns

    assert asyncio.run(main()) == [DOWN, DOWN]


@pytest.mark.parametrize(
    ("url", "push_url"),
    [
        ("http://octopi.local", "ws://octopi.local/sockjs/websocket"),
        ("http://octopi.local:5000/", "ws://octopi.local:5000/sockjs/websocket"),
        ("https://a.example/octoprint/", "wss://a.example/octoprint/sockjs/websocket"),
        ("http://user:pass@a.example/?x=1#y", "ws://user:pass@a.example/sockjs/websocket"),
    ],
)
def test_the_address_of_the_socket(url: str, push_url: str) -> None:
    assert OctoPrintApi(url, "key").push_url() == push_url
