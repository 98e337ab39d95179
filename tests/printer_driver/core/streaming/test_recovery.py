import random
from collections.abc import Callable

import pytest

from printer_driver.core.gcode.gcode_lines import (
    FileCommand,
    numbered_line,
)
from printer_driver.core.gcode.machine_state import (
    MachineState,
    state_behind,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.recovery import (
    FILE_BYTES_PER_S_MIN,
    FILE_S_MAX,
    GAP_S_MAX,
    LISTEN_S,
    OBEYED_MAX,
    OKS_MAX,
    QUERIES_MAX,
    RETRY_S,
    SILENCE_S_MAX,
    FileUnusable,
    Recovery,
    Replayed,
    ReplayUpTo,
    ResumeBehind,
    StopSafely,
)
from printer_driver.core.streaming.sent_line import (
    Certainty,
    LineRecord,
)
from printer_driver.virtual.board import (
    Board,
    BoardSetup,
)
from printer_driver.virtual.firmware import Say
from printer_driver.virtual.usb_wire import Wiring
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
    VirtualDialect,
)

FILE = ("G90", "M83", "M104 S200", "G1 X10 Y20 Z0.3 F1200")
OFFSET = 40
RECORD = LineRecord(number=57, lines=4, end_offset=OFFSET)
REFUSAL = b"Error:Line Number is not Last Line Number+1, Last Line: 57\nResend: 58\nok\n"
POSITION = b"X:10.00 Y:20.00 Z:0.30 E:0.00 Count X:800 Y:1600 Z:120\nok\n"
WARM = b"ok T:199.8 /200.0 B:21.0 /0.0 @:64 B@:0\n"


def state() -> MachineState:
    return state_behind([FileCommand(text=text, end_offset=OFFSET) for text in FILE], OFFSET)


class Asking:
    """A recovery, its clock, and what it has sent."""

    def __init__(self, *records: LineRecord, lost_s: float = 0.0, file_bytes: int = 0) -> None:
        lines = {x.number: x for x in records or (RECORD,)}
        self.recovery = Recovery(lines=lines, lost_s=lost_s, file_bytes=file_bytes)
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
        (Asking.until_place, b"echo: External Reset\n", "restarted"),  # `start` was lost
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
    event = Replayed(end_offset=1, state=state_behind(sent, 1, sent_offset=5))
    asking.recovery.receive(event, asking.now_s)
    assert "where the printer's head is" in asking.reason


def test_before_anything_has_moved_the_number_is_enough() -> None:
    asking = Asking(LineRecord(number=57, lines=1, end_offset=1))
    asking.until_file()
    state_there = state_behind([FileCommand(text="M107", end_offset=1)], 1, sent_offset=1)
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


@pytest.mark.parametrize("answer", [b"ok T:199.8 /200.0 B:21.0 /0.0\n", b"ok\n"])
def test_firmware_that_looks_at_no_numbers_is_soon_given_up(answer: bytes) -> None:
    asking = Asking()
    began_s = asking.now_s
    while asking.recovery.verdict is None:
        asking.wait(RETRY_S)
        asking.hear(answer)
    assert "whatever their number" in asking.reason
    assert asking.now_s - began_s <= (OBEYED_MAX if b"T:" in answer else OKS_MAX) * RETRY_S
    assert asking.sent.endswith(b"\nM108\nM104 S0\nM140 S0\n")


def test_what_was_under_way_is_answered_before_the_refusal() -> None:
    asking = Asking()
    asking.wait(LISTEN_S)
    for _ in range(3):
        for _ in range(OBEYED_MAX - 1):
            asking.hear(WARM + b"ok\n" * 2)
        asking.hear(b"Error:checksum mismatch, Last Line: 57\n")
    assert asking.recovery.verdict is None
    asking.hear(REFUSAL)
    asking.wait(0.2)
    asking.hear(REFUSAL)
    assert asking.replays == [OFFSET]


