"""The document in y-py, which is small and has wheels up to Python 3.12."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import y_py

from crdtqueue.adapters.crdt.facade import Change
from crdtqueue.adapters.crdt.json_values import (
    ABSENT,
    Absent,
)


def open_backend(client_id: int, roots: frozenset[str]) -> YPyBackend:
    """Open an empty y-py document with the root maps `roots`."""
    return YPyBackend(y_py.YDoc(client_id), roots)


class YPyBackend:
    """Wraps a `YDoc`; the contracts are those of `facade.Backend`.

    Maps are kept for as long as the document: y-py panics when a map is read that Python has
    collected.
    """

    def __init__(self, document: Any, roots: frozenset[str]) -> None:
        self._document = document
        self._maps = {root: document.get_map(root) for root in roots}
        self._updates: list[bytes] = []
        self._changed: dict[tuple[str, str], None] = {}
        self._subscriptions: list[Any] = []

    def watch(self) -> None:
        """Keep what changes from now on."""
        self._subscriptions = [
            self._document.observe_after_transaction(self._keep_update),
            *(each.observe(partial(self._keep_changed, root)) for root, each in self._maps.items()),
        ]

    def read(self, root: str) -> dict[str, object]:
        """Return all keys of a root map."""
        return dict(self._maps[root].items())

    def get(self, root: str, key: str) -> object:
        """Return one value of a root map, or `ABSENT`."""
        return self._maps[root].get(key, ABSENT)

    def write(self, changes: Sequence[Change]) -> None:
        """Make all changes in one transaction."""
        with self._document.begin_transaction() as transaction:
            for change in changes:
                root = self._maps[change.root]
                if not isinstance(change.value, Absent):
                    root.set(transaction, change.key, change.value)
                elif change.key in root:
                    root.pop(transaction, change.key)

    def apply(self, update: bytes) -> None:
        """Integrate an update."""
        y_py.apply_update(self._document, update)

    def diff(self, state_vector: bytes) -> bytes:
        """Return all that a document at `state_vector` lacks."""
        return bytes(y_py.encode_state_as_update(self._document, state_vector))

    def state_vector(self) -> bytes:
        """Return the state vector."""
        return bytes(y_py.encode_state_vector(self._document))

    def take_updates(self) -> list[bytes]:
        """Return, and forget, the updates integrated since the last call."""
        updates, self._updates = self._updates, []
        return updates

    def take_changed(self) -> list[tuple[str, str]]:
        """Return, and forget, the keys changed since the last call."""
        changed, self._changed = self._changed, {}
        return list(changed)

    def close(self) -> None:
        """Let go of the document and its maps."""
        self._maps = {}
        self._document = None

    def _keep_update(self, event: Any) -> None:
        # The event is valid only during the callback; the bytes are a copy.
        self._updates.append(bytes(event.get_update()))

    def _keep_changed(self, root: str, event: Any) -> None:
        self._changed.update(((root, key), None) for key in event.keys)
