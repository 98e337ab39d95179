"""The virtual printer behind a real pseudo-terminal, in a thread of its own.

`python -m printer_driver.virtual [virtual:…]` is one for any host program: it prints the name of
its port, and obeys on standard input the incidents of `incidents.py`.
"""

import argparse
import contextlib
import json
import os
import random
import select
import sys
import threading
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path

from printer_driver.virtual.board import Board
from printer_driver.virtual.firmware import (
    Executed,
    Say,
)
from printer_driver.virtual.firmware_machine import Condition
from printer_driver.virtual.incidents import (
    INCIDENTS_HELP,
    Incident,
    IncidentKind,
    parse_incident,
)
from printer_driver.virtual.pty_port import VirtualPort
from printer_driver.virtual.virtual_options import (
    VIRTUAL,
    VirtualOptions,
    parse_virtual,
)

LOOK_S = 0.02
"""How often to look whether the host has opened the port or moved DTR: the kernel does not tell."""
PENDING_BYTES_MAX = 4096
"""More than this stays in the kernel until the wire has carried what was read."""


class VirtualPrinter:
    """`speed_up` makes its time run faster; `record` gets every executed command, one a line."""

    def __init__(
        self,
        *,
        speed_up: float = 1.0,
        record: Path | None = None,
        options: VirtualOptions | None = None,
    ) -> None:
        self._options = options or VirtualOptions()
        self._speed_up = speed_up
        self._record = record
        self._port = VirtualPort(baud=self._options.board.wiring.baud, link=self._options.link)
        self._board = Board(self._options.board, random.Random(self._options.seed).random)  # noqa: S311 - repeatable on purpose
        self._lock = threading.Lock()
        self._orders: deque[Incident] = deque()
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Switch it on; returns the path of its port. Raises `OSError`."""
        self._record_fd = self._open_record()
        self._port.plug()
        self._wakeup, self._waker = os.pipe()
        self._started_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="virtual printer", daemon=True)
        self._thread.start()
        return self._port.name

    def stop(self) -> None:
        """Switch it off and wait until it is."""
        self.cause(Incident(kind=IncidentKind.STOP))
        self.join()

    def join(self) -> None:
        """Wait for its end."""
        if self._thread:
            self._thread.join()

    def cause(self, incident: Incident) -> None:
        """Let something happen to it now; from any thread."""
        self._orders.append(incident)
        with contextlib.suppress(OSError):
            os.write(self._waker, b"\0")

    @property
    def condition(self) -> Condition:
        """The machine now; from any thread."""
        with self._lock:
            return self._board.condition

    def _open_record(self) -> int | None:
        if self._record is None:
            return None
        return os.open(self._record, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _now_s(self) -> float:
        return (time.monotonic() - self._started_s) * self._speed_up

    def _run(self) -> None:
        try:
            while not self._board.is_over:
                self._wait()
                with self._lock:
                    self._turn()
        finally:
            self._port.unplug()
            for fd in (self._wakeup, self._waker, self._record_fd):
                if fd is not None:
                    os.close(fd)

    def _wait(self) -> None:
        due_s = self._board.next_deadline_s()
        timeout_s = LOOK_S
        if due_s is not None:
            left_s = self._started_s + due_s / self._speed_up - time.monotonic()
            timeout_s = max(0.0, min(left_s, LOOK_S))
        master = self._port.master
        is_full = self._board.pending_bytes > PENDING_BYTES_MAX
        readers = [self._wakeup] if master is None or is_full else [self._wakeup, master]
        writers = [master] if master is not None and self._port.has_unread else []
        if self._wakeup in select.select(readers, writers, [], timeout_s)[0]:
            os.read(self._wakeup, 4096)

    def _turn(self) -> None:
        now_s = self._now_s()
        while self._orders:
            self._board.cause(self._orders.popleft(), now_s)
        self._follow_cable()
        if self._port.look():
            self._board.dtr_rises(now_s)
        data = b"" if self._board.pending_bytes > PENDING_BYTES_MAX else self._port.read()
        self._board.receive(data, now_s)
        self._port.write(self._carry_out())

    def _follow_cable(self) -> None:
        if self._board.is_plugged and not self._port.is_plugged:
            self._port.plug()
        elif self._port.is_plugged and not self._board.is_plugged:
            self._port.unplug()

    def _carry_out(self) -> bytes:
        said = []
        for effect in self._board.effects():
            if isinstance(effect, Say):
                said.append(effect.data)
            else:
                self._note(effect)
        return b"".join(said)

    def _note(self, executed: Executed) -> None:
        if self._record_fd is not None:
            os.write(self._record_fd, executed.command.encode("latin-1") + b"\n")


def _obey(printer: VirtualPrinter) -> None:
    """Standard input, line by line; its end is not the printer's. `look` answers in JSON."""
    for line in sys.stdin:
        if line.strip() == "look":
            sys.stdout.write(f"{json.dumps(asdict(printer.condition))}\n")
        else:
            try:
                printer.cause(parse_incident(line))
            except ValueError as error:
                sys.stdout.write(f"{error}\n")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run one until it is told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m printer_driver.virtual",
        description=f"A virtual printer. Standard input: {INCIDENTS_HELP} | look",
    )
    parser.add_argument("printer", nargs="?", default=VIRTUAL, help="virtual:…")
    parser.add_argument("--speed-up", type=float, default=1.0)
    parser.add_argument("--record", type=Path, help="a file for the executed commands")
    given = parser.parse_args(arguments)
    try:
        options = parse_virtual(given.printer)
    except ValueError as error:
        parser.error(str(error))
    printer = VirtualPrinter(speed_up=given.speed_up, record=given.record, options=options)
    sys.stdout.write(f"{printer.start()}\n")
    sys.stdout.flush()
    threading.Thread(target=_obey, args=(printer,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        printer.join()
    return 0
