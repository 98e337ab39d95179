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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from printer_driver.background import Background, Threads
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.stream_settings import StreamSettings
from printer_driver.errors import PortError, PrinterError
from printer_driver.port.port_keeper import PortKeeper
from printer_driver.port.ports import AUTO
from printer_driver.port.serial_log import (
    Keep,
    SerialLog,
)
from printer_driver.printer import Connection, PrinterStatus, PrintReport
from printer_driver.prints.interruption import find_left
from printer_driver.prints.journal import (
    Journal,
    stopped_report,
)
from printer_driver.prints.line_journal import LineJournal
from printer_driver.process.driver import Driver
from printer_driver.process.printer_session import PrinterSession
from printer_driver.process.server import (
    ClientConnection,
    Server,
)
from printer_driver.protocol import (
    Do,
    error_to_json,
    load_json_object,
    parse_request,
    request_id,
    status_to_json,
)
from printer_driver.virtual.virtual_options import (
    is_virtual,
    parse_virtual,
)

STATUS_APART_S = 0.25
STATUS_EVERY_S = 2.0
FLUSH_RETRY_S = 5.0
COOLING_S_MAX = 15.0
"""How long the end of the process waits for heaters to be switched off after a broken print."""
HALTED_S_MAX = 2.0
"""The same for a printer that has stopped itself, which mostly means that they are off."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The options of the command line."""

    port: str
    socket: Path
    journal: Path
    baud: int = 115200
    """0: find it."""
    speed_up: float = 1.0
    record: Path | None = None
    keep: Keep = Keep.TROUBLE
    stream: StreamSettings = field(default_factory=StreamSettings)


