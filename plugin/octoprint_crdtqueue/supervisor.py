"""The thread that runs the supervision: it starts, watches and ends the peer process."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from octoprint_crdtqueue.peer_process import CannotStart, Child, Post
from octoprint_crdtqueue.supervision import (
    STOP_TIMEOUT_S,
    Effect,
    Ended,
    Event,
    Kill,
    Launch,
    ServiceState,
    ServiceStatus,
    StartPeer,
    StopPeer,
    Supervision,
    Terminate,
)

log = logging.getLogger("octoprint.plugins.crdtqueue")


class Launcher(Protocol):
    """Starts a process."""

    def launch(self, run: int, post: Post) -> Child:
        """Starts a process that posts `Announced` and `Ended`. Raises CannotStart."""


class Supervisor:
    """Keeps one process running. `on_change` is called from its thread and must not wait."""

    def __init__(self, launcher: Launcher, on_change: Callable[[], None]) -> None:
        self._launcher = launcher
        self._on_change = on_change
        self._supervision = Supervision()
        self._inbox: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._child: Child | None = None
        self._thread: threading.Thread | None = None
        self.status = ServiceStatus()

    def start(self) -> None:
        """Starts the process; also one that was given up on."""
        if self._thread is None:
            # A daemon: Python waits for other threads before OctoPrint's shutdown gets to us.
            self._thread = threading.Thread(target=self._work, name="crdtqueue", daemon=True)
            self._thread.start()
        self._inbox.put(StartPeer())

    def restart(self) -> None:
        """Ends the process and starts it anew, with the settings as they are then."""
        self._inbox.put(StartPeer(anew=True))

    def stop(self) -> None:
        """Ends the process, by force when it must be, and returns when it is gone."""
        if self._thread is None:
            return
        self._inbox.put(StopPeer())
        self._thread.join(STOP_TIMEOUT_S * 2)
        self._thread = None

    def _work(self) -> None:
        while True:
            event = self._next_event()
            now_s = time.monotonic()
            if event:
                self._supervision.receive(event, now_s)
            self._supervision.tick(now_s)
            for effect in self._supervision.effects():
                self._perform(effect)
            self._tell()
            if self.status.state is ServiceState.STOPPED:
                return

    def _next_event(self) -> Event | None:
        deadline_s = self._supervision.next_deadline_s()
        timeout_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Launch(run=run):
                self._launch(run)
            case Terminate():
                if self._child:
                    self._child.terminate()
            case Kill():
                if self._child:
                    self._child.kill()

    def _launch(self, run: int) -> None:
        self._child = None
        try:
            self._child = self._launcher.launch(run, self._inbox.put)
        except CannotStart as error:
            self._inbox.put(Ended(run=run, reason=str(error)))
        except Exception as error:
            log.exception("The peer process cannot be started")
            self._inbox.put(Ended(run=run, reason=f"It cannot be started: {error}."))

    def _tell(self) -> None:
        status = self._supervision.status
        if status == self.status:
            return
        if status.problem and status.state is not ServiceState.STARTING:
            log.warning("The peer process is %s: %s", status.state.value, status.problem)
        self.status = status
        self._on_change()
