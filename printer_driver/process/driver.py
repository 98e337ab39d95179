"""The requests of clients to the printer, checked against the session and the journals."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any

from printer_driver import clock
from printer_driver.background import Background, Threads
from printer_driver.core.gcode.gcode_lines import command_of
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.printer_view import Heat
from printer_driver.core.streaming.wire_estimate import WireSpeed
from printer_driver.errors import NotPrinting, PrinterError, PrinterUnavailable, PrintRefused
from printer_driver.printer import (
    Confirmation,
    Connection,
    PrinterStatus,
    PrintReport,
    PrintState,
    report_to_json,
)
from printer_driver.prints.file_check import (
    CheckedFile,
    check_file,
    identity_of,
    open_gcode,
)
from printer_driver.prints.journal import Journal
from printer_driver.prints.line_journal import LineJournal
from printer_driver.prints.read_ahead import close_aside
from printer_driver.prints.running_print import PrintFile
from printer_driver.process.printer_session import PrinterSession
from printer_driver.protocol import Do, Request, error_to_json, status_to_json

WAITERS_MAX = 16
"""Clients that wait for the same start."""
CHECK_S_MAX = 45.0
"""From a start being asked for to its beginning. A peer may be given up after 60 s of silence, and
its job be printed elsewhere; so a start that took longer is refused, not carried out."""

Control = ev.PausePrint | ev.ResumePrint | ev.CancelPrint
Answer = Callable[[dict[str, Any]], None]
"""Takes the reply without its id."""

_log = logging.getLogger(__name__)


class _Stage(Enum):
    """The stages of a start."""

    LOOKING = "looking"  # through its file, whose disk may hang: given up at once when not wanted
    RECORDING = "recording"  # in the journals, from which it is taken out when not wanted
    UNWANTED = "unwanted"  # since, and still being recorded


@dataclass(kw_only=True, slots=True)
class _Start:
    """A print that is about to begin."""

    request: Request
    asked_s: float
    """Last; whoever asks again still wants it."""
    answers: list[Answer] = field(default_factory=list)
    stage: _Stage = _Stage.LOOKING

    def ask_again(self, answer: Answer) -> None:
        """Another client wants the same start. Raises `PrintRefused` if too many wait for it."""
        if len(self.answers) >= WAITERS_MAX:
            raise PrintRefused("Too many clients wait for this start.", code="busy")
        self.answers.append(answer)
        self.asked_s = clock.now_s()

    def enter(self, stage: _Stage) -> None:
        """The start is at another stage."""
        self.stage = stage


class Driver:
    """Answers requests. `call_soon` runs a function in the main loop, from any thread."""

    def __init__(
        self,
        *,
        session: PrinterSession,
        journal: Journal,
        line_journal: LineJournal,
        threads: Threads,
        call_soon: Callable[[Callable[[], None]], None],
    ) -> None:
        self._session = session
        self._journal = journal
        self._line_journal = line_journal
        self._threads = threads
        self._call_soon = call_soon
        self._starting: _Start | None = None
        self._checked: CheckedFile | None = None
        """The last file found good whose print has not begun yet; the thread sets it."""
        self._now_s = 0.0
        self.is_quitting = False

    @property
    def is_busy(self) -> bool:
        """Whether a print is running or about to begin."""
        return self._session.is_printing or self._starting is not None

    def status(self, now_s: float) -> PrinterStatus:
        """The printer at this moment."""
        return self._with_bed(self._session.status(now_s))

    def full_status(self, now_s: float) -> PrinterStatus:
        """The status with the telemetry, which takes a moment to add up."""
        return self._with_bed(self._session.full_status(now_s))

    def _with_bed(self, status: PrinterStatus) -> PrinterStatus:
        """Adds what the journal knows of the bed, which outlives the session."""
        last, shown = self._journal.last, status.print
        if last is None or not last.bed_cleared:
            return status
        if shown and shown.print_id == last.print_id:
            shown = replace(shown, bed_cleared=True)
        return replace(status, print=shown, bed_cleared_after=last.print_id)

    def request(self, request: Request, answer: Answer, now_s: float) -> None:
        """Carries out a request and answers once, now or when a file has been checked."""
        self._now_s = now_s
        try:
            if request.do is Do.START:
                self._start(request, answer)
            elif request.do is Do.EMERGENCY_STOP:
                self._stop_at_once(answer)
            else:
                answer(self._do(request))
        except PrinterError as error:
            answer({"error": error_to_json(error)})

    def _do(self, request: Request) -> dict[str, Any]:
        match request.do:
            case Do.STATUS:
                return {"status": status_to_json(self.full_status(self._now_s))}
            case Do.REPORT:
                report = self._report(request.print_id)
                return {"report": report_to_json(report) if report else None}
            case Do.PAUSE:
                self._control(request.print_id, ev.PausePrint())
            case Do.RESUME:
                self._control(request.print_id, ev.ResumePrint())
            case Do.CANCEL:
                self._cancel(request.print_id)
            case Do.SEND:
                self._send(request.commands)
            case Do.ANSWER:
                self._session.answer(request.choice, self._now_s)
            case Do.SERIAL_LOG:
                return {"paths": [str(path) for path in self._session.write_serial_log()]}
            case Do.QUIT:
                self._quit(force=request.force)
            case Do.START | Do.EMERGENCY_STOP | Do.WATCH:
                raise AssertionError(request.do)
        return {"ok": True}

    def _running(self) -> PrintReport | None:
        report = self._session.status(self._now_s).print
        return report if report and self._session.is_printing else None

    def _report(self, print_id: str) -> PrintReport | None:
        running = self._running()
        if running and running.print_id == print_id:
            return running
        if self._starting and self._starting.request.print_id == print_id:
            return PrintReport(print_id=print_id, state=PrintState.STARTING)
        return self._journal.report(print_id)

    def _control(self, print_id: str, event: Control) -> None:
        running = self._running()
        if running is None or running.print_id != print_id:
            raise NotPrinting(f"The print {print_id} does not run; ask for its report.")
        self._session.control(event, self._now_s)

    def _cancel(self, print_id: str) -> None:
        if self._starting and self._starting.request.print_id == print_id:
            self._take_back_start()
            return
        self._control(print_id, ev.CancelPrint(reason="Cancelled."))

    def _send(self, commands: tuple[str, ...]) -> None:
        """Sends commands of a person. Raises what prevents it, or `GcodeError`."""
        self._check_readiness()
        for command in commands:
            command_of(command.encode("utf-8"))
        self._session.send(commands, self._now_s)

    def _stop_at_once(self, answer: Answer) -> None:
        """Stops the printer, and what is about to begin, whether or not the printer can be told."""
        self._take_back_start()
        self._session.stop_at_once(partial(_answer_stop, answer), self._now_s)

    def _quit(self, *, force: bool) -> None:
        if self.is_busy and not force:
            raise PrintRefused("A print is running; cancel it first, or force.", code="busy")
        self.quit("The printer process was told to quit.")

    def quit(self, reason: str) -> None:
        """Cancel what is printed, then end."""
        self.is_quitting = True
        self._take_back_start()
        self._session.control(ev.CancelPrint(reason=reason), self._now_s)

    # --- starting a print --------------------------------------------------------------------

    def _start(self, request: Request, answer: Answer) -> None:
        starting = self._starting
        if starting and starting.request.print_id == request.print_id:
            starting.ask_again(answer)
        elif known := self._report(request.print_id):
            answer({"report": report_to_json(known)})
        else:
            self._check_readiness()
            self._look_through(request, answer)

    def _check_readiness(self) -> None:
        """Raises what keeps a new print from starting."""
        status = self._session.status(self._now_s)
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
        starting = _Start(request=request, asked_s=clock.now_s(), answers=[answer])
        link = self._session.link

        def work() -> None:
            if self._starting is not starting:
                return
            try:
                checked = _checked(request, self._checked, link)
            except PrinterError as error:
                self._refuse_soon(starting, error)
            except Exception:  # nothing else could begin before this was answered
                self._refuse_soon(starting, _unexpected())
                raise
            else:
                self._checked = None if checked.problem else checked
                self._call_soon(lambda: self._write_down(starting, checked))

        _run(work, self._threads.files)
        self._starting = starting

    def _write_down(self, starting: _Start, checked: CheckedFile) -> None:
        """The file is good; the print must be on record before its first line."""
        if self._starting is not starting:
            close_aside(checked.file)
            return
        self._now_s = time.monotonic()
        try:
            if checked.problem:
                raise checked.problem
            self._check_start(starting)
            _run(lambda: self._record(starting, checked), self._threads.journals)
            starting.enter(_Stage.RECORDING)
        except PrinterError as error:
            self._refuse(starting, error, checked)

    def _take_back_start(self) -> None:
        """Cancels a print that is about to begin."""
        starting = self._starting
        if starting is None:
            return
        if starting.stage is _Stage.LOOKING:
            self._refuse(starting, _cancelled())
        else:
            starting.enter(_Stage.UNWANTED)

    def _check_start(self, starting: _Start) -> None:
        if starting.stage is _Stage.UNWANTED:
            raise _cancelled()
        if _is_late(starting):
            raise _late()
        self._starting = None
        try:
            self._check_readiness()
        finally:
            self._starting = starting

    def _record(self, starting: _Start, checked: CheckedFile) -> None:
        """Runs in the background thread; nothing else uses the journals meanwhile."""
        request = starting.request
        report = PrintReport(
            print_id=request.print_id,
            state=PrintState.STARTING,
            bytes_total=checked.gcode_bytes,
            notice=checked.notice,
        )
        try:
            self._journal.begin(
                report,
                path=str(request.path),
                sha256=request.sha256,
                started_unix_s=time.time(),
            )
            begin_line_journal(self._line_journal, request.print_id)
        except PrinterError as error:
            self._refuse_soon(starting, error, checked)
        except Exception:  # as above
            self._refuse_soon(starting, _unexpected(), checked)
            raise
        else:
            self._call_soon(lambda: self._begin(starting, report, checked))

    def _begin(self, starting: _Start, report: PrintReport, checked: CheckedFile) -> None:
        request = starting.request
        self._now_s = time.monotonic()
        try:
            self._check_start(starting)
        except PrinterError as error:
            self._journal.withdraw(request.print_id)
            self._line_journal.close()
            self._refuse(starting, error, checked)
            return
        self._starting = self._checked = None
        _log.info("print %s begins: %s", request.print_id, request.path)
        what = PrintFile(
            print_id=request.print_id,
            path=request.path,
            sha256=request.sha256,
            gcode_bytes=report.bytes_total,
            notice=report.notice,
        )
        self._session.begin(what, checked.file, self._now_s, identity=checked.identity)
        for answer in starting.answers:
            answer({"report": report_to_json(report)})

    def _refuse_soon(
        self, starting: _Start, error: PrinterError, checked: CheckedFile | None = None
    ) -> None:
        self._call_soon(lambda: self._refuse(starting, error, checked))

    def _refuse(
        self, starting: _Start, error: PrinterError, checked: CheckedFile | None = None
    ) -> None:
        if checked:
            close_aside(checked.file)
        if self._starting is not starting:
            return  # taken back, and answered
        self._starting = None
        for answer in starting.answers:
            answer({"error": error_to_json(error)})

    def tick(self, now_s: float) -> None:
        """After each tick of the session: gives up a start whose file hangs, and records whether
        heaters may be on."""
        starting = self._starting
        if starting and starting.stage is _Stage.LOOKING and _is_late(starting):
            self._refuse(starting, _late())
        heat = self._session.heat(now_s)
        if heat is not Heat.UNKNOWN:
            self._journal.owe_cooling(is_owed=heat is Heat.OWED)

    def note(self, event: ev.PrintEnded | ev.BedReportedClear) -> None:
        """Takes in a report; `Journal.flush` makes it durable."""
        match event:
            case ev.PrintEnded(report=report):
                self._end(report)
            case ev.BedReportedClear():
                self._note_bed()

    def _end(self, report: PrintReport) -> None:
        _log.info("print %s is %s. %s", report.print_id, report.state, report.reason)
        # What a file that is done leaves on is its own will.
        self._journal.owe_cooling(is_owed=report.state is not PrintState.DONE)
        self._journal.end(report)

    def _note_bed(self) -> None:
        """Records that the bed is clear after the last print, once."""
        last = self._journal.last
        if self.is_busy or last is None:
            _log.info("the printer says that the bed is clear; no print is waiting for that")
        elif not last.bed_cleared:
            _log.info("the printer says that the bed is clear after print %s", last.print_id)
            self._journal.end(replace(last, bed_cleared=True))


def _run(task: Callable[[], None], background: Background) -> None:
    if not background.run(task):
        raise PrinterUnavailable("The disk is too slow; try again in a moment.")


def _is_late(starting: _Start) -> bool:
    return clock.now_s() - starting.asked_s > CHECK_S_MAX


def _cancelled() -> PrintRefused:
    return PrintRefused("The print was cancelled before it began.", code="cancelled")


def _late() -> PrintRefused:
    return PrintRefused(
        f"Looking through the file took more than {CHECK_S_MAX:.0f} s; start it again.", code="late"
    )


def _unexpected() -> PrintRefused:
    return PrintRefused("The file cannot be looked through; see the log.", code="wrong_file")


def _checked(request: Request, known: CheckedFile | None, link: WireSpeed | None) -> CheckedFile:
    """Opens the file and checks it, unless it is the `known` one; may take long.

    Raises `PrintRefused` if that is impossible.
    """
    file = open_gcode(request.path)
    try:
        if known and known.identity == identity_of(file, request.sha256):
            return replace(known, file=file)
        checked = check_file(file, request.sha256, link)
        if identity_of(file, request.sha256) != checked.identity:
            changed = "The file was changed while it was looked through; add it again."
            return replace(checked, problem=PrintRefused(changed, code="wrong_file"))
    except OSError as error:
        file.close()
        raise PrintRefused(
            f"The file cannot be read ({error}); add it again.", code="wrong_file"
        ) from error
    except BaseException:
        file.close()
        raise
    return checked


def begin_line_journal(line_journal: LineJournal, print_id: str) -> None:
    """Begins the line journal. Raises `PrintRefused`: without it a print could not be found
    again."""
    try:
        line_journal.begin(print_id)
    except OSError as error:
        raise PrintRefused(
            f"The print journal cannot be written ({error}); make room on the disk.", code="disk"
        ) from error


_STOPPED = {
    Confirmation.BY_FIRMWARE: "The printer says that it has stopped.",
    Confirmation.BY_RESET: "The printer was reset; its heaters are off.",
    Confirmation.NONE: "The printer has not confirmed that it stopped: cut its power now.",
}


def _answer_stop(answer: Answer, confirmation: Confirmation) -> None:
    answer({"ok": True, "confirmed_by": confirmation.value, "message": _STOPPED[confirmation]})