@pytest.mark.parametrize("said", [b"", POSITION])
def test_a_question_that_is_acknowledged_and_not_answered(said: bytes) -> None:
    asking = Asking()
    asking.until_place()
    asking.hear(said)
    began_s = asking.now_s
    while asking.recovery.verdict is None:
        asking.wait(RETRY_S)
        asking.hear(b"ok\n")
    assert "does not say" in asking.reason
    assert asking.now_s - began_s < 60


def test_temperatures_in_a_line_of_their_own() -> None:
    """Repetier acknowledges M105 and then answers; what it says while it heats has no targets."""
    asking = Asking()
    asking.until_file(temperatures=b"T:150.0 E:0 W:?\nok 4\n")
    asking.answer_file()
    assert asking.recovery.verdict is None
    asking.hear(b"T:199.8 /200 B:21.0 /0 B@:0 @:64\n")
    assert isinstance(asking.recovery.verdict, ResumeBehind)


@pytest.mark.parametrize("file_bytes", [0, 10_000_000])
def test_a_file_that_is_never_read(file_bytes: int) -> None:
    asking = Asking(file_bytes=file_bytes)
    asking.until_file()
    limit_s = FILE_S_MAX + file_bytes / FILE_BYTES_PER_S_MIN
    asking.wait(limit_s - 5)
    assert asking.recovery.verdict is None
    asking.wait(5)
    assert "could not be read in time" in asking.reason
    assert asking.sent.endswith(b"\nM108\nM104 S0\nM140 S0\n")


def test_what_was_worked_out_for_another_place_is_not_used() -> None:
    other = LineRecord(number=58, lines=5, end_offset=OFFSET + 9)
    asking = Asking(RECORD, other)
    asking.until_place()
    asking.answer_file()
    asking.recovery.receive(ev.PortLost(reason="gone"), asking.now_s)
    asking.recovery.receive(ev.PortOpened(), asking.now_s)
    asking.wait(LISTEN_S)
    for _ in range(2):
        asking.hear(b"Resend: 59\nok\n")
        asking.wait(0.2)
    asking.hear(POSITION)
    asking.wait(0.1)
    asking.hear(WARM)
    assert asking.replays == [OFFSET, OFFSET + 9]
    assert asking.recovery.verdict is None


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


def real_answers(dialect: VirtualDialect) -> Recovery:
    """Asks the virtual board, which has executed FILE, until there is a verdict."""
    setup = BoardSetup(firmware=FirmwareSetup(dialect=dialect), wiring=Wiring(latency_s=0.001))
    board, now_s = Board(setup, random.Random(1).random), 1.0
    places = dict(enumerate(("G92 X0 Y0 Z0 E0", *FILE), 101))
    board.receive(numbered_line(100, "M110 N100"), now_s)
    for number, command in places.items():
        board.receive(numbered_line(number, command), now_s)
        board.tick(now_s := now_s + 1)
    board.tick(now_s := now_s + 60)
    board.effects()
    commands = [FileCommand(text, number) for number, text in places.items()]
    recovery = Recovery(lines={x: LineRecord(x, x - 100, x) for x in places}, lost_s=now_s)
    recovery.receive(ev.PortOpened(), now_s)
    limit_s = now_s + 10
    while recovery.verdict is None:
        assert now_s < limit_s
        for said in board.effects():
            if isinstance(said, Say):
                recovery.receive(ev.Received(data=said.data), now_s)
        for wish in recovery.effects():
            if isinstance(wish, ReplayUpTo):
                place = wish.end_offset
                answer = Replayed(end_offset=place, state=state_behind(commands, place))
                recovery.receive(answer, now_s)
            else:
                board.receive(wish.data, now_s)
        board.tick(now_s := now_s + 0.01)
        recovery.tick(now_s)
    return recovery


@pytest.mark.parametrize("name", DIALECTS)
def test_every_firmware_is_soon_gone_on_with_or_given_up(name: str) -> None:
    verdict = real_answers(DIALECTS[name]).verdict
    if name in ("reprapfirmware", "klipper"):
        assert isinstance(verdict, StopSafely)
        assert "whatever their number" in verdict.reason
    else:
        assert isinstance(verdict, ResumeBehind), verdict
        assert verdict.record.number == 105
