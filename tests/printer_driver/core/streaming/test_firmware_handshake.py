import pytest

from printer_driver.core.replies.dialects import RX_BYTES
from printer_driver.core.replies.reply_parser import Ok
from printer_driver.core.replies.reported_state import ReportedState
from printer_driver.core.streaming.firmware_handshake import (
    BOOT_S,
    COOLINGS_MAX,
    HELLOS_BEFORE_PROBLEM,
    QUESTIONS_MAX,
    FirmwareHandshake,
    HandshakeStep,
)
from printer_driver.core.streaming.line_sender import LineSender
from printer_driver.core.streaming.stream_settings import StreamSettings
from printer_driver.printer import Temperature

OK = Ok()


class Desk:
    """A greeting; the test is the firmware."""

    def __init__(self, settings: StreamSettings | None = None) -> None:
        self.lines = LineSender()
        self.reported = ReportedState()
        self.handshake = FirmwareHandshake(
            lines=self.lines, reported=self.reported, settings=settings or StreamSettings()
        )
        self.name = "Marlin 2.1"
        self.target_c = 0.0
        self.sent: list[str] = []
        self.handshake.boot(0.0)
        self.now_s = BOOT_S

    def run(self) -> list[str]:
        """Answer everything until it is done; returns the commands."""
        for _ in range(100):
            self.handshake.tick(self.now_s)
            if self.handshake.step is HandshakeStep.DONE:
                break
            self.answer()
        return self.sent

    def answer(self) -> None:
        for line in list(self.lines.in_flight):
            self.sent.append(line.command)
            if line.command == "M115" and self.name:
                self.reported.note_firmware(self.name)
                self.reported.note_capability("AUTOREPORT_TEMP", is_on=True)
            warm = (Temperature(name="T0", actual_c=99, target_c=self.target_c),)
            if line.reports_temperatures:
                self.reported.note_temperatures(warm)
            ok = Ok(temperatures=warm) if line.reports_temperatures else OK
            self.lines.acknowledge(ok, self.now_s)


def test_number_name_and_arrangements() -> None:
    assert Desk().run() == ["M110 N100", "M115", "M105", "M113 S1", "M155 S2"]


def test_firmware_without_a_name_is_taken_as_it_is() -> None:
    desk = Desk()
    desk.name = ""
    assert desk.run() == ["M110 N100", *["M115", "M105"] * QUESTIONS_MAX]


def test_heaters_are_off_when_the_firmware_says_so() -> None:
    desk = Desk()
    desk.handshake.must_cool = True
    assert desk.run()[-3:] == ["M104 S0", "M140 S0", "M105"]
    assert not desk.handshake.must_cool
    assert not desk.handshake.problem


def test_heaters_that_stay_on_are_a_problem_for_a_person() -> None:
    desk = Desk()
    desk.handshake.must_cool, desk.target_c = True, 200.0
    at_once = 1
    assert desk.run().count("M104 S0") == at_once + COOLINGS_MAX
    assert "may still be on" in desk.handshake.problem


def test_a_refused_greeting_begins_anew() -> None:
    desk = Desk()
    desk.handshake.tick(desk.now_s)
    assert desk.handshake.refused(desk.now_s)
    assert desk.handshake.step is HandshakeStep.HELLO
    assert desk.handshake.at_s > desk.now_s
    desk.now_s = desk.handshake.at_s
    desk.handshake.tick(desk.now_s)
    assert desk.run()[0] == "M110 N200"


def test_the_window_is_as_the_firmware_says_or_a_person_set() -> None:
    desk = Desk(StreamSettings(bufsize=8, rx_bytes=512))
    desk.run()
    assert (desk.lines.window.lines, desk.lines.window.bytes_max) == (7, 511)
    desk = Desk()
    desk.name = "Klipper"
    desk.run()
    assert desk.lines.window.lines == 9
    assert not desk.lines.bare_ok_after_resend


def test_only_what_surely_fits_into_a_receive_buffer_goes_without_a_number() -> None:
    """A piece of the rest, left by a buffer that overflowed, is refused instead of obeyed."""
    desk, unchecked, bytes_sent = Desk(), [], 0
    desk.handshake.must_cool = True
    for _ in range(5):
        desk.handshake.tick(desk.now_s)
        for line in desk.lines.in_flight:
            bytes_sent += len(line.data)
            if line.number is None:
                unchecked.append((line.command, bytes_sent <= RX_BYTES))
        assert [line.command for line in desk.lines.in_flight][-2:] == ["M104 S0", "M140 S0"]
        assert "M108" in [line.command for line in desk.lines.in_flight]
        desk.now_s = desk.handshake.at_s
    assert set(unchecked) == {("M108", True)}
    desk.lines.acknowledge(OK, desk.now_s)  # anybody may say that
    assert not desk.lines.takes_unchecked
    desk.run()
    assert desk.lines.takes_unchecked


def test_a_refused_question_means_that_the_hello_was_not_heard() -> None:
    """Acknowledgements of what was sent before it are no answer to the next hello."""
    desk = Desk()
    desk.handshake.tick(desk.now_s)
    desk.answer()
    desk.handshake.tick(desk.now_s)
    assert [line.command for line in desk.lines.in_flight] == ["M115"]
    assert desk.handshake.refused(desk.now_s)
    for _ in range(3):
        desk.lines.acknowledge(OK, desk.now_s)
        desk.handshake.tick(desk.now_s)
    assert desk.handshake.step is HandshakeStep.WAITING
    desk.now_s = desk.handshake.at_s
    desk.handshake.tick(desk.now_s)
    assert [line.command for line in desk.lines.in_flight] == ["M110 N200"]


def test_a_question_that_is_skipped_as_known_means_the_same() -> None:
    desk, steps = Desk(), []
    for _ in range(2):
        desk.handshake.tick(desk.now_s)
        desk.handshake.skipped(desk.now_s)  # the first time a line of before
        steps.append(desk.handshake.step)
        desk.answer()
    assert steps == [HandshakeStep.HELLO, HandshakeStep.WAITING]


@pytest.mark.parametrize(("says_temperatures", "problem"), [(False, "baud"), (True, "busy")])
def test_what_is_wrong_while_it_does_not_answer(problem: str, *, says_temperatures: bool) -> None:
    desk = Desk()
    for _ in range(HELLOS_BEFORE_PROBLEM + 2):
        desk.handshake.tick(desk.now_s)
        if says_temperatures:
            desk.reported.note_temperatures((Temperature(name="B", actual_c=50, target_c=60),))
        desk.now_s = desk.handshake.at_s
    assert problem in desk.handshake.problem
    assert "heaters" not in desk.handshake.problem


def test_a_person_is_told_of_heaters_that_cannot_be_switched_off() -> None:
    desk = Desk()
    desk.handshake.must_cool = True
    for _ in range(HELLOS_BEFORE_PROBLEM + 1):
        desk.handshake.tick(desk.now_s)
        desk.now_s = desk.handshake.at_s
    assert "switch it off" in desk.handshake.problem
