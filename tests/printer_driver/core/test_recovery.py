from collections.abc import Callable

import pytest

from printer_driver.core import events as ev
from printer_driver.core.gcode import FileCommand
from printer_driver.core.line_record import Certainty, LineRecord
from printer_driver.core.recovery import (
    GAP_S_MAX,
    LISTEN_S,
    QUERIES_MAX,
    SILENCE_S_MAX,
    FileUnusable,
    Recovery,
    Replayed,
    ReplayUpTo,
    ResumeBehind,
    StopSafely,
)
from printer_driver.core.replay import MachineState, replay

FILE = ("G90", "M83", "M104 S200", "G1 X10 Y20 Z0.3 F1200")
OFFSET = 40
RECORD = LineRecord(number=57, lines=4, end_offset=OFFSET)
REFUSAL = b"Error:Line Number is not Last Line Number+1, Last Line: 57\nResend: 58\nok\n"
POSITION = b"X:10.00 Y:20.00 Z:0.30 E:0.00 Count X:800 Y:1600 Z:120\nok\n"
WARM = b"ok T:199.8 /200.0 B:21.0 /0.0 @:64 B@:0\n"


def state() -> MachineState:
    return replay([FileCommand(text=text, end_offset=OFFSET) for text in FILE], OFFSET)


