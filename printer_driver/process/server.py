"""The listening Unix socket and its clients: reads lines, passes them on, writes answers."""

import contextlib
import fcntl
import os
import selectors
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from printer_driver.errors import BadRequestError, PrinterError, PrinterUnavailable
from printer_driver.protocol import (
    CLIENTS_MAX,
    LINE_BYTES_MAX,
    TOO_MANY_CLIENTS,
    dump_line,
    error_to_json,
)

UNSENT_BYTES_MAX = 256 * 1024
"""A client that reads slower than this is dropped."""
READ_BYTES = 64 * 1024
PROBE_TIMEOUT_S = 2.0
SOCKET_PATH_BYTES_MAX = 107


class SocketInUseError(PrinterError):
    """Another printer process answers on the socket, or the path is unusable: tell the person."""

    code = "socket"


class ClientConnection:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = bytearray()
        self.unsent = bytearray()
        self.is_watching = False
        self.is_gone = False

    def send(self, message: dict[str, Any]) -> None:
        """Queue a message; a client that does not read is dropped."""
        self.unsent += dump_line(message)
        self.is_gone = self.is_gone or len(self.unsent) > UNSENT_BYTES_MAX

    def watch(self) -> None:
        """The client wants to be sent each new status."""
        self.is_watching = True

    def drop(self) -> None:
        """The client is gone, or is to be."""
        self.is_gone = True

    def read_lines(self) -> list[bytes]:
        """Reads what has come, and returns the complete lines of it. Raises OSError."""
        data = self.connection.recv(READ_BYTES)
        if not data:
            self.drop()
        self.received += data
        *lines, rest = self.received.split(b"\n")
        self.received = rest
        return [bytes(line) for line in lines if line.strip()]


class Server:
    """Calls `on_line(client, line)` for each line. Nothing is opened before `claim`."""

    def __init__(
        self,
        path: Path,
        selector: selectors.BaseSelector,
        on_line: Callable[[ClientConnection, bytes], None],
    ) -> None:
        self._path = path
        self._selector = selector
        self._on_line = on_line
        self._listener: socket.socket | None = None
        self._lock_fd = -1
        self.clients: list[ClientConnection] = []

    def claim(self) -> None:
        """Make sure that no other driver uses this socket. Raises `SocketInUseError`."""
        if len(os.fsencode(self._path)) > SOCKET_PATH_BYTES_MAX:
            raise SocketInUseError(
                f"The socket path has over {SOCKET_PATH_BYTES_MAX} bytes; choose a shorter one."
            )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock()
        except BlockingIOError:
            raise self._in_use() from None
        except OSError as error:
            raise SocketInUseError(
                f"The socket {self._path} cannot be made ({error}); choose another path."
            ) from error
        if _answers(self._path):
            raise self._in_use()

    def _lock(self) -> None:
        lock_path = self._path.with_name(self._path.name + ".lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock_fd = os.open(lock_path, flags, 0o600)
        fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _in_use(self) -> SocketInUseError:
        return SocketInUseError(
            f"Another printer driver already runs on {self._path}; use that one or stop it."
        )

    def listen(self) -> None:
        """Accept clients from now on; only this user's. Raises `OSError`."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.setblocking(False)
        old_mask = os.umask(0o177)
        try:
            listener.bind(os.fspath(self._path))
        finally:
            os.umask(old_mask)
        listener.listen(CLIENTS_MAX)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ, self._accept)

    def close(self) -> None:
        """Send what can be sent, then take the socket away."""
        for client in list(self.clients):
            client.connection.settimeout(PROBE_TIMEOUT_S)
            with contextlib.suppress(OSError):
                client.connection.sendall(client.unsent)
            self._drop(client)
        if self._listener is not None:
            self._selector.unregister(self._listener)
            self._listener.close()
            self._path.unlink(missing_ok=True)

    def release(self) -> None:
        """Lets another process have this place; the very last call.

        The end of the process would do the same, but a thread that a hanging disk keeps in the
        kernel delays that, and all open files with it.
        """
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _accept(self, _mask: int) -> None:
        if self._listener is None:
            return
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # the client gave up before it was accepted
        connection.setblocking(False)
        client = ClientConnection(connection)
        if len(self.clients) >= CLIENTS_MAX:
            error = PrinterUnavailable("Too many clients; try again later.", code=TOO_MANY_CLIENTS)
            with contextlib.suppress(OSError):
                connection.send(dump_line({"id": None, "error": error_to_json(error)}))
            connection.close()
            return
        self.clients.append(client)
        self._selector.register(
            connection, selectors.EVENT_READ, lambda mask: self._serve(client, mask)
        )

    def _serve(self, client: ClientConnection, mask: int) -> None:
        if client not in self.clients:
            return
        try:
            if mask & selectors.EVENT_READ:
                self._read(client)
        except BlockingIOError:
            return
        except OSError:
            client.drop()

    def _read(self, client: ClientConnection) -> None:
        for line in client.read_lines():
            self._on_line(client, line)
        if len(client.received) > LINE_BYTES_MAX:
            error = BadRequestError(f"A line has at most {LINE_BYTES_MAX} bytes.")
            client.send({"id": None, "error": error_to_json(error)})
            self._write(client)
            client.drop()

    def flush(self) -> None:
        """Send what clients take now; drop those that are gone."""
        for client in list(self.clients):
            if client.unsent and not client.is_gone:
                self._write(client)
            if client.is_gone:
                self._drop(client)

    def _write(self, client: ClientConnection) -> None:
        try:
            del client.unsent[: client.connection.send(client.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            client.drop()
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.unsent else 0)
        key = self._selector.get_key(client.connection)
        if key.events != wanted:
            self._selector.modify(client.connection, wanted, key.data)

    def _drop(self, client: ClientConnection) -> None:
        self.clients.remove(client)
        self._selector.unregister(client.connection)
        client.connection.close()


def _answers(path: Path) -> bool:
    """Whether a process listens there; a leftover file does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(os.fspath(path))
        except OSError:
            return False
    return True
