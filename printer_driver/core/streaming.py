"""One printer on one port: greeting it, streaming one file at a time, watching its temperatures.

`Streamer` has the shape of all our state machines: `receive` and `tick` change state,
`effects` takes what is to be done, `next_deadline_s` says when `tick` is due.
"""

from dataclasses import replace
from enum import Enum

from printer_driver.core import events as ev
from printer_driver.core import replies as rp
from printer_driver.core.job import HEATERS_OFF, Job, Stage, is_heating_wait
from printer_driver.core.link import REPORT_TEMPERATURES, LinkBrokenError, NumberedLink, Progress
from printer_driver.errors import GcodeError
from printer_driver.printer import (
    Connection,
    PrinterStatus,
    PrintReport,
    PrintState,
    Temperature,
)

BOOT_S = 0.5
"""After opening the port: a board that resets says `start`, one that does not stays silent."""
HELLO_RETRY_S = 2.0
HELLO_AGAIN_S = 0.5
"""After an M110 that was refused."""
HELLOS_BEFORE_PROBLEM = 4
"""M110 without an answer until a person is told."""
POLL_S = 2.0
"""Between two M105."""
PATIENCE_S = 6.0
"""Three of Marlin's keepalives (`busy:` every 2 s): a command that takes longer says so.

Doubled with every probe that stays unanswered, so that silent firmware is not flooded.
"""
SILENCE_S_MAX = 600.0
"""Without any sign of life while it owes an answer; firmware without keepalive probes beds so."""
BREAK_WAIT_RETRY_S = 2.0
BREAK_WAITS_MAX = 2
"""M108 in flight at once."""
TEMPERATURES_MAX = 16
TEXT_CHARS_MAX = 200
"""Of the firmware's own words that are kept."""


class _Greeting(Enum):
    """How far the conversation with the firmware has come."""

    NONE = "none"  # no port, or halted
    BOOTING = "booting"
    HELLO = "hello"  # M110 sent
    IDENTIFYING = "identifying"  # M115 sent
    COOLING = "cooling"  # heaters off after a print that broke
    DONE = "done"


