"""A client for the HTTP API of a running peer."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import httpx

from crdtqueue.cli.output import printable
from crdtqueue.core.errors import CrdtQueueError, Invalid, NotFound, Unavailable

CHUNK_BYTES = 256 * 1024
TIMEOUT_S = 30.0
DEFAULT_HTTP_PORT = 7421


def default_url() -> str:
    """Where the peer of this computer is, unless CRDTQUEUE_URL says otherwise."""
    return os.environ.get("CRDTQUEUE_URL", f"http://127.0.0.1:{DEFAULT_HTTP_PORT}")


class ApiClient:
    """The API of one peer. Every call raises a CrdtQueueError with a sentence for people."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def state(self) -> dict[str, Any]:
        """Everything that the peer shows."""
        state = self._json(self._ask("GET", "/api/state"))
        if not isinstance(state, dict) or not {"peer", "printer", "queues"} <= state.keys():
            raise _no_peer(self._url)
        return state

    def post(self, path: str, request: object = None) -> Any:
        """Posts JSON; `path` is made of quoted parts. Returns what came back, if anything."""
        answer = self._ask("POST", path, json=request)
        return self._json(answer) if answer.content else None

    def get(self, path: str, params: Mapping[str, str]) -> Any:
        """Asks for JSON."""
        return self._json(self._ask("GET", path, params=params))

    def put(self, path: str, request: object) -> None:
        """Sets what `path` names."""
        self._ask("PUT", path, json=request)

    def patch(self, path: str, request: object) -> None:
        """Changes what `path` names."""
        self._ask("PATCH", path, json=request)

    def download(self, path: str, target: BinaryIO, params: Mapping[str, str] | None = None) -> int:
        """Writes what `path` names into `target`; returns its size in bytes."""
        size_bytes = 0
        with (
            _errors_of(self._url),
            httpx.Client(trust_env=False, timeout=TIMEOUT_S) as http,
            http.stream("GET", f"{self._url}{path}", params=params) as answer,
        ):
            if not answer.is_success:
                answer.read()
                raise _error_of(answer, self._url)
            for piece in answer.iter_bytes(CHUNK_BYTES):
                size_bytes += target.write(piece)
        return size_bytes

    def delete(self, path: str) -> None:
        """Deletes what `path` names."""
        self._ask("DELETE", path)

    def upload(self, path: Path, on_bytes: Callable[[int], None]) -> dict[str, Any]:
        """Sends a g-code file; `on_bytes` is told of each piece that has gone out."""
        name = quote(printable(path.name), safe="")
        file = self.send(f"/api/files?name={name}", path, on_bytes)
        if not {"sha256", "name", "profile"} <= file.keys():
            raise _no_peer(self._url)
        return file

    def send(
        self, to: str, path: Path, on_bytes: Callable[[int], None] = lambda _: None
    ) -> dict[str, Any]:
        """Posts a file as the raw body; returns what came back."""

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
                    on_bytes(len(piece))

        check_readable(path)
        try:
            answer = self._json(self._ask("POST", to, content=pieces()))
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}. Check the file.") from error
        if not isinstance(answer, dict):
            raise _no_peer(self._url)
        return answer

    def _json(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise _no_peer(self._url) from None

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Response:
        # No proxy: a peer is on this network, or on this machine.
        with _errors_of(self._url), httpx.Client(trust_env=False, timeout=TIMEOUT_S) as http:
            answer = http.request(method, f"{self._url}{path}", **content)
        if answer.is_success:
            return answer
        raise _error_of(answer, self._url)


@contextmanager
def _errors_of(url: str) -> Iterator[None]:
    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
        raise Invalid(
            f"{url} is no address of a page. Give --url like http://127.0.0.1:7421."
        ) from error
    except httpx.HTTPError as error:
        raise Unavailable(
            f"No peer answers at {url}. Start one with 'crdtqueue serve', or give its page with"
            " --url."
        ) from error


def check_readable(path: Path) -> None:
    """Raises NotFound or Invalid if there is no file to read at `path`."""
    if path.is_dir():
        raise Invalid(f"{path} is a folder. Give the .gcode files in it.")
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise NotFound(f"There is no file {path}. Check its name and folder.") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}. Check who may read it.") from error


def _error_of(answer: httpx.Response, url: str) -> CrdtQueueError:
    with suppress(ValueError, KeyError, TypeError):
        error = answer.json()["error"]
        return CrdtQueueError(str(error["message"]), code=str(error["code"]))
    return _no_peer(url)


def _no_peer(url: str) -> Unavailable:
    return Unavailable(f"What answers at {url} is no crdtqueue peer. Check --url.")


def find_jobs(client: ApiClient, wanted: list[str]) -> list[tuple[str, str]]:
    """Queue and id of each job, by id or the start of it; all are found before any is touched."""
    jobs = [(q["name"], j["id"]) for q in client.state()["queues"] for j in q["jobs"]]
    found = []
    for text in wanted:
        matches = [each for each in jobs if text and each[1].startswith(text)]
        if not matches:
            raise NotFound(f"There is no job {text!r}. Look it up with 'crdtqueue ls'.")
        if len(matches) > 1:
            raise Invalid(f"{text!r} is the start of {len(matches)} jobs. Give more of the id.")
        found += matches
    return list(dict.fromkeys(found))


def job_path(queue: str, job: str) -> str:
    """The path of a job in the API."""
    return f"/api/queues/{quote(queue, safe='')}/jobs/{quote(job, safe='')}"