class PrinterProcess:
    """Runs until it is told to quit. Nothing is opened before `run`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._selector = selectors.DefaultSelector()
        self._server = Server(settings.socket, self._selector, self._take_line)
        self._soon: deque[Callable[[], None]] = deque()
        self._signals: deque[int] = deque()
        self._threads = Threads(journals=Background(), files=Background())
        self._journal = Journal(settings.journal)
        self._line_journal = LineJournal(beside(settings.journal, ".lines"))
        self._serial_log = SerialLog(beside(settings.journal, ".serial.log"), keep=settings.keep)
        self._is_flushing = False
        self._flush_at_s = 0.0
        self._shown: PrinterStatus | None = None
        self._shown_s = 0.0
        self._looked_s = 0.0
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
            self._session.heaters_off_blindly()
            raise
        finally:
            self._server.close()
            self._session.close()
            self._server.release()

    def _set_up(self) -> None:
        settings = self._settings
        self._server.claim()
        port = self._switch_on() if is_virtual(settings.port) else settings.port
        self._session = PrinterSession(
            keeper=PortKeeper(
                port=port, baud=settings.baud, notes=beside(settings.journal, ".port")
            ),
            selector=self._selector,
            line_journal=self._line_journal,
            serial_log=self._serial_log,
            threads=self._threads,
            call_soon=self._call_soon,
            happened=self._happened,
            settings=settings.stream,
        )
        self._driver = Driver(
            session=self._session,
            journal=self._journal,
            line_journal=self._line_journal,
            threads=self._threads,
            call_soon=self._call_soon,
        )
        self._take_up_prints()

    def _switch_on(self) -> str:
        """Starts the virtual printer in this process; returns its port. Raises `PortError`."""
        from printer_driver.virtual.pty_printer import VirtualPrinter  # noqa: PLC0415 - memory, seldom used

        settings = self._settings
        try:
            options = parse_virtual(settings.port)
        except ValueError as error:
            raise PortError(str(error)) from None
        return VirtualPrinter(
            speed_up=settings.speed_up, record=settings.record, options=options
        ).start()

    def _happened(self, event: ev.PrintEnded | ev.BedReportedClear) -> None:
        self._driver.note(event)

    def _take_up_prints(self) -> None:
        """Takes up what an earlier process left unfinished: found again, or failed."""
        now_s = time.monotonic()
        is_found = False
        for report in self._journal.load_open():
            found = None
            if not is_virtual(self._settings.port):  # that printer ended with its process
                found = find_left(self._journal, self._line_journal, report, now_s)
            if found:
                _log.warning("print %s: %s", report.print_id, found.cause)
                self._session.find_again(found)
                is_found = True
            else:
                self._driver.note(ev.PrintEnded(report=self._left(report)))
        if self._journal.owes_cooling and not is_found:  # it would spoil a print that goes on
            self._session.cool_first()

    def _left(self, report: PrintReport) -> PrintReport:
        journalled = self._line_journal.recall(report.print_id)
        return stopped_report(report, was_cancelled=bool(journalled and journalled.is_cancelled))

    def _connect(self) -> None:
        self._wakeup, self._waker = socket.socketpair()
        for end in (self._wakeup, self._waker):
            end.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ, self._wake_up)
        try:
            self._session.open(time.monotonic())
        except PortError:
            # Without a printer to go on with or to cool, a wrong name is the caller's to put right.
            is_awaited = self._session.is_printing or self._journal.owes_cooling
            if not is_awaited and self._settings.port != AUTO:
                raise
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _frame: self._signals.append(number))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._server.listen()

    def _call_soon(self, action: Callable[[], None]) -> None:
        """Runs `action` in the loop; may be called from any thread."""
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
        now_s = time.monotonic()
        self._session.tick(now_s)
        self._driver.tick(now_s)
        self._flush_journal()
        self._show_status()
        self._server.flush()
        self._end_when_done()

    def _timeout_s(self) -> float | None:
        due = [self._session.next_deadline_s(), self._quit_by_s]
        if not self._journal.is_flushed and not self._is_flushing:
            due.append(self._flush_at_s)
        for client in self._server.clients:
            if client.is_watching:
                due.append(self._looked_s + STATUS_APART_S)
                break
        known = [moment_s for moment_s in due if moment_s is not None]
        return max(0.0, min(known) - time.monotonic()) if known else None

    def _flush_journal(self) -> None:
        """Flushes in the background: a disk takes its time, and an emergency stop must not wait."""
        if self._journal.is_flushed or self._is_flushing or time.monotonic() < self._flush_at_s:
            return
        self._is_flushing = self._threads.journals.run(self._flush)
        if not self._is_flushing:
            self._flush_at_s = time.monotonic() + FLUSH_RETRY_S

    def _flush(self) -> None:
        try:
            self._journal.flush()
        except OSError as error:
            self._flush_at_s = time.monotonic() + FLUSH_RETRY_S
            _log.error("the print journal cannot be written (%s); make room on the disk", error)
        self._call_soon(self._flushed)

    def _flushed(self) -> None:
        self._is_flushing = False

    # --- clients -----------------------------------------------------------------------------

    def _take_line(self, client: ClientConnection, line: bytes) -> None:
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
            client.watch()
            answer({"ok": True})
            self._shown_s = self._looked_s = 0.0
        else:
            self._driver.request(request, answer, time.monotonic())

    def _show_status(self) -> None:
        now_s = time.monotonic()
        if now_s < self._looked_s + STATUS_APART_S:
            return
        watchers = [client for client in self._server.clients if client.is_watching]
        if not watchers:
            return
        self._looked_s = now_s
        shown = _without_clock(self._driver.status(now_s))
        if now_s < self._shown_s + STATUS_EVERY_S and shown == self._shown:
            return
        self._shown, self._shown_s = shown, now_s
        status = status_to_json(self._driver.full_status(now_s))
        for client in watchers:
            client.send({"event": "status", "status": status})

    # --- the end -----------------------------------------------------------------------------

    def _take_signal(self, number: int) -> None:
        _log.info("received %s", signal.Signals(number).name)
        if not self._driver.is_quitting:
            self._driver.quit("The printer process was stopped.")
        elif self._session.is_printing:
            self._session.heaters_off_blindly()
            self._session.lose_all("The printer process was stopped at once.", time.monotonic())
            self._session.tick(time.monotonic())
            self._is_over = True

    def _end_when_done(self) -> None:
        if not self._driver.is_quitting or self._session.is_printing:
            return
        now_s = time.monotonic()
        if self._quit_by_s is None:
            self._session.hurry_cooling(now_s)
            is_halted = self._session.status(now_s).connection is Connection.HALTED
            self._quit_by_s = now_s + (HALTED_S_MAX if is_halted else COOLING_S_MAX)
        is_heard = not self._driver.is_busy and self._journal.is_flushed
        waits = self._session.owes_cooling or not is_heard
        if not waits or now_s >= self._quit_by_s:
            self._is_over = True


def beside(journal: Path, suffix: str) -> Path:
    """Another file of this printer: the name of the journal with another ending."""
    return journal.with_name(journal.name + suffix)


def _without_clock(status: PrinterStatus) -> PrinterStatus:
    """The status without fields that only count time."""
    return replace(status, print=status.print and replace(status.print, elapsed_s=0.0))


def ensure_standard_streams() -> None:
    """Opens 0, 1 and 2 where they are closed, so that no port or socket gets their numbers."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
