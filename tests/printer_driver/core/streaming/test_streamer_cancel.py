"""Cancelled, broken off or unheard: the heaters go off, whatever is lost on the way."""

from itertools import pairwise

import pytest

from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.acknowledgement_watch import SILENCE_S_MAX
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Connection, PrintState
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
)
from tests.printer_driver.core.streaming.test_streamer_control import (
    LONG_MOVES,
    SHORT_MOVES,
    SQUARE,
    Desk,
)

HEAT = ["M140 S60", "M104 S60"]
QUICK_MOVES = [*SQUARE, *[f"G1 X{n % 100} Y{n % 7} E.05 F6000" for n in range(1500)]]


class LossyDesk(Desk):
    """Loses the next `ok`, or all that the printer says."""

    loses_ok = False
    is_deaf = False

    def tell(self, event: ev.Event) -> None:
        if isinstance(event, ev.Received):
            if self.is_deaf:
                return
            if self.loses_ok and b"ok\n" in event.data:
                self.loses_ok = False
                event = ev.Received(data=event.data.replace(b"ok\n", b"", 1))
        super().tell(event)

    def is_cold(self) -> bool:
        condition = self.board.condition
        return not condition.nozzle_target_c and not condition.bed_target_c


@pytest.mark.parametrize("has_parser", [False, True])
@pytest.mark.parametrize(
    ("lines", "reached"),
    [
        ([*HEAT, *LONG_MOVES], "G1 X200 E1 F300"),
        ([*HEAT, *SHORT_MOVES], "G1 X1 E.01 F60"),
        ([*HEAT, "M109 S250"], "M109 S250"),
    ],
    ids=["long", "short", "heating"],
)
def test_a_lost_acknowledgement_does_not_hold_a_cancel_up(
    lines: list[str], reached: str, *, has_parser: bool
) -> None:
    desk = LossyDesk(FirmwareSetup(emergency_parser=has_parser))
    desk.start(lines)
    desk.run(lambda: reached in desk.executed)
    desk.wait(2.2)
    desk.loses_ok = True
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.over) < 2.5
    assert not desk.loses_ok
    assert desk.is_cold()
    assert desk.executed.count("M410") <= 3


@pytest.mark.parametrize("moves", [14, 40])
def test_a_cancel_does_not_wait_for_m400(moves: int) -> None:
    desk = LossyDesk()
    desk.start([*HEAT, *LONG_MOVES[:moves]])
    desk.run(lambda: desk.executed.count("G1 X0 E1 F300") >= 4)
    desk.tell(ev.PausePrint())
    desk.run(lambda: "M400" in desk.executed)
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.is_cold) < 1.0
    assert desk.run(desk.over) < 2.0


def test_a_printer_that_hears_and_is_not_heard_is_switched_off() -> None:
    desk = LossyDesk()
    desk.start(["M109 S60", *SHORT_MOVES])
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    desk.is_deaf = True
    assert desk.run(desk.is_cold) < SILENCE_S_MAX + 5
    assert desk.report
    assert "10 minutes" in desk.report.reason


def test_a_cancel_that_is_not_answered_switches_off_all_the_same() -> None:
    desk = LossyDesk()
    desk.start([*HEAT, "M109 S60", *SHORT_MOVES])
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    desk.is_deaf = True
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.is_cold) < 6.0


@pytest.mark.parametrize("wait", ["M190 S100", "M109 S250"])
def test_cooling_does_not_wait_for_the_heat(wait: str) -> None:
    desk = LossyDesk()
    desk.start(["M140 S100", "M104 S250", wait])
    desk.run(lambda: wait in desk.executed)
    desk.streamer = Streamer(heaters_off_first=True)
    desk.tell(ev.PortOpened())
    assert desk.run(desk.is_cold) < 1.0
    desk.run(lambda: desk.streamer.can_start, limit_s=30.0)


@pytest.mark.parametrize("filled_bytes", range(30))
def test_a_printer_that_cannot_listen_yet_is_left_no_pieces(filled_bytes: int) -> None:
    """Its receive buffer overflows: of `M104` an `M1` would be left, which waits for a person."""
    desk = LossyDesk(FirmwareSetup(rx_bytes=128))
    wait = "M109 S250"
    desk.board.receive(f"{wait}\nG1 X1\nG1 X2\nG1 X3\n".encode(), desk.now_s)  # no slot is free
    desk.board.receive(b"\n" * filled_bytes, desk.now_s)
    desk.run(lambda: wait in desk.executed)
    desk.streamer = Streamer(heaters_off_first=True)
    desk.tell(ev.PortOpened())
    desk.run(lambda: desk.streamer.can_start, limit_s=120.0)
    heard = [x for x in desk.executed if not x.startswith(("M110 ", "G1 X", "M113", "M155"))]
    assert set(heard) <= {wait, "M108", "M104 S0", "M140 S0", "M105", "M115", "M117 hello"}
    assert desk.is_cold()


def test_off_is_not_believed_of_a_printer_that_tells_no_temperatures() -> None:
    streamer = Streamer(heaters_off_first=True)
    streamer.receive(ev.PortOpened(), 0.0)
    now_s = 0.0
    while streamer.status(now_s).connection is not Connection.READY:
        now_s = max(now_s, streamer.next_deadline_s() or now_s)
        streamer.tick(now_s)
        for sent in streamer.effects():
            if isinstance(sent, ev.Send):
                answers = b"ok\n" * len([x for x in sent.data.split(b"\n") if x])
                streamer.receive(ev.Received(data=answers), now_s)
        assert now_s < 60.0
    assert "may still be on" in streamer.status(now_s).problem


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gets_beyond_the_restart_of_the_numbers(dialect: str) -> None:
    desk = Desk(FirmwareSetup(dialect=DIALECTS[dialect]))
    desk.start(QUICK_MOVES)
    assert desk.run(desk.over, limit_s=200.0) < 100.0
    assert desk.report
    assert desk.report.state is PrintState.DONE


