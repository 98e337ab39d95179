from typing import cast

from printer_driver.core.streaming.emergency_stop import (
    BOOT_S_MAX,
    CONFIRM_S_MAX,
    RESET_LOW_S,
    STOP,
)
from printer_driver.port.attached_port import AttachedPort
from printer_driver.printer import Confirmation
from printer_driver.process.stop_runner import StopRunner


class Port:
    """What is done to it."""

    def __init__(self) -> None:
        self.done: list[object] = []

    def write_urgently(self, data: bytes, now_s: float) -> None:
        self.done.append(data)

    def set_dtr(self, *, is_high: bool) -> None:
        self.done.append(is_high)


def begun(*, is_halted: bool = False) -> tuple[Port, StopRunner, list[Confirmation]]:
    port = Port()
    stop_runner = StopRunner(cast("AttachedPort", port))
    answers: list[Confirmation] = []
    assert stop_runner.begin(answers.append, 0.0, is_halted=is_halted)
    return port, stop_runner, answers


def test_it_is_written_before_begin_returns_and_everybody_is_told() -> None:
    port, stop_runner, answers = begun()
    assert port.done == [STOP]
    assert not stop_runner.begin(answers.append, 0.01, is_halted=False)
    stop_runner.received(b"Error:Printer halted. kill() called!\n", 0.02)
    stop_runner.tick(0.02)
    assert answers == [Confirmation.BY_FIRMWARE] * 2
    assert stop_runner.next_deadline_s() is None


def test_halted_firmware_is_told_again_and_its_silence_is_no_failure() -> None:
    port, stop_runner, answers = begun()
    stop_runner.received(b"Error:Printer halted. kill() called!\n", 0.02)
    stop_runner.tick(0.02)
    assert not stop_runner.begin(answers.append, 5.0, is_halted=True)
    assert port.done[-1] == STOP
    assert answers == [Confirmation.BY_FIRMWARE] * 2


def test_silence_resets_the_board() -> None:
    port, stop_runner, answers = begun()
    stop_runner.tick(CONFIRM_S_MAX)
    stop_runner.tick(CONFIRM_S_MAX + RESET_LOW_S)
    assert port.done[-2:] == [False, True]
    stop_runner.received(b"start\n", 3.0)
    stop_runner.tick(3.0)
    assert answers == [Confirmation.BY_RESET]


def test_nothing_is_confirmed_by_silence_or_a_lost_port() -> None:
    _, stop_runner, answers = begun()
    for moment_s in (CONFIRM_S_MAX, CONFIRM_S_MAX + RESET_LOW_S, 2 + BOOT_S_MAX):
        stop_runner.tick(moment_s)
    _, other, others = begun()
    other.port_lost()
    other.tick(0.1)
    assert answers == others == [Confirmation.NONE]
