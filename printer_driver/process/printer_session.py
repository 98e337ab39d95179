"""One printer, from its port up: who uses the wire, and what becomes of an interrupted print.

In this order: the search for the port and its speed, the questions after an interrupted print
(`core/streaming/recovery.py`), the streamer. An emergency stop goes before all of them.
"""

import logging
import selectors
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from printer_driver.background import Threads
from printer_driver.core.gcode.machine_state import MachineState
from printer_driver.core.gcode.position import Head
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.feeder import COOL_AT_ONCE
from printer_driver.core.streaming.printer_view import (
    Heat,
    heat_of,
    status_of,
)
from printer_driver.core.streaming.recovery import (
    Recovery,
    ReplayUpTo,
    ResumeBehind,
    StopSafely,
)
from printer_driver.core.streaming.sent_line import LineRecord
from printer_driver.core.streaming.stream_settings import StreamSettings
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.core.streaming.wire_estimate import WireSpeed
from printer_driver.errors import PrinterUnavailable, PrintRefused
from printer_driver.port.attached_port import AttachedPort
from printer_driver.port.port_keeper import PortKeeper
from printer_driver.port.serial_log import SerialLog
from printer_driver.port.trouble_log import TroubleLog
from printer_driver.printer import (
    Connection,
    PrinterStatus,
    PrintReport,
    PrintState,
)
from printer_driver.prints.file_check import FileIdentity
from printer_driver.prints.interruption import (
    RESUMABLE,
    START_S_MAX,
    Interruption,
)
from printer_driver.prints.line_journal import LineJournal
from printer_driver.prints.pause_notes import PauseNotes
from printer_driver.prints.read_ahead import ReadAhead
from printer_driver.prints.running_print import (
    PrintFile,
    RunningPrint,
)
from printer_driver.process.stop_runner import (
    StopAnswer,
    StopRunner,
)

_log = logging.getLogger(__name__)


