"""One printer on one port: handshake, one file at a time, temperatures.

`Streamer` has the shape of all our state machines: `receive` and `tick` change the state, `effects`
hands out what must be done, `next_deadline_s` says when `tick` is due.
"""

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.gcode.position import (
    Head,
    Position,
)
from printer_driver.core.replies import reply_parser as rp
from printer_driver.core.replies.faults import (
    TEXT_CHARS_MAX,
    Fault,
    Severity,
)
from printer_driver.core.replies.reported_state import (
    HostAction,
    Prompt,
    ReportedState,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.acknowledgement_watch import AcknowledgementWatch
from printer_driver.core.streaming.feeder import (
    COOL_AT_ONCE,
    Feeder,
)
from printer_driver.core.streaming.firmware_handshake import (
    HALT_PAUSE_S,
    KEEPALIVE_S,
    STOP_PAUSE_S,
    FirmwareHandshake,
    HandshakeStep,
)
from printer_driver.core.streaming.idle_commands import (
    POLL_S,
    IdleCommands,
)
from printer_driver.core.streaming.line_sender import LineSender
from printer_driver.core.streaming.print_sequence import PrintSequence
from printer_driver.core.streaming.resend_count import WireBrokenError
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    REPORT_TEMPERATURES,
)
from printer_driver.core.streaming.stream_settings import StreamSettings
from printer_driver.errors import GcodeError
from printer_driver.printer import Connection, PrinterStatus, PrintReport, PrintState, Telemetry

IDLE_S = 1.0
"""Firmware that says `wait` has had nothing to do for so long (Repetier)."""
PROBES_OVER = 3
"""Lines over the window, once the firmware should have nothing to do."""


