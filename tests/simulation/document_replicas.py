"""Replicas of one queue's document for the storms: ours in front of each library, and npm `yjs`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from itertools import count
from typing import Protocol

from crdtqueue.adapters.crdt.facade import EMPTY_UPDATE, ApplyResult, Document
from crdtqueue.core.document.keys import (
    ROOTS,
    Entry,
)
from crdtqueue.core.document.model import QueueState
from crdtqueue.core.document.reader import (
    DocumentReader,
    read_queue,
)
from crdtqueue.core.yjs.lib0 import JsonValue
from crdtqueue.core.yjs.update_parser import (
    has_gap,
    parse_state_vector,
    parse_update,
)
from tests.interop.yjs_replica import Yjs

BACKENDS = [name for name in ("y_py", "pycrdt") if find_spec(name)]

Content = dict[str, dict[str, JsonValue]]

_numbers = count()


class Replica(Protocol):
    """A document, with what a sync session needs of it."""

    def write(self, entries: list[Entry]) -> None:
        """Sets all entries in one transaction."""

    def delete(self, root: str, key: str) -> None:
        """Removes one key."""

    def integrate(self, update: bytes) -> bool:
        """Applies an update; False if it has a gap."""

    def diff(self, state_vector: bytes) -> bytes:
        """What the owner of this state vector lacks."""

    def state_vector(self) -> bytes:
        """What is known here."""

    def take_updates(self) -> list[bytes]:
        """The updates integrated since the last call."""

    def state(self) -> QueueState:
        """What the document says, as this replica reads it."""

    def check(self) -> None:
        """Raises AssertionError if that is not what is in the document."""

    def content(self) -> Content:
        """Every root, key and value."""

    def restart(self, client_id: int) -> None:
        """Ends the process and starts anew from what it has stored."""

    def close(self) -> None:
        """Lets go of the document."""


def open_document(backend: str, client_id: int, roots: frozenset[str] = ROOTS) -> Document:
    """An empty document in the library of this name."""
    module = import_module(f"crdtqueue.adapters.crdt.{backend}_backend")
    library = module.open_backend(client_id, roots)
    return Document(backend=library, client_id=client_id, roots=roots)


class Ours:
    """A peer's replica: the document, and the reading that is told of each change."""

    def __init__(self, backend: str, client_id: int) -> None:
        self._backend = backend
        self._open(client_id)

    def _open(self, client_id: int, stored: bytes = EMPTY_UPDATE) -> None:
        self._document = open_document(self._backend, client_id)
        self._document.apply(stored)
        self._reader = DocumentReader()
        self._updates: list[bytes] = []
        self._document.on_update(self._updates.append)

    def write(self, entries: list[Entry]) -> None:
        with self._document.edit():
            for root, key, value in entries:
                self._document.set(root, key, value)

    def delete(self, root: str, key: str) -> None:
        self._document.delete(root, key)

    def integrate(self, update: bytes) -> bool:
        return self._document.apply(update) is not ApplyResult.GAP

    def diff(self, state_vector: bytes) -> bytes:
        return self._document.diff(state_vector)

    def state_vector(self) -> bytes:
        return self._document.state_vector()

    def take_updates(self) -> list[bytes]:
        updates = self._updates[:]
        self._updates.clear()
        return updates

    def state(self) -> QueueState:
        for root, key, value in self._document.take_changes():
            self._reader.change(root, key, value)
        return self._reader.state()

    def check(self) -> None:
        whole = read_queue(self._document.read())
        assert self.state() == whole, "reading by changes is another reading"

    def content(self) -> Content:
        return self._document.read()

    def restart(self, client_id: int) -> None:
        stored = self._document.diff(b"\0")
        self._document.close()
        self._open(client_id, stored)

    def close(self) -> None:
        self._document.close()


class Theirs:
    """A replica of stock Yjs, in a node process."""

    def __init__(self, yjs: Yjs, client_id: int) -> None:
        self._yjs = yjs
        self._open(client_id)

    def _open(self, client_id: int) -> None:
        self._name = f"storm {next(_numbers)}"
        self._yjs.ask("open", name=self._name, client_id=client_id)

    def write(self, entries: list[Entry]) -> None:
        changes = [{"root": root, "key": key, "value": value} for root, key, value in entries]
        self._yjs.ask("edit", name=self._name, changes=changes)

    def delete(self, root: str, key: str) -> None:
        self._yjs.delete(self._name, root, key)

    def integrate(self, update: bytes) -> bool:
        """Left to itself, Yjs shows the half of an update that it has the basis for."""
        known = parse_state_vector(self.state_vector())
        if has_gap(parse_update(update, ROOTS), known):
            return False
        self._yjs.apply(self._name, update)
        return True

    def diff(self, state_vector: bytes) -> bytes:
        return self._yjs.diff(self._name, state_vector)

    def state_vector(self) -> bytes:
        return self._yjs.state_vector(self._name)

    def take_updates(self) -> list[bytes]:
        return self._yjs.take_updates(self._name)

    def state(self) -> QueueState:
        return read_queue(self.content())

    def check(self) -> None:
        """There is no other reading of it."""

    def content(self) -> Content:
        return self._yjs.content(self._name, ROOTS)

    def restart(self, client_id: int) -> None:
        stored, old = self.diff(b"\0"), self._name
        self._open(client_id)
        self._yjs.ask("close", name=old)
        self.integrate(stored)
        self.take_updates()

    def close(self) -> None:
        self._yjs.ask("close", name=self._name)
