"""Every dialect tells the host's own reader what it means."""

import pytest

from printer_driver.core.gcode.gcode_lines import numbered_line
from printer_driver.core.replies.dialects import (
    Family,
    recognise,
)
from printer_driver.core.replies.faults import Severity
from printer_driver.core.replies.reply_parser import (
    Failure,
    FirmwareName,
    Ok,
    PositionReport,
    Resend,
    TemperatureReport,
    parse_reply,
)
from printer_driver.virtual.firmware import (
    Firmware,
    Say,
)
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    KLIPPER,
    REPETIER,
    SMOOTHIE,
    FirmwareSetup,
    VirtualDialect,
)

dialects = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


def tell(firmware: Firmware, *lines: bytes, now_s: float = 0.0) -> list[str]:
    firmware.receive(b"".join(lines), now_s)
    said = b"".join(x.data for x in firmware.effects() if isinstance(x, Say))
    return said.decode("latin-1").splitlines()


def booted(dialect: VirtualDialect) -> Firmware:
    firmware = Firmware(setup=FirmwareSetup(dialect=dialect))
    assert tell(firmware) == list(dialect.banner)
    return firmware


@dialects
def test_each_names_itself_tells_temperatures_and_says_one_ok(dialect: VirtualDialect) -> None:
    firmware = booted(dialect)
    information = tell(firmware, b"M115\n")
    assert any("FIRMWARE_NAME:" in line for line in information)
    temperatures = tell(firmware, b"M105\n")
    assert any("21.0" in line for line in temperatures)
    for answer in (
        information,
        temperatures,
        tell(firmware, b"G1 X1\n"),
        tell(firmware, b"M114\n"),
    ):
        assert sum(line.startswith("ok") for line in answer) == 1


@dialects
def test_each_asks_for_a_bad_line_again(dialect: VirtualDialect) -> None:
    answer = tell(booted(dialect), b"N1 G28*0\n")
    asked = [parse_reply(line.encode()) for line in answer if line]
    if dialect.checks_lines:
        assert Resend(line_number=1) in asked
    else:
        assert asked == []  # it never asks, and is homing


@dialects
def test_the_host_understands_every_answer(dialect: VirtualDialect) -> None:
    firmware = booted(dialect)

    def ask(command: bytes) -> list[object]:
        return [parse_reply(line.encode()) for line in tell(firmware, command) if line]

    names = [
        x.firmware if isinstance(x, Ok) else x.name
        for x in ask(b"M115\n")
        if isinstance(x, Ok | FirmwareName)
    ]
    families = [recognise(name).family for name in names if name]
    assert families == [{"marlin1": Family.MARLIN_1}.get(dialect.name, dialect.name)]
    assert any(isinstance(x, Ok | TemperatureReport) and x.temperatures for x in ask(b"M105\n"))
    assert any(isinstance(x, Ok | PositionReport) and x.position for x in ask(b"M114\n"))
    alarm = dialect.alarm.format(why="Heating failed", heater=0)
    fault = parse_reply(alarm.encode())
    assert isinstance(fault, Failure)
    assert fault.fault.severity is not Severity.REMARK
    unknown = parse_reply(dialect.unknown.format(command="M9999", letter="M").encode())
    assert not dialect.unknown or isinstance(unknown, Failure)


@dialects
def test_each_stops_on_m112(dialect: VirtualDialect) -> None:
    firmware = booted(dialect)
    answer = tell(firmware, b"M140 S60\n", b"M112\n")
    assert answer[len(answer) - len(dialect.killed) :] == list(dialect.killed)
    assert firmware.condition.is_killed
    assert firmware.condition.bed_target_c == 0
    answer = tell(firmware, b"G1 X1\n", now_s=1.0)
    assert answer == dialect.answer_when_killed.splitlines()


def test_repetier_acknowledges_on_receipt_and_waits_aloud() -> None:
    firmware = booted(REPETIER)
    assert tell(firmware, numbered_line(1, "G28"), numbered_line(2, "G1 X1")) == ["ok 1", "ok 2"]
    assert tell(firmware, numbered_line(1, "G28")) == ["skip 1", "ok 1"]
    firmware.tick(20.0)
    assert "wait" in tell(firmware, now_s=20.0)


def test_klipper_answers_empty_lines() -> None:
    assert tell(booted(KLIPPER), b"\n", b"; nothing\n") == ["ok", "ok"]


def test_smoothie_answers_empty_lines_and_m999_ends_its_halt() -> None:
    firmware = booted(SMOOTHIE)
    assert tell(firmware, b"\n", b"; nothing\n") == ["ok", "ok"]
    tell(firmware, b"M112\n")
    assert tell(firmware, b"M999\n") == ["ok"]
    assert tell(firmware, b"G1 X1\n") == ["ok"]
