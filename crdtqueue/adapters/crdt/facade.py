"""The replicated document: flat root maps of JSON values, which Yjs keeps equal on all peers.

One small interface for two libraries with the same wire format. It guards the libraries against
everything that they cannot take: unchecked bytes, updates with gaps, values other than plain JSON,
calls from a second thread, and calls from inside one of their own callbacks.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final, Protocol, TypeAlias

from crdtqueue.adapters.crdt.json_values import (
    ABSENT,
    Absent,
    checked_key,
    normalised,
    plain,
)
from crdtqueue.core.errors import Hostile, Invalid, Unavailable
from crdtqueue.core.yjs.lib0 import (
    JsonValue,
    json_weight,
)
from crdtqueue.core.yjs.update_loader import (
    Unloaded,
    load_updates,
)
from crdtqueue.core.yjs.update_parser import (
    encode_state_vector,
    has_gap,
    overlaps,
    parse_state_vector,
    parse_update,
    without_known,
)

EDIT_BYTES_MAX: Final = 2**20
"""The most that one edit may write; a larger one is to be split."""

EMPTY_UPDATE: Final = b"\x00\x00"

Entry: TypeAlias = tuple[str, str, JsonValue]
"""Root, key, value."""


class ApplyResult(Enum):
    """The outcome of applying an update."""

    APPLIED = auto()
    NOTHING_NEW = auto()
    GAP = auto()
    """Not applied: it builds upon something missing here. Send our state vector to its sender."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One key's new value; `ABSENT` deletes it."""

    root: str
    key: str
    value: JsonValue | Absent


class Backend(Protocol):
    """A CRDT library. Its arguments have been checked by `Document`."""

    def watch(self) -> None:
        """Keep what changes from now on, for `take_updates` and `take_changed`. Called once."""

    def read(self, root: str) -> dict[str, object]:
        """Return all keys of a root map; numbers may have become floats."""

    def get(self, root: str, key: str) -> object:
        """Return one value of a root map, `ABSENT` if there is none."""

    def write(self, changes: Sequence[Change]) -> None:
        """Make all changes in one transaction; deleting an absent key does nothing."""

    def apply(self, update: bytes) -> None:
        """Integrate an update that is well formed and has no gap."""

    def diff(self, state_vector: bytes) -> bytes:
        """Return all that a document at `state_vector` lacks."""

    def state_vector(self) -> bytes:
        """Return the state vector."""

    def take_updates(self) -> list[bytes]:
        """Return, and forget, the updates integrated since the last call, empty ones included."""

    def take_changed(self) -> list[tuple[str, str]]:
        """Return, and forget, the roots and keys that may have changed since the last call."""

    def close(self) -> None:
        """Let go of every object of the library."""


