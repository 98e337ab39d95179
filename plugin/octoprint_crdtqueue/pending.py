"""Changes to the list of queues that are saved and that the peer has not made yet."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crdtqueue.core.errors import Invalid
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable
from octoprint_crdtqueue.plugin_config import (
    CHANGES_MAX,
    QueueChange,
    parse_change,
)
from octoprint_crdtqueue.private_files import write_private

REFUSALS_KEPT = 8


class PendingQueues:
    """The changes, kept in a file until the peer runs: only the peer knows which queues it has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._refusals: list[str] = []

    def add(self, changes: Sequence[QueueChange]) -> None:
        """Remembers what was saved. A later change of a queue takes the place of an earlier one."""
        with self._lock:
            by_name = {each.name: each for each in [*self._read(), *changes]}
            self._write(list(by_name.values())[-CHANGES_MAX:])
            self._refusals = []

    def apply(self, client: PeerClient) -> None:
        """Has the peer make the changes. Raises PeerUnavailable; what is left is for later."""
        with self._lock:
            while changes := self._read():
                self._apply(changes[0], client)
                self._write(changes[1:])

    def as_json(self) -> dict[str, Any]:
        """What is still to be done, and what the peer refused since the last save."""
        with self._lock:
            waiting = [each.as_json() for each in self._read()]
            return {"waiting": waiting, "refusals": list(self._refusals)}

    def _apply(self, change: QueueChange, client: PeerClient) -> None:
        if change.leave:
            answer = client.ask("DELETE", f"/api/queues/{quote(change.name, safe='')}")
        else:
            new = {"name": change.name, "peers": list(change.addresses)}
            answer = client.ask("POST", "/api/queues", json.dumps(new).encode())
        if answer.status >= 500:
            raise PeerUnavailable(answer.message)
        if not answer.ok and not (change.leave and answer.status == 404):
            refusal = f"{change.name}: {answer.message}"
            self._refusals = [*self._refusals, refusal][-REFUSALS_KEPT:]

    def _read(self) -> list[QueueChange]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return [parse_change(each) for each in content]
        except (OSError, ValueError, TypeError, Invalid):
            return []

    def _write(self, changes: Sequence[QueueChange]) -> None:
        write_private(self._path, json.dumps([each.as_json() for each in changes]))
