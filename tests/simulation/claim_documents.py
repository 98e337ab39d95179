"""A queue's document for the storms of claims: a plain set of entries, and the real one."""

from __future__ import annotations

import json
from typing import Protocol

from crdtqueue.adapters.crdt.facade import ApplyResult, open_document
from crdtqueue.core.document.keys import (
    ROOTS,
    Entry,
)
from crdtqueue.core.yjs.lib0 import JsonValue


class Copy(Protocol):
    """One replica of the document, with what a sync session needs of it."""

    def write(self, entries: list[Entry]) -> None:
        """Sets all entries in one transaction."""

    def integrate(self, update: bytes) -> bool:
        """Applies an update; False if it has a gap."""

    def diff(self, state_vector: bytes) -> bytes:
        """What the owner of this state vector lacks."""

    def state_vector(self) -> bytes:
        """What is known here."""

    def take_updates(self) -> list[bytes]:
        """The updates since the last call, in the order of their integration."""

    def take_changes(self) -> list[Entry]:
        """What may have changed since the last call, in a fixed order."""

    def content(self) -> dict[str, dict[str, JsonValue]]:
        """Every root, key and value."""

    def close(self) -> None:
        """Lets go of the library's objects."""


class PlainCopy:
    """Entries as a set; of two values of one key the larger text wins. It knows no gaps."""

    def __init__(self, _client_id: int) -> None:
        self._entries: dict[tuple[str, str], str] = {}
        self._updates: list[bytes] = []
        self._changed: list[tuple[str, str]] = []

    def write(self, entries: list[Entry]) -> None:
        self._take_in([(root, key, json.dumps(value)) for root, key, value in entries])

    def integrate(self, update: bytes) -> bool:
        self._take_in([(root, key, text) for root, key, text in json.loads(update)])
        return True

    def _take_in(self, entries: list[tuple[str, str, str]]) -> None:
        new = [e for e in entries if e[2] > self._entries.get((e[0], e[1]), "")]
        for root, key, text in new:
            self._entries[root, key] = text
            self._changed.append((root, key))
        if new:
            self._updates.append(json.dumps(new).encode())

    def diff(self, state_vector: bytes) -> bytes:
        return json.dumps([(*key, text) for key, text in self._entries.items()]).encode()

    def state_vector(self) -> bytes:
        return b"\0"

    def take_updates(self) -> list[bytes]:
        updates, self._updates = self._updates, []
        return updates

    def take_changes(self) -> list[Entry]:
        changed, self._changed = self._changed, []
        return [(*key, json.loads(self._entries[key])) for key in changed]

    def content(self) -> dict[str, dict[str, JsonValue]]:
        found: dict[str, dict[str, JsonValue]] = {}
        for (root, key), text in sorted(self._entries.items()):
            found.setdefault(root, {})[key] = json.loads(text)
        return found

    def close(self) -> None:
        pass


class RealCopy:
    """The document as a peer has it, on the CRDT library."""

    def __init__(self, client_id: int) -> None:
        self._document = open_document(client_id, ROOTS)
        self._updates: list[bytes] = []
        self._document.on_update(self._updates.append)

    def write(self, entries: list[Entry]) -> None:
        with self._document.edit():
            for root, key, value in entries:
                self._document.set(root, key, value)

    def integrate(self, update: bytes) -> bool:
        return self._document.apply(update) is not ApplyResult.GAP

    def diff(self, state_vector: bytes) -> bytes:
        return self._document.diff(state_vector)

    def state_vector(self) -> bytes:
        return self._document.state_vector()

    def take_updates(self) -> list[bytes]:
        updates = [*self._updates]
        self._updates.clear()
        return updates

    def take_changes(self) -> list[Entry]:
        return sorted(self._document.take_changes(), key=lambda each: each[:2])

    def content(self) -> dict[str, dict[str, JsonValue]]:
        return {root: keys for root, keys in self._document.read().items() if keys}

    def close(self) -> None:
        self._document.close()
