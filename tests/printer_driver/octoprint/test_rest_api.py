"""What stands at the address need not be an OctoPrint, nor a friendly one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from printer_driver.errors import PrinterUnavailable, PrintRefused
from printer_driver.octoprint import rest_api
from printer_driver.octoprint.rest_api import (
    AnswerLost,
    OctoPrintApi,
)

KEY = "the key of the tests"
JOB = b'{"state":"Operational","job":{},"progress":{}}'


def answer(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more, "", ""]
    return "\r\n".join(lines).encode() + body


class Host:
    """Answers every request with the same bytes, and keeps what it was asked."""

    def __init__(self, reply: bytes, *, hangs: bool = False) -> None:
        self.reply = reply
        self.hangs = hangs
        self.asked: list[bytes] = []
        self.served: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            self.asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.reply)
            if self.hangs:
                await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def with_host(
    host: Host,
    scenario: Callable[[OctoPrintApi], Awaitable[None]],
    *,
    path: str = "",
    user: str = "",
) -> None:
    async def main() -> None:
        server = await asyncio.start_server(host.accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        api = OctoPrintApi(f"http://{user}127.0.0.1:{port}{path}", KEY, answer_timeout_s=0.5)
        try:
            await scenario(api)
        finally:
            await api.close()
            server.close()
            await asyncio.gather(*host.served)

    asyncio.run(main())


def says(host: Host, pattern: str, kind: type[PrinterUnavailable] = PrinterUnavailable) -> None:
    async def scenario(api: OctoPrintApi) -> None:
        with pytest.raises(kind, match=pattern) as raised:
            await api.job()
        assert KEY not in str(raised.value)

    with_host(host, scenario)


def test_a_job() -> None:
    host = Host(answer(JOB))

    async def scenario(api: OctoPrintApi) -> None:
        assert (await api.job()).text == "Operational"

    with_host(host, scenario, path="/octoprint/")
    assert host.asked[0].startswith(b"GET /octoprint/api/job HTTP/1.1\r\n")
    assert f"X-Api-Key: {KEY}".encode() in host.asked[0]


def test_a_password_in_the_address_is_used_and_never_shown() -> None:
    host = Host(answer(b"", "500 Broken"))

    async def scenario(api: OctoPrintApi) -> None:
        with pytest.raises(PrinterUnavailable) as raised:
            await api.job()
        assert "secret" not in str(raised.value)
        assert "secret" not in api.shown_url

    with_host(host, scenario, user="me:secret@")
    assert b"Authorization: Basic bWU6c2VjcmV0" in host.asked[0]


@pytest.mark.parametrize(
    ("status", "pattern"),
    [
        ("403 FORBIDDEN", "Application Keys"),
        ("401 UNAUTHORIZED", "Application Keys"),
        ("302 FOUND", "another address"),
        ("404 NOT FOUND", "no OctoPrint at"),
        ("500 BROKEN", "disk is not full"),
        ("503 SERVICE UNAVAILABLE", "is starting"),
        ("429 TOO MANY", "refuses"),
    ],
)
def test_statuses(status: str, pattern: str) -> None:
    says(Host(answer(b'{"error":"no"}', status)), pattern)


@pytest.mark.parametrize(
    "body", [b"", b"<html>a router</html>", b"[]", b"{}", b'{"state":7}', b"[" * 100_000, b"\xff"]
)
def test_it_is_no_octoprint(body: bytes) -> None:
    says(Host(answer(body)), "not as OctoPrint does")


def test_a_compressed_answer_that_nobody_asked_for() -> None:
    host = Host(answer(b"\x1f\x8b garbage", "200 OK", "Content-Encoding: gzip"))
    says(host, "not as OctoPrint does")
    assert b"accept-encoding: identity" in host.asked[0].lower()


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000,
    ],
)
def test_what_is_no_http(reply: bytes) -> None:
    says(Host(reply), "does not answer", AnswerLost)


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{"])
def test_an_answer_that_never_ends_is_not_waited_for(reply: bytes) -> None:
    says(Host(reply, hangs=True), "too long", AnswerLost)


def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_api, "ANSWER_BYTES_MAX", 1000)
    says(Host(answer(b" " * 1001)), "over 1000 bytes", AnswerLost)


def test_nobody_listens() -> None:
    async def main() -> None:
        api = OctoPrintApi("http://127.0.0.1:1", KEY)
        with pytest.raises(PrinterUnavailable, match="does not answer") as raised:
            await api.print_file("a/b.gcode")
        assert not isinstance(raised.value, AnswerLost)
        await api.close()

    asyncio.run(main())


@pytest.mark.parametrize("url", ["", "octopi.local", "ftp://x", "http://[", "http://x:port", "\0"])
def test_a_wrong_address(url: str) -> None:
    async def main() -> None:
        api = OctoPrintApi(url, KEY)
        with pytest.raises(PrinterUnavailable, match="address"):
            await api.job()
        await api.close()

    asyncio.run(main())


def test_whether_a_print_may_have_begun() -> None:
    """Only a clear no is one."""

    async def refused(api: OctoPrintApi) -> None:
        with pytest.raises(PrintRefused, match="Printer is busy"):
            await api.print_file("a/b.gcode")

    async def unclear(api: OctoPrintApi) -> None:
        with pytest.raises(AnswerLost):
            await api.print_file("a/b.gcode")

    with_host(Host(answer(b'{"error":"Printer is busy"}', "409 CONFLICT")), refused)
    for reply in (b"", answer(b"", "500 X"), answer(b"", "504 X"), b"HTTP/1.1 204 OK"):
        with_host(Host(reply), unclear)


def test_a_folder_that_is_not_there_is_a_broken_octoprint() -> None:
    """OctoPrint 1.11 answers 500 for a file in a folder that does not exist."""
    host = Host(answer(b"", "500 BROKEN"))

    async def scenario(api: OctoPrintApi) -> None:
        with pytest.raises(PrinterUnavailable):
            await api.file("crdtqueue/a.gcode")

    with_host(host, scenario)
    assert b"GET /api/files/local/crdtqueue HTTP" in host.asked[1]
