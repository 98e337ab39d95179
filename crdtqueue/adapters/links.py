"""Websockets to other peers: listening, dialling, and closing those that do not answer.

A link carries the frames of one queue. The path names the queue, as in y-websocket, so a stock Yjs
client can open a link, too. The meaning of the frames is not known here.
"""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import random
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol

from crdtqueue.core.errors import Hostile, Invalid
from crdtqueue.core.sync.frames import FRAME_BYTES_MAX

OUTBOX_BYTES_MAX = 64 * 1024**2
LINKS_MAX = 256
RETRY_FIRST_S = 0.25
RETRY_MAX_S = 10.0
CONNECT_TIMEOUT_S = 5.0
LAST_WORD_S = 1.0
CLOSE_TIMEOUT_S = 2.0
"""How long a peer that may be gone is waited for when a link is closed."""

SUBPROTOCOLS = [Subprotocol("crdtqueue")]

log = logging.getLogger(__name__)

_LABEL = r"[A-Za-z0-9_-]{1,63}"
_ADDRESS = re.compile(
    rf"(?P<host>\[[0-9a-fA-F:.]{{2,45}}\]|{_LABEL}(?:\.{_LABEL})*\.?):(?P<port>[0-9]{{1,5}})"
)
_HOST_CHARS_MAX = 253


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a peer listens: a host name or IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """`host:port` as people write it. Raises Invalid."""
    found = _ADDRESS.fullmatch(text.strip())
    if not found or not 1 <= int(found["port"]) <= 65535 or not _is_host(found["host"]):
        raise Invalid(
            f"{text[:60]!r} is no peer address. Give it as name:port, like mk3s.local:7420.",
            code="address",
        )
    return Address(host=found["host"].strip("[]"), port=int(found["port"]))


def _is_host(text: str) -> bool:
    if not text.startswith("["):
        return len(text) <= _HOST_CHARS_MAX
    try:
        ipaddress.IPv6Address(text.strip("[]"))
    except ValueError:
        return False
    return True


class _Gone(asyncio.Transport):
    """A stand-in for a transport that is closed.

    In CPython 3.11, aborting a transport fails if the other side closed it while data was waiting,
    and websockets aborts it.
    """

    def abort(self) -> None:
        """Does nothing."""


class _Dialled(ClientConnection):
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.transport = _gone(self.transport)


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """A peer does not send us anywhere else."""
        return exc


class _Accepted(ServerConnection):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio does it for sockets that know their protocol, which accepted ones do not. Without
        # it a small frame after another waits 40 ms for the acknowledgement of the first.
        accepted: socket.socket = transport.get_extra_info("socket")
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.transport = _gone(self.transport)


def _gone(transport: asyncio.BaseTransport) -> _Gone:
    return _Gone({name: transport.get_extra_info(name) for name in ("sockname", "peername")})


class Link:
    """One open websocket. `send` does not wait. `run` returns when the websocket is closed."""

    def __init__(self, websocket: Connection, *, room: str, dialled: Address | None) -> None:
        self._websocket = websocket
        self._outbox: asyncio.Queue[bytes] = asyncio.Queue()
        self._outbox_bytes = 0
        self._closing: asyncio.Task[None] | None = None
        self.room = room
        self.dialled = dialled

    @property
    def local_host(self) -> str:
        """The address of this machine that the link uses."""
        return str(self._websocket.local_address[0])

    @property
    def remote_host(self) -> str:
        """The address of the other machine."""
        return str(self._websocket.remote_address[0])

    def send(self, frame: bytes) -> None:
        """Queues a frame. A link that does not keep up is closed; it syncs anew later."""
        if self._outbox_bytes + len(frame) > OUTBOX_BYTES_MAX:
            log.warning("%s does not keep up and is disconnected", self)
            self._websocket.transport.abort()
            return
        self._outbox_bytes += len(frame)
        self._outbox.put_nowait(frame)

    async def run(self, on_frame: Callable[[bytes], Awaitable[None]]) -> None:
        """Passes frames on, one after the other, until the link closes. Raises Hostile."""
        writer = asyncio.create_task(self._write(), name=f"write {self}")
        try:
            async for frame in self._websocket:
                if isinstance(frame, str):
                    raise Hostile("it sends text")
                await on_frame(frame)
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.wait([writer, *filter(None, [self._closing])])

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = await self._outbox.get()
                await self._websocket.send(frame)
                self._outbox_bytes -= len(frame)

    async def close(self, reason: str) -> None:
        """Closes the link, telling the other side why."""
        await self._websocket.close(1000, reason[:100])

    async def last_word(self, frame: bytes) -> None:
        """Sends a frame past all that is queued, waiting for a moment only."""
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(LAST_WORD_S):
                await self._websocket.send(frame)

    @property
    def is_hung_up(self) -> bool:
        """Whether we are closing it."""
        return self._closing is not None

    def hang_up(self, reason: str) -> None:
        """Closes the link without waiting for the other side."""
        if self._closing is None:
            self._closing = asyncio.create_task(self.close(reason), name=f"close {self}")

    def __str__(self) -> str:
        return f"{self.remote_host} ({self.room})"


