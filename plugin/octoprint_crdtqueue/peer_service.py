"""The peer process and its helpers: everything that the plugin shows and asks goes through here."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from octoprint_crdtqueue.live_state import LiveState
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable
from octoprint_crdtqueue.pending import PendingQueues
from octoprint_crdtqueue.supervision import ServiceState
from octoprint_crdtqueue.supervisor import Launcher, Supervisor

REQUESTS_MAX = 3
"""At once. OctoPrint has as few as five threads for all requests, and some of what the peer does
makes it ask OctoPrint in turn."""
WAIT_FOR_TURN_S = 2.0
PUSHED_BYTES_MAX = 256 * 1024
"""A larger state is not pushed to every browser; each fetches it."""

NOT_RUNNING = "The print queue's own process does not run now. The tab says why."
BUSY = "The print queue has much to do at the moment. Try again in a few seconds."

Json = dict[str, Any]


class PeerService:
    """Runs the peer process. `push` sends a message to the browsers, from any thread."""

    def __init__(self, folder: Path, launcher: Launcher, push: Callable[[Json], None]) -> None:
        self._push = push
        self._turns = threading.BoundedSemaphore(REQUESTS_MAX)
        self.pending = PendingQueues(folder / "pending-queues.json")
        self._live = LiveState(self._client, self.pending.apply, self._pass_on)
        self._supervisor = Supervisor(launcher, self._live.look)

    def start(self) -> None:
        """Starts the peer process and the threads that follow it."""
        self._supervisor.start()
        self._live.start()

    def stop(self) -> None:
        """Ends the peer process."""
        self._live.stop()
        self._supervisor.stop()

    def start_again(self) -> None:
        """Starts a process that was given up on."""
        self._supervisor.start()

    def restart(self) -> None:
        """Starts the process anew, because its settings have changed."""
        self._supervisor.restart()

    def apply_pending(self) -> None:
        """Makes saved changes of the queues now, if the peer runs; else when it does."""
        client = self._client()
        if client:
            # Where it is not done now, the next connection does it.
            with suppress(PeerUnavailable):
                self.pending.apply(client)

    def ask(self, work: "Callable[[PeerClient], Any]") -> Any:
        """The answer to one request. Raises PeerUnavailable with a sentence."""
        client = self._client()
        if client is None:
            raise PeerUnavailable(NOT_RUNNING)
        if not self._turns.acquire(timeout=WAIT_FOR_TURN_S):
            raise PeerUnavailable(BUSY)
        try:
            return work(client)
        finally:
            self._turns.release()

    def view(self) -> Json:
        """All that the tab shows."""
        status = self._supervisor.status
        return {
            "service": {"state": status.state.value, "problem": status.problem},
            "queues": self.pending.as_json(),
            **self._live.as_json(),
        }

    def _client(self) -> PeerClient | None:
        status = self._supervisor.status
        if status.state is not ServiceState.RUNNING or status.peer is None:
            return None
        return PeerClient(status.peer)

    def _pass_on(self) -> None:
        large = self._live.size_bytes > PUSHED_BYTES_MAX
        self._push({"changed": True} if large else self.view())
