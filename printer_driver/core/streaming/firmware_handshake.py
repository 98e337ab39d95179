"""Gets to know the firmware: line number, name, abilities; switches heaters off if necessary."""

from collections.abc import Iterable
from enum import Enum

from printer_driver.core.replies.dialects import Dialect
from printer_driver.core.replies.reported_state import ReportedState
from printer_driver.core.streaming.feeder import COOL_AT_ONCE
from printer_driver.core.streaming.line_sender import LineSender
from printer_driver.core.streaming.print_sequence import HEATERS_OFF
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    REPORT_TEMPERATURES,
)
from printer_driver.core.streaming.stream_settings import (
    NOT_ALONE,
    StreamSettings,
)

BOOT_S = 0.5
"""After opening the port: a board that resets says `start`, one that does not stays silent."""
HELLO_RETRY_S = 2.0
HELLO_AGAIN_S = 0.5
"""After an M110 that was refused."""
HELLOS_BEFORE_PROBLEM = 4
"""M110 without an answer until a person is told."""
QUESTIONS_MAX = 3
"""M115 until firmware without a name is taken as it is."""
COOLINGS_MAX = 5
HALT_COOLINGS_MAX = 30
"""For firmware that has stopped itself; a port that nobody reads any more takes as many."""
HALT_PAUSE_S, HALT_PAUSE_S_MAX = 2.0, 60.0
"""Between two of them; doubled each time."""
STOP_PAUSE_S = 8.0
"""After an emergency stop: a board that is reset meanwhile may still be in its bootloader."""
KEEPALIVE_S = 1.0
"""Asked for with M113: a lost acknowledgement behind a long command is noticed the sooner."""
REPORT_EVERY_S = 2
"""Asked for with M155; whole seconds."""
_SILENT = "The printer does not answer; check that it is on and its baud rate."
_BUSY = "The printer is busy, perhaps heating; it is asked until it answers."
_HOT = " Its heaters may be on with nobody to watch them: switch it off."


class HandshakeStep(Enum):
    """The steps of the handshake."""

    NONE = "none"  # no port
    HALTED = "halted"  # the firmware has stopped itself; cooled now and then until that is told
    WAITING = "waiting"  # it boots, or has refused a line: M110 comes at `at_s`
    HELLO = "hello"  # M110 sent
    IDENTIFYING = "identifying"  # M115, M105
    ARRANGING = "arranging"  # M113, M155
    COOLING = "cooling"  # heaters off after a print that broke
    DONE = "done"


