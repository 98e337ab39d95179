import pytest

from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.printer_view import (
    Heat,
    heat_of,
    status_of,
)
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Question


def hear(streamer: Streamer, *lines: str) -> None:
    for line in lines:
        streamer.receive(ev.Received(data=f"{line}\n".encode()), 0.0)


def test_the_last_fault_and_the_question_once_it_is_whole() -> None:
    streamer = Streamer()
    streamer.receive(ev.PortOpened(), 0.0)
    assert (status_of(streamer, 0.0).fault, status_of(streamer, 0.0).question) == ("", None)
    hear(streamer, "echo: cold extrusion prevented", "// action:prompt_begin Go on?")
    hear(streamer, "// action:prompt_choice Yes")
    assert status_of(streamer, 0.0).fault == "cold_extrusion"
    assert status_of(streamer, 0.0).question is None
    hear(streamer, "// action:prompt_show")
    assert status_of(streamer, 0.0).question == Question(text="Go on?", choices=("Yes",))


HOT = b"ok T:200.0 /200.0 B:60.0 /60.0\n"
OFF = b"ok T:199.0 /0.0 B:59.0 /0.0\n"
MUTE = b"ok\n"
UNTOLD = b"ok T:200.0 B:60.0\n"
LIMIT_S = 60.0


class Talk:
    """Every line is acknowledged; M105 is answered with `heat`."""

    def __init__(self, heat: bytes, *, heaters_off_first: bool = False) -> None:
        self.streamer = Streamer(heaters_off_first=heaters_off_first)
        self.heat = heat
        self.now_s = 0.0
        self.tell(ev.PortOpened())
        self.seen = {self.found}
        while not self.streamer.can_start and self.now_s < LIMIT_S:
            self.now_s += 0.1
            self.streamer.tick(self.now_s)
            self.answer()
            self.seen.add(self.found)

    def tell(self, event: ev.Event) -> None:
        self.streamer.receive(event, self.now_s)

    def answer(self) -> None:
        sent = [x.data for x in self.streamer.effects() if isinstance(x, ev.Send)]
        for line in b"".join(sent).splitlines():
            if line:
                self.tell(ev.Received(data=self.heat if b"M105" in line else b"ok\n"))

    @property
    def found(self) -> Heat:
        return heat_of(self.streamer, self.now_s)


def test_without_a_port_nothing_is_known() -> None:
    assert heat_of(Streamer(heaters_off_first=True), 0.0) is Heat.UNKNOWN


def test_off_is_what_the_firmware_has_said() -> None:
    talk = Talk(OFF, heaters_off_first=True)
    assert talk.seen == {Heat.OWED, Heat.OFF}
    assert talk.found is Heat.OFF


@pytest.mark.parametrize("heat", [HOT, MUTE, UNTOLD])
def test_what_was_not_seen_off_is_not_off(heat: bytes) -> None:
    talk = Talk(heat, heaters_off_first=True)
    assert talk.streamer.can_start
    assert Heat.OFF not in talk.seen


def test_what_a_person_has_switched_on_is_no_debt() -> None:
    assert Talk(HOT).seen == {Heat.UNKNOWN}


def test_a_halted_printer_owes_it() -> None:
    talk = Talk(OFF)
    talk.tell(ev.HaltFirmware())
    assert talk.found is Heat.OWED


def test_a_halted_printer_that_tells_zero_owes_nothing() -> None:
    talk = Talk(OFF)
    talk.tell(ev.HaltFirmware())
    while (due_s := talk.streamer.next_deadline_s()) is not None:
        talk.now_s = due_s
        talk.streamer.tick(talk.now_s)
        talk.answer()
    assert talk.found is Heat.OFF


def test_a_halted_printer_that_says_nothing_owes_it_for_ever() -> None:
    talk = Talk(OFF)
    talk.tell(ev.HaltFirmware())
    while (due_s := talk.streamer.next_deadline_s()) is not None:
        talk.now_s = due_s
        talk.streamer.tick(talk.now_s)
    assert talk.found is Heat.OWED


def test_a_print_answers_for_its_own_heaters() -> None:
    talk = Talk(OFF)
    talk.tell(ev.StartPrint(print_id="p", commands=iter(()), bytes_total=1))
    assert talk.found is Heat.UNKNOWN
