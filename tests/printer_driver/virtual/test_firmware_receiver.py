import pytest

from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.virtual.firmware_receiver import (
    LineAccepted,
    LineEmpty,
    LineRefused,
    LineRepeated,
    Receiver,
)
from printer_driver.virtual.virtual_dialects import (
    KLIPPER,
    MARLIN_1,
    REPETIER,
    FirmwareSetup,
)


def heard(receiver: Receiver, *data: bytes) -> list[object]:
    lines: list[object] = []
    for chunk in data:
        receiver.take(chunk)
        while line := receiver.next():
            lines.append(line)
    return lines


def accepted(command: str, number: int | None = None) -> LineAccepted:
    return LineAccepted(command=command, line_number=number)


def test_numbered_lines_are_checked_and_others_are_not() -> None:
    receiver = Receiver(FirmwareSetup())
    assert heard(receiver, numbered_line(1, "G28"), b"  M105 ; now\r\n") == [
        accepted("G28", 1),
        accepted("M105"),
    ]


def test_the_tail_of_a_line_whose_head_was_lost_runs() -> None:
    line = numbered_line(1, "G1 X10 G28")
    assert heard(Receiver(FirmwareSetup()), line[line.index(b"G28") :]) == [accepted("G28")]


def test_a_refused_line_takes_the_rest_of_the_buffer_with_it() -> None:
    receiver = Receiver(FirmwareSetup())
    data = b"N1 G28*0\n" + numbered_line(2, "G1 X1")
    (refused,) = heard(receiver, data)
    assert refused == LineRefused(error="checksum mismatch", number=1)
    assert receiver.is_silent


@pytest.mark.parametrize(("number", "is_dropped"), [(8, False), (9, True), (10, True)])
def test_marlin_2_drops_repeats_of_the_last_two_lines(number: int, is_dropped: bool) -> None:
    receiver = Receiver(FirmwareSetup())
    receiver.last_number = 10
    (line,) = heard(receiver, numbered_line(number, "G28"))
    assert isinstance(line, LineRepeated if is_dropped else LineRefused)


def test_other_firmwares_do_otherwise_with_repeats_and_checks() -> None:
    marlin_1 = Receiver(FirmwareSetup(dialect=MARLIN_1))
    repetier = Receiver(FirmwareSetup(dialect=REPETIER))
    klipper = Receiver(FirmwareSetup(dialect=KLIPPER))
    for receiver in (marlin_1, repetier, klipper):
        receiver.last_number = 10
    line = numbered_line(10, "G28")
    assert isinstance(heard(marlin_1, line)[0], LineRefused)
    assert heard(repetier, line) == [LineRepeated(number=10)]
    assert heard(klipper, line, b"N77 G28*0\n") == [accepted("G28", 10), accepted("G28", 77)]


def test_m110_sets_the_number() -> None:
    receiver = Receiver(FirmwareSetup())
    heard(receiver, numbered_line(7, "M110 N41"))
    assert receiver.last_number == 41


def test_comments_and_empty_lines() -> None:
    assert heard(Receiver(FirmwareSetup()), b"; only\n", b"\n", b"\r\n") == [
        LineEmpty(),
        LineEmpty(),
        LineEmpty(),
    ]


def test_what_does_not_fit_is_lost() -> None:
    receiver = Receiver(FirmwareSetup(rx_bytes=16))
    receiver.take(b"G28\nG1 X1\nG1 X2\nG1 X3\n")
    receiver.lose_overflow()
    assert receiver.room_bytes == 0
    assert heard(receiver, b"\n") == [accepted("G28"), accepted("G1 X1"), accepted("G1 X2")]


def test_ten_megabytes_without_an_end_use_no_memory() -> None:
    receiver = Receiver(FirmwareSetup())
    for _ in range(100):
        receiver.take(b"G" * 100_000)
        assert receiver.next() is None
        receiver.lose_overflow()
    assert receiver.room_bytes == 0
    assert heard(receiver, b"\n") == [accepted("G" * 95)]


def test_the_emergency_parser_hears_what_the_buffer_loses() -> None:
    receiver = Receiver(FirmwareSetup(emergency_parser=True))
    assert receiver.emergencies(b"G1 X1\nM1") == []
    assert receiver.emergencies(b"12\nN7 M410*33\nM1081\nG1 M108\n") == ["M112", "M410"]
    assert Receiver(FirmwareSetup()).emergencies(b"M112\n") == []