class FirmwareHandshake:
    """Sends through `lines` until `step` is DONE."""

    def __init__(
        self,
        *,
        lines: LineSender,
        reported: ReportedState,
        settings: StreamSettings,
        must_cool: bool = False,
    ) -> None:
        self.step = HandshakeStep.NONE
        self.must_cool = must_cool
        """Whether heaters may be on that no print needs; they are switched off at the end."""
        self.at_s = 0.0
        """When the next M110 is due, while HALTED, WAITING or HELLO."""
        self.problem = ""
        self._lines = lines
        self._reported = reported
        self._settings = settings
        self._script: list[str] = []
        self._hellos = 0
        self._questions = 0
        self._coolings = 0
        self._reports_before = 0
        self._halt_pause_s = HALT_PAUSE_S

    def _enter(self, step: HandshakeStep) -> None:
        """The only place where the step changes."""
        self.step = step

    def require_cooling(self) -> None:
        """A print broke off: the heaters are switched off before anything else is done."""
        self.must_cool = True

    def boot(self, now_s: float) -> None:
        """Waits for the firmware to start, then begins the handshake."""
        self._lines.reset()
        if self.must_cool:
            self._lines.send_blindly(COOL_AT_ONCE)
        self.problem = ""
        self._enter(HandshakeStep.WAITING)
        self.at_s = now_s + BOOT_S

    def stop(self) -> None:
        """The port is gone."""
        self._lines.reset()
        self._enter(HandshakeStep.NONE)
        self._hellos = 0

    def halt(self, now_s: float, *, pause_s: float = HALT_PAUSE_S) -> None:
        """The firmware has stopped itself, which switches its heaters off; or noise made it seem
        so."""
        self._lines.reset()
        self.must_cool = True
        self._enter(HandshakeStep.HALTED)
        self._hellos = self._coolings = 0
        self._halt_pause_s = HALT_PAUSE_S
        self.at_s = now_s + pause_s

    def hurry(self, now_s: float) -> None:
        """Cools a halted printer at once, and not only when that is due."""
        if self.step is HandshakeStep.HALTED:
            self.at_s = now_s

    def say_hello(self, now_s: float) -> None:
        """Begins anew with M110, and with cooling: firmware may hear without being heard."""
        self._enter(HandshakeStep.HELLO)
        self.at_s = now_s + HELLO_RETRY_S
        self._questions = self._coolings = 0
        self._hellos += 1
        if self._hellos > HELLOS_BEFORE_PROBLEM:
            is_heard = self._reported.activity or self._reported.reports > self._reports_before
            self.problem = (_BUSY if is_heard else _SILENT) + (_HOT if self.must_cool else "")
        self._reports_before = self._reported.reports
        if self.must_cool:
            self._cool_at_sight(HEATERS_OFF, now_s)
        else:
            self._lines.hello(now_s)

    def _cool_at_sight(self, commands: Iterable[str], now_s: float) -> None:
        """Sends M108 first and without a number: firmware without an emergency parser sees it
        only so, and only while a command slot is free. Everything else has a number, and so has
        M108 once many bytes are unanswered: firmware in a wait may read nothing, the bytes
        overflow its receive buffer, and what is left of `M104` may be an `M1`, which waits for a
        person."""
        is_ahead = self._lines.takes_unchecked
        self._lines.hello(now_s, ahead="M108" if is_ahead else "")
        for command in commands if is_ahead else ("M108", *commands):
            self._lines.send(command, NO_PLACE, now_s, follows=True)

    def refused(self, now_s: float) -> bool:
        """A line was refused. True if it belonged to the handshake, which then begins anew."""
        again_s = now_s + HELLO_AGAIN_S
        match self.step:
            case HandshakeStep.HELLO:
                self.at_s = min(self.at_s, again_s)
                self._lines.refuse(None, now_s)
            case HandshakeStep.IDENTIFYING:  # it did not hear the M110
                self._lines.reset()
                self.at_s = again_s
                self._enter(HandshakeStep.WAITING)
            case HandshakeStep.ARRANGING | HandshakeStep.COOLING | HandshakeStep.DONE:
                return False
        return True

    def skipped(self, now_s: float) -> None:
        """The firmware takes a line for one that it has already had: it did not hear the M110."""
        if self.step is HandshakeStep.IDENTIFYING:
            self.refused(now_s)

    def tick(self, now_s: float) -> None:
        """Send what is due."""
        match self.step:
            case HandshakeStep.HALTED:
                self._cool_halted(now_s)
            case HandshakeStep.HELLO if self._lines.is_idle:
                self._enter(HandshakeStep.IDENTIFYING)
            case HandshakeStep.WAITING | HandshakeStep.HELLO if now_s >= self.at_s:
                self.say_hello(now_s)
        while self._go_on(now_s):
            pass

    def _cool_halted(self, now_s: float) -> None:
        is_told = self._coolings > 0 and self._lines.is_idle and self._are_heaters_off
        is_over = now_s >= self.at_s and self._coolings >= HALT_COOLINGS_MAX
        # Where `ok` means received, what heats may still be queued in front of the cooling.
        if is_over or (is_told and not self._reported.dialect.acknowledges_receipt):
            self.must_cool = not is_told
            self._enter(HandshakeStep.NONE)
        elif now_s >= self.at_s:
            self._coolings += 1
            self._halt_pause_s = min(2 * self._halt_pause_s, HALT_PAUSE_S_MAX)
            self.at_s = now_s + self._halt_pause_s
            self._reports_before = self._reported.reports
            self._cool_at_sight((*self._reported.heaters_off(), REPORT_TEMPERATURES), now_s)

    def _go_on(self, now_s: float) -> bool:
        """One step; False when it waits for an answer or is done."""
        if self.step in (
            HandshakeStep.NONE,
            HandshakeStep.HALTED,
            HandshakeStep.WAITING,
            HandshakeStep.HELLO,
            HandshakeStep.DONE,
        ):
            return False
        if not self._lines.is_idle:
            return False
        if self._script:
            self._lines.send(self._script.pop(0), NO_PLACE, now_s, follows=False)
            return False
        match self.step:
            case HandshakeStep.IDENTIFYING:
                self._identify()
            case HandshakeStep.ARRANGING:
                self._enter(HandshakeStep.COOLING)
            case _:
                self._cool()
        return True

    def _identify(self) -> None:
        if self._questions >= (1 if self._reported.firmware else QUESTIONS_MAX):
            self._arrange()
        else:
            self._questions += 1
            self._script = ["M115", REPORT_TEMPERATURES]

    def _arrange(self) -> None:
        dialect, reported = self._reported.dialect, self._reported
        self._set_up_lines(dialect)
        self._enter(HandshakeStep.ARRANGING)
        self._script = [f"M113 S{KEEPALIVE_S:g}"] if dialect.sets_keepalive else []
        if self._settings.alone_s and dialect.stops_when_alone:
            self._script.append(NOT_ALONE)  # an earlier process may have been killed in mid-print
        if reported.reports_temperatures:
            self._script.append(f"M155 S{REPORT_EVERY_S}")
            reported.expect_reports()

    def _set_up_lines(self, dialect: Dialect) -> None:
        settings = self._settings
        self._lines.adapt(
            bare_ok_after_resend=dialect.bare_ok_after_resend,
            answers_empty_lines=dialect.answers_empty_lines,
        )
        self._lines.window.set_limits(
            bufsize=settings.bufsize or dialect.bufsize,
            rx_bytes=settings.rx_bytes or dialect.rx_bytes,
            has_emergency_parser=self._reported.can(
                "EMERGENCY_PARSER", otherwise=dialect.has_emergency_parser
            ),
        )

    @property
    def _are_heaters_off(self) -> bool:
        """Whether the firmware has reported a target of zero for every heater since it was told
        to."""
        is_told = self._reported.reports > self._reports_before
        return is_told and not any(self._reported.targets_c)

    def _cool(self) -> None:
        if not self.must_cool or (self._coolings and self._are_heaters_off):
            self.must_cool, self.problem = False, ""
            self._enter(HandshakeStep.DONE)
            self._hellos = 0
        elif self._coolings >= COOLINGS_MAX:
            self.problem = "The heaters may still be on: switch the printer off."
            self.must_cool = False
            self._enter(HandshakeStep.DONE)
        else:
            self._coolings += 1
            self._reports_before = self._reported.reports
            # Firmware that reports behind its `ok` has done so when the second is acknowledged.
            questions = 1 if self._lines.marks_temperatures else 2
            self._script = [*self._reported.heaters_off(), *[REPORT_TEMPERATURES] * questions]
