"""The virtual printer behind a real pseudo-terminal, in a thread of its own."""

import contextlib
import os
import select
import threading
import time
import tty
from pathlib import Path

from printer_driver.core.firmware import Executed, Firmware, Say

READ_BYTES = 4096
UNREAD_BYTES_MAX = 64 * 1024
"""Replies that nobody reads are lost beyond this, as on a real UART."""


class VirtualPrinter:
    """`speed_up` makes its time run faster; `record` gets every executed command, one a line."""

    def __init__(self, *, speed_up: float = 1.0, record: Path | None = None) -> None:
        self._speed_up = speed_up
        self._record = record
        self._unread = bytearray()

    def start(self) -> str:
        """Switch it on; returns the path of its port. Raises `OSError`."""
        self._record_fd = self._open_record()
        self._master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self._master, False)
        # The slave stays open here, else the master reports EIO whenever the host closes it.
        self._slave = slave
        threading.Thread(target=self._run, name="virtual printer", daemon=True).start()
        return os.ttyname(slave)

    def _open_record(self) -> int | None:
        if self._record is None:
            return None
        return os.open(self._record, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _run(self) -> None:
        firmware = Firmware()
        started_s = time.monotonic()
        while True:
            self._wait(firmware, started_s)
            data = self._read()
            firmware.receive(data, (time.monotonic() - started_s) * self._speed_up)
            for effect in firmware.effects():
                self._do(effect)
            self._write()

    def _wait(self, firmware: Firmware, started_s: float) -> None:
        due_s = firmware.next_deadline_s()
        timeout_s = None
        if due_s is not None:
            timeout_s = max(0.0, started_s + due_s / self._speed_up - time.monotonic())
        select.select([self._master], [self._master] if self._unread else [], [], timeout_s)

    def _read(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            return os.read(self._master, READ_BYTES)
        return b""

    def _do(self, effect: Say | Executed) -> None:
        if isinstance(effect, Say):
            self._unread += effect.data
            del self._unread[UNREAD_BYTES_MAX:]
        elif self._record_fd is not None:
            os.write(self._record_fd, effect.command.encode("latin-1") + b"\n")

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._unread:
                del self._unread[: os.write(self._master, self._unread)]
