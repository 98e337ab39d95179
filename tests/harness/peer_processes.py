"""Real peers in real processes, for the demo and the end-to-end tests."""

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crdtqueue.cli.api_client import ApiClient
from crdtqueue.core.errors import CrdtQueueError
from printer_driver.core.gcode.gcode_lines import commands_of
from tests.harness.patience import HANG_S, LOOK_S, looks

GCODE = Path(__file__).parents[1] / "data" / "gcode"
START_TIMEOUT_S = 30.0


def until(condition: Callable[[], bool], timeout_s: float) -> None:
    """Waits until something is so. Raises TimeoutError."""
    for _ in looks(timeout_s):
        if condition():
            return
        time.sleep(LOOK_S)
    raise TimeoutError(f"not so within {timeout_s:g} s")


PORTS = range(20_000, 32_000, 400)
"""Ranges of ports, by their first.

Below what Linux, macOS and Windows hand out to outgoing connections: one of those could take a port
after it was found free and before the process that is to listen at it has started.
"""


def _ports() -> Iterator[int]:
    """Port after port of a range that is ours while this process lives: its first port is taken.

    Other tests may run beside these, and not only workers of the same run.
    """
    for first in PORTS:
        with socket.socket() as ours, contextlib.suppress(OSError):
            ours.bind(("127.0.0.1", first))
            yield from itertools.cycle(range(first + 1, first + PORTS.step))
    raise AssertionError("every range of ports is in use")


_PORTS = _ports()


def free_port() -> int:
    """A port that nobody listens at now, and that is not given out again soon."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: the ports never end")


class PeerProcess:
    """One `crdtqueue serve` with its own folder; it can be killed and started again."""

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        profile: str | None = None,
        speed_up: float = 1.0,
        self_clearing: bool = True,
        port: str = "virtual",
    ) -> None:
        self.folder = folder
        self.name = name
        self.profile = profile
        self.address = f"127.0.0.1:{free_port()}"
        self.url = f"http://127.0.0.1:{free_port()}"
        self.record = folder / "executed.gcode"
        self.client = ApiClient(self.url)
        self.process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}
        self._printer: list[str] = []
        if profile:
            self._printer = ["--port", port, "--profile", profile]
            self._printer += ["--speed-up", str(speed_up)] if port == "virtual" else []
            self._printer += ["--record", str(self.record)] if port == "virtual" else []
            self._printer += ["--self-clearing"] if self_clearing else []

    def start(self, peers: Sequence["PeerProcess"] = (), *extra: str) -> "PeerProcess":
        """Starts the process in the queue `workshop` and waits until its page answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "crdtqueue", "serve", "--queue", "workshop"]
        command += ["--name", self.name, "--data", str(self.folder)]
        command += ["--listen", self.address, "--http", self.url.removeprefix("http://")]
        for peer in peers:
            command += ["--peer", peer.address]
        with (self.folder / "peer.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self._printer, *extra],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                # Ctrl-C is for whoever started us, who ends us in good order.
                process_group=0,
            )
        self.wait(lambda: bool(self.state()), START_TIMEOUT_S)
        return self

    def state(self) -> dict[str, Any]:
        """What the page shows; empty while the peer does not answer."""
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"{self.name} has ended:\n{self.log()}")
        try:
            return self.client.state()
        except CrdtQueueError:
            return {}

    def log(self) -> str:
        """What the process said last."""
        path = self.folder / "peer.log"
        return path.read_text()[-4000:] if path.exists() else ""

    def queue(self) -> dict[str, Any]:
        """The queue `workshop` as the page shows it."""
        queues = self.state().get("queues", [])
        return next((q for q in queues if q["name"] == "workshop"), {"jobs": [], "peers": []})

    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs of `workshop` by id."""
        return {job["id"]: job for job in self.queue()["jobs"]}

    def sees(self, *others: "PeerProcess") -> bool:
        """Whether all of these peers are in sight."""
        online = {peer["name"] for peer in self.queue()["peers"] if peer["online"]}
        return {other.name for other in others} <= online

    def add(self, *files: Path, copies: int = 1, name: str = "") -> str:
        """Adds one job with a set for each file, as the command line does; returns its id."""
        sets = []
        for file in files:
            uploaded = self.client.upload(file, lambda _: None)
            sets.append(
                {
                    "sha256": uploaded["sha256"],
                    "name": uploaded["name"],
                    "copies": copies,
                    "profiles": [uploaded["profile"]],
                }
            )
        return self.add_sets(sets, name or files[0].stem)

    def add_sets(self, sets: list[dict[str, Any]], name: str) -> str:
        """Adds one job of files that are here already; returns its id."""
        path = f"/api/queues/{quote('workshop')}/jobs"
        return str(self.client.post(path, {"name": name, "sets": sets})["id"])

    def wait(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Waits until something is so; fails with the peer's log if it never is."""
        try:
            until(condition, timeout_s)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.name}: {self.queue()}\n{self.log()}") from None

    def kill(self) -> None:
        """kill -9 of the peer process; its printer process goes on."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def stop(self, timeout_s: float = HANG_S) -> int:
        """Ends the peer as Ctrl-C does; returns its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout_s)

    def stop_printer(self) -> None:
        """Ends the printer process, whatever it is at."""
        for pid in printer_processes(self.folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def printer_processes(folder: Path) -> list[int]:
    """The printer processes of this folder, by their command lines."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if b"printer_driver" in words and any(str(folder).encode() in word for word in words):
                found.append(int(path.parent.name))
    return found


@contextlib.contextmanager
def running(*peers: PeerProcess, extra: Sequence[str] = ()) -> Iterator[None]:
    """Starts the peers, all known to each other, and leaves nothing running behind."""
    try:
        for peer in peers:
            peer.start([other for other in peers if other is not peer], *extra)
        for peer in peers:
            peer.wait(lambda peer=peer: peer.sees(*peers))  # type: ignore[misc]
        yield
    finally:
        stop_all(*peers)


def stop_all(*peers: PeerProcess) -> None:
    """Ends the peers and their printers; fails if one that was still alive does not end well."""
    alive = [peer for peer in peers if peer.process and peer.process.poll() is None]
    bad = []
    for peer in alive:
        try:
            code: object = peer.stop()
        except subprocess.TimeoutExpired:
            code = "not at all"
            peer.kill()
        if code != 0:
            bad.append(f"{peer.name} ended with {code}:\n{peer.log()}")
    for peer in peers:
        peer.stop_printer()
    if bad:
        raise AssertionError("\n".join(bad))


HOST_COMMAND = re.compile(
    r"M105|M108|M114|M115|M400|M410|M85( S\d+)?|M110( N\d+)?|M113( S\d+)?|M155 S\d+"
)
"""What the printer process says on its own account, between the commands of the files."""


def executed(record: Path) -> list[str]:
    """The commands of files that a virtual printer has executed, in order."""
    lines = record.read_text("latin-1").splitlines() if record.exists() else []
    return [line for line in lines if not HOST_COMMAND.fullmatch(line)]


def commands(*files: Path) -> list[str]:
    """The commands of these files, one after the other."""
    return [
        command.text
        for file in files
        for command in commands_of(file.read_bytes().splitlines(keepends=True))
        if not HOST_COMMAND.fullmatch(command.text)
    ]
