"""An HTTP client for the peer process on this computer. It uses the standard library alone."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import urlsplit

ANSWER_TIMEOUT_S = 15.0
UPLOAD_TIMEOUT_S = 120.0
"""The peer stores the whole file before it answers; on a slow card that takes a while."""
SILENCE_S = 15.0
"""The peer says something every 5 s."""
ANSWER_BYTES_MAX = 32 * 1024 * 1024
EVENT_BYTES_MAX = 32 * 1024 * 1024
TOO_LARGE = (
    f"This is larger than {ANSWER_BYTES_MAX // 1024**2} MB, more than OctoPrint can pass on."
    " Fetch it from a peer of this queue that has a page of its own."
)


class PeerUnavailable(Exception):
    """The peer process does not answer. The caller tries again once it runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerAddress:
    """The address of a peer process, and the token that it requires."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerAnswer:
    """The answer of the peer: JSON, nothing, or a file with the name in `disposition`."""

    status: int
    body: bytes
    kind: str = "application/json"
    disposition: str = ""

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body. Raises PeerUnavailable if that is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise PeerUnavailable("What answered was no crdtqueue peer.") from None

    @property
    def message(self) -> str:
        """The sentence of an error."""
        try:
            return str(json.loads(self.body)["error"]["message"])
        except (ValueError, KeyError, TypeError):
            return f"The peer refused ({self.status})."


class PeerClient:
    """One peer's API. Paths begin with `/api/` and are made of quoted parts."""

    def __init__(self, address: PeerAddress) -> None:
        self._netloc = urlsplit(address.url).netloc
        self._headers = {"Authorization": f"Bearer {address.token}"}

    def ask(self, method: str, path: str, body: bytes | None = None) -> PeerAnswer:
        """One request with a JSON body. Raises PeerUnavailable."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return self._ask(method, path, body, headers, ANSWER_TIMEOUT_S)

    def send(self, path: str, file: BinaryIO, size_bytes: int) -> PeerAnswer:
        """Sends a file, piece by piece. Raises PeerUnavailable."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size_bytes),
        }
        return self._ask("POST", path, file, headers, UPLOAD_TIMEOUT_S)

    def events(self) -> Iterator[tuple[str, bytes]]:
        """Live events as (name, data), until the peer goes. Raises PeerUnavailable."""
        with closing(self._connection(SILENCE_S)) as connection:
            try:
                connection.request("GET", "/api/events", headers=self._headers)
                response = connection.getresponse()
                if response.status != 200:
                    raise PeerUnavailable(f"The peer refused to tell its state ({response.status})")
                yield from _events_of(response)
            except (OSError, http.client.HTTPException) as error:
                raise PeerUnavailable(str(error)) from error

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None,
        headers: dict[str, str],
        timeout_s: float,
    ) -> PeerAnswer:
        with closing(self._connection(timeout_s)) as connection:
            try:
                # A peer that refuses in mid-upload hangs up; its answer may be there.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, path, body, self._headers | headers)
                return _answer_of(connection.getresponse())
            except (OSError, http.client.HTTPException) as error:
                raise PeerUnavailable(str(error)) from error

    def _connection(self, timeout_s: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._netloc, timeout=timeout_s)


def _answer_of(response: http.client.HTTPResponse) -> PeerAnswer:
    body = response.read(ANSWER_BYTES_MAX + 1)
    if len(body) > ANSWER_BYTES_MAX:
        raise PeerUnavailable(TOO_LARGE)
    return PeerAnswer(
        status=response.status,
        body=body,
        kind=response.getheader("Content-Type", "application/json"),
        disposition=response.getheader("Content-Disposition", ""),
    )


def _events_of(response: http.client.HTTPResponse) -> Iterator[tuple[str, bytes]]:
    """Server-sent events, https://html.spec.whatwg.org/#event-stream-interpretation."""
    name, data = "message", b""
    while line := response.readline(EVENT_BYTES_MAX + 1):
        if len(line) > EVENT_BYTES_MAX:
            raise PeerUnavailable("The peer's state is too large to be shown.")
        key, _, value = line.rstrip(b"\r\n").partition(b":")
        if key == b"event":
            name = value.strip().decode("utf-8", "replace")
        elif key == b"data":
            data += value.strip()
        elif not line.strip():
            yield name, data
            name, data = "message", b""
