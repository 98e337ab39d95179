"""What the command line makes of whatever answers at an address."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from crdtqueue.cli.api_client import (
    ApiClient,
    default_url,
    job_path,
)
from crdtqueue.cli.output import printable
from crdtqueue.core.errors import CrdtQueueError, Invalid, NotFound, Unavailable


@contextmanager
def server(status: int, content: bytes) -> Iterator[str]:
    """Something that answers every request the same way; its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(status)
            self.send_header("Location", "http://evil.example/")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b""),
        (200, b"<html>It works!</html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"queues": []}'),
        (200, b"\xff\xfe"),
        (302, b""),
        (404, b"Not Found"),
        (404, b'{"error": "x"}'),
        (500, b'{"error": {"code": 1}}'),
        (503, b"[]"),
    ],
)
def test_what_is_no_peer_is_one_sentence(status: int, content: bytes) -> None:
    with server(status, content) as url, pytest.raises(Unavailable, match="Check --url"):
        ApiClient(url).state()


def test_a_peer_s_error_comes_with_its_code_and_words() -> None:
    content = json.dumps({"error": {"code": "held", "message": "Wait."}}).encode()
    with server(409, content) as url, pytest.raises(CrdtQueueError) as caught:
        ApiClient(url + "/").post("/api/printer/pause")
    assert (caught.value.code, caught.value.message) == ("held", "Wait.")


@pytest.mark.parametrize(
    "url",
    ["", "x", "localhost:7421", "ftp://localhost", "http://", "http://[::1", "http://a..b:1",
     "http://localhost:99999", "http://\x00", "http://localhost:port", "http://xn--\udce4"],
)  # fmt: skip
def test_an_address_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises((Invalid, Unavailable), match="--url"):
        ApiClient(url).state()


def test_nobody_there_says_how_to_start_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unavailable, match="crdtqueue serve"):
        ApiClient(url).state()


def test_an_upload_of_nothing_to_read_is_refused(tmp_path: Path) -> None:
    client = ApiClient("http://127.0.0.1:1")
    with pytest.raises(NotFound, match="Check its name"):
        client.upload(tmp_path / "missing", lambda _: None)
    with pytest.raises(Invalid, match="is a folder"):
        client.upload(tmp_path, lambda _: None)
    with server(201, b"") as url, pytest.raises(Invalid, match="cannot be read"):
        ApiClient(url).upload(Path("/proc/self/mem"), lambda _: None)


def test_an_upload_is_believed_only_if_the_answer_is_one(tmp_path: Path) -> None:
    path = tmp_path / "part.gcode"
    path.write_bytes(b"G28\n")
    with server(201, b'{"sha256": "0"}') as url, pytest.raises(Unavailable, match="--url"):
        ApiClient(url).upload(path, lambda _: None)


def test_the_environment_says_where_the_peer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRDTQUEUE_URL", raising=False)
    assert default_url() == "http://127.0.0.1:7421"
    monkeypatch.setenv("CRDTQUEUE_URL", "http://pi:80")
    assert default_url() == "http://pi:80"


def test_paths_and_texts_are_made_safe() -> None:
    assert job_path("a b/c", "../x") == "/api/queues/a%20b%2Fc/jobs/..%2Fx"
    assert printable("ä €\x1b[31m\n\udce4") == "ä €\ufffd[31m\ufffd\ufffd"
