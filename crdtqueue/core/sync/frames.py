"""The websocket frames of a queue: those of y-websocket, and our own.

Source: https://github.com/yjs/y-protocols, PROTOCOL.md, and y-websocket. A frame is a varUint type
and a payload; one frame holds one message.

    0 0 varUint8Array  sync step 1: the sender's state vector; answered by a step 2
    0 1 varUint8Array  sync step 2: what the receiver of it lacked
    0 2 varUint8Array  update: one change, as it happens
    1   varUint8Array  awareness
    3                  a request for the other side's awareness
    100 varString      a message of ours as JSON text
    101 varUint8Array  bytes of ours, such as a piece of a file
    102 varUint, then so many varUint8Array: changes by other peers that are passed on, in order;
        never sent to a stock client

The payloads are only cut out here: `update_parser` checks updates and state vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs.lib0 import (
    Reader,
    write_bytes,
    write_var_string,
    write_var_uint,
)
from crdtqueue.core.yjs.update_parser import (
    STATE_VECTOR_BYTES_MAX,
    UPDATE_BYTES_MAX,
)

AWARENESS_BYTES_MAX: Final = 64 * 2**10
JSON_BYTES_MAX: Final = 256 * 2**10
BINARY_BYTES_MAX: Final = 2**20
PASSED_ON_MAX: Final = 1024
FRAME_BYTES_MAX: Final = UPDATE_BYTES_MAX + 16
"""The largest frame of all: an update and its header. A websocket's limit is set to this."""

_SYNC, _AWARENESS, _QUERY_AWARENESS, _JSON, _BINARY, _PASSED_ON = 0, 1, 3, 100, 101, 102


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncStep1:
    """The sender has this state vector and asks for everything that it lacks."""

    state_vector: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncStep2:
    """The answer to a sync step 1: an update, possibly empty."""

    update: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """A change that the sender has just applied."""

    update: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Awareness:
    """An awareness update of a stock Yjs client; not interpreted."""

    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryAwareness:
    """The sender asks for the awareness states known here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Json:
    """A message of ours; the text is not parsed here."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Binary:
    """Bytes of ours."""

    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class PassedOn:
    """Changes of other peers that the sender has applied a moment ago."""

    updates: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class UnknownFrame:
    """A frame of an unknown type. It is ignored, as in Yjs."""

    message_type: int


Frame: TypeAlias = (
    SyncStep1
    | SyncStep2
    | Update
    | Awareness
    | QueryAwareness
    | Json
    | Binary
    | PassedOn
    | UnknownFrame
)


def encode_sync_step_1(state_vector: bytes) -> bytes:
    """Return the frame that asks for what a document at `state_vector` lacks."""
    return _sync(0, state_vector)


def encode_sync_step_2(update: bytes) -> bytes:
    """Return the frame that answers a sync step 1."""
    return _sync(1, update)


def encode_update(update: bytes) -> bytes:
    """Return the frame that spreads one change."""
    return _sync(2, update)


def encode_awareness(payload: bytes) -> bytes:
    """Return the frame that carries an awareness update."""
    return write_var_uint(_AWARENESS) + write_bytes(payload)


def encode_query_awareness() -> bytes:
    """Return the frame that asks for the other side's awareness."""
    return write_var_uint(_QUERY_AWARENESS)


def encode_json(text: str) -> bytes:
    """Return the frame of one message of ours; `text` is at most `JSON_BYTES_MAX` as UTF-8."""
    return write_var_uint(_JSON) + write_var_string(text)


def encode_binary(payload: bytes) -> bytes:
    """Return the frame of `payload`, at most `BINARY_BYTES_MAX`."""
    return write_var_uint(_BINARY) + write_bytes(payload)


def encode_passed_on(updates: Sequence[bytes]) -> bytes:
    """Return the frame of at most `PASSED_ON_MAX` changes."""
    count = write_var_uint(len(updates))
    return write_var_uint(_PASSED_ON) + count + b"".join(map(write_bytes, updates))


def decode(frame: bytes) -> Frame:
    """Return the message in `frame`.

    Raises `Hostile` if it is malformed, too large, or has bytes left over. The rest of a message
    of an unknown type is not looked at.
    """
    if len(frame) > FRAME_BYTES_MAX:
        raise Hostile(f"a message of {len(frame)} bytes is over the {FRAME_BYTES_MAX} allowed")
    reader = Reader(frame)
    message = _read(reader, reader.var_uint())
    if not isinstance(message, UnknownFrame):
        reader.expect_end()
    return message


def _sync(step: int, payload: bytes) -> bytes:
    return write_var_uint(_SYNC) + write_var_uint(step) + write_bytes(payload)


def _read(reader: Reader, message_type: int) -> Frame:
    match message_type:
        case 0:
            return _read_sync(reader)
        case 1:
            return Awareness(payload=reader.var_bytes(AWARENESS_BYTES_MAX))
        case 3:
            return QueryAwareness()
        case 100:
            return Json(text=reader.var_string(JSON_BYTES_MAX))
        case 101:
            return Binary(payload=reader.var_bytes(BINARY_BYTES_MAX))
        case 102:
            return _read_passed_on(reader)
        case _:
            return UnknownFrame(message_type=message_type)


def _read_passed_on(reader: Reader) -> PassedOn:
    count = reader.var_uint()
    if count > PASSED_ON_MAX:
        raise Hostile(f"{count} changes at once are over the {PASSED_ON_MAX} allowed")
    return PassedOn(updates=tuple(reader.var_bytes(UPDATE_BYTES_MAX) for _ in range(count)))


def _read_sync(reader: Reader) -> SyncStep1 | SyncStep2 | Update:
    match reader.var_uint():
        case 0:
            return SyncStep1(state_vector=reader.var_bytes(STATE_VECTOR_BYTES_MAX))
        case 1:
            return SyncStep2(update=reader.var_bytes(UPDATE_BYTES_MAX))
        case 2:
            return Update(update=reader.var_bytes(UPDATE_BYTES_MAX))
        case step:
            raise Hostile(f"there is no sync message {step}")
