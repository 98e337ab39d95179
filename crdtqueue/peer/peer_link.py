"""One link to another peer: its websocket, how far it is in sync, and who is at the other end."""

import asyncio
import logging
import secrets
from dataclasses import dataclass, field

from crdtqueue.adapters.links import Link
from crdtqueue.core.ids import PeerId, Profile
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import encode_awareness, encode_binary, encode_json
from crdtqueue.core.sync.sync_session import SyncSession

SYNC_TIMEOUT_S = 60.0
"""A link is given up after this time without an answer to sync step 1: it would stop all claims."""
STOCK_HEARTBEAT = encode_awareness(b"\0")
"""The heartbeat for a stock Yjs client, which says no hello: an awareness update of no clients.
y-websocket's client hangs up after 30 s without any message."""

FRAME_NAMES = {
    0: "sync",
    1: "awareness",
    3: "query",
    100: "message",
    101: "piece",
    102: "passed on",
}

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerIdentity:
    """Who this peer process is, on every queue."""

    peer: PeerId
    incarnation: int
    name: str
    profile: Profile | None
    port: int
    instance: str = field(default_factory=lambda: secrets.token_hex(8))
    """A random id of this start of the process. It is never stored, so a copy of the store has
    another one."""


class PeerLink:
    """A link from the opening of its websocket until it is closed."""

    def __init__(self, websocket: Link, sync: SyncSession, now_s: float) -> None:
        self.websocket = websocket
        self.sync = sync
        self.hello: m.Hello | None = None
        self.pieces = 0
        """Pieces of files that the other side has asked for and that have not been sent yet."""
        self._closed = asyncio.Event()
        self._in_sync_s = now_s

    @property
    def peer(self) -> PeerId | None:
        """The peer at the other end; None for a stock Yjs client."""
        return PeerId(self.hello.peer) if self.hello else None

    @property
    def is_alive(self) -> bool:
        """Whether it is neither closed nor about to be."""
        return not self.websocket.is_hung_up

    def admit(self, hello: m.Hello) -> None:
        """The other side has said who it is, and may take part."""
        self.hello = hello

    def say(self, message: m.Message) -> None:
        """Sends a message."""
        frame = encode_json(m.encode(message))
        log.debug("to %s: %s, %d bytes", self, message.kind, len(frame))
        self.websocket.send(frame)

    async def say_last(self, message: m.Message) -> None:
        """Sends a message and waits, for a moment, until it is on its way."""
        await self.websocket.last_word(encode_json(m.encode(message)))

    def send(self, frame: bytes) -> None:
        """Sends a frame."""
        self._log_frame("to", frame)
        self.websocket.send(frame)

    def note_frame(self, frame: bytes) -> None:
        """A frame has come, of whatever kind."""
        self._log_frame("from", frame)

    def note_message(self, message: m.Message) -> None:
        """A message has come."""
        log.debug("from %s: %s", self, message.kind)

    def _log_frame(self, direction: str, frame: bytes) -> None:
        if log.isEnabledFor(logging.DEBUG):
            kind = FRAME_NAMES.get(frame[0], "unknown") if frame else "empty"
            log.debug("%s %s: %s, %d bytes", direction, self, kind, len(frame))

    def __str__(self) -> str:
        return self.hello.name if self.hello else str(self.websocket)

    def send_piece(self, payload: bytes) -> None:
        """Sends a piece of a file."""
        self.websocket.send(encode_binary(payload))

    def flush(self) -> None:
        """Sends what the sync session has to say."""
        for frame in self.sync.effects():
            self.send(frame)

    def hang_up(self, reason: str) -> None:
        """Closes the link."""
        self.websocket.hang_up(reason)

    def hang_up_if_not_synced(self, now_s: float) -> None:
        """Closes the link if the other side has not answered sync step 1 for too long."""
        if self.sync.synced:
            self._in_sync_s = now_s
        elif now_s - self._in_sync_s > SYNC_TIMEOUT_S:
            self.hang_up("no answer to sync step 1")

    def begin_piece(self) -> int:
        """The other side asks for a piece; returns how many it waits for now."""
        self.pieces += 1
        return self.pieces

    def end_piece(self) -> None:
        """A piece has been read, or cannot be."""
        self.pieces -= 1

    def note_closed(self) -> None:
        """The websocket is closed, and nothing more is heard from it."""
        self._closed.set()

    async def closed(self) -> None:
        """Returns once the link is closed."""
        await self._closed.wait()