class Document:
    """A replicated document. Only the thread that opened it may use it.

    After a failure inside the library, every call raises `Unavailable` with the code
    "document_broken". Then close it, open a new one, and apply the updates from the store.
    """

    def __init__(self, *, backend: Backend, client_id: int, roots: frozenset[str]) -> None:
        self._backend = backend
        self._client_id = client_id
        self._roots = roots
        self._owner = threading.get_ident()
        self._closed = False
        self._broken = False
        self._is_watched = False
        self._is_unread = False
        self._edits: dict[tuple[str, str], Change] | None = None
        self._outbox: deque[bytes] = deque()
        self._delivering = False
        self._observers: list[Callable[[bytes], None]] = []

    def set(self, root: str, key: str, value: JsonValue) -> None:
        """Write one value. Raises `Invalid` if the key or value is not one the document takes."""
        self._change(Change(root=root, key=checked_key(key), value=normalised(value)))

    def delete(self, root: str, key: str) -> None:
        """Remove one key; nothing happens if it is not there."""
        self._change(Change(root=root, key=checked_key(key), value=ABSENT))

    @contextmanager
    def edit(self) -> Iterator[None]:
        """Collect what is set and deleted in the `with` block into one transaction, one update.

        Reading inside the block sees the changes. If the block raises, none of them is made.
        An edit inside an edit belongs to the outer one.
        """
        if self._edits is not None:
            yield
            return
        self._edits = {}
        try:
            yield
            changes = list(self._edits.values())
        finally:
            self._edits = None
        self._write(changes)

    def read(self) -> dict[str, dict[str, JsonValue]]:
        """Return a copy of everything: root name to key to value.

        Keys are sorted (those of an unfinished edit come last), and integral floats are ints.
        """
        with self._library():
            content = {root: self._read_root(root) for root in sorted(self._roots)}
        for change in (self._edits or {}).values():
            content[change.root].pop(change.key, None)
            if not isinstance(change.value, Absent):
                content[change.root][change.key] = plain(change.value)
        return content

    def get(self, root: str, key: str) -> JsonValue:
        """Return a copy of one value, None if the key is not there."""
        self._check_root(root)
        change = (self._edits or {}).get((root, key))
        if change is not None:
            value: object = change.value
        else:
            with self._library():
                value = self._backend.get(root, key)
        return None if value is ABSENT else plain(value)

    def load(self, updates: Sequence[bytes], *, first_is_checked: bool = False) -> Unloaded:
        """Fill this new document with what the store has of it, and return what could not be.

        The observers are not told. `first_is_checked` spares the first update the check: it must be
        byte for byte one that has passed it and builds upon nothing, see `marks`. Afterwards ask
        `is_client_id_taken`.
        """
        if self._is_watched:
            raise RuntimeError("only a new document can be loaded")
        if first_is_checked:
            self._integrate(updates[0])
        known = parse_state_vector(self.state_vector())
        rest = updates[1:] if first_is_checked else updates
        left = load_updates(rest, self._roots, known, self._integrate)
        self._is_unread = True
        return left

    @property
    def is_client_id_taken(self) -> bool:
        """Whether a loaded document has items of our client id, which chance brings about.

        It must not be written to: close it, and load one with another id.
        """
        return self._client_id in parse_state_vector(self.state_vector())

    def apply(self, update: bytes) -> ApplyResult:
        """Check and integrate an update from a peer or a file.

        Raises `Hostile` if it is not an update of this document; then nothing has changed.
        """
        summary = parse_update(update, self._roots)
        known = parse_state_vector(self.state_vector())
        for block in summary.inserts:
            if block.client == self._client_id and block.end_clock > known.get(block.client, 0):
                raise Hostile(f"another peer writes as our client id {block.client}")
        if has_gap(summary, known):
            return ApplyResult.GAP
        if summary.is_empty:
            return ApplyResult.NOTHING_NEW
        if overlaps(summary, known):
            update = without_known(update, self._roots, known)
        self._watch()
        self._integrate(update)
        return ApplyResult.APPLIED if self._publish() else ApplyResult.NOTHING_NEW

    def diff(self, state_vector: bytes) -> bytes:
        """Return the update that brings a document at `state_vector` up to this one.

        A peer's state vector is checked first and raises `Hostile` if malformed; `b"\\0"` asks for
        everything.
        """
        theirs = parse_state_vector(state_vector)
        ours = parse_state_vector(self.state_vector())
        # y-py writes a client twice if its clock is given as 0, so name only what both sides have.
        shared = {client: min(clock, ours.get(client, 0)) for client, clock in theirs.items()}
        request = encode_state_vector({client: clock for client, clock in shared.items() if clock})
        with self._library():
            return self._backend.diff(request)

    def state_vector(self) -> bytes:
        """Return the encoded state vector."""
        with self._library():
            return self._backend.state_vector()

    def take_changes(self) -> list[Entry]:
        """Return root, key and present value of all that may have changed since the last call.

        The value is None if the key is gone. The first call returns everything.
        """
        with self._library():
            changed = self._backend.take_changed()
            if self._is_unread:
                self._is_unread = False
                return [
                    (root, key, value)
                    for root in sorted(self._roots)
                    for key, value in self._read_root(root).items()
                ]
            values = [(root, key, self._backend.get(root, key)) for root, key in changed]
        return [(root, key, None if v is ABSENT else plain(v)) for root, key, v in values]

    def on_update(self, observer: Callable[[bytes], None]) -> Callable[[], None]:
        """Call `observer` with every update integrated from now on, local or from a peer.

        Updates come in the order of integration, after their transaction, and never empty. The
        observer may read and edit the document but must not raise. Returns how to stop it.
        """
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def close(self) -> None:
        """Let go of the library's objects. Only `close` may be called after that."""
        self._check_thread()
        if not self._closed:
            self._closed = True
            self._observers.clear()
            self._backend.close()

    def _read_root(self, root: str) -> dict[str, JsonValue]:
        values = self._backend.read(root)
        return {key: plain(values[key]) for key in sorted(values)}

    def _change(self, change: Change) -> None:
        self._check_root(change.root)
        if self._edits is None:
            self._write([change])
        else:
            self._edits.pop((change.root, change.key), None)
            self._edits[change.root, change.key] = change

    def _write(self, changes: Sequence[Change]) -> None:
        weight = sum(json_weight(c.value) for c in changes if not isinstance(c.value, Absent))
        if weight > EDIT_BYTES_MAX:
            raise Invalid(f"One change of {weight} bytes is too large: split it into smaller ones.")
        if changes:
            self._watch()
            with self._library():
                self._backend.write(changes)
            self._publish()

    def _integrate(self, update: bytes) -> None:
        with self._library():
            self._backend.apply(update)

    def _watch(self) -> None:
        """Have changes kept. Loading goes without: keeping them would cost as much again."""
        if not self._is_watched:
            with self._library():
                self._backend.watch()
            self._is_watched = True

    def _publish(self) -> bool:
        """Hand new updates to the observers; return whether there were any.

        An observer that edits comes back here: its update waits until the one being handed out
        has reached every observer.
        """
        with self._library():
            updates = [u for u in self._backend.take_updates() if u != EMPTY_UPDATE]
        self._outbox.extend(updates)
        if not self._delivering:
            self._delivering = True
            try:
                self._deliver()
            finally:
                self._delivering = False
        return bool(updates)

    def _deliver(self) -> None:
        while self._outbox:
            update = self._outbox.popleft()
            for observer in tuple(self._observers):
                observer(update)

    @contextmanager
    def _library(self) -> Iterator[None]:
        """Guard a call into the library.

        Its panics derive from BaseException, belong to no module that can be imported, and leave
        its document in an unknown state.
        """
        self._check_thread()
        if self._closed or self._broken:
            raise _broken()
        try:
            yield
        except BaseException as panic:
            if type(panic).__name__ != "PanicException":
                raise
            self._broken = True
            raise _broken() from panic

    def _check_thread(self) -> None:
        if threading.get_ident() != self._owner:
            raise RuntimeError("only the thread that opened a document may use it")

    def _check_root(self, root: str) -> None:
        if root not in self._roots:
            raise ValueError(f"the document has no root map {root!r}")


def load_library() -> ModuleType:
    """Import the backend of y-py, or of pycrdt where there is no y-py, and return it.

    The first import reads the disk, so a peer does it in a thread before it opens a document.
    """
    has_y_py = sys.version_info < (3, 13) and find_spec("y_py") is not None
    return import_module(f"{__package__}.{'y_py' if has_y_py else 'pycrdt'}_backend")


def open_document(client_id: int, roots: frozenset[str]) -> Document:
    """Open an empty document with the root maps `roots`.

    `client_id` must be a fresh random number of 32 bits, never used before. The library is y-py,
    or pycrdt where there is no y-py.
    """
    backend: Backend = load_library().open_backend(client_id, roots)
    return Document(backend=backend, client_id=client_id, roots=roots)


def _broken() -> Unavailable:
    return Unavailable(
        "The copy of the queue in memory is closed or damaged: open it again from the store.",
        code="document_broken",
    )