class PrinterSession:
    """The printer as the driver sees it. Nothing is opened before `open`.

    `happened` gets the final report of every print, and each report of a clear bed between two
    prints. All calls come from the thread of the main loop.
    """

    def __init__(
        self,
        *,
        keeper: PortKeeper,
        selector: selectors.BaseSelector,
        line_journal: LineJournal,
        serial_log: SerialLog,
        threads: Threads,
        call_soon: Callable[[Callable[[], None]], None],
        happened: Callable[[ev.PrintEnded | ev.BedReportedClear], None],
        settings: StreamSettings | None = None,
    ) -> None:
        self._settings = settings = settings or StreamSettings()
        self._port = AttachedPort(
            keeper=keeper, selector=selector, serial_log=serial_log, user=self
        )
        self._line_journal = line_journal
        self._trouble = TroubleLog(serial_log, threads.journals)
        self._pause_notes = PauseNotes(line_journal)
        self._threads = threads
        self._call_soon = call_soon
        self._happened = happened
        self._streamer = Streamer(settings=settings)
        self._printing: RunningPrint | None = None
        self._interruption: Interruption | None = None
        self._ended: PrintReport | None = None
        self._stop_runner = StopRunner(self._port)
        self._has_ticked = False

    # --- what the driver asks ----------------------------------------------------------------

    @property
    def is_printing(self) -> bool:
        """Whether a print is under way, also an interrupted one."""
        return self._streamer.is_printing or self._interruption is not None

    @property
    def owes_cooling(self) -> bool:
        """Whether a print broke off and its heaters are about to be switched off."""
        return self._streamer.owes_cooling

    def hurry_cooling(self, now_s: float) -> None:
        """This process is about to end: cools a halted printer at once."""
        self._streamer.hurry_cooling(now_s)

    def heat(self, now_s: float) -> Heat:
        """What is known of the heaters."""
        return heat_of(self._streamer, now_s) if self._interruption is None else Heat.UNKNOWN

    @property
    def link(self) -> WireSpeed | None:
        """The speed of the wire, for an estimate; None if it is not limited."""
        baud = self._port.wire_baud
        return WireSpeed(baud=baud, window_lines=self._streamer.window_lines_max) if baud else None

    def status(self, now_s: float) -> PrinterStatus:
        """The printer at this moment."""
        if self._interruption:
            return replace(
                self._streamer.status(now_s),
                connection=self._connection(),
                problem=self._interruption.explanation(self._port.problem),
                print=self._interruption.report,
            )
        status = status_of(self._streamer, now_s)
        status = replace(status, print=self._completed(status.print) or self._ended)
        if not self._port.is_ready and status.connection is not Connection.HALTED:
            problem = self._port.problem or status.problem
            status = replace(status, connection=self._connection(), problem=problem)
        return status

    def _completed(self, report: PrintReport | None) -> PrintReport | None:
        """Adds what was printed before an interruption; the streamer does not know that."""
        return self._printing.completed(report) if report and self._printing else report

    def _connection(self) -> Connection:
        return Connection.CONNECTING if self._port.is_open else Connection.OFFLINE

    def full_status(self, now_s: float) -> PrinterStatus:
        """The status with the telemetry, which takes a moment to add up."""
        telemetry = self._streamer.telemetry(now_s)
        return replace(self.status(now_s), telemetry=telemetry)

    def send(self, commands: tuple[str, ...], now_s: float) -> None:
        """Sends commands of a person, while nothing is printed."""
        self._streamer.receive(ev.SendCommands(commands=commands), now_s)

    def answer(self, choice: int, now_s: float) -> None:
        """A person's answer to the status's question. Raises `PrintRefused` without one."""
        if self._streamer.prompt is None:
            raise PrintRefused("The printer asks nothing now.", code="no_question")
        self._streamer.receive(ev.AnswerPrompt(choice=choice), now_s)

    def begin(
        self, what: PrintFile, file: BinaryIO, now_s: float, *, identity: FileIdentity
    ) -> None:
        """Stream this print; the printer is ready, and the line journal was begun for it.

        `identity` is that of the file that was found good.
        """
        self._line_journal.write([LineRecord(self._streamer.last_number, 0, 0)])
        self._printing = RunningPrint(what=what, file=self._read_ahead(file, identity))
        self._start(self._printing, now_s)

    def _start(
        self,
        printing: RunningPrint,
        now_s: float,
        head: Head | None = None,
        *,
        is_paused: bool = False,
    ) -> None:
        what = printing.what
        self._pause_notes.begin()
        self._streamer.receive(
            ev.StartPrint(
                print_id=what.print_id,
                commands=printing.commands(),
                bytes_total=what.gcode_bytes,
                head=head,
                is_paused=is_paused,
            ),
            now_s,
        )

    def _read_ahead(self, file: BinaryIO, identity: FileIdentity) -> ReadAhead:
        return ReadAhead(file, identity, arrived=lambda: self._call_soon(self._take_what_was_read))

    def _take_what_was_read(self) -> None:
        """Takes new lines of the file with the next tick, together with what the printer has
        said."""
        self._has_ticked = False

    def control(self, event: ev.PausePrint | ev.ResumePrint | ev.CancelPrint, now_s: float) -> None:
        """Pause, resume or cancel what is printed."""
        interruption = self._interruption
        if interruption is None:
            self._streamer.receive(event, now_s)
            if isinstance(event, ev.CancelPrint):
                self._note_cancel()
            else:
                self._pause_notes.wish(is_paused=isinstance(event, ev.PausePrint))
            return
        match event:
            case ev.PausePrint() | ev.ResumePrint():
                interruption.pause(is_paused=isinstance(event, ev.PausePrint))
                self._line_journal.note_paused(
                    interruption.what.print_id, is_paused=interruption.is_paused
                )
            case ev.CancelPrint(reason=reason):
                interruption.cancel()
                self._line_journal.note_cancelled(interruption.what.print_id)
                interruption.recovery.receive(event, now_s)
                self._give_up(interruption, reason, now_s)

    def _note_cancel(self) -> None:
        """Records the cancel before anybody is told: this process may be killed in the next
        moment."""
        if self._printing and self._streamer.is_printing:
            self._line_journal.note_cancelled(self._printing.what.print_id)

    def stop_at_once(self, answer: StopAnswer, now_s: float) -> None:
        """Writes M112 now; `answer` is called when it is known whether that worked.

        Raises `PrinterUnavailable` if there is no port to write to; no print goes on then, either.
        """
        if not self._port.is_open:
            if self._interruption:
                self._give_up(self._interruption, "Emergency stop.", now_s)
            raise PrinterUnavailable("The printer is not connected; switch it off by hand.")
        is_halted = self._streamer.status(now_s).connection is Connection.HALTED
        halts_on = self._streamer.reported.dialect.halts_on
        if not self._stop_runner.begin(answer, now_s, is_halted=is_halted, halts_on=halts_on):
            return
        if self._interruption:
            self._give_up(self._interruption, "Emergency stop.", now_s)
        self._streamer.receive(ev.HaltFirmware(), now_s)
        for effect in self._streamer.effects():
            if not isinstance(effect, ev.Send):  # M112 is on its way already
                self._carry_out_one(effect, now_s)
        self._trouble.note(now_s)

    def lose_all(self, reason: str, now_s: float) -> None:
        """The process ends at once: the running print fails."""
        self._streamer.receive(ev.PortLost(reason=reason), now_s)
        if self._interruption:
            self._give_up(self._interruption, reason, now_s)

    def heaters_off_blindly(self) -> None:
        """Switches the heaters off without waiting: the last thing that a failing process does."""
        self._port.write(COOL_AT_ONCE, time.monotonic())

    def close(self) -> None:
        """Lets go of the port and of files; a running print can be found again."""
        self._port.close()
        if self._printing:
            self._printing.close()
        self._line_journal.close()
        self._trouble.close()

    # --- what happens at the port ------------------------------------------------------------

    def open(self, now_s: float) -> None:
        """Open the port for the first time. Raises `PortError`."""
        self._port.open(now_s)

    def port_ready(self, now_s: float) -> None:
        """See `PortUser`. Goes to the recovery of an interrupted print, or to the streamer."""
        if recovery := self._asking():
            recovery.receive(ev.PortOpened(), now_s)
        else:
            self._streamer.receive(ev.PortOpened(), now_s)

    def _asking(self) -> Recovery | None:
        interruption = self._interruption
        if interruption and interruption.recovery.verdict is None:
            return interruption.recovery
        return None

    def received(self, data: bytes, now_s: float) -> None:
        """See `PortUser`."""
        self._stop_runner.received(data, now_s)
        if not self._port.is_ready:
            return
        is_asking = self._asking() is not None
        if self._interruption:  # also after its verdict, which a restart overturns
            self._interruption.recovery.receive(ev.Received(data=data), now_s)
        if not is_asking:
            self._streamer.receive(ev.Received(data=data), now_s)
            self._has_ticked = True

    def port_lost(self, reason: str, now_s: float) -> None:
        """See `PortUser`."""
        self._stop_runner.port_lost()
        if recovery := self._asking():
            recovery.receive(ev.PortLost(reason=reason), now_s)
        else:
            self._lose_streamer(reason, now_s)

    def port_absent(self, reason: str, now_s: float) -> None:
        """See `PortUser`."""
        if not self._interruption:
            self._streamer.receive(ev.PortLost(reason=reason), now_s)

    def _lose_streamer(self, reason: str, now_s: float) -> None:
        """The print can be found again if the line journal knows how far it came."""
        report = self.status(now_s).print
        printing, interruption = self._printing, self._interruption
        journalled = printing and self._line_journal.recall(printing.what.print_id)
        if interruption and printing and journalled:
            printing.close()
            interruption.ask_anew(journalled, now_s)
            self._streamer = Streamer(settings=self._settings)
        elif (
            journalled
            and printing
            and report
            and self._streamer.is_printing
            and report.state in RESUMABLE
        ):
            self._trouble.note(now_s)
            printing.close()
            self._streamer = Streamer(settings=self._settings)
            self._interruption = Interruption(
                what=printing.what,
                report=report,
                journalled=journalled,
                cause="The connection to the printer was lost in mid-print.",
                now_s=now_s,
            )
        else:
            self._streamer.receive(ev.PortLost(reason=reason), now_s)

    # --- a print that broke ------------------------------------------------------------------

    def find_again(self, interruption: Interruption) -> None:
        """Takes up a print that an earlier process has left; before `open`."""
        self._interruption = interruption

    def cool_first(self) -> None:
        """Switches heaters off first, because an earlier print cannot be found again; before
        `open`."""
        self._streamer = Streamer(heaters_off_first=True, settings=self._settings)

    def _go_on_recovering(self, interruption: Interruption, now_s: float) -> None:
        recovery = interruption.recovery
        recovery.tick(now_s)
        match recovery.verdict:
            case ResumeBehind() if not interruption.decided_s:
                interruption.decide(now_s)
                self._prepare_to_resume(interruption, recovery.verdict, now_s)
            case ResumeBehind(state=state) if self._streamer.can_start:
                self._resume(interruption, state, now_s)
            case ResumeBehind() if now_s >= interruption.decided_s + START_S_MAX:
                self._give_up(interruption, "The printer did not get ready again.", now_s)
            case StopSafely(reason=reason):
                self._give_up(interruption, reason, now_s)
            case _:
                pass

    def _prepare_to_resume(
        self, interruption: Interruption, verdict: ResumeBehind, now_s: float
    ) -> None:
        """From here on the streamer uses the wire, and its numbers count from the reached place."""
        record, reopened = verdict.record, interruption.hand_over_file()
        assert reopened  # noqa: S101 - the verdict rests on it
        _log.info("print %s goes on behind line %d", interruption.what.print_id, record.lines)
        try:
            self._line_journal.go_on(interruption.what.print_id, is_paused=interruption.is_paused)
        except OSError as error:
            _log.warning("this print cannot be found again another time (%s)", error)
        self._printing = RunningPrint(
            what=interruption.what,
            file=self._read_ahead(reopened.file, reopened.identity),
            base=record,
            # M85 begins with what looks like a move, and then counts from the last real one.
            preamble=verdict.state.preamble(),
            elapsed_s=interruption.report.elapsed_s + now_s - interruption.lost_s,
        )
        self._streamer.receive(ev.PortOpened(), now_s)

    def _resume(self, interruption: Interruption, state: MachineState, now_s: float) -> None:
        assert self._printing  # noqa: S101 - made with the verdict
        g90_sets_extruder = self._streamer.reported.dialect.g90_sets_extruder
        self._interruption = None
        head, is_paused = state.head(g90_sets_extruder=g90_sets_extruder), interruption.is_paused
        self._start(self._printing, now_s, head, is_paused=is_paused)
        if is_paused:
            self.control(ev.PausePrint(), now_s)

    def _give_up(self, interruption: Interruption, reason: str, now_s: float) -> None:
        """Stops safely: the print is over, and the heaters go off as soon as the printer
        listens."""
        if self._interruption is not interruption:
            return
        self._flush_recovery(interruption, now_s)
        interruption.end()
        self._interruption = None
        self._streamer = Streamer(heaters_off_first=True, settings=self._settings)
        self._end(interruption.ended(f"{interruption.cause} {reason}"), now_s)
        if self._port.is_ready:
            self._streamer.receive(ev.PortOpened(), now_s)

    def _end(self, report: PrintReport, now_s: float) -> None:
        if self._printing:
            self._printing.close()
        self._line_journal.close()
        self._ended = report
        if report.state is PrintState.FAILED:
            self._trouble.note(now_s)
        self._happened(ev.PrintEnded(report=report))

    # --- the loop ----------------------------------------------------------------------------

    def next_deadline_s(self) -> float | None:
        """When `tick` is due."""
        due = [
            self._port.next_deadline_s(),
            self._streamer.next_deadline_s(),
            self._stop_runner.next_deadline_s(),
        ]
        if interruption := self._interruption:
            due.append(interruption.recovery.next_deadline_s())
            if interruption.decided_s:
                due.append(interruption.decided_s + START_S_MAX)
        return min((moment_s for moment_s in due if moment_s is not None), default=None)

    def tick(self, now_s: float) -> None:
        """Does what is due, then everything that follows from it."""
        self._stop_runner.tick(now_s)
        self._port.tick(now_s)
        if self._interruption:
            self._go_on_recovering(self._interruption, now_s)
        if not self._has_ticked:  # what was received has just moved it on
            self._streamer.tick(now_s)
        self._has_ticked = False
        self._carry_out(now_s)
        if self._streamer.is_printing and self._pause_notes.is_due(now_s):
            self._note_pause(now_s)
        self._trouble.tick(now_s)

    def _carry_out(self, now_s: float) -> None:
        """Carries out effects until none is left: sending may fail, which is an event again."""
        if self._interruption:
            self._flush_recovery(self._interruption, now_s)
        while effects := self._streamer.effects():
            for effect in effects:
                self._carry_out_one(effect, now_s)

    def _carry_out_one(self, effect: ev.Effect, now_s: float) -> None:
        match effect:
            case ev.Send(data=data, lines=lines):
                if self._printing:
                    self._line_journal.write(self._printing.records(lines))
                self._port.write(data, now_s)
            case ev.PrintEnded(report=report):
                self._end(self._completed(report) or report, now_s)
            case ev.Note(text=text):
                _log.warning("%s", text)
                self._trouble.note(now_s)
            case ev.HostActionAsked(wish=wish, argument=argument):
                _log.info("the printer asks its host: %s %s", wish.value, argument)
            case ev.BedReportedClear():
                self._happened(effect)
            case ev.FaultRaised():
                pass  # in the status and, as a note, in the log

    def _flush_recovery(self, interruption: Interruption, now_s: float) -> None:
        for effect in interruption.recovery.effects():
            match effect:
                case ev.Send(data=data):
                    self._port.write(data, now_s)
                case ReplayUpTo():
                    interruption.reopen(
                        effect, self._threads.files, self._call_soon, self._settings.ignored
                    )

    def _note_pause(self, now_s: float) -> None:
        if report := self._streamer.status(now_s).print:
            self._pause_notes.note(report, now_s)

    def write_serial_log(self) -> list[Path]:
        """Writes the serial log of the memory to its file, soon; returns the files, the newest
        first."""
        return self._trouble.write()
