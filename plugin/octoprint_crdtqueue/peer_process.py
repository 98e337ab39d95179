"""One run of `crdtqueue serve` as a child process; its threads report what happens to it."""

import json
import logging
import secrets
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from crdtqueue.core.errors import Invalid
from octoprint_crdtqueue.peer_client import PeerAddress
from octoprint_crdtqueue.peer_file import PeerFile
from octoprint_crdtqueue.plugin_config import Config
from octoprint_crdtqueue.private_files import write_private
from octoprint_crdtqueue.supervision import Announced, Ended, Event

LINE_BYTES_MAX = 2000
LINES_KEPT = 20
LEVELS = {"DEBUG ": logging.DEBUG, "INFO ": logging.DEBUG, "WARNING ": logging.WARNING}
"""What lines of the peer's log begin with that do not say why it ended, and how much they matter
in OctoPrint's log."""
REMEDIES = {
    "port_in_use": "Port {port} is in use by another program. Stop that one, or choose another"
    " port for other peers in the settings of this plugin.",
    "port_privileged": "Port {port} may only be used by the administrator. Choose one above 1023"
    " in the settings of this plugin.",
}
"""The command line's advice names its options; here the same is done in the settings."""

Post = Callable[[Event], None]

log = logging.getLogger("octoprint.plugins.crdtqueue.peer")


class CannotStart(Exception):
    """The peer process cannot be started now. The message says what to do."""


class Child(Protocol):
    """A process that was started."""

    def terminate(self) -> None:
        """Asks it to end."""

    def kill(self) -> None:
        """Ends it by force."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerLauncher:
    """Starts the peer process with the settings of that moment.

    `octoprint_key` returns a key for this OctoPrint, or raises CannotStart.
    """

    folder: Path
    octoprint_url: str
    octoprint_key: Callable[[], str]
    config: Callable[[], Config]

    @property
    def peer_file(self) -> PeerFile:
        """Where the running process is remembered."""
        return PeerFile(path=self.folder / "peer-process.json")

    def launch(self, run: int, post: Post) -> Child:
        """Starts a process that posts `Announced` and `Ended`. Raises CannotStart."""
        try:
            if self.peer_file.end_leftover():
                log.info("Ended the peer process of an earlier OctoPrint.")
            return self._launch(run, self.config(), post)
        except Invalid as error:
            text = f"{error.message} Correct it in the settings of this plugin."
            raise CannotStart(text) from error
        except OSError as error:
            raise CannotStart(
                f"The print queue's own process cannot be started: {error}. Check that the disk"
                f" has room and that {self.folder} may be written."
            ) from error

    def _launch(self, run: int, config: Config, post: Post) -> Child:
        address = PeerAddress(url=f"http://127.0.0.1:{_free_port()}", token=secrets.token_hex())
        process = subprocess.Popen(  # noqa: S603  # our own program, checked settings
            self._command(config, address),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            self.peer_file.write(process.pid, address)
            _Output(process, run, address, config.port, post).start_reading()
        except (OSError, RuntimeError):  # No room on the disk; no threads while Python shuts down.
            process.kill()
            process.wait()
            raise
        return process

    def _command(self, config: Config, address: PeerAddress) -> list[str]:
        token_file = self.folder / "peer-token"
        write_private(token_file, address.token)
        # -P: no module beside the working directory gets in the way of ours.
        command = [sys.executable, "-P", "-m", "crdtqueue", "serve", "--json"]
        command += ["--data", str(self.folder / "peer"), "--name", config.name]
        command += ["--listen", f"{config.host}:{config.port}"]
        command += ["--http", address.url.removeprefix("http://")]
        command += ["--api-token-file", str(token_file)]
        if config.profile:
            key_file = self.folder / "octoprint-key"
            write_private(key_file, self.octoprint_key())
            command += ["--octoprint", self.octoprint_url, "--octoprint-key-file", str(key_file)]
            command += ["--profile", config.profile]
        return command


class _Output:
    """Reads what a process says, and finds out why it ended."""

    def __init__(
        self,
        process: "subprocess.Popen[bytes]",
        run: int,
        address: PeerAddress,
        port: int,
        post: Post,
    ) -> None:
        self._process = process
        self._run = run
        self._address = address
        self._port = port
        self._post = post
        self._errors: deque[str] = deque(maxlen=LINES_KEPT)
        self._errors_read = threading.Event()
        self._last_word = ""

    def start_reading(self) -> None:
        """Starts the threads, which end with the process."""
        for work in (self._read_errors, self._read_output):
            threading.Thread(target=work, name=f"crdtqueue {work.__name__}", daemon=True).start()

    def _read_errors(self) -> None:
        """Puts stderr into the log, and keeps its last lines."""
        for line in _lines(self._process.stderr):
            level = next((each for word, each in LEVELS.items() if line.startswith(word)), None)
            log.log(level or logging.INFO, "%s", line)
            if level is None:
                self._errors.append(line)
        self._errors_read.set()

    def _read_output(self) -> None:
        """Reads stdout, where the process says where it answers, and waits for its end."""
        for line in _lines(self._process.stdout):
            self._on_line(line)
        code = self._process.wait()
        self._errors_read.wait(1.0)
        self._post(Ended(run=self._run, reason=self._reason(code)))

    def _on_line(self, line: str) -> None:
        try:
            said = json.loads(line)
            if "page" in said:
                self._post(Announced(run=self._run, peer=self._address))
            elif "error" in said:
                self._last_word = self._advice(str(said["error"]["code"]), said["error"]["message"])
        except (ValueError, KeyError, TypeError):
            log.info("%s", line)

    def _advice(self, code: str, message: str) -> str:
        # The port of the page is chosen anew at each start; only the other one needs a person.
        remedy = REMEDIES.get(code) if f"Port {self._port} " in message else None
        return remedy.format(port=self._port) if remedy else str(message)

    def _reason(self, code: int) -> str:
        if self._last_word:
            return self._last_word
        if code < 0:
            return f"Something ended it (signal {-code})."
        if self._errors:
            return self._errors[-1].strip()
        return f"It ended with exit code {code}."


def _lines(stream: IO[bytes] | None) -> Iterator[str]:
    if stream:
        with stream:
            while line := stream.readline(LINE_BYTES_MAX):
                yield line.decode("utf-8", "replace").rstrip()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