class Streamer:
    """The conversation with one printer.

    With `heaters_off_first` the heaters are switched off at the first connection, because an
    earlier process has stopped in mid-print.
    """

    def __init__(
        self, *, heaters_off_first: bool = False, settings: StreamSettings | None = None
    ) -> None:
        self._settings = settings or StreamSettings()
        self._lines = LineSender()
        self._reported = ReportedState()
        self._watch = AcknowledgementWatch()
        self._handshake = FirmwareHandshake(
            lines=self._lines,
            reported=self._reported,
            settings=self._settings,
            must_cool=heaters_off_first,
        )
        self._reader = rp.LineReader()
        self._effects: list[ev.Effect] = []
        self._connection = Connection.OFFLINE
        self._problem = "The port is not open yet."
        self._feeder: Feeder | None = None
        self._last_report: PrintReport | None = None
        self._last_telemetry = Telemetry()
        self._idle_commands = IdleCommands(self._lines)

    # --- what others ask ---------------------------------------------------------------------

    @property
    def is_printing(self) -> bool:
        """Whether a print is under way, also a paused or cancelling one."""
        return self._feeder is not None

    @property
    def must_cool(self) -> bool:
        """Whether heaters may be on that no print needs, whether or not the printer can be told."""
        return self._handshake.must_cool

    @property
    def owes_cooling(self) -> bool:
        """Whether a print broke off and its heaters are about to be switched off."""
        return self.must_cool and self._handshake.step is not HandshakeStep.NONE

    @property
    def can_start(self) -> bool:
        """Whether the printer is ready and prints nothing."""
        return self._feeder is None and self._connection is Connection.READY

    @property
    def reported(self) -> ReportedState:
        """What the printer has reported; to be read only."""
        return self._reported

    @property
    def window_lines_max(self) -> int:
        """The number of lines in flight on a clean wire."""
        return self._lines.window.lines_max

    @property
    def last_number(self) -> int:
        """The number of the newest numbered line."""
        return self._lines.last_number

    @property
    def prompt(self) -> Prompt | None:
        """The question that the firmware asks; answered with `AnswerPrompt`."""
        return self._reported.prompt

    def status(self, now_s: float) -> PrinterStatus:
        """The printer at this moment."""
        return PrinterStatus(
            connection=self._connection,
            problem=self._problem,
            print=self._report(now_s),
            temperatures=tuple(self._reported.temperatures.values()),
            firmware=self._reported.firmware,
            notification=(self._feeder.says if self._feeder else "") or self._reported.said,
        )

    def telemetry(self, now_s: float) -> Telemetry:
        """The counts of the running print, or of the last one."""
        if self._feeder is None:
            return self._last_telemetry
        return self._lines.counters.summary(now_s, self._lines.window.lines)

    def _report(self, now_s: float) -> PrintReport | None:
        if self._feeder is None:
            return self._last_report
        return self._feeder.job.report(self._lines.done, now_s)

    def effects(self) -> list[ev.Effect]:
        """What is to be done since the last call, in order."""
        if data := self._lines.take_outgoing():
            self._effects.append(ev.Send(data=data, lines=self._lines.take_fresh()))
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` is due; None while there is no port."""
        step = self._handshake.step
        if step is HandshakeStep.NONE:
            return None
        if step in (HandshakeStep.HALTED, HandshakeStep.WAITING, HandshakeStep.HELLO):
            return self._handshake.at_s
        due_s = self._idle_commands.poll_at_s
        if self._feeder:
            due_s = self._feeder.next_deadline_s()
        elif step is not HandshakeStep.DONE:
            due_s = self._watch.due_s
        if (quiet_s := self._lines.next_deadline_s()) is not None:
            due_s = min(due_s, quiet_s)
        return due_s if self._lines.is_idle else min(due_s, self._watch.due_s)

    # --- events ------------------------------------------------------------------------------

    def receive(self, event: ev.Event, now_s: float) -> None:
        """Take one event."""
        match event:
            case ev.Received(data=data):
                self._hear(data, now_s)
            case ev.PortOpened():
                self._open(now_s)
            case ev.PortLost(reason=reason):
                self._lose_port(reason, now_s)
            case ev.HaltFirmware():
                self._stop_at_once(now_s)
            case ev.StartPrint():
                self._start(event, now_s)
            case ev.SendCommands(commands=commands):
                for note in self._idle_commands.take(commands, is_busy=self._feeder is not None):
                    self._note(note)
            case ev.AnswerPrompt(choice=choice):
                self._answer(choice, now_s)
            case _:
                self._control(event, now_s)
        self.tick(now_s)

    def _become(self, connection: Connection, problem: str) -> None:
        """The only place where the connection changes; `problem` is a sentence, or empty."""
        self._connection, self._problem = connection, problem

    def _open(self, now_s: float) -> None:
        self._reader = rp.LineReader()
        self._become(Connection.CONNECTING, "")
        self._handshake.boot(now_s)

    def hurry_cooling(self, now_s: float) -> None:
        """The process is about to end: cools a halted printer at once."""
        self._handshake.hurry(now_s)

    def _lose_port(self, reason: str, now_s: float) -> None:
        if self._feeder:
            self._end(PrintState.FAILED, f"The connection to the printer was lost. {reason}", now_s)
            self._handshake.require_cooling()
        self._drop_commands()
        self._handshake.stop()
        self._become(Connection.OFFLINE, reason)
        self._reported.temperatures.clear()

    def _start(self, event: ev.StartPrint, now_s: float) -> None:
        assert self.can_start  # noqa: S101 - the contract of StartPrint
        dialect = self._reported.dialect
        self._lines.start_counting(now_s)
        self._drop_commands()
        job = PrintSequence(
            print_id=event.print_id,
            commands=event.commands,
            bytes_total=event.bytes_total,
            started_s=now_s,
            settings=self._settings,
            head=event.head or Head(g90_sets_extruder=dialect.g90_sets_extruder),
            compacts=self._settings.compacts and dialect.takes_compact_lines,
            alone_s=self._settings.alone_s if dialect.stops_when_alone else 0,
        )
        self._feeder = Feeder(job=job, lines=self._lines, reported=self._reported)
        if event.is_paused:
            self._control(ev.PausePrint(), now_s)

    def _control(self, event: ev.Event, now_s: float) -> None:
        if self._feeder is None:
            return
        targets = tuple(self._reported.temperatures.values())
        match event:
            case ev.PausePrint():
                self._feeder.job.pause(targets)
            case ev.ResumePrint():
                self._feeder.job.resume(targets)
            case ev.CancelPrint(reason=reason):
                self._feeder.cancel(reason, now_s)
            case _:
                pass

    def _answer(self, choice: int, now_s: float) -> None:
        if self._reported.prompt and self._handshake.step is HandshakeStep.DONE:
            self._lines.send_unnumbered(f"M876 S{choice}", now_s)

    def _stop_at_once(self, now_s: float) -> None:
        self._lines.reset()
        self._effects.append(ev.Send(data=b"\nM112\n"))
        problem = "Emergency stop. Switch the printer off and on again to go on."
        self._halt(problem, now_s, pause_s=STOP_PAUSE_S)

    def _halt(self, problem: str, now_s: float, *, pause_s: float = HALT_PAUSE_S) -> None:
        self._end(PrintState.FAILED, problem, now_s)
        self._drop_commands()
        self._become(Connection.HALTED, problem)
        self._handshake.halt(now_s, pause_s=pause_s)

    def _drop_commands(self) -> None:
        """Drops the commands of a person that wait: they were not meant for what comes now."""
        for note in self._idle_commands.drop():
            self._note(note)

    def _end(self, state: PrintState, reason: str, now_s: float) -> None:
        if self._feeder is None:
            return
        report = self._feeder.job.ended(state, reason, self._lines.done, now_s)
        self._last_telemetry = self.telemetry(now_s)
        self._feeder, self._last_report = None, report
        self._idle_commands.poll_now(now_s)
        self._effects.append(ev.PrintEnded(report=report))

    def _note(self, text: str) -> None:
        self._effects.append(ev.Note(text=text))

    # --- what the printer says ---------------------------------------------------------------

    def _hear(self, data: bytes, now_s: float) -> None:
        for line in self._reader.feed(data):
            try:
                if line == b"ok":
                    self._take_ok(rp.BARE_OK, now_s)
                else:
                    self._take(rp.parse_reply(line), now_s)
            except WireBrokenError as error:
                self._break_off(str(error), now_s)

    def _take(self, reply: rp.Reply, now_s: float) -> None:
        if isinstance(reply, rp.Ok):
            self._take_ok(reply, now_s)
            return
        self._lines.heard(now_s, is_line_trouble=isinstance(reply, rp.Resend | rp.LineError))
        match reply:
            case rp.TemperatureReport():
                self._take_temperatures(reply, now_s)
            case rp.Busy(activity=activity):
                self._reported.note_activity(activity)
                self._watch.note_busy(now_s, self._keepalive_s)
            case rp.Resend(line_number=number):
                self._take_refusal(number, now_s)
            case rp.LineError(last_line=last_line):
                self._take_refusal(None if last_line is None else last_line + 1, now_s)
            case rp.Skipped():
                self._handshake.skipped(now_s)
            case rp.Failure(fault=fault):
                self._take_fault(fault, now_s)
            case rp.Booted() if not self._is_to_say_start:
                self._take_boot(now_s)
            case rp.Banner() if self._connection is Connection.HALTED:
                self._take_boot(now_s)
            case rp.Waiting():
                self._take_wait(now_s)
            case rp.PositionReport(position=position):
                self._take_position(position)
            case rp.Action(name=name, argument=argument):
                self._take_action(name, argument, now_s)
            case rp.FirmwareName(name=name):
                self._reported.note_firmware(name)
            case rp.Capability(name=name, is_on=is_on):
                self._reported.note_capability(name, is_on=is_on)
            case rp.OwnProgress():
                self._reported.note_progress(reply)
            case _:
                pass

    @property
    def _is_to_say_start(self) -> bool:
        """Whether the word `start` may be the file's own (M118)."""
        commands = [line.command.lower() for line in self._lines.in_flight]
        return any(each.startswith("m118") and "start" in each for each in commands)

    @property
    def _keepalive_s(self) -> float:
        dialect = self._reported.dialect
        return KEEPALIVE_S if dialect.sets_keepalive else dialect.keepalive_s or POLL_S

    def _take_ok(self, ok: rp.Ok, now_s: float) -> None:
        lines = self._lines
        if ok is not rp.BARE_OK:
            self._take_extras(ok)
        if self._handshake.step is HandshakeStep.IDENTIFYING and not ok.temperatures:
            lines.note_ok_without_temperatures()
        self._watch.note_life(now_s)
        self._reported.note_activity("")
        count = lines.acknowledge(ok, now_s)
        feeder = self._feeder
        if feeder and count:
            feeder.acknowledged(count, now_s)
        if ok.temperatures and feeder:
            feeder.job.heard_targets(self._reported.targets_c)
            if lines.is_proven:
                feeder.job.heard_proof()

    def _take_extras(self, ok: rp.Ok) -> None:
        if ok.temperatures:
            self._lines.note_temperatures_in_ok()
            self._reported.note_temperatures(ok.temperatures)
        if ok.position:
            self._take_position(ok.position)
        if ok.firmware:
            self._reported.note_firmware(ok.firmware)

    def _take_temperatures(self, report: rp.TemperatureReport, now_s: float) -> None:
        """Takes in a report. Firmware that reports without being asked is in a heating wait."""
        self._reported.note_temperatures(report.temperatures)
        kinds = {kind_of(line.command) for line in self._lines.in_flight}
        is_unasked = not self._reported.was_asked_to_report and kinds & {
            CommandKind.HEATING,
            CommandKind.LONG,
        }
        if report.is_heating or is_unasked:
            self._watch.note_busy(now_s, max(self._keepalive_s, 1.0))
        if self._feeder:
            self._feeder.job.heard_targets(self._reported.targets_c)

    def _take_wait(self, now_s: float) -> None:
        """The firmware is idle: if lines are in flight, their acknowledgements were lost."""
        lines = self._lines
        if not lines.is_repeating or lines.oldest_sent_s < now_s - IDLE_S:
            lines.acknowledge_all()
        self._watch.note_life(now_s)

    def _take_position(self, position: Position) -> None:
        if self._feeder and (note := self._feeder.heard_position(position)):
            self._note(note)

    def _take_refusal(self, number: int | None, now_s: float) -> None:
        self._watch.note_life(now_s)
        if self._handshake.refused(now_s):
            return
        self._lines.refuse(number, now_s)
        if self._feeder:
            self._feeder.refused()

    def _take_fault(self, fault: Fault, now_s: float) -> None:
        is_halted = self._connection is Connection.HALTED
        if is_halted and fault in self._reported.faults:
            return  # some say so each time that they are cooled
        self._reported.faults.append(fault)
        self._note(f"The printer reports: {fault.text}")
        self._effects.append(ev.FaultRaised(fault=fault))
        if is_halted or self._handshake.step is HandshakeStep.NONE:
            return
        if fault.severity is Severity.NEEDS_RESET:
            self._effects.append(ev.Send(data=COOL_AT_ONCE))
            self._halt(fault.sentence, now_s)
        elif fault.severity is Severity.PRINT_ENDS:
            self._break_off(fault.sentence, now_s)

    def _take_boot(self, now_s: float) -> None:
        self._reported.expect_no_reports()
        self._drop_commands()
        if self._feeder:
            reason = "The printer restarted in mid-print; check its power supply."
            self._end(PrintState.FAILED, reason, now_s)
            self._handshake.require_cooling()
        if self._connection is not Connection.OFFLINE:
            self._become(Connection.CONNECTING, "")
            self._handshake.say_hello(now_s)

    def _take_action(self, name: str, argument: str, now_s: float) -> None:
        wish = self._reported.take_action(name, argument)
        if wish is None:
            return
        self._effects.append(ev.HostActionAsked(wish=wish, argument=argument[:TEXT_CHARS_MAX]))
        if wish is HostAction.BED_CLEAR:
            self._take_bed_clear()
        elif wish is HostAction.PAUSED and self._feeder:
            self._feeder.job.hold()
        elif event := ev.WISHED.get(wish):
            self._control(event, now_s)

    def _take_bed_clear(self) -> None:
        """Ignored before the printer is ready: such a report may have lain in a buffer for
        hours."""
        if self._feeder:
            self._feeder.job.heard_bed_clear()
        elif self._connection is Connection.READY:
            self._effects.append(ev.BedReportedClear())

    def _break_off(self, reason: str, now_s: float) -> None:
        """The print cannot go on, but the firmware may listen: begins the handshake anew and
        cools."""
        if self._feeder:
            self._handshake.require_cooling()
        self._end(PrintState.FAILED, reason, now_s)
        self._note(reason)
        self._drop_commands()
        if self._handshake.step is not HandshakeStep.NONE:
            self._become(Connection.CONNECTING, self._problem)
            self._handshake.boot(now_s)

    # --- the decision ------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        """Do what is due and send what may be sent."""
        lines, step = self._lines, self._handshake.step
        if step in (HandshakeStep.NONE, HandshakeStep.HALTED):
            self._handshake.tick(now_s)
            return
        was_idle = lines.is_idle
        lines.tick(now_s)
        if step is not HandshakeStep.DONE:
            self._greet(now_s)
        elif self._feeder:
            self._feed(self._feeder, now_s)
        else:
            self._idle_commands.go_on(now_s)
        if lines.is_idle:
            return
        if was_idle:
            self._watch.note_life(now_s)
        elif now_s >= self._watch.due_s and self._handshake.step not in (
            HandshakeStep.WAITING,
            HandshakeStep.HELLO,
        ):
            self._watch_silence(now_s)

    def _greet(self, now_s: float) -> None:
        self._handshake.tick(now_s)
        self._problem = self._handshake.problem
        if self._handshake.step is HandshakeStep.DONE:
            self._become(Connection.READY, self._problem)
            self._idle_commands.poll_now(now_s)
            is_refused = any("M113" in fault.text for fault in self._reported.faults)
            if self._reported.dialect.sets_keepalive and not is_refused:
                self._watch.expect_keepalive(KEEPALIVE_S)
            self._idle_commands.go_on(now_s)

    def _feed(self, feeder: Feeder, now_s: float) -> None:
        try:
            if note := feeder.go_on(now_s):
                self._note(note)
        except (GcodeError, WireBrokenError) as error:
            self._break_off(str(error), now_s)
            return
        if feeder.is_over:
            self._end(feeder.job.final_state, feeder.job.reason, now_s)

    def _watch_silence(self, now_s: float) -> None:
        """Finds lost acknowledgements; gives up on a printer that does not answer."""
        lines, feeder = self._lines, self._feeder
        if self._watch.is_dead(now_s):
            self._watch.note_life(now_s)
            self._break_off("The printer has not answered for 10 minutes; check it.", now_s)
            return
        kinds = [kind_of(line.command) for line in lines.in_flight]
        moving_until_s = feeder.job.head.moving_until_s if feeder else now_s
        if not self._watch.is_probe_due(kinds, moving_until_s, now_s):
            return
        if lines.acknowledge_questions():
            return
        is_busy = bool({CommandKind.LONG, CommandKind.HEATING}.intersection(kinds))
        if len(kinds) >= lines.window.lines_max + (0 if is_busy else PROBES_OVER):
            return  # M108 and M112 need a free slot, too
        lines.counters.count_probe()
        if lines.is_repeating:
            # A numbered one also proves the numbering; while lines are repeated none is free.
            lines.send_unnumbered(REPORT_TEMPERATURES, now_s)
        else:
            progress = feeder.job.progress if feeder else NO_PLACE
            lines.send(REPORT_TEMPERATURES, progress, now_s, follows=True)
