"""Real peer processes, as the plugin starts them; there is no OctoPrint behind them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from octoprint_crdtqueue.peer_client import PeerClient
from octoprint_crdtqueue.peer_process import PeerLauncher
from octoprint_crdtqueue.plugin_config import Config
from octoprint_crdtqueue.supervision import ServiceState, ServiceStatus
from octoprint_crdtqueue.supervisor import Launcher, Supervisor

from tests.harness.peer_processes import (
    free_port,
    until,
)

START_S = 40.0


def no_key() -> str:
    raise AssertionError("a peer without a printer needs no key")


def launcher(folder: Path, port: int | None = None) -> PeerLauncher:
    """Starts peers without a printer: that needs no OctoPrint."""
    config = Config(name="plugin", profile="", port=port or free_port(), host="127.0.0.1")
    folder.mkdir(exist_ok=True)
    return PeerLauncher(
        folder=folder,
        octoprint_url="http://127.0.0.1:1",
        octoprint_key=no_key,
        config=lambda: config,
    )


class Watched:
    """A supervisor, and all that it said."""

    def __init__(self, launcher: Launcher) -> None:
        self.history: list[ServiceStatus] = []
        self.supervisor = Supervisor(launcher, self._changed)
        self._lock = threading.Lock()

    def _changed(self) -> None:
        with self._lock:
            self.history.append(self.supervisor.status)

    @property
    def status(self) -> ServiceStatus:
        return self.supervisor.status

    def client(self) -> PeerClient:
        assert self.status.peer is not None
        return PeerClient(self.status.peer)

    def wait(self, condition: Callable[[], bool]) -> None:
        try:
            until(condition, START_S)
        except TimeoutError as error:
            raise AssertionError(f"{error}: {self.history}") from None

    def wait_for(self, state: ServiceState) -> ServiceStatus:
        self.wait(lambda: self.status.state is state)
        return self.status


@contextmanager
def supervised(launcher: Launcher) -> Iterator[Watched]:
    """Starts a supervisor, and leaves nothing running behind."""
    watched = Watched(launcher)
    watched.supervisor.start()
    try:
        yield watched
    finally:
        watched.supervisor.stop()


def pids(folder: Path) -> list[int]:
    """The living peer processes of this folder, by their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if b"serve" in words and str(folder / "peer").encode() in words:
                found.append(int(path.parent.name))
    return found


def kill(folder: Path) -> int:
    """kill -9 of the one peer process of this folder."""
    (pid,) = pids(folder)
    os.kill(pid, signal.SIGKILL)
    return pid
