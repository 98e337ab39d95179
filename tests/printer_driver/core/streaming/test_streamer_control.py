"""Pause, cancel and the rest against the virtual board, at 115200 baud in simulated time."""

import itertools
import random
from collections.abc import Callable, Iterator

import pytest

from printer_driver.core.gcode.gcode_lines import (
    FileCommand,
    commands_of,
)
from printer_driver.core.replies.reported_state import HostAction
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import PrintReport, PrintState
from printer_driver.virtual.board import (
    Board,
    BoardSetup,
)
from printer_driver.virtual.firmware import Executed
from printer_driver.virtual.usb_wire import Wiring
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
    VirtualDialect,
)

SQUARE = ["G90", "M83", "G92 X0 Y0 Z0 E0", "G1 Z1 F600"]
LONG_MOVES = [*SQUARE, *[f"G1 X{200 * (number % 2)} E1 F300" for number in range(40)]]
SHORT_MOVES = [*SQUARE, *[f"G1 X{number / 10:g} E.01 F60" for number in range(400)]]


class Desk:
    """A streamer and a board."""

    def __init__(
        self, setup: FirmwareSetup | None = None, settings: StreamSettings | None = None
    ) -> None:
        self.board = Board(
            BoardSetup(
                firmware=setup or FirmwareSetup(), wiring=Wiring(baud=115200, latency_s=0.001)
            ),
            random.Random(1).random,
        )
        self.streamer = Streamer(settings=settings)
        self.now_s = 0.0
        self.executed: list[str] = []
        self.effects: list[ev.Effect] = []
        self.report: PrintReport | None = None
        self.tell(ev.PortOpened())
        self.run(lambda: self.streamer.can_start)

    def tell(self, event: ev.Event) -> None:
        self.streamer.receive(event, self.now_s)

    def start(self, lines: list[str]) -> None:
        self.tell(ev.StartPrint(print_id="p", commands=made(lines), bytes_total=1))

    def run(self, until: Callable[[], bool], limit_s: float = 4000.0) -> float:
        """Returns how long it took."""
        begin_s = self.now_s
        while not until():
            self._exchange()
            dues = (self.streamer.next_deadline_s(), self.board.next_deadline_s())
            self.now_s = max(self.now_s, min(due for due in dues if due is not None))
            assert self.now_s < begin_s + limit_s, self.streamer.status(self.now_s)
            self.board.tick(self.now_s)
            self.streamer.tick(self.now_s)
        return self.now_s - begin_s

    def _exchange(self) -> None:
        for effect in self.board.effects():
            if isinstance(effect, Executed):
                self.executed.append(effect.command)
            else:
                self.tell(ev.Received(data=effect.data))
        for sent in self.streamer.effects():
            self.effects.append(sent)
            if isinstance(sent, ev.Send):
                self.board.receive(sent.data, self.now_s)
            elif isinstance(sent, ev.PrintEnded):
                self.report = sent.report

    def over(self) -> bool:
        return self.report is not None

    def state(self) -> PrintState | None:
        report = self.streamer.status(self.now_s).print
        return report.state if report else None

    def wait(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        self.run(lambda: self.now_s >= end_s)


def made(lines: list[str]) -> Iterator[FileCommand]:
    return commands_of([f"{line}\n".encode() for line in lines])


@pytest.mark.parametrize("has_parser", [False, True])
@pytest.mark.parametrize(
    "lines", [["M109 S250"], ["M190 S100"], LONG_MOVES, SHORT_MOVES], ids=lambda x: x[-1]
)
def test_cancelled_within_a_second_and_cold(lines: list[str], *, has_parser: bool) -> None:
    desk = Desk(FirmwareSetup(emergency_parser=has_parser, rx_bytes=128))
    desk.start(["M104 S200", *lines])
    desk.wait(12.0)
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.over) < 1.0
    assert desk.report
    assert (desk.report.state, desk.report.reason) == (PrintState.CANCELLED, "Enough.")
    assert (desk.board.condition.nozzle_target_c, desk.board.condition.bed_target_c) == (0, 0)
    assert desk.executed[-5:-1] == ["M104 S0", "M140 S0", "M107", "M84"]


