import pytest

from printer_driver.core.streaming.emergency_stop import (
    BOOT_S_MAX,
    CONFIRM_S_MAX,
    REPEATS_S,
    RESET_LOW_S,
    STOP,
    EmergencyStop,
    SetDtr,
    WriteUrgently,
)
from printer_driver.printer import Confirmation

WRITE = WriteUrgently(data=STOP)


def run_until(stop: EmergencyStop, end_s: float) -> list[WriteUrgently | SetDtr]:
    effects = stop.effects()
    while (due_s := stop.next_deadline_s()) is not None and due_s <= end_s:
        stop.tick(due_s)
        effects += stop.effects()
    return effects


def test_it_is_written_at_once_and_again() -> None:
    stop = EmergencyStop(10.0)
    assert stop.effects() == [WRITE]
    assert run_until(stop, 10.0 + REPEATS_S[-1]) == [WRITE] * len(REPEATS_S)


@pytest.mark.parametrize(
    "words",
    [
        b"Error:Printer halted. kill() called!\n",
        b"// Klipper state: Shutdown\n",
        b"!! Shutdown due to M112 command\n",
        b"ok Emergency Stop Requested - reset or M999 required to exit HALT state\n",
        b"Emergency Stop! Reset the controller to continue.\n",
        b"KILLED.\n",
    ],
)
def test_the_firmware_says_so(words: bytes) -> None:
    stop = EmergencyStop(0.0)
    stop.receive(b"ok\nT:200 /200\n" + words, 0.1)
    assert stop.confirmation is Confirmation.BY_FIRMWARE
    assert stop.next_deadline_s() is None


@pytest.mark.parametrize(
    "words", [b"ok\n", b'echo:Unknown command: "M112"\n', b"start\n", b"\xff\0"]
)
def test_other_words_confirm_nothing(words: bytes) -> None:
    stop = EmergencyStop(0.0)
    stop.receive(words, 0.1)
    assert stop.confirmation is None


def test_silence_leads_to_a_reset_and_its_banner_confirms() -> None:
    stop = EmergencyStop(0.0)
    reset_s = CONFIRM_S_MAX + RESET_LOW_S
    assert run_until(stop, CONFIRM_S_MAX)[-1] == SetDtr(is_high=False)
    assert run_until(stop, reset_s) == [SetDtr(is_high=True)]
    stop.receive(b"start\necho:Marlin 2.1\n", reset_s + 1)
    assert stop.confirmation is Confirmation.BY_RESET


def test_a_board_that_does_not_boot_is_not_confirmed() -> None:
    stop = EmergencyStop(0.0)
    run_until(stop, CONFIRM_S_MAX + RESET_LOW_S + BOOT_S_MAX)
    assert stop.confirmation is Confirmation.NONE


def test_a_port_that_goes_is_not_confirmed() -> None:
    stop = EmergencyStop(0.0)
    stop.lose_port()
    assert stop.confirmation is Confirmation.NONE
    assert stop.next_deadline_s() is None


def test_firmware_that_reads_m112_in_its_turn_gets_its_own_byte_first() -> None:
    stop = EmergencyStop(0.0, halts_on=b"\x18")
    assert stop.effects() == [WriteUrgently(data=b"\x18\nM112\n")]
    stop.tick(0.02)
    assert stop.effects() == [WriteUrgently(data=b"\x18\nM112\n")]
    stop.receive(b"HALTED, M999 or $X to exit HALT state\n", 0.03)
    assert stop.confirmation is Confirmation.BY_FIRMWARE
