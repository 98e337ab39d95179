"""The printer process: one thread, one selector, and the deadlines of the streamer."""

import contextlib
import logging
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from printer_driver.core import events as ev
from printer_driver.core.job import HEATERS_OFF
from printer_driver.core.streaming import Streamer
from printer_driver.driver import Driver
from printer_driver.errors import PortError, PrinterError
from printer_driver.journal import Journal
from printer_driver.printer import PrinterStatus
from printer_driver.protocol import (
    Do,
    error_to_json,
    load_json_object,
    parse_request,
    request_id,
    status_to_json,
)
from printer_driver.server import Client, Server
from printer_driver.virtual import VirtualPrinter
from printer_driver.wire import Wire

REOPEN_S = 3.0
STATUS_APART_S = 0.25
STATUS_EVERY_S = 2.0
FLUSH_RETRY_S = 5.0
COOLING_S_MAX = 15.0
"""How long the end of the process waits for heaters to be switched off after a broken print."""
VIRTUAL = "virtual"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the command line says."""

    port: str
    socket: Path
    journal: Path
    baud: int = 115200
    speed_up: float = 1.0
    record: Path | None = None


class PrinterProcess:
    """Runs until it is told to quit. Nothing is opened before `run`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._server = Server(settings.socket, self._selector, self._take_line)
        self._soon: deque[Callable[[], None]] = deque()
        self._signals: deque[int] = deque()
        self._reopen_at_s = 0.0
        self._flush_at_s = 0.0
        self._shown: PrinterStatus | None = None
        self._shown_s = 0.0
        self._quit_by_s: float | None = None
        self._is_over = False

    def run(self) -> None:
        """Serve until the end. Raises `PrinterError` or `OSError` when it cannot begin."""
        self._set_up()
        try:
            self._connect()
            while not self._is_over:
                self._turn()
        except BaseException:
            self._switch_heaters_off_blindly()
            raise
        finally:
            self._server.close()
            self._wire.close()

    def _set_up(self) -> None:
        settings = self._settings
        self._server.claim()
        self._journal = Journal(settings.journal)
        stopped = self._journal.load()
        for report in stopped:
            _log.warning("print %s: %s", report.print_id, report.reason)
        port = settings.port
        if port == VIRTUAL:
            port = VirtualPrinter(speed_up=settings.speed_up, record=settings.record).start()
        self._wire = Wire(port, settings.baud)
        self._wire.open()
        self._streamer = Streamer(heaters_off_first=bool(stopped))
        self._driver = Driver(
            streamer=self._streamer, journal=self._journal, call_soon=self._call_soon
        )

    def _connect(self) -> None:
        self._wakeup, self._waker = socket.socketpair()
        for end in (self._wakeup, self._waker):
            end.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._wake_up)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _frame: self._signals.append(number))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._server.listen()
        self._attach()

    def _attach(self) -> None:
        self._selector.register(self._wire.fileno(), selectors.EVENT_READ, self._serve_wire)
        self._streamer.receive(ev.PortOpened(), time.monotonic())

    def _call_soon(self, action: Callable[[], None]) -> None:
        """From any thread: run `action` in the loop."""
        self._soon.append(action)
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def _wake_up(self, _mask: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wakeup.recv(4096)

    # --- the loop ----------------------------------------------------------------------------

    def _turn(self) -> None:
        for key, mask in self._selector.select(self._timeout_s()):
            key.data(mask)
        while self._soon:
            self._soon.popleft()()
        while self._signals:
            self._take_signal(self._signals.popleft())
        self._reopen_when_due()
        self._streamer.tick(time.monotonic())
        self._carry_out()
        self._flush_journal()
        self._show_status()
        self._server.flush()
        self._end_when_done()

    def _timeout_s(self) -> float | None:
        due = [self._streamer.next_deadline_s(), self._quit_by_s]
        due.append(None if self._wire.is_open else self._reopen_at_s)
        due.append(None if self._journal.is_flushed else self._flush_at_s)
        if any(client.is_watching for client in self._server.clients):
            pause_s = STATUS_EVERY_S if self._is_shown() else STATUS_APART_S
            due.append(self._shown_s + pause_s)
        known = [moment_s for moment_s in due if moment_s is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None

    def _carry_out(self) -> None:
        """Until nothing is left: sending may fail, which is an event again."""
        while effects := self._streamer.effects():
            for effect in effects:
                match effect:
                    case ev.Send(data=data):
                        self._send(data)
                    case ev.PrintEnded(report=report):
                        self._driver.print_ended(report)
                    case ev.Note(text=text):
                        _log.warning("%s", text)

    def _send(self, data: bytes) -> None:
        if not self._wire.is_open:
            return
        try:
            self._wire.write(data)
            self._want_to_write()
        except PortError as error:
            self._lose_wire(error)

    def _serve_wire(self, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._wire.write(b"")
                self._want_to_write()
            if mask & selectors.EVENT_READ and (data := self._wire.read()):
                self._streamer.receive(ev.Received(data=data), time.monotonic())
        except PortError as error:
            self._lose_wire(error)

    def _want_to_write(self) -> None:
        wanted = selectors.EVENT_READ
        if self._wire.has_unsent:
            wanted |= selectors.EVENT_WRITE
        key = self._selector.get_key(self._wire.fileno())
        if key.events != wanted:
            self._selector.modify(key.fileobj, wanted, key.data)

    def _lose_wire(self, error: PortError) -> None:
        _log.warning("%s", error)
        self._selector.unregister(self._wire.fileno())
        self._wire.close()
        self._reopen_at_s = time.monotonic() + REOPEN_S
        self._streamer.receive(ev.PortLost(reason=str(error)), time.monotonic())

    def _reopen_when_due(self) -> None:
        if self._wire.is_open or time.monotonic() < self._reopen_at_s:
            return
        try:
            self._wire.open()
        except PortError as error:
            self._reopen_at_s = time.monotonic() + REOPEN_S
            self._streamer.receive(ev.PortLost(reason=str(error)), time.monotonic())
        else:
            _log.info("the port %s is back", self._wire.name)
            self._attach()

    def _flush_journal(self) -> None:
        if self._journal.is_flushed or time.monotonic() < self._flush_at_s:
            return
        try:
            self._journal.flush()
        except OSError as error:
            self._flush_at_s = time.monotonic() + FLUSH_RETRY_S
            _log.error("the print journal cannot be written (%s); make room on the disk", error)

    # --- clients -----------------------------------------------------------------------------

    def _take_line(self, client: Client, line: bytes) -> None:
        number: int | str | None = None
        try:
            message = load_json_object(line)
            number = request_id(message)
            request = parse_request(message)
        except PrinterError as error:
            client.send({"id": number, "error": error_to_json(error)})
            return

        def answer(reply: dict[str, Any]) -> None:
            client.send({"id": number, **reply})

        if request.do is Do.WATCH:
            client.is_watching = True
            answer({"ok": True})
            self._shown_s = 0.0
        else:
            self._driver.request(request, answer, time.monotonic())

    def _is_shown(self) -> bool:
        status = self._streamer.status(time.monotonic())
        return _without_clock(status) == self._shown

    def _show_status(self) -> None:
        watchers = [client for client in self._server.clients if client.is_watching]
        now_s = time.monotonic()
        if not watchers or now_s < self._shown_s + STATUS_APART_S:
            return
        status = self._streamer.status(now_s)
        if now_s < self._shown_s + STATUS_EVERY_S and _without_clock(status) == self._shown:
            return
        self._shown, self._shown_s = _without_clock(status), now_s
        for client in watchers:
            client.send({"event": "status", "status": status_to_json(status)})

    # --- the end -----------------------------------------------------------------------------

    def _take_signal(self, number: int) -> None:
        _log.info("received %s", signal.Signals(number).name)
        if not self._driver.is_quitting:
            self._driver.quit("The printer process was stopped.")
        elif self._streamer.is_printing:
            self._switch_heaters_off_blindly()
            reason = "The printer process was stopped at once."
            self._streamer.receive(ev.PortLost(reason=reason), time.monotonic())
            self._is_over = True

    def _end_when_done(self) -> None:
        if not self._driver.is_quitting or self._driver.is_busy:
            return
        now_s = time.monotonic()
        if self._quit_by_s is None:
            self._quit_by_s = now_s + COOLING_S_MAX
        waits = self._streamer.owes_cooling or not self._journal.is_flushed
        if not waits or now_s >= self._quit_by_s:
            self._is_over = True

    def _switch_heaters_off_blindly(self) -> None:
        with contextlib.suppress(PrinterError):
            self._wire.write("".join(f"\n{command}\n" for command in HEATERS_OFF).encode("ascii"))


def _without_clock(status: PrinterStatus) -> PrinterStatus:
    """What counts as a change: all but the time that passes."""
    return replace(status, print=status.print and replace(status.print, elapsed_s=0.0))


def ensure_standard_streams() -> None:
    """Open what of 0, 1 and 2 is closed, so that no port or socket gets their numbers."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