def test_a_pause_parks_and_comes_back_to_the_exact_place() -> None:
    calm = Desk()
    calm.start(SHORT_MOVES)
    calm.run(calm.over)
    desk = Desk(settings=StreamSettings(park=Park(x=150, y=150)))
    desk.start(SHORT_MOVES)
    desk.wait(10.0)
    desk.tell(ev.PausePrint())
    desk.run(lambda: desk.state() is PrintState.PAUSED)
    assert desk.board.condition.position[:3] == pytest.approx((150, 150, 6))
    desk.wait(30.0)
    desk.tell(ev.ResumePrint())
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE
    assert desk.board.condition.position == pytest.approx(calm.board.condition.position)
    assert desk.board.condition.totals.e_mm == pytest.approx(calm.board.condition.totals.e_mm)
    assert [x for x in desk.executed if x in SHORT_MOVES[4:]] == SHORT_MOVES[4:]


def test_heaters_that_went_off_in_a_pause_are_warmed_first() -> None:
    desk = Desk()
    desk.start(["M109 S60", *SHORT_MOVES])
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    desk.tell(ev.PausePrint())
    desk.run(lambda: desk.state() is PrintState.PAUSED)
    desk.board.receive(b"M104 S0\n", desk.now_s)
    desk.wait(30.0)
    desk.tell(ev.ResumePrint())
    desk.run(desk.over)
    assert desk.executed.count("M109 S60") == 2


@pytest.mark.parametrize("dialect", ["marlin", "repetier"])
def test_done_is_said_when_the_head_stands_still(dialect: str) -> None:
    desk = Desk(FirmwareSetup(dialect=DIALECTS[dialect]))
    desk.start(LONG_MOVES[:8])
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE
    assert not desk.board.condition.is_moving
    assert desk.streamer.telemetry(desk.now_s).position_checks == 2  # E, and the end


def test_the_printers_wishes_are_typed_and_obeyed() -> None:
    desk = Desk()
    desk.start(SHORT_MOVES)
    desk.wait(5.0)
    desk.tell(ev.Received(data=b"//action:out_of_filament T0\n"))
    desk.run(lambda: desk.state() is PrintState.PAUSED)
    assert ev.HostActionAsked(wish=HostAction.OUT_OF_FILAMENT, argument="T0") in desk.effects
    desk.tell(ev.Received(data=b"//action:resumed\n"))
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE


def test_commands_of_a_person_go_out_while_nothing_is_printed() -> None:
    desk = Desk()
    desk.tell(ev.SendCommands(commands=("M106 S255", "; nothing", "G1 X1 ; move")))
    desk.wait(2.0)
    assert [x for x in desk.executed if x in ("M106 S255", "G1 X1")] == ["M106 S255", "G1 X1"]
    desk.start(SHORT_MOVES)
    desk.tell(ev.SendCommands(commands=("G28",)))
    desk.wait(1.0)
    assert "G28" not in desk.executed
    assert any(isinstance(x, ev.Note) and "G28" in x.text for x in desk.effects)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda x: x.name[:20])
def test_every_dialect_prints_the_file(dialect: VirtualDialect) -> None:
    desk = Desk(FirmwareSetup(dialect=dialect))
    desk.start(SHORT_MOVES)
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE
    assert [x for x in desk.executed if x in SHORT_MOVES] == SHORT_MOVES


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda x: x.name[:20])
def test_every_dialect_is_cold_after_a_cancel(dialect: VirtualDialect) -> None:
    desk = Desk(FirmwareSetup(dialect=dialect))
    desk.start(["M104 S200", *SHORT_MOVES])
    desk.wait(5.0)
    desk.tell(ev.CancelPrint(reason="Enough."))
    desk.run(desk.over)
    assert desk.board.condition.nozzle_target_c == 0
    assert desk.report
    assert desk.report.reason == "Enough."