class Asking:
    """A recovery, its clock, and what it has sent."""

    def __init__(self, *records: LineRecord, lost_s: float = 0.0) -> None:
        self.recovery = Recovery(lines={x.number: x for x in records or (RECORD,)}, lost_s=lost_s)
        self.now_s = 1.0
        self.sent = b""
        self.replays: list[int] = []
        self.recovery.receive(ev.PortOpened(), self.now_s)

    def hear(self, data: bytes) -> None:
        self.recovery.receive(ev.Received(data=data), self.now_s)
        self.collect()

    def collect(self) -> None:
        for effect in self.recovery.effects():
            if isinstance(effect, ReplayUpTo):
                self.replays.append(effect.end_offset)
            else:
                self.sent += effect.data

    def wait(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while (due_s := self.recovery.next_deadline_s()) is not None and due_s <= end_s:
            self.now_s = max(self.now_s, due_s)
            self.recovery.tick(self.now_s)
            self.collect()
        self.now_s = end_s

    def until_place(self) -> None:
        self.wait(LISTEN_S)
        self.hear(REFUSAL)
        self.wait(0.2)
        self.hear(REFUSAL)
        self.wait(0.2)

    def until_file(self, position: bytes = POSITION, temperatures: bytes = WARM) -> None:
        self.until_place()
        self.hear(position)
        self.wait(0.1)
        self.hear(temperatures)

    def answer_file(self) -> None:
        event = Replayed(end_offset=self.replays[-1], state=state())
        self.recovery.receive(event, self.now_s)

    @property
    def reason(self) -> str:
        assert isinstance(self.recovery.verdict, StopSafely)
        return self.recovery.verdict.reason


def test_a_board_that_kept_its_state_goes_on() -> None:
    asking = Asking()
    asking.until_file()
    assert asking.replays == [OFFSET]
    before = asking.recovery.verdict
    assert before is None
    asking.answer_file()
    verdict = asking.recovery.verdict
    assert isinstance(verdict, ResumeBehind)
    assert verdict.record == RECORD
    lines = asking.sent.split(b"\n")
    assert [line for line in lines if line and not line.startswith(b"N")] == [b"M114", b"M105"]
    assert asking.recovery.next_deadline_s() is None


def test_a_restart_before_the_print_goes_on_overturns_the_verdict() -> None:
    asking = Asking()
    asking.until_place()
    asking.answer_file()
    asking.hear(POSITION)
    asking.wait(0.1)
    asking.hear(WARM + b"echo:busy\nsta")
    assert isinstance(asking.recovery.verdict, ResumeBehind)
    asking.hear(b"rt\n")
    assert "restarted" in asking.reason
    assert asking.sent.endswith(b"\nM108\nM104 S0\nM140 S0\n")


def test_the_file_may_answer_first() -> None:
    asking = Asking()
    asking.until_place()
    asking.answer_file()
    asking.hear(POSITION)
    asking.wait(0.1)
    asking.hear(WARM)
    assert isinstance(asking.recovery.verdict, ResumeBehind)


@pytest.mark.parametrize(
    ("prepare", "said", "reason"),
    [
        (lambda x: x.wait(0.1), b"start\n", "restarted"),
        (Asking.until_place, b"start\n", "restarted"),
        (Asking.until_place, b"Error:Printer halted. kill() called!\n", "halted"),
        (Asking.until_place, b'echo:Unknown command: "M114"\nok\n', "cannot say"),
    ],
)
def test_what_the_printer_says_ends_it(
    prepare: Callable[[Asking], None], said: bytes, reason: str
) -> None:
    asking = Asking()
    prepare(asking)
    asking.hear(said)
    assert reason in asking.reason
    assert asking.sent.endswith(b"\nM108\nM104 S0\nM140 S0\n")


@pytest.mark.parametrize(
    ("position", "temperatures", "reason"),
    [
        (b"X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0\nok\n", WARM, "X by -10 mm"),
        (POSITION, b"ok T:199.8 /0.0 B:21.0 /0.0\n", "no longer heats T0"),
    ],
)
def test_a_machine_in_another_state_stops(
    position: bytes, temperatures: bytes, reason: str
) -> None:
    asking = Asking()
    asking.until_file(position, temperatures)
    asking.answer_file()
    assert reason in asking.reason


def test_a_line_that_was_never_sent_stops() -> None:
    asking = Asking(LineRecord(number=3, lines=1, end_offset=1))
    asking.until_place()
    assert "line 57" in asking.reason


def test_a_line_that_fits_nowhere_stops() -> None:
    asking = Asking(LineRecord(number=57, lines=1, end_offset=1, certainty=Certainty.UNSURE))
    asking.until_place()
    assert "cannot be told" in asking.reason


def test_a_place_that_nothing_but_a_number_proves_is_no_place_to_print_from() -> None:
    """Another program's greeting may have left the firmware at a number that was once ours."""
    sent = [FileCommand(text=text, end_offset=n) for n, text in enumerate(("M107", *FILE), 1)]
    early = LineRecord(number=57, lines=1, end_offset=1)
    asking = Asking(early, LineRecord(number=61, lines=5, end_offset=5))
    asking.until_file()
    assert asking.replays == [1]
    event = Replayed(end_offset=1, state=replay(sent, 1, sent_offset=5))
    asking.recovery.receive(event, asking.now_s)
    assert "where the printer's head is" in asking.reason


def test_before_anything_has_moved_the_number_is_enough() -> None:
    asking = Asking(LineRecord(number=57, lines=1, end_offset=1))
    asking.until_file()
    state_there = replay([FileCommand(text="M107", end_offset=1)], 1, sent_offset=1)
    asking.recovery.receive(Replayed(end_offset=1, state=state_there), asking.now_s)
    assert isinstance(asking.recovery.verdict, ResumeBehind)


def test_two_answers_must_agree() -> None:
    asking = Asking()
    asking.wait(LISTEN_S)
    for answer in (REFUSAL, REFUSAL.replace(b"58", b"68"), REFUSAL.replace(b"57", b"5")):
        asking.hear(answer)
        asking.wait(0.2)
    asking.hear(b"Resend: 59\nok\n")
    asking.wait(0.2)
    assert asking.replays == []
    for _ in range(2):
        asking.hear(b"Resend: 58\n")
        asking.wait(0.2)
    assert asking.replays == [OFFSET]


def test_silence_stops_and_life_goes_on() -> None:
    asking = Asking()
    asking.until_place()
    for _ in range(100):
        asking.hear(b" T:150.0 /200.0 B:21.0 /0.0 W:?\n")
        asking.wait(2.0)
    assert asking.recovery.verdict is None
    assert asking.sent.count(b"M114") == QUERIES_MAX
    asking.wait(SILENCE_S_MAX)
    assert "does not answer" in asking.reason


def test_a_printer_that_never_comes_back() -> None:
    recovery = Recovery(lines={57: RECORD}, lost_s=100.0)
    assert recovery.next_deadline_s() == 100.0 + GAP_S_MAX
    recovery.tick(100.0 + GAP_S_MAX)
    assert isinstance(recovery.verdict, StopSafely)
    assert recovery.effects() == []


def test_lost_again_everything_is_asked_anew() -> None:
    asking = Asking()
    asking.until_place()
    asking.recovery.receive(ev.PortLost(reason="gone"), asking.now_s)
    asking.wait(60)
    asking.recovery.receive(ev.PortOpened(), asking.now_s)
    asking.until_file()
    asking.answer_file()
    assert isinstance(asking.recovery.verdict, ResumeBehind)


def test_a_changed_file_and_a_person_stop_it() -> None:
    for event in (FileUnusable(reason="It was changed."), ev.CancelPrint(reason="It was changed.")):
        asking = Asking()
        asking.until_place()
        asking.recovery.receive(event, asking.now_s)
        assert asking.reason == "It was changed."


def test_any_bytes_give_a_defined_state() -> None:
    asking = Asking()
    asking.wait(LISTEN_S)
    for junk in (b"\0" * 5000, b"Resend: -5\n", b"Resend: 99999999999999999999\n", b"\xff\n" * 500):
        asking.hear(junk)
        asking.wait(0.5)
    assert asking.recovery.verdict is None
    asking.hear(REFUSAL)
    asking.wait(0.2)
    asking.hear(REFUSAL)
    assert asking.replays == [OFFSET]