OnLink: TypeAlias = Callable[[Link], Awaitable[None]]
"""Lives as long as the link; closing it and returning are the same."""


async def listen(listener: socket.socket, is_room: Callable[[str], bool], on_link: OnLink) -> None:
    """Serves links on a bound socket, until cancelled."""
    count = 0

    async def handle(websocket: ServerConnection) -> None:
        nonlocal count
        room = websocket.request.path.strip("/") if websocket.request else ""
        if not is_room(room):
            await websocket.close(1008, "no such queue here")
            return
        if count >= LINKS_MAX:
            await websocket.close(1013, "too many links")
            return
        count += 1
        try:
            await _guarded(Link(websocket, room=room, dialled=None), on_link)
        finally:
            count -= 1

    # A browser sends an Origin; no page has any business here.
    async with serve(
        handle,
        sock=listener,
        origins=[None],
        subprotocols=SUBPROTOCOLS,
        select_subprotocol=lambda _, offered: next((s for s in offered if s in SUBPROTOCOLS), None),
        max_size=FRAME_BYTES_MAX,
        compression=None,
        server_header=None,
        create_connection=_Accepted,
        close_timeout=CLOSE_TIMEOUT_S,
    ):
        await asyncio.Event().wait()


async def dial(
    address: Address,
    room: str,
    *,
    wanted: Callable[[], bool],
    on_link: OnLink,
    on_problem: Callable[[str], None],
) -> None:
    """Keeps a link to `address` open while `wanted` says so, until cancelled.

    `on_problem` is told why there is none, as a sentence, and the empty text once there is.
    """
    wait_s = RETRY_FIRST_S
    loop = asyncio.get_running_loop()
    while True:
        if wanted():
            began_s = loop.time()
            problem = await _dial_once(address, room, on_link, on_problem)
            on_problem(problem)
            # A peer that hangs up at once is not asked again at once.
            failed = problem or loop.time() - began_s < RETRY_MAX_S
            wait_s = min(wait_s * 2, RETRY_MAX_S) if failed else RETRY_FIRST_S
        else:
            wait_s = RETRY_FIRST_S * 4
        await asyncio.sleep(wait_s * random.uniform(0.75, 1.25))  # noqa: S311  # spreads retries


async def _dial_once(
    address: Address, room: str, on_link: OnLink, on_problem: Callable[[str], None]
) -> str:
    """One link from its beginning to its end; says what went wrong before it began."""
    try:
        async with _Connect(
            f"ws://{address}/{room}",
            subprotocols=SUBPROTOCOLS,
            max_size=FRAME_BYTES_MAX,
            open_timeout=CONNECT_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            compression=None,
            proxy=None,
            create_connection=_Dialled,
        ) as websocket:
            if websocket.subprotocol not in SUBPROTOCOLS:
                return f"{address} answers, but is no crdtqueue peer. Check the address."
            on_problem("")
            await _guarded(Link(websocket, room=room, dialled=address), on_link)
            if websocket.close_code == 1008:
                return f"{address} does not have this queue. Add it there under the same name."
            return ""
    except (InvalidHandshake, InvalidURI, EOFError):
        return f"{address} answers, but is no crdtqueue peer. Check the address."
    except TimeoutError:
        return f"{address} does not answer. Is it switched on, and on this network?"
    except ConnectionClosed:
        return ""
    except OSError as error:
        return f"{address} cannot be reached: {_reason(error)}"


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "there is no such name on this network. Check the name, or give the IP address."
    if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN}:
        return "there is no way to it. Is it switched on, and on this network?"
    return "nobody listens. Is crdtqueue running there?"


async def _guarded(link: Link, on_link: OnLink) -> None:
    try:
        await on_link(link)
    except Hostile as error:
        log.warning("%s is disconnected: %s", link, error)
        await link.close("protocol error")
    except ConnectionClosed:
        raise
    except Exception:  # a fault at one link must not end the other links
        log.exception("%s is disconnected because of a fault in crdtqueue", link)
        await link.close("internal error")