SAYS_CLEAR = "M118 A1 action:bed_clear"


def says_clear(desk: Desk) -> bool:
    return ev.BedReportedClear() in desk.effects


def test_a_print_whose_own_end_clears_the_bed() -> None:
    desk = Desk()
    desk.start([*SHORT_MOVES, "M400", SAYS_CLEAR, "G1 X0 F6000"])
    desk.run(desk.over)
    assert desk.report
    assert (desk.report.state, desk.report.bed_cleared) == (PrintState.DONE, True)
    assert not says_clear(desk)


def test_a_print_that_goes_on_behind_it() -> None:
    desk = Desk()
    desk.start([*SQUARE, SAYS_CLEAR, *SHORT_MOVES[4:]])
    desk.run(desk.over)
    assert desk.report
    assert (desk.report.state, desk.report.bed_cleared) == (PrintState.DONE, False)


def test_the_printer_clears_its_bed_between_two_prints() -> None:
    desk = Desk()
    desk.start(SHORT_MOVES)
    desk.run(desk.over)
    assert desk.report
    assert not desk.report.bed_cleared
    desk.tell(ev.SendCommands(commands=(SAYS_CLEAR,)))
    desk.run(lambda: says_clear(desk))


def test_a_failed_print_says_nothing_of_the_bed() -> None:
    desk = Desk()
    desk.start([*SQUARE, SAYS_CLEAR, *["G1 X1 F60", "G1 X0 F60"] * 50])
    desk.wait(20.0)
    assert SAYS_CLEAR in desk.executed
    desk.tell(ev.Received(data=b"\nError:Printer halted. kill() called!\n"))
    desk.run(desk.over)
    assert desk.report
    assert (desk.report.state, desk.report.bed_cleared) == (PrintState.FAILED, False)
    desk.tell(ev.Received(data=b"//action:bed_clear\n"))
    desk.wait(1.0)
    assert not says_clear(desk)  # it is halted


def test_a_print_that_fails_with_its_very_last_answer_has_not_cleared_the_bed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk()
    heard = b""

    def tell(event: ev.Event) -> None:
        nonlocal heard
        assert isinstance(event, ev.Received)
        heard += event.data
        is_last = SAYS_CLEAR in desk.executed and heard.split(b"\n")[-2:-1] > [b"ok T"]
        halt = b"Error:Printer halted. kill() called!\n" if is_last else b""
        desk.streamer.receive(ev.Received(data=event.data + halt), desk.now_s)

    desk.start([*SQUARE, SAYS_CLEAR])
    monkeypatch.setattr(desk, "tell", tell)
    desk.run(desk.over)
    assert desk.report
    assert (desk.report.state, desk.report.bed_cleared) == (PrintState.FAILED, False)


def fail_with_answer(
    number: int, event: ev.Event, monkeypatch: pytest.MonkeyPatch
) -> tuple[Desk, PrintReport]:
    """A print whose own end clears the bed, and what befalls it together with one answer."""
    desk, answers = Desk(), itertools.count()
    really_tell = desk.tell

    def tell(heard: ev.Event) -> None:
        is_now = isinstance(heard, ev.Received) and next(answers) == number
        if is_now and isinstance(heard, ev.Received) and isinstance(event, ev.Received):
            really_tell(ev.Received(data=heard.data + event.data))
            return
        really_tell(heard)
        if is_now:
            really_tell(event)

    desk.start([*SQUARE, "M400", SAYS_CLEAR, "G1 X0 F6000"])
    monkeypatch.setattr(desk, "tell", tell)
    desk.run(desk.over)
    assert desk.report
    return desk, desk.report


