import json
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from printer_driver.process.server import (
    UNSENT_BYTES_MAX,
    ClientConnection,
    Server,
    SocketInUseError,
)
from printer_driver.protocol import CLIENTS_MAX, LINE_BYTES_MAX


class Bench:
    """A server that answers every line with its length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.selector = selectors.DefaultSelector()
        self.server = Server(path, self.selector, self.answer)
        self.server.claim()
        self.server.listen()
        self.connections: list[socket.socket] = []

    def answer(self, client: ClientConnection, line: bytes) -> None:
        client.send({"bytes": len(line)})

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(5.0)
        connection.connect(str(self.path))
        self.connections.append(connection)
        self.turn()
        return connection

    def turn(self) -> None:
        for _ in range(5):
            for key, mask in self.selector.select(0.01):
                key.data(mask)
            self.server.flush()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "s")
    yield bench
    for connection in bench.connections:
        connection.close()
    bench.server.close()
    bench.selector.close()


def test_lines_in_pieces_and_several_at_once(bench: Bench) -> None:
    connection = bench.connect()
    connection.sendall(b"one\n\ntw")
    bench.turn()
    connection.sendall(b"o\nthree\n")
    bench.turn()
    assert connection.recv(999).splitlines() == [b'{"bytes":3}', b'{"bytes":3}', b'{"bytes":5}']
    assert bench.path.stat().st_mode & 0o777 == 0o600


def test_only_one_driver_for_a_socket(bench: Bench) -> None:
    other = Server(bench.path, bench.selector, bench.answer)
    with pytest.raises(SocketInUseError, match="already runs"):
        other.claim()


def test_the_next_driver_need_not_wait_for_the_end_of_the_process(bench: Bench) -> None:
    path = bench.path.with_name("other")
    first, second = (Server(path, bench.selector, bench.answer) for _ in range(2))
    first.claim()
    first.listen()
    first.close()
    with pytest.raises(SocketInUseError, match="already runs"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_a_line_without_end_is_refused(bench: Bench) -> None:
    connection = bench.connect()
    for _ in range(2):
        connection.sendall(b"x" * (LINE_BYTES_MAX // 2 + 1))
        bench.turn()
    assert b"at most" in connection.recv(999)
    assert bench.server.clients == []


def test_no_more_clients_than_allowed(bench: Bench) -> None:
    for _ in range(CLIENTS_MAX):
        bench.connect()
    reply = json.loads(bench.connect().recv(999))
    assert reply["error"]["code"] == "too_many_clients"
    assert len(bench.server.clients) == CLIENTS_MAX


def test_a_client_that_does_not_read_or_goes_is_dropped(bench: Bench) -> None:
    bench.connect()
    [client] = bench.server.clients
    while not client.is_gone:
        client.send({"x": "y" * (UNSENT_BYTES_MAX // 4)})
    bench.server.flush()
    assert bench.server.clients == []
    bench.connect().close()
    bench.turn()
    assert bench.server.clients == []
