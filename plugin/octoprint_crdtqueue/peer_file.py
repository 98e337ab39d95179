"""Finds and ends a peer process that has outlived its OctoPrint. A file names it, a token proves
it."""

import json
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from octoprint_crdtqueue.peer_client import PeerAddress, PeerClient, PeerUnavailable
from octoprint_crdtqueue.private_files import write_private

END_TIMEOUT_S = 10.0
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has one way only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerFile:
    """Remembers the peer process that was started last."""

    path: Path

    def write(self, pid: int, address: PeerAddress) -> None:
        """Remembers a process."""
        content = {"pid": pid, "url": address.url, "token": address.token}
        write_private(self.path, json.dumps(content))

    def remove(self) -> None:
        """Forgets it."""
        self.path.unlink(missing_ok=True)

    def end_leftover(self) -> bool:
        """Ends the process that is remembered, if it still runs; says whether it did.

        Process ids are used again. So only a process that answers to the token is touched.
        """
        found = self._read()
        if found is None or not _answers(found[1]):
            return False
        pid, address = found
        for number in (signal.SIGTERM, KILL):
            with suppress(OSError):
                os.kill(pid, number)
            if _gone_within(address, END_TIMEOUT_S):
                break
        self.remove()
        return True

    def _read(self) -> tuple[int, PeerAddress] | None:
        try:
            content = json.loads(self.path.read_text())
            address = PeerAddress(url=str(content["url"]), token=str(content["token"]))
            return int(content["pid"]), address
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _answers(address: PeerAddress) -> bool:
    try:
        return PeerClient(address).ask("GET", "/api/state").ok
    except (PeerUnavailable, ValueError):
        return False


def _gone_within(address: PeerAddress, timeout_s: float) -> bool:
    """It closes its port as the last thing, when its store is closed."""
    target = urlsplit(address.url)
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        try:
            with socket.create_connection((target.hostname, target.port), timeout=1.0):
                time.sleep(0.1)
        except OSError:
            return True
    return False