class Streamer:
    """The conversation with one printer.

    `heaters_off_first`: switch the heaters off at the first connection, because an earlier
    process stopped in mid-print.
    """

    def __init__(self, *, heaters_off_first: bool = False) -> None:
        self._link = NumberedLink()
        self._reader = rp.LineReader()
        self._effects: list[ev.Effect] = []
        self._greeting = _Greeting.NONE
        self._connection = Connection.OFFLINE
        self._problem = "The port is not open yet."
        self._must_cool = heaters_off_first
        self._cooling: list[str] = []
        self._job: Job | None = None
        self._last_report: PrintReport | None = None
        self._temperatures: dict[str, Temperature] = {}
        self._firmware = ""
        self._hello_at_s = 0.0
        self._hellos = 0
        self._poll_at_s = 0.0
        self._break_wait_at_s = 0.0
        self._alive_s = (
            0.0  # last sign of work, or the moment something was sent to an idle printer
        )
        self._probe_at_s = 0.0
        self._probe_wait_s = PATIENCE_S

    # --- what others ask ---------------------------------------------------------------------

    @property
    def is_printing(self) -> bool:
        """A print is under way, paused and cancelling included."""
        return self._job is not None

    @property
    def owes_cooling(self) -> bool:
        """A print broke off and its heaters are about to be switched off."""
        return self._must_cool and self._greeting is not _Greeting.NONE

    @property
    def can_start(self) -> bool:
        """The printer is ready and nothing is printed."""
        return self._job is None and self._connection is Connection.READY

    def status(self, now_s: float) -> PrinterStatus:
        """The printer at this moment."""
        return PrinterStatus(
            connection=self._connection,
            problem=self._problem,
            print=self._report(now_s),
            temperatures=tuple(self._temperatures.values()),
            firmware=self._firmware,
        )

    def _report(self, now_s: float) -> PrintReport | None:
        if self._job is None:
            return self._last_report
        return self._job.report(self._link.done, now_s)

    def effects(self) -> list[ev.Effect]:
        """What is to be done since the last call, in order."""
        if data := self._link.take_outgoing():
            self._effects.append(ev.Send(data=data))
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` is due; None while there is no port."""
        if self._greeting is _Greeting.NONE:
            return None
        if self._greeting in (_Greeting.BOOTING, _Greeting.HELLO):
            return self._hello_at_s
        due = [self._poll_at_s] if self._greeting is _Greeting.DONE else []
        if (quiet_s := self._link.next_deadline_s()) is not None:
            due.append(quiet_s)
        if not self._link.is_idle:
            due.append(self._probe_at_s)
        if self._job and self._job.stage is Stage.BREAKING_WAITS:
            due.append(self._break_wait_at_s)
        return min(due, default=None)

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
            case ev.EmergencyStop():
                self._stop_at_once(now_s)
            case ev.StartPrint():
                self._start(event, now_s)
            case _:
                self._control(event, now_s)
        self.tick(now_s)

    def _open(self, now_s: float) -> None:
        self._link.reset()
        self._reader = rp.LineReader()
        self._connection, self._problem = Connection.CONNECTING, ""
        self._greeting = _Greeting.BOOTING
        self._hello_at_s, self._hellos = now_s + BOOT_S, 0

    def _lose_port(self, reason: str, now_s: float) -> None:
        if self._job:
            self._end(PrintState.FAILED, f"The connection to the printer was lost. {reason}", now_s)
            self._must_cool = True
        self._link.reset()
        self._greeting = _Greeting.NONE
        self._connection, self._problem = Connection.OFFLINE, reason
        self._temperatures.clear()

    def _start(self, event: ev.StartPrint, now_s: float) -> None:
        assert self.can_start  # noqa: S101 - the contract of StartPrint
        self._job = Job(
            print_id=event.print_id,
            commands=event.commands,
            bytes_total=event.bytes_total,
            started_s=now_s,
        )

    def _control(self, event: ev.Event, now_s: float) -> None:
        if self._job is None:
            return
        match event:
            case ev.PausePrint():
                self._job.pause()
            case ev.ResumePrint():
                self._job.resume()
            case ev.CancelPrint(reason=reason):
                self._job.cancel(reason)
                self._break_wait_at_s = now_s
            case _:
                pass

    def _stop_at_once(self, now_s: float) -> None:
        self._link.reset()
        self._effects.append(ev.Send(data=b"\nM112\n"))
        self._halt("Emergency stop. Switch the printer off and on again to go on.", now_s)

    def _halt(self, problem: str, now_s: float) -> None:
        self._end(PrintState.FAILED, problem, now_s)
        self._link.reset()
        self._greeting = _Greeting.NONE
        self._connection, self._problem = Connection.HALTED, problem
        self._must_cool = True

    def _end(self, state: PrintState, reason: str, now_s: float) -> None:
        if self._job is None:
            return
        final = replace(
            self._job.report(self._link.done, now_s), state=state, reason=reason[:TEXT_CHARS_MAX]
        )
        self._job, self._last_report = None, final
        self._effects.append(ev.PrintEnded(report=final))

    # --- what the printer says ---------------------------------------------------------------

    def _hear(self, data: bytes, now_s: float) -> None:
        for line in self._reader.feed(data):
            reply = rp.parse_reply(line)
            self._link.heard(
                now_s,
                is_line_trouble=isinstance(reply, rp.Resend | rp.LineError),
                is_ok=isinstance(reply, rp.Ok),
            )
            try:
                self._take(reply, now_s)
            except LinkBrokenError as error:
                self._break_off(str(error), now_s)

    def _take(self, reply: rp.Reply, now_s: float) -> None:
        match reply:
            case rp.Ok():
                self._take_ok(reply, now_s)
            case rp.TemperatureReport(temperatures=temperatures):
                self._note_temperatures(temperatures)
                if any(is_heating_wait(line.command) for line in self._link.in_flight):
                    self._note_life(now_s)
            case rp.Busy():
                self._note_life(now_s)
            case rp.Resend(line_number=number):
                self._take_refusal(number, now_s)
            case rp.LineError(last_line=last_line):
                self._take_refusal(None if last_line is None else last_line + 1, now_s)
            case rp.Failure():
                self._take_failure(reply, now_s)
            case rp.Start():
                self._take_boot(now_s)
            case rp.FirmwareName(name=name):
                self._firmware = name[:TEXT_CHARS_MAX]
            case rp.Action(name=name):
                self._take_action(name, now_s)
            case rp.Echo() | rp.Unknown():
                pass

    def _take_ok(self, ok: rp.Ok, now_s: float) -> None:
        self._note_life(now_s)
        self._link.acknowledge(ok)
        if ok.temperatures:
            self._note_temperatures(ok.temperatures)
            if self._job and self._link.is_idle:
                self._job.heard_temperatures()

    def _note_temperatures(self, temperatures: tuple[Temperature, ...]) -> None:
        for temperature in temperatures:
            if temperature.name in self._temperatures or (
                len(self._temperatures) < TEMPERATURES_MAX
            ):
                self._temperatures[temperature.name] = temperature

    def _take_refusal(self, number: int | None, now_s: float) -> None:
        self._note_life(now_s)
        if self._greeting in (_Greeting.HELLO, _Greeting.IDENTIFYING):
            self._greeting = _Greeting.HELLO
            self._link.refuse(None)
            self._hello_at_s = min(self._hello_at_s, now_s + HELLO_AGAIN_S)
        elif self._greeting is not _Greeting.NONE:
            self._link.refuse(number)

    def _take_failure(self, failure: rp.Failure, now_s: float) -> None:
        text = failure.text[:TEXT_CHARS_MAX]
        self._effects.append(ev.Note(text=f"The printer reports: {text}"))
        if failure.is_halted and self._greeting is not _Greeting.NONE:
            blind = "".join(f"{command}\n" for command in HEATERS_OFF)
            self._effects.append(ev.Send(data=blind.encode("ascii")))
            reason = (
                f"The printer stopped itself: {text} Find the cause, then switch it off and on."
            )
            self._halt(reason, now_s)
        elif failure.is_fatal:
            self._break_off(f"The printer reports: {text}", now_s)

    def _take_boot(self, now_s: float) -> None:
        if self._job:
            reason = "The printer restarted in mid-print; check its power supply."
            self._end(PrintState.FAILED, reason, now_s)
            self._must_cool = True
        if self._connection is not Connection.OFFLINE:
            self._connection, self._problem = Connection.CONNECTING, ""
            self._say_hello(now_s)

    def _take_action(self, name: str, now_s: float) -> None:
        match name:
            case "pause" | "paused":
                self._control(ev.PausePrint(), now_s)
            case "resume" | "resumed":
                self._control(ev.ResumePrint(), now_s)
            case "cancel":
                self._control(ev.CancelPrint(reason="Cancelled at the printer."), now_s)
            case _:
                pass

    def _break_off(self, reason: str, now_s: float) -> None:
        """The print cannot go on but the firmware may listen: greet it anew and cool it."""
        self._must_cool = self._must_cool or self._job is not None
        self._end(PrintState.FAILED, reason, now_s)
        self._effects.append(ev.Note(text=reason))
        if self._greeting is not _Greeting.NONE:
            self._connection = Connection.CONNECTING
            self._greeting = _Greeting.BOOTING
            self._link.reset()
            self._hello_at_s = now_s + BOOT_S

    # --- the decision ------------------------------------------------------------------------

    def tick(self, now_s: float) -> None:
        """Do what is due and send what may be sent."""
        if self._greeting is _Greeting.NONE:
            return
        was_idle = self._link.is_idle
        self._link.tick(now_s)
        if self._greeting is _Greeting.DONE:
            self._go_on_printing(now_s)
            self._poll(now_s)
        else:
            self._go_on_greeting(now_s)
        if was_idle and not self._link.is_idle:
            self._note_life(now_s)
        self._watch_silence(now_s)

    def _say_hello(self, now_s: float) -> None:
        self._greeting = _Greeting.HELLO
        self._hello_at_s = now_s + HELLO_RETRY_S
        self._hellos += 1
        if self._hellos > HELLOS_BEFORE_PROBLEM:
            self._problem = "The printer does not answer; check that it is on and its baud rate."
        self._link.hello()

    def _go_on_greeting(self, now_s: float) -> None:
        if self._greeting in (_Greeting.BOOTING, _Greeting.HELLO):
            self._go_on_hello(now_s)
        if self._greeting is _Greeting.IDENTIFYING and self._link.is_idle:
            self._greeting = _Greeting.COOLING
            self._cooling = self._heaters_off() if self._must_cool else []
        if self._greeting is _Greeting.COOLING:
            self._go_on_cooling(now_s)

    def _go_on_hello(self, now_s: float) -> None:
        if self._greeting is _Greeting.HELLO and self._link.is_idle:
            self._greeting = _Greeting.IDENTIFYING
            self._link.send("M115", Progress())
        elif now_s >= self._hello_at_s:
            self._say_hello(now_s)

    def _go_on_cooling(self, now_s: float) -> None:
        if self._cooling and self._link.can_send(self._cooling[0], may_follow=False):
            self._link.send(self._cooling.pop(0), Progress())
        elif not self._cooling and self._link.is_idle:
            self._greeting, self._must_cool = _Greeting.DONE, False
            self._connection, self._problem = Connection.READY, ""
            self._hellos = 0
            self._poll_at_s = now_s

    def _heaters_off(self) -> list[str]:
        nozzles = [name for name in self._temperatures if name.startswith("T")]
        others = [f"M104 {name} S0" for name in nozzles] if len(nozzles) > 1 else []
        chamber = ["M141 S0"] if "C" in self._temperatures else []
        return [*HEATERS_OFF, *others, *chamber]

    def _go_on_printing(self, now_s: float) -> None:
        try:
            while self._job and self._advance(self._job, now_s):
                pass
        except GcodeError as error:
            self._break_off(str(error), now_s)

    def _advance(self, job: Job, now_s: float) -> bool:
        """One step of the print; False when it waits for something."""
        if self._link.is_idle and job.on_idle(self._heaters_off()):
            return True
        if job.stage is Stage.OVER:
            self._end(job.final_state, job.reason, now_s)
            return False
        if job.stage is Stage.BREAKING_WAITS:
            self._break_waits(now_s)
            return False
        return self._send_next(job)

    def _send_next(self, job: Job) -> bool:
        command = job.next_command()
        if command is None or not self._link.can_send(command.text, may_follow=job.may_follow):
            return False
        job.take()
        self._link.send(command.text, job.progress, may_follow=job.may_follow)
        return True

    def _break_waits(self, now_s: float) -> None:
        breaking = sum(line.command == "M108" for line in self._link.in_flight)
        if now_s >= self._break_wait_at_s and breaking < BREAK_WAITS_MAX:
            self._break_wait_at_s = now_s + BREAK_WAIT_RETRY_S
            self._link.send_unnumbered("M108")
        elif now_s >= self._break_wait_at_s:
            self._break_wait_at_s = now_s + BREAK_WAIT_RETRY_S

    def _poll(self, now_s: float) -> None:
        if now_s < self._poll_at_s:
            return
        self._poll_at_s = now_s + POLL_S
        is_free = not self._link.awaits_temperatures
        if is_free and self._link.can_send(REPORT_TEMPERATURES, may_follow=True):
            self._link.send(REPORT_TEMPERATURES, self._sent_progress)

    def _watch_silence(self, now_s: float) -> None:
        """Find lost acknowledgements; give up on a printer that is dead."""
        if self._link.is_idle or self._greeting in (_Greeting.BOOTING, _Greeting.HELLO):
            return
        if now_s >= self._alive_s + SILENCE_S_MAX:
            self._note_life(now_s)
            self._break_off("The printer has not answered for 10 minutes; check it.", now_s)
        elif now_s >= self._probe_at_s:
            self._probe_wait_s *= 2
            self._probe_at_s = now_s + self._probe_wait_s
            self._probe()

    def _note_life(self, now_s: float) -> None:
        self._alive_s = now_s
        self._probe_wait_s = PATIENCE_S
        self._probe_at_s = now_s + PATIENCE_S

    def _probe(self) -> None:
        """A numbered one also proves the numbering; while lines are repeated none is free."""
        if self._link.is_repeating:
            self._link.send_unnumbered(REPORT_TEMPERATURES)
        else:
            self._link.send(REPORT_TEMPERATURES, self._sent_progress)

    @property
    def _sent_progress(self) -> Progress:
        return self._job.progress if self._job else Progress()