@pytest.mark.parametrize(
    "event",
    [
        ev.Received(data=b"\nError:Printer halted. kill() called!\n"),
        ev.Received(data=b"\nError:Probing failed\n"),
        ev.Received(data=b"\nstart\n"),
        ev.PortLost(reason="Unplugged."),
        ev.HaltFirmware(),
    ],
    ids=["halted", "broken off", "restarted", "unplugged", "stopped at once"],
)
def test_whenever_and_however_a_print_fails_it_has_not_cleared_the_bed(
    event: ev.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed_behind_its_word = 0
    for number in itertools.count():
        desk, report = fail_with_answer(number, event, monkeypatch)
        if report.state is PrintState.DONE:
            assert report.bed_cleared
            break
        assert (report.state, report.bed_cleared) == (PrintState.FAILED, False)
        failed_behind_its_word += SAYS_CLEAR in desk.executed
    assert failed_behind_its_word


def test_what_lay_in_a_buffer_before_the_greeting_does_not_count() -> None:
    streamer = Streamer()
    streamer.receive(ev.PortOpened(), 0.0)
    streamer.receive(ev.Received(data=b"// action:bed_clear\n"), 0.1)
    assert ev.BedReportedClear() not in streamer.effects()


def test_a_notification_is_in_the_status() -> None:
    desk = Desk()
    desk.tell(ev.Received(data=b"//action:notification Door is open\n"))
    assert desk.streamer.status(desk.now_s).notification == "Door is open"


ALONE = StreamSettings(alone_s=600)


def test_a_printer_that_has_lost_its_host_switches_itself_off() -> None:
    desk = Desk(settings=ALONE)
    desk.start(["M104 S200", *SHORT_MOVES])
    desk.wait(20.0)
    assert desk.board.condition.nozzle_target_c == 200
    desk.board.tick(desk.now_s + 660.0)
    assert desk.board.condition.nozzle_target_c == 0
    lost = [x.data for x in desk.board.effects() if not isinstance(x, Executed)]
    assert b"too much inactive time" in b"".join(lost)


def test_a_pause_and_the_time_after_a_print_may_be_as_long_as_they_are() -> None:
    desk = Desk(settings=ALONE)
    desk.start(["M109 S60", *SHORT_MOVES])
    desk.wait(20.0)
    desk.tell(ev.PausePrint())
    desk.wait(2000.0)
    assert desk.state() is PrintState.PAUSED
    desk.tell(ev.ResumePrint())
    desk.run(desk.over)
    desk.wait(2000.0)
    assert desk.report
    assert desk.report.state is PrintState.DONE
    assert desk.streamer.can_start


def test_a_broken_print_leaves_no_timer_behind() -> None:
    desk = Desk(settings=ALONE)
    desk.start(SHORT_MOVES)
    desk.wait(20.0)
    desk.tell(ev.PortLost(reason="Unplugged."))
    desk.tell(ev.PortOpened())
    desk.run(lambda: desk.streamer.can_start)
    desk.wait(2000.0)
    assert desk.streamer.can_start


def test_firmware_that_does_not_know_m85_is_not_asked() -> None:
    desk = Desk(FirmwareSetup(dialect=DIALECTS["smoothie"]), ALONE)
    desk.start(SHORT_MOVES)
    desk.run(desk.over)
    assert not any(x.startswith("M85") for x in desk.executed)


def test_firmware_that_tells_only_temperatures_in_a_long_heating_wait_is_not_dead() -> None:
    desk = Desk(FirmwareSetup(dialect=DIALECTS["klipper"]))
    desk.start(["M190 S110", "G28"])
    desk.run(lambda: "M190 S110" in desk.executed)
    for _ in range(900):
        desk.now_s += 1.0
        desk.tell(ev.Received(data=b"B:50.0 /110.0 T0:20.0 /0.0\n"))
    assert desk.streamer.is_printing
    assert desk.streamer.telemetry(desk.now_s).probes == 0


def test_a_printer_that_waits_for_somebody_says_so() -> None:
    desk = Desk()
    desk.start(["G28", "M0", "G1 X1"])
    desk.run(lambda: bool(desk.streamer.status(desk.now_s).notification))
    assert "panel" in desk.streamer.status(desk.now_s).notification
    desk.board.receive(b"M108\n", desk.now_s)
    desk.run(desk.over)
    assert desk.streamer.status(desk.now_s).notification == ""
