"""Follows the peer's live state and passes it on, at most twice a second."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable

PUSH_GAP_S = 0.5
LOOK_AGAIN_S = 0.5

log = logging.getLogger("octoprint.plugins.crdtqueue")

Json = dict[str, Any]


class LiveState:
    """Two threads: one reads the peer's events, one pushes the newest state to the browsers.

    `client` returns None while the peer does not run; `on_connected` is called with each new
    connection, from the reading thread, and may raise PeerUnavailable.
    """

    def __init__(
        self,
        client: Callable[[], PeerClient | None],
        on_connected: Callable[[PeerClient], None],
        push: Callable[[], None],
    ) -> None:
        self._client = client
        self._on_connected = on_connected
        self._push = push
        self._news = threading.Event()
        self._stopping = threading.Event()
        self.size_bytes = 0
        self._last: tuple[Json, float] | None = None
        """The newest state, and when it came by our own clock."""

    def as_json(self) -> Json:
        """What the peer said last, None while it does not answer; and how long ago that was.

        The peer says nothing new while only time passes, so the durations in it are older by that.
        """
        if self._last is None:
            return {"state": None, "age_s": 0.0}
        state, came_s = self._last
        return {"state": state, "age_s": round(time.monotonic() - came_s, 1)}

    def start(self) -> None:
        """Starts the threads."""
        for work in (self._read, self._pass_on):
            threading.Thread(target=work, name=f"crdtqueue {work.__name__}", daemon=True).start()

    def stop(self) -> None:
        """The threads end by themselves."""
        self._stopping.set()
        self._news.set()

    def look(self) -> None:
        """Something else changed that browsers show."""
        self._news.set()

    def _read(self) -> None:
        while not self._stopping.is_set():
            client = self._client()
            if client:
                try:
                    self._follow(client)
                except (PeerUnavailable, ValueError, OSError) as error:
                    log.debug("The peer's events broke off: %s", error)
                self._last = None
                self._news.set()
            self._stopping.wait(LOOK_AGAIN_S)

    def _follow(self, client: PeerClient) -> None:
        self._on_connected(client)
        for name, data in client.events():
            if name == "state":
                self._last = json.loads(data), time.monotonic()
                self.size_bytes = len(data)
            self._news.set()
            if self._stopping.is_set():
                return

    def _pass_on(self) -> None:
        while not self._stopping.is_set():
            self._news.wait()
            self._news.clear()
            self._push()
            self._stopping.wait(PUSH_GAP_S)
