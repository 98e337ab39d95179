"""The document in pycrdt, which has wheels for Python 3.13 and later."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from pycrdt import Doc, Map, TransactionEvent

from crdtqueue.adapters.crdt.facade import Change
from crdtqueue.adapters.crdt.json_values import (
    ABSENT,
    Absent,
)


def open_backend(client_id: int, roots: frozenset[str]) -> PycrdtBackend:
    """Open an empty pycrdt document with the root maps `roots`."""
    return PycrdtBackend(Doc(client_id=client_id), roots)


class PycrdtBackend:
    """Wraps a `Doc`; the contracts are those of `facade.Backend`."""

    def __init__(self, document: Doc[Map[Any]], roots: frozenset[str]) -> None:
        self._document = document
        self._maps = {root: document.get(root, type=Map[Any]) for root in roots}
        self._updates: list[bytes] = []
        self._changed: dict[tuple[str, str], None] = {}
        self._subscriptions: list[tuple[Any, Any]] = []

    def watch(self) -> None:
        """Keep what changes from now on."""
        self._subscriptions = [
            (self._document, self._document.observe(self._keep_update)),
            *(
                (each, each.observe(partial(self._keep_changed, root)))
                for root, each in self._maps.items()
            ),
        ]

    def read(self, root: str) -> dict[str, object]:
        """Return all keys of a root map."""
        # As JSON in one go, for pycrdt asks for each value three times. Its numbers are floats.
        content: dict[str, object] = json.loads(str(self._maps[root]), parse_int=float)
        return content

    def get(self, root: str, key: str) -> object:
        """Return one value of a root map, or `ABSENT`."""
        return self._maps[root].get(key, ABSENT)

    def write(self, changes: Sequence[Change]) -> None:
        """Make all changes in one transaction."""
        with self._document.transaction():
            for change in changes:
                root = self._maps[change.root]
                if isinstance(change.value, Absent):
                    root.pop(change.key, None)
                else:
                    root[change.key] = change.value

    def apply(self, update: bytes) -> None:
        """Integrate an update."""
        self._document.apply_update(update)

    def diff(self, state_vector: bytes) -> bytes:
        """Return all that a document at `state_vector` lacks."""
        return self._document.get_update(state_vector)

    def state_vector(self) -> bytes:
        """Return the state vector."""
        return self._document.get_state()

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
        for observed, subscription in self._subscriptions:
            observed.unobserve(subscription)
        self._subscriptions.clear()
        self._maps.clear()

    def _keep_update(self, event: TransactionEvent) -> None:
        self._updates.append(bytes(event.update))

    def _keep_changed(self, root: str, event: Any) -> None:
        self._changed.update(((root, key), None) for key in event.keys)
