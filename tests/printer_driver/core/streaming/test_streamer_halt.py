"""A printer that has stopped itself, or seems to have: its heaters are off, or are switched off."""

import pytest

from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.firmware_handshake import (
    HALT_COOLINGS_MAX,
    HALT_PAUSE_S,
    HALT_PAUSE_S_MAX,
)
from printer_driver.core.streaming.resend_count import STRANGE_RESENDS_MAX
from printer_driver.printer import Connection
from printer_driver.virtual.incidents import (
    Incident,
    IncidentKind,
)
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
)
from tests.printer_driver.core.streaming.test_streamer_cancel import LossyDesk
from tests.printer_driver.core.streaming.test_streamer_control import SHORT_MOVES

KILLED = b"Error:Printer halted. kill() called!\n"
ALL_COOLINGS_S = HALT_COOLINGS_MAX * HALT_PAUSE_S_MAX


def halted(desk: LossyDesk) -> LossyDesk:
    """In mid-print, by words that noise has made up: the board goes on, hot."""
    desk.start(["M140 S60", "M104 S200", *SHORT_MOVES])
    desk.run(lambda: "G1 X1 E.01 F60" in desk.executed)
    desk.tell(ev.Received(data=KILLED))
    return desk


def sent_while(desk: LossyDesk, seconds: float) -> bytes:
    desk.effects.clear()
    desk.wait(seconds)
    return b"".join(each.data for each in desk.effects if isinstance(each, ev.Send))


@pytest.mark.parametrize("is_first_lost", [False, True])
def test_a_halt_that_noise_made_up_is_cold(*, is_first_lost: bool) -> None:
    desk = halted(LossyDesk())
    if is_first_lost:
        desk.streamer.effects()
    assert desk.run(desk.is_cold) < HALT_PAUSE_S + 1
    assert desk.streamer.status(desk.now_s).connection is Connection.HALTED


@pytest.mark.parametrize("words", [KILLED, b"start\n"])
@pytest.mark.parametrize("wait", ["M0", "M109 S250", "M190 S100"])
def test_the_wait_that_the_board_is_in_is_ended_first(wait: str, words: bytes) -> None:
    """Of three that fill its command slots none could be seen any more."""
    desk = LossyDesk(FirmwareSetup(rx_bytes=128))
    desk.start(["M104 S200", "M140 S60", wait])
    desk.run(lambda: wait in desk.executed)
    desk.wait(1.0)
    desk.tell(ev.Received(data=words))
    assert desk.run(desk.is_cold) < HALT_PAUSE_S + 1


def test_what_was_told_before_the_queue_was_executed_is_not_believed() -> None:
    slow = [f"G1 X{200 * (number % 2)} F300" for number in range(5)]
    desk = LossyDesk(FirmwareSetup(rx_bytes=128, block_slots=2, emergency_parser=True))
    desk.start(["G90", "M83", "G92 X0 Y0 Z0 E0", *slow, "M104 S200", *slow])
    desk.run(lambda: "M104 S200" in [x.command for x in desk.streamer._lines.in_flight])
    desk.tell(ev.Received(data=KILLED))
    desk.streamer.effects()  # lost
    desk.run(lambda: bool(desk.streamer._handshake._coolings))
    desk.streamer.effects()  # lost, too
    desk.wait(ALL_COOLINGS_S)
    assert "M104 S200" in desk.executed
    assert desk.is_cold()


@pytest.mark.parametrize(
    "event",
    [
        ev.HaltFirmware(),
        ev.PortLost(reason="It is out."),
        ev.Received(data=b"start\n"),
        ev.Received(data=KILLED),
        ev.Received(data=b"Resend: 7\nok\n" * STRANGE_RESENDS_MAX),
    ],
)
def test_commands_that_wait_do_not_outlive_what_happened(event: ev.Event) -> None:
    """A person has seen a crash coming: nothing moves or heats when the printer is back."""
    desk = LossyDesk()
    desk.tell(ev.SendCommands(commands=("G28", "M104 S210", "G1 Z50")))
    desk.tell(event)
    assert any("Not sent: " in x.text for x in desk.streamer.effects() if isinstance(x, ev.Note))
    desk.board.cause(Incident(kind=IncidentKind.RESET), desk.now_s)
    if desk.streamer.next_deadline_s() is None:
        desk.tell(ev.PortOpened())
    desk.wait(60.0)
    assert desk.streamer.can_start
    assert "M104 S210" not in desk.executed


def test_it_is_over_when_the_printer_tells_that_they_are_off() -> None:
    desk, owed = halted(LossyDesk()), []
    for _ in range(2):
        owed.append(desk.streamer.owes_cooling)
        desk.wait(HALT_PAUSE_S + 1)
    assert owed == [True, False]
    assert not sent_while(desk, ALL_COOLINGS_S)
    assert desk.streamer.next_deadline_s() is None


def test_a_printer_that_answers_nothing_more_is_asked_some_times() -> None:
    desk = halted(LossyDesk())
    desk.is_deaf = True
    assert sent_while(desk, ALL_COOLINGS_S).count(b"M104 S0") == 1 + HALT_COOLINGS_MAX
    assert desk.streamer.next_deadline_s() is None
    assert desk.streamer.status(desk.now_s).connection is Connection.HALTED


def test_a_halted_printer_that_boots_is_greeted() -> None:
    desk = halted(LossyDesk())
    desk.is_deaf = True
    desk.wait(100.0)
    desk.is_deaf = False
    desk.board.cause(Incident(kind=IncidentKind.RESET), desk.now_s)
    assert desk.run(lambda: desk.streamer.can_start) < 10.0


def test_what_it_says_to_each_command_is_noted_once() -> None:
    """Klipper and Smoothieware answer so until somebody resets them."""
    desk = halted(LossyDesk())
    desk.effects.clear()
    for _ in range(100):
        desk.tell(ev.Received(data=b"!! Shutdown due to webhooks request\n" + KILLED))
    notes = [each for each in desk.streamer.effects() if isinstance(each, ev.Note)]
    assert len(notes) == 2  # the first halt was one


def test_a_refusal_while_halted_changes_nothing() -> None:
    desk = halted(LossyDesk())
    desk.is_deaf = True
    for _ in range(50):
        desk.wait(1.0)
        desk.is_deaf = False
        desk.tell(ev.Received(data=b"Resend: 7\nok\nwait\nskip 3\n"))
        desk.is_deaf = True
    assert desk.streamer.status(desk.now_s).connection is Connection.HALTED


def test_where_ok_means_received_it_is_said_to_the_end() -> None:
    desk = halted(LossyDesk(FirmwareSetup(dialect=DIALECTS["repetier"])))
    assert sent_while(desk, ALL_COOLINGS_S).count(b"M104 S0") == 1 + HALT_COOLINGS_MAX
    assert not desk.streamer.must_cool
