"""A real OctoPrint with its own virtual printer, for the end-to-end tests."""

import hashlib
import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness.patience import HANG_S
from tests.harness.peer_processes import (
    free_port,
    until,
)

EXECUTABLE = Path(
    os.environ.get("CRDTQUEUE_OCTOPRINT")
    or Path(__file__).parents[2] / ".venv" / "octoprint" / "bin" / "octoprint"
)
"""The environment variable names another OctoPrint's command."""

USER, PASSWORD = "tester", "a password of the tests"
APP_KEY = "c0ffee" * 6
"""An application key of `USER`, as OctoPrint's bundled plugin `appkeys` stores it."""
USER_KEY = "decade" * 6
"""The API key of `USER`."""
START_TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 30.0
ANSWER_TIMEOUT_S = HANG_S


def need_octoprint() -> None:
    """Skips the calling test or fixture where no OctoPrint is installed."""
    if not EXECUTABLE.is_file():
        pytest.skip(
            f"no OctoPrint at {EXECUTABLE}; install octoprint>=1.11 there, "
            "or name its command in CRDTQUEUE_OCTOPRINT"
        )


class OctoPrintServer:
    """One `octoprint serve` with its own folder; it can be killed and started again.

    `plugins` are settings of plugins (`plugins:` in config.yaml), over those of the tests.
    """

    def __init__(
        self,
        basedir: Path,
        port: int | None = None,
        *,
        autoconnect: bool = True,
        plugins: dict[str, Any] | None = None,
        disabled: tuple[str, ...] = ("crdtqueue",),
        uploads_bytes_max: int = 1024**3,
    ) -> None:
        self.basedir = basedir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = APP_KEY
        self.process: subprocess.Popen[bytes] | None = None
        self._autoconnect = autoconnect
        self._plugins = plugins or {}
        self._disabled = disabled
        self._uploads_bytes_max = uploads_bytes_max

    @property
    def uploads(self) -> Path:
        """Where OctoPrint keeps its files."""
        return self.basedir / "uploads"

    def start(self, *, connected: bool = True) -> "OctoPrintServer":
        """Starts OctoPrint and waits until it answers, and until the printer is connected."""
        self.basedir.mkdir(parents=True, exist_ok=True)
        if not (self.basedir / "config.yaml").exists():
            self._configure()
        command = [str(EXECUTABLE), "--basedir", str(self.basedir), "serve", "--iknowwhatimdoing"]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        with (self.basedir / "console.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self.wait(self._answers, START_TIMEOUT_S)
        if connected and self._autoconnect:
            self.wait_operational()
        return self

    def stop(self, timeout_s: float = HANG_S) -> None:
        """Ends OctoPrint as a service manager does; by force when it does not end."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def signal(self, number: int) -> None:
        """Sends the process a signal, such as SIGSTOP."""
        if self.process is not None:
            self.process.send_signal(number)

    def log(self) -> str:
        """What OctoPrint said last."""
        path = self.basedir / "logs" / "octoprint.log"
        return path.read_text(errors="replace")[-6000:] if path.exists() else ""

    def request(self, method: str, path: str, **fields: Any) -> httpx.Response:
        """One request with the key; fails the test unless it succeeds."""
        response = httpx.request(
            method,
            self.url + path,
            headers={"X-Api-Key": self.key},
            timeout=ANSWER_TIMEOUT_S,
            **fields,
        )
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response

    def get(self, path: str) -> Any:
        """What OctoPrint answers, read."""
        return self.request("GET", path).json()

    def connect(self) -> None:
        """Connects the virtual printer, and waits until it can print."""
        self.request(
            "POST", "/api/connection", json={"command": "connect", "port": "VIRTUAL", "baudrate": 0}
        )
        self.wait_operational()

    def disconnect(self) -> None:
        """Disconnects the printer, whatever it is at."""
        self.request("POST", "/api/connection", json={"command": "disconnect"})
        self.wait(lambda: "Offline" in self.state())

    def gcode(self, *lines: str) -> None:
        """Sends g-code; `!!DEBUG:` lines are for the virtual printer itself."""
        self.request("POST", "/api/printer/command", json={"commands": list(lines)})

    def job(self, command: str, **fields: Any) -> None:
        """What the buttons of OctoPrint's page do: start, pause, cancel, …"""
        self.request("POST", "/api/job", json={"command": command, **fields})

    def upload(self, name: str, content: bytes, *, start: bool = False) -> None:
        """A person's file, printed at once if `start`."""
        flags = {"select": "true", "print": "true"} if start else {}
        self.request("POST", "/api/files/local", files={"file": (name, content)}, data=flags)

    def state(self) -> str:
        """OctoPrint's own word for the printer's state."""
        return str(self.get("/api/job")["state"])

    def printing(self) -> str | None:
        """The path of the file that is being printed or paused; None when there is none."""
        job = self.get("/api/job")
        if job["state"].startswith(("Operational", "Offline", "Error", "Detecting", "Connecting")):
            return None
        return str(job["job"]["file"]["path"])

    def wait_operational(self) -> None:
        """Waits until the printer is connected and at rest."""
        self.wait(lambda: self.state() == "Operational", CONNECT_TIMEOUT_S)

    def wait(self, condition: Any, timeout_s: float = 20.0) -> None:
        """Waits until something is so; fails with OctoPrint's log if it never is."""
        try:
            until(condition, timeout_s)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def _answers(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            console = (self.basedir / "console.log").read_text(errors="replace")
            raise AssertionError(f"OctoPrint has ended:\n{console[-4000:]}")
        with suppress(httpx.TransportError):
            return self._plain_get("/api/version").status_code == 200
        return False

    def _plain_get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, headers={"X-Api-Key": self.key}, timeout=ANSWER_TIMEOUT_S)

    def _configure(self) -> None:
        """OctoPrint reads YAML, of which JSON is a part."""
        files: dict[str, Any] = {
            "config.yaml": self._config(),
            "users.yaml": _users(),
            "data/appkeys/keys.yaml": {USER: [{"app_id": "crdtqueue", "api_key": APP_KEY}]},
        }
        for name, content in files.items():
            path = self.basedir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=2) + "\n")

    def _config(self) -> dict[str, Any]:
        virtual_printer = {
            "enabled": True,
            "throttle": 0.0005,
            "sendWait": False,
            "simulated_errors": [],
        }
        return {
            "server": {
                "firstRun": False,
                "onlineCheck": {"enabled": False},
                "pluginBlacklist": {"enabled": False},
                "uploads": {"maxSize": self._uploads_bytes_max},
                "seenWizards": {"backup": 1, "classicwebcam": 1, "corewizard": 4, "tracking": 1},
            },
            "accessControl": {"salt": "salt of the tests"},
            "serial": {
                "port": "VIRTUAL",
                "baudrate": 0,
                "autoconnect": self._autoconnect,
                "log": True,
            },
            "gcodeAnalysis": {"runAt": "never"},
            "webcam": {"timelapse": {"type": "off"}},
            "plugins": {
                "_disabled": ["announcements", "healthcheck", "softwareupdate", *self._disabled],
                "virtual_printer": virtual_printer,
                "tracking": {"enabled": False},
                **self._plugins,
            },
        }


def _users() -> dict[str, Any]:
    """One administrator; OctoPrint replaces the salted hash of old versions by its own."""
    salted = (PASSWORD + "salt of the tests").encode()
    return {
        USER: {
            "active": True,
            "apikey": USER_KEY,
            "groups": ["admins", "users"],
            "password": hashlib.sha512(salted).hexdigest(),
            "permissions": [],
            "settings": {},
        }
    }
