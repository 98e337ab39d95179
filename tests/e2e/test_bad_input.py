"""Whatever is wrong: one clear sentence, a non-zero exit or a 4xx, and the rest goes on."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    free_port,
    running,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerProcess]:
    peer = PeerProcess(tmp_path_factory.mktemp("peer"), "laptop")
    with running(peer):
        yield peer


def crdtqueue(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and what was said on standard error, without the progress bars."""
    done = subprocess.run(
        [sys.executable, "-m", "crdtqueue", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if line.startswith("crdtqueue")]
    assert "Traceback" not in done.stderr
    return done.returncode, "\n".join(said)


def post(peer: PeerProcess, path: str, **content: object) -> tuple[int, str]:
    answer = httpx.post(f"{peer.url}{path}", trust_env=False, **content)  # type: ignore[arg-type]
    return answer.status_code, str(answer.json()["error"]["message"])


def test_a_missing_file(peer: PeerProcess, tmp_path: Path) -> None:
    code, said = crdtqueue("add", tmp_path / "nowhere.gcode", "--url", peer.url)
    assert code == 1
    assert said.count("\n") == 0
    assert "There is no file" in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"solid cube\nfacet normal\n", "no G or M"),
        (b"\0\1G1 X1\n", "no G or M"),
    ],
)
def test_a_file_that_is_not_gcode(
    peer: PeerProcess, tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "model.stl"
    file.write_bytes(content)
    code, said = crdtqueue("add", file, "--url", peer.url)
    assert (code, said.count("\n")) == (1, 0)
    assert sentence in said
    status, message = post(peer, "/api/files?name=model.stl", content=content)
    assert status == 422
    assert sentence in message


def test_a_file_that_does_not_say_its_printer(peer: PeerProcess, tmp_path: Path) -> None:
    file = tmp_path / "unknown.gcode"
    file.write_text("G28\nG1 X1 Y1\n")
    code, said = crdtqueue("add", file, "--url", peer.url)
    assert code == 1
    assert "--profile" in said
    assert crdtqueue("add", file, "--profile", "any", "--url", peer.url)[0] == 0


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("workshop", 409, "There is a queue named"),
        ("WorkShop", 409, "There is a queue named"),
        ("local", 422, "reserved"),
        ("Archive", 422, "reserved"),
        ("", 422, "name"),
        ("x" * 201, 422, "name"),
        ("a/b", 422, "slash"),
    ],
)
def test_queue_names(peer: PeerProcess, name: str, status: int, sentence: str) -> None:
    code, said = crdtqueue("join", name, "--url", peer.url)
    assert (code, said.count("\n")) == (1, 0)
    assert sentence in said
    found, message = post(peer, "/api/queues", json={"name": name})
    assert found == status
    assert sentence in message


@pytest.mark.parametrize("address", ["nonsense", "host:", "host:0", "host:99999", "http://x:1", ""])
def test_a_peer_address_that_is_nonsense(peer: PeerProcess, address: str, tmp_path: Path) -> None:
    code, said = crdtqueue("join", "other", "--peer", address, "--url", peer.url)
    assert (code, said.count("\n")) == (1, 0)
    assert "no peer address" in said
    status, message = post(peer, "/api/queues", json={"name": "other", "peers": [address]})
    assert status == 422
    assert "no peer address" in message
    code, said = crdtqueue(
        "serve", "--queue", "q", "--peer", address, "--data", tmp_path, "--listen", "127.0.0.1:1"
    )
    assert code == 1
    assert "no peer address" in said


@pytest.mark.parametrize("option", ["--listen", "--http"])
def test_a_port_in_use(tmp_path: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        used = f"127.0.0.1:{taken.getsockname()[1]}"
        other = "--http" if option == "--listen" else "--listen"
        free = f"127.0.0.1:{free_port()}"
        code, said = crdtqueue("serve", "--data", tmp_path, option, used, other, free)
    assert (code, said.count("\n")) == (1, 0)
    assert "is in use by another program" in said
    assert option in said


def test_the_same_folder_twice(peer: PeerProcess) -> None:
    ports = ["--listen", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}"]
    code, said = crdtqueue("serve", "--data", peer.folder, *ports)
    assert (code, said.count("\n")) == (1, 0)
    assert "Another crdtqueue is running" in said


def test_nobody_answers() -> None:
    code, said = crdtqueue("ls", "--url", f"http://127.0.0.1:{free_port()}")
    assert code == 1
    assert "crdtqueue serve" in said


def test_a_serial_port_that_does_not_exist(tmp_path: Path) -> None:
    peer = PeerProcess(tmp_path, "mini", profile="MINI", port="/dev/ttyUSB77")
    with running(peer):
        peer.wait(lambda: "/dev/ttyUSB77" in peer.state()["printer"]["text"])
        assert peer.state()["printer"]["state"] == "offline"
        job = peer.add(GCODE / "pin_mini.gcode")
        assert "/dev/ttyUSB77" in peer.jobs()[job]["why"]


def speak_nonsense(server: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection:
            connection.recv(4096)
            connection.sendall(answer)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", b"\xff" * 5000]
)
def test_a_peer_that_speaks_something_else(peer: PeerProcess, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=speak_nonsense, args=(server, answer), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        peer.client.post("/api/queues", {"name": "strange", "peers": [address]})
        peer.wait(lambda: any(address in text for text in peer.state()["peer"]["problems"]))
        problems = " ".join(peer.state()["peer"]["problems"])
        assert "is no crdtqueue peer" in problems or "cannot be reached" in problems
        server.shutdown(socket.SHUT_RDWR)
    peer.client.delete("/api/queues/strange")
    assert peer.state()["peer"]["problems"] == []
