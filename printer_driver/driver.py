"""What clients may do to the printer: requests against the streamer and the journal."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from printer_driver.checking import Checked, check_in_background, lines_of, open_gcode
from printer_driver.core import events as ev
from printer_driver.core.gcode import commands_of
from printer_driver.core.streaming import Streamer
from printer_driver.errors import NotPrinting, PrinterError, PrinterUnavailable, PrintRefused
from printer_driver.journal import Journal
from printer_driver.printer import Connection, PrintId, PrintReport, PrintState
from printer_driver.protocol import Do, Request, error_to_json, report_to_json, status_to_json

WAITERS_MAX = 16
"""Clients that wait for the same start."""

Answer = Callable[[dict[str, Any]], None]
"""Takes the reply without its id."""

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, slots=True)
class _Start:
    """A start whose file is being looked through."""

    request: Request
    file: BinaryIO
    answers: list[Answer] = field(default_factory=list)
    is_cancelled: bool = False


class Driver:
    """Answers requests and carries out what the streamer wants, except sending.

    `call_soon` runs a function in the main loop; it is called from the file-checking thread.
    """

    def __init__(
        self,
        *,
        streamer: Streamer,
        journal: Journal,
        call_soon: Callable[[Callable[[], None]], None],
    ) -> None:
        self._streamer = streamer
        self._journal = journal
        self._call_soon = call_soon
        self._starting: _Start | None = None
        self._file: BinaryIO | None = None
        self._now_s = 0.0
        self.is_quitting = False

    @property
    def is_busy(self) -> bool:
        """A print runs or is about to."""
        return self._streamer.is_printing or self._starting is not None

    def request(self, request: Request, answer: Answer, now_s: float) -> None:
        """Do what is asked and answer once, now or when a file has been looked through."""
        self._now_s = now_s
        try:
            if request.do is Do.START:
                self._start(request, answer)
            else:
                answer(self._do(request))
        except PrinterError as error:
            answer({"error": error_to_json(error)})

    def _do(self, request: Request) -> dict[str, Any]:
        match request.do:
            case Do.STATUS:
                return {"status": status_to_json(self._streamer.status(self._now_s))}
            case Do.REPORT:
                report = self._report(request.print_id)
                return {"report": report_to_json(report) if report else None}
            case Do.PAUSE:
                self._control(request.print_id, ev.PausePrint())
            case Do.RESUME:
                self._control(request.print_id, ev.ResumePrint())
            case Do.CANCEL:
                self._cancel(request.print_id)
            case Do.EMERGENCY_STOP:
                self._stop_at_once()
            case Do.QUIT:
                self._quit(force=request.force)
            case Do.START | Do.WATCH:
                raise AssertionError(request.do)
        return {"ok": True}

    def _running(self) -> PrintReport | None:
        report = self._streamer.status(self._now_s).print
        return report if report and self._streamer.is_printing else None

    def _report(self, print_id: PrintId) -> PrintReport | None:
        running = self._running()
        if running and running.print_id == print_id:
            return running
        if self._starting and self._starting.request.print_id == print_id:
            return PrintReport(print_id=print_id, state=PrintState.STARTING)
        return self._journal.report(print_id)

    def _control(self, print_id: PrintId, event: ev.Event) -> None:
        running = self._running()
        if running is None or running.print_id != print_id:
            raise NotPrinting(f"The print {print_id} does not run; ask for its report.")
        self._streamer.receive(event, self._now_s)

    def _cancel(self, print_id: PrintId) -> None:
        if self._starting and self._starting.request.print_id == print_id:
            self._starting.is_cancelled = True
            return
        self._control(print_id, ev.CancelPrint(reason="Cancelled."))

    def _stop_at_once(self) -> None:
        if self._streamer.status(self._now_s).connection is Connection.OFFLINE:
            raise PrinterUnavailable("The printer is not connected; switch it off by hand.")
        self._streamer.receive(ev.EmergencyStop(), self._now_s)

    def _quit(self, *, force: bool) -> None:
        if self.is_busy and not force:
            raise PrintRefused("A print is running; cancel it first, or force.", code="busy")
        self.quit("The printer process was told to quit.")

    def quit(self, reason: str) -> None:
        """Cancel what is printed, then end."""
        self.is_quitting = True
        if self._starting:
            self._starting.is_cancelled = True
        self._streamer.receive(ev.CancelPrint(reason=reason), self._now_s)

    # --- starting a print --------------------------------------------------------------------

    def _start(self, request: Request, answer: Answer) -> None:
        starting = self._starting
        if starting and starting.request.print_id == request.print_id:
            if len(starting.answers) >= WAITERS_MAX:
                raise PrintRefused("Too many clients wait for this start.", code="busy")
            starting.answers.append(answer)
        elif known := self._report(request.print_id):
            answer({"report": report_to_json(known)})
        else:
            self._check_readiness()
            self._look_through(request, answer)

    def _check_readiness(self) -> None:
        """Raises what keeps a new print from starting."""
        status = self._streamer.status(self._now_s)
        if self.is_busy:
            raise PrintRefused("The printer is printing; wait for its end or cancel.", code="busy")
        if self.is_quitting:
            raise PrinterUnavailable("The printer process is about to end; start it again.")
        if status.connection is Connection.HALTED:
            raise PrintRefused(status.problem, code="halted")
        if status.connection is not Connection.READY:
            problem = status.problem or "It is still being connected; try again in a moment."
            raise PrinterUnavailable(f"The printer is not ready. {problem}", code="unavailable")

    def _look_through(self, request: Request, answer: Answer) -> None:
        file = open_gcode(request.path)
        starting = _Start(request=request, file=file, answers=[answer])
        self._starting = starting

        def done(checked: Checked) -> None:
            self._call_soon(lambda: self._go(starting, checked))

        check_in_background(file, request.sha256, done)

    def _go(self, starting: _Start, checked: Checked) -> None:
        self._starting = None
        try:
            if checked.problem:
                raise checked.problem
            if starting.is_cancelled:
                raise PrintRefused("The print was cancelled before it began.", code="cancelled")
            self._check_readiness()
            reply = {"report": report_to_json(self._begin(starting.request, checked))}
        except PrinterError as error:
            checked.file.close()
            reply = {"error": error_to_json(error)}
        for answer in starting.answers:
            answer(reply)

    def _begin(self, request: Request, checked: Checked) -> PrintReport:
        report = PrintReport(
            print_id=request.print_id, state=PrintState.STARTING, bytes_total=checked.gcode_bytes
        )
        self._journal.begin(
            report,
            path=str(request.path),
            sha256=request.sha256,
            started_unix_s=time.time(),
        )
        self._file = checked.file
        _log.info("print %s begins: %s", request.print_id, request.path)
        self._streamer.receive(
            ev.StartPrint(
                print_id=request.print_id,
                commands=commands_of(lines_of(checked.file)),
                bytes_total=checked.gcode_bytes,
            ),
            self._now_s,
        )
        return report

    def print_ended(self, report: PrintReport) -> None:
        """Make the result durable and let go of the file."""
        _log.info("print %s is %s. %s", report.print_id, report.state, report.reason)
        self._journal.end(report)
        if self._file:
            self._file.close()
            self._file = None