def test_the_temperatures_are_asked_for_while_the_window_is_full() -> None:
    desk = Desk()
    desk.start(QUICK_MOVES)
    asked_s: list[float] = []

    def watch() -> bool:
        sent = [each.data for each in desk.effects if isinstance(each, ev.Send)]
        desk.effects.clear()
        if any(b" M105*" in data for data in sent):
            asked_s.append(desk.now_s)
        return desk.over()

    desk.run(watch)
    gaps_s = [later - sooner for sooner, later in pairwise(asked_s)]
    assert max(gaps_s) < 3.0


def test_probes_leave_a_slot_for_the_emergency_stop() -> None:
    desk = LossyDesk()
    desk.start([*HEAT, "M113 S0", *SQUARE, "G4 S400", "G1 X5"])
    desk.run(lambda: "G4 S400" in desk.executed)
    desk.wait(300.0)
    desk.board.receive(b"\nM112\n", desk.now_s)
    desk.board.tick(desk.now_s + 0.1)
    assert desk.is_cold()


def test_a_halted_printer_whose_start_was_lost_is_greeted_again() -> None:
    desk = Desk()
    desk.tell(ev.Received(data=b"Error:Printer halted. kill() called!\n"))
    assert desk.streamer.status(desk.now_s).connection is Connection.HALTED
    desk.tell(ev.Received(data=b"\xfest?rt\necho:Marlin 2.1.2\n"))
    assert desk.streamer.status(desk.now_s).connection is Connection.CONNECTING


class CutDesk(Desk):
    """What is sent gets lost on its way from a line that holds `cut` until `is_cut` is False."""

    cut = b""
    is_cut = False

    def cut_at(self, command: bytes) -> None:
        self.cut, receive = command, self.board.receive

        def passing(data: bytes, now_s: float) -> None:
            self.is_cut = self.is_cut or (bool(self.cut) and self.cut in data)
            if not self.is_cut:
                receive(data, now_s)

        self.board.receive = passing  # type: ignore[method-assign]


@pytest.mark.parametrize("has_parser", [False, True])
@pytest.mark.parametrize("dead_s", [2.0, 7.0])
def test_what_was_cancelled_is_not_heated_when_the_wire_is_back(
    dead_s: float, *, has_parser: bool
) -> None:
    desk = CutDesk(FirmwareSetup(emergency_parser=has_parser))
    desk.cut_at(b"M109")
    desk.start([*SQUARE, "G1 X1 F600", "M109 S250", "G1 X100 E1 F3000"])
    desk.run(lambda: desk.is_cut)
    desk.wait(0.3)
    desk.tell(ev.CancelPrint(reason="Enough."))
    desk.wait(dead_s)
    desk.cut, desk.is_cut = b"", False
    assert desk.run(desk.over) < 10.0
    assert "M109 S250" not in desk.executed
    assert "G1 X100 E1 F3000" not in desk.executed


def test_an_impatient_person_does_not_put_the_cooling_off() -> None:
    desk = LossyDesk()
    desk.start([*HEAT, "M109 S60", *SHORT_MOVES])
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    desk.is_deaf = True
    for _ in range(3):
        desk.tell(ev.CancelPrint(reason="Enough!"))
        desk.wait(3.0)
    assert desk.is_cold()


@pytest.mark.parametrize(
    "event",
    [
        ev.PortLost(reason="Unplugged."),
        ev.Received(data=b"\nstart\n"),
        ev.Received(data=b"\nError:Printer halted. kill() called!\n"),
    ],
)
def test_what_a_person_has_cancelled_stays_so_whatever_happens(event: ev.Event) -> None:
    desk = Desk()
    desk.start(SHORT_MOVES)
    desk.wait(5.0)
    desk.tell(ev.CancelPrint(reason="Enough."))
    desk.tell(event)
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.CANCELLED
    assert desk.report.reason.startswith("Enough.")


def test_repetier_is_waked_from_a_wait_that_it_has_acknowledged() -> None:
    desk = LossyDesk(FirmwareSetup(dialect=DIALECTS["repetier"], emergency_parser=True))
    desk.start([*SQUARE, "M190 S100", *["G1 X10 F600"] * 60])
    desk.wait(8.0)
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.over) < 2.0
    assert desk.is_cold()


class ChamberDesk(Desk):
    """There is a thermistor without a heater."""

    def tell(self, event: ev.Event) -> None:
        if isinstance(event, ev.Received):
            event = ev.Received(data=event.data.replace(b" B:", b" C:31.0 B:"))
        super().tell(event)


def test_a_mere_thermistor_keeps_no_heater_from_what_it_should_be() -> None:
    desk = ChamberDesk()
    desk.start(["M109 S60", *SHORT_MOVES])
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    desk.tell(ev.PausePrint())
    desk.run(lambda: desk.state() is PrintState.PAUSED)
    desk.board.receive(b"M104 S0\n", desk.now_s)
    desk.wait(30.0)
    desk.tell(ev.ResumePrint())
    desk.run(lambda: desk.executed.count("M109 S60") == 2, limit_s=10.0)
    desk.tell(ev.CancelPrint(reason="Enough."))
    assert desk.run(desk.over) < 2.0
    assert desk.report
    assert desk.report.reason == "Enough."


@pytest.mark.parametrize("word", ["start", "Start", "Print start"])
def test_a_file_may_say_start(word: str) -> None:
    desk = Desk()
    desk.start([f"M118 {word}", "G28"])
    desk.run(desk.over)
    assert desk.report
    assert desk.report.state is PrintState.DONE
