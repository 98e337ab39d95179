"""The requests to OctoPrint, each bounded in time and size; see docs/octoprint.md."""

import asyncio
import json
from collections.abc import AsyncIterable, Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from printer_driver.core.octoprint import push_messages as push
from printer_driver.core.octoprint import rest_answers as octoprint
from printer_driver.errors import PrinterUnavailable, PrintRefused
from printer_driver.printer import Temperature

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 10.0
UPLOAD_BYTES_PER_S_MIN = 50_000
"""An upload may take as long as this speed needs, beside the time for an answer."""
ANSWER_BYTES_MAX = 4 * 1024**2
KEY_CHARS_MAX = 256

NOT_FOUND, CONFLICT, BROKEN = 404, 409, 500
T = TypeVar("T")


class AnswerLost(PrinterUnavailable):
    """OctoPrint may have done what was asked, or not: look before asking again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OctoPrintAnswer:
    """One answer; `content` is None if the body is not JSON."""

    status: int
    content: Any


class OctoPrintApi:
    """One OctoPrint. Every call may raise `PrinterUnavailable`; its text says what to do."""

    def __init__(self, url: str, key: str, *, answer_timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._url = url.strip()
        self._key = key.strip()
        self._answer_timeout_s = answer_timeout_s
        self._client: httpx.AsyncClient | None = None

    @property
    def shown_url(self) -> str:
        """The address without a password that may stand in it."""
        try:
            return str(httpx.URL(self._url).copy_with(userinfo=b"")).rstrip("/")
        except (httpx.InvalidURL, TypeError):
            return "(the address that is set)"

    async def close(self) -> None:
        """Closes the connections; the next call opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def job(self) -> octoprint.OctoPrintJob:
        """OctoPrint's present job."""
        answer = await self._ask("GET", "/api/job")
        return self._read(octoprint.job_of, answer)

    async def temperatures(self) -> tuple[Temperature, ...]:
        """The heaters; none while the printer is not connected."""
        answer = await self._ask("GET", "/api/printer?exclude=sd,state", expected={CONFLICT})
        if answer.status == CONFLICT:
            return ()
        return self._read(octoprint.temperatures_of, answer)

    async def last_error(self) -> str:
        """The last error of the printer, unless a print has begun since."""
        answer = await self._ask("GET", "/api/printer/error", expected={NOT_FOUND, CONFLICT})
        return "" if answer.status >= 400 else self._read(octoprint.error_of, answer)

    async def file(self, path: str) -> octoprint.OctoPrintFile | None:
        """A file in a folder of OctoPrint's storage; None if it is not there."""
        answer = await self._ask("GET", _file_url(path), expected={NOT_FOUND, BROKEN})
        if answer.status == BROKEN:  # so it answers also where there is no such folder
            folder = await self._ask(
                "GET", _file_url(path.rpartition("/")[0]), expected={NOT_FOUND}
            )
            if folder.status != NOT_FOUND:
                raise self._problem("GET", answer)
            return None
        return None if answer.status == NOT_FOUND else self._read(octoprint.file_of, answer)

    async def folder(self, path: str) -> tuple[octoprint.OctoPrintFile, ...]:
        """The files in a folder; none if it is not there."""
        url = _file_url(path) + "?recursive=true"
        answer = await self._ask("GET", url, expected={NOT_FOUND})
        return () if answer.status == NOT_FOUND else self._read(octoprint.folder_of, answer)

    async def upload(self, body: AsyncIterable[bytes], size_bytes: int, kind: str) -> None:
        """Stores a file; `body` is a form of the given content type. Raises `PrintRefused`."""
        try:
            answer = await self._ask(
                "POST",
                "/api/files/local",
                content=body,
                headers={"Content-Type": kind, "Content-Length": str(size_bytes)},
                more_s=size_bytes / UPLOAD_BYTES_PER_S_MIN,
                expected={400, CONFLICT, 413, 415},
            )
        except AnswerLost as error:
            if isinstance(error.__cause__, httpx.NetworkError | httpx.RemoteProtocolError):
                # So it does, without a word, with a file above its limit.
                raise PrinterUnavailable(
                    f"OctoPrint at {self.shown_url} broke the upload off. Check its log, and its "
                    f"limit for uploads (server.uploads.maxSize; these are {size_bytes} bytes)."
                ) from error
            raise
        if answer.status == CONFLICT:
            raise PrintRefused(f"OctoPrint is at this very file: {_said(answer)}", code="busy")
        if answer.status >= 400:
            raise PrintRefused(
                f"OctoPrint does not take the file ({answer.status} {_said(answer)})."
            )

    async def copy(self, source: str, destination: str) -> bool:
        """Copies a file; whether it could be copied."""
        command = {"command": "copy", "destination": destination}
        answer = await self._ask(
            "POST", _file_url(source), send=command, expected={NOT_FOUND, CONFLICT}
        )
        return answer.status < 400

    async def delete(self, path: str) -> bool:
        """Deletes a file; returns whether it is gone. OctoPrint keeps a file that it is using."""
        answer = await self._ask("DELETE", _file_url(path), expected={NOT_FOUND, CONFLICT})
        return answer.status != CONFLICT

    async def print_file(self, path: str) -> None:
        """Begins to print a file.

        Raises `AnswerLost` when it may have begun, another error when it has not.
        """
        answer = await self._ask(
            "POST",
            _file_url(path),
            send={"command": "select", "print": True},
            expected={400, NOT_FOUND, CONFLICT, 415},
        )
        if answer.status >= 400:
            code = "busy" if answer.status == CONFLICT else None
            raise PrintRefused(
                f"OctoPrint did not begin the print: {_said(answer)}. Look at its page.", code=code
            )

    async def command(self, command: str, **fields: str) -> bool:
        """Pauses, resumes or cancels OctoPrint's job; returns whether it has one."""
        answer = await self._ask(
            "POST", "/api/job", send={"command": command, **fields}, expected={CONFLICT}
        )
        return answer.status != CONFLICT

    def push_url(self) -> str:
        """The raw websocket of the push API, with a password that stands in the address."""
        url = self._base_url()
        scheme = "wss" if url.scheme == "https" else "ws"
        path = url.path.rstrip("/") + "/sockjs/websocket"
        return str(url.copy_with(scheme=scheme, path=path, query=None, fragment=None))

    async def push_login(self) -> str:
        """The message that logs in on the push socket, good for one session."""
        answer = await self._ask(
            "POST", "/api/login", send={"passive": True}, expected={400, 401, 403, NOT_FOUND}
        )
        auth = push.auth_of(answer.content) if answer.status == 200 else None
        if auth is None:
            raise PrinterUnavailable(
                f"OctoPrint at {self.shown_url} gives the key no session ({answer.status})."
            )
        return auth

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        send: Any = None,
        content: AsyncIterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
        more_s: float = 0.0,
        expected: Collection[int] = (),
    ) -> OctoPrintAnswer:
        client = self._open()
        request = client.build_request(method, path, json=send, content=content, headers=headers)
        try:
            async with asyncio.timeout(self._answer_timeout_s + more_s):
                answer = await _exchange(client, request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as error:
            raise PrinterUnavailable(self._silence(error)) from error
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise AnswerLost(self._silence(error)) from error
        if answer.status >= 300 and answer.status not in expected:
            raise self._problem(method, answer)
        return answer

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            if not self._key.isascii() or not self._key.isprintable() or not self._key:
                raise PrinterUnavailable(self._wrong_key())
            url = self._base_url()
            self._client = httpx.AsyncClient(
                base_url=url.copy_with(userinfo=b""),
                auth=(url.username, url.password) if url.userinfo else None,
                headers={"X-Api-Key": self._key, "Accept-Encoding": "identity"},
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
                trust_env=False,
            )
        return self._client

    def _base_url(self) -> httpx.URL:
        try:
            return httpx.URL(self._url)
        except (httpx.InvalidURL, TypeError) as error:
            raise PrinterUnavailable(f"OctoPrint's address is wrong ({error}).") from error

    def _read(self, read: Callable[[Any], T], answer: OctoPrintAnswer) -> T:
        try:
            return read(answer.content)
        except octoprint.UnreadableAnswerError as error:
            raise PrinterUnavailable(
                f"{self.shown_url} answers, but not as OctoPrint does ({error}). "
                "Check the address, and that OctoPrint is 1.11 or newer."
            ) from error

    def _silence(self, error: Exception) -> str:
        is_late = isinstance(error, TimeoutError | httpx.TimeoutException)
        reason = "it took too long" if is_late else str(error) or type(error).__name__
        return (
            f"OctoPrint at {self.shown_url} does not answer ({reason}). "
            "Check that it runs, and that its address is right."
        )

    def _problem(self, method: str, answer: OctoPrintAnswer) -> PrinterUnavailable:
        where, said = self.shown_url, _said(answer)
        match answer.status:
            case 401 | 403 if method == "GET":
                return PrinterUnavailable(self._wrong_key())
            case 401 | 403:
                return PrinterUnavailable(
                    f"The key for OctoPrint at {where} does not allow this. Give its user the "
                    "right to upload, select and delete files and to print (Access Control)."
                )
            case status if status < 400:
                return PrinterUnavailable(
                    f"{where} sends the caller on to another address; set that one instead."
                )
            case 404 | 405:
                return PrinterUnavailable(
                    f"There is no OctoPrint at {where} ({answer.status}). Check the address."
                )
            case 502 | 503 | 504:
                return AnswerLost(f"OctoPrint at {where} is starting, or is not running.")
            case status if status >= 500:
                return AnswerLost(
                    f"OctoPrint at {where} could not do this ({status} {said}). "
                    "Check that its disk is not full, and look at its log."
                )
        return PrinterUnavailable(f"OctoPrint at {where} refuses this ({answer.status} {said}).")

    def _wrong_key(self) -> str:
        return (
            f"OctoPrint at {self.shown_url} does not accept the key. Make a new one there "
            "(Settings → Application Keys) and set it here."
        )


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> OctoPrintAnswer:
    """Raises ValueError for a body that is too long."""
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise ValueError(f"its answer has over {ANSWER_BYTES_MAX} bytes")
        return OctoPrintAnswer(status=response.status_code, content=_json(bytes(body)))
    finally:
        await response.aclose()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _file_url(path: str) -> str:
    return "/api/files/local/" + quote(path)


def _said(answer: OctoPrintAnswer) -> str:
    return octoprint.message_of(answer.content).rstrip(".") or "it gives no reason"
