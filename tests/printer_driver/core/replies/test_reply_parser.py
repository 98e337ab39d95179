from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.gcode.position import Position
from printer_driver.core.replies.faults import Severity
from printer_driver.core.replies.reply_parser import (
    REPLY_BYTES_MAX,
    Action,
    Banner,
    Booted,
    Busy,
    Capability,
    Echo,
    Failure,
    FirmwareName,
    LineError,
    LineReader,
    Ok,
    OwnProgress,
    PositionReport,
    Reply,
    Resend,
    Skipped,
    TemperatureReport,
    UnknownReply,
    Waiting,
    parse_reply,
)
from printer_driver.printer import Temperature
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    VirtualDialect,
)

NOZZLE = Temperature(name="T0", actual_c=209.9, target_c=210.0)
BED = Temperature(name="B", actual_c=60.1, target_c=60.0)


def told_no_target(name: str, actual_c: float) -> Temperature:
    return Temperature(name=name, actual_c=actual_c, target_c=0, is_target_told=False)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"ok", Ok()),
        (b"ok N57 P15 B3", Ok(line_number=57, planner_free=15, buffer_free=3)),
        (
            b"ok T:209.9 /210.0 B:60.1 /60.0 T0:209.9 /210.0 @:127 B@:0",
            Ok(temperatures=(NOZZLE, BED)),
        ),
        (
            b" T:209.9 /210.0 B:60.1 /60.0 @:0 W:?",
            TemperatureReport(temperatures=(NOZZLE, BED), is_heating=True),
        ),
        (b"ok 57", Ok(line_number=57)),
        (b"ok FIRMWARE_NAME:Klipper FIRMWARE_VERSION:v0.12", Ok(firmware="Klipper")),
        (
            b"ok C: X:1.5 Y:-2 Z:0.3 E:4",
            Ok(position=Position(x=1.5, y=-2, z=0.3, e=4)),
        ),
        (
            b"X:1.50 Y:-2.00 Z:0.30 E:4.00 Count X:120 Y:-160 Z:120",
            PositionReport(position=Position(x=1.5, y=-2, z=0.3, e=4)),
        ),
        (b"X:1 Y:2 Z:4294967 E:4", UnknownReply(text="X:1 Y:2 Z:4294967 E:4")),
        (
            b"X:1 Y:2 Z:3 E:99000 Count X:88000 Y:2 Z:3",
            PositionReport(position=Position(x=1, y=2, z=3, e=99000)),
        ),
        (b"wait", Waiting()),
        (b"skip 401", Skipped()),
        (b"Cap:EMERGENCY_PARSER:1", Capability(name="EMERGENCY_PARSER", is_on=True)),
        (b"//action:out_of_filament T0", Action(name="out_of_filament", argument="T0")),
        (b"echo:M73 Progress: 12%; Time left: 20m;", OwnProgress(percent=12, minutes_left=20)),
        (
            b"NORMAL MODE: Percent done: 7; print time remaining in mins: 34",
            OwnProgress(percent=7, minutes_left=34),
        ),
        (b"rs N57", Resend(line_number=57)),
        (
            b"T:20",
            TemperatureReport(temperatures=(told_no_target("T0", 20),)),
        ),
        (
            b"ok T:210.4 B:60.1",
            Ok(temperatures=(told_no_target("T0", 210.4), told_no_target("B", 60.1))),
        ),
        (b"Resend: 58", Resend(line_number=58)),
        (b"rs 58", Resend(line_number=58)),
        (b"Error:checksum mismatch, Last Line: 57", LineError(last_line=57)),
        (b"Error:No Checksum with line number", LineError(last_line=None)),
        (b"echo:busy: processing", Busy(activity="processing")),
        (b"start", Booted()),
        (b"// Klipper state: Ready", Booted()),
        (
            b"ok T:209.9/210.0 B:60.1/60.0 X:32.99/36.00 A:38.69/0.00 @:0 B@:0 C@:27.85 HBR@:0",
            Ok(temperatures=(NOZZLE, BED)),
        ),
        (b"Error:expected line 57 got 59", LineError(last_line=None)),
        (b"Error:Format error", LineError(last_line=None)),
        (b"Error:No Line Number with checksum, Last Line: 57", LineError(last_line=57)),
        (b"// action:pause", Action(name="pause")),
        (b"//action:bed-clear", Action(name="bed-clear")),
        (b"echo:SD init fail", Echo(text="SD init fail")),
        (
            b"FIRMWARE_NAME:Marlin 2.1.2 (a b) SOURCE_CODE_URL:x",
            FirmwareName(name="Marlin 2.1.2 (a b)"),
        ),
        (b"okay", UnknownReply(text="okay")),
        (b"\xff\x00", UnknownReply(text="\ufffd\x00")),
        (b"Resend: -5", UnknownReply(text="Resend: -5")),
        (b"Resend: 99999999999", Resend(line_number=9999999999)),
    ],
)
def test_parse_reply(line: bytes, reply: Reply) -> None:
    assert parse_reply(line) == reply


@pytest.mark.parametrize(
    "line",
    [
        b"start",
        b"\xfestart",
        b"\xfe\x80~start",
        b"ok T:2start",
        b" T:209.9 /210.0 B:6start",
        b"Smoothie",
        b"\xf0Smoothie",
        b"// Klipper state: Ready",
        b"RepRapFirmware for Duet 2 WiFi/Ethernet is up and running.",
    ],
)
def test_a_boot_is_heard_behind_noise(line: bytes) -> None:
    assert parse_reply(line) == Booted()


@pytest.mark.parametrize(
    "line",
    [
        b"PowerUp",
        b" External Reset",
        b"echo: External Reset",
        b"Info:PowerUp",
        b"Info:Watchdog Reset",
        b"echo:Marlin 2.1.2 (virtual)",
        b"echo:Marlin bugfix-2.1.x",
        b"Marlin 1.1.9",
    ],
)
def test_the_lines_behind_a_start_are_a_banner(line: bytes) -> None:
    assert parse_reply(line) == Banner()


@pytest.mark.parametrize(
    "line",
    [
        b"//action:start",
        b"/action:start",
        b"// start",
        b"echo:start",
        b"ok start",
        b"restart",
        b"Error:Printer must restart",
        b'echo:Unknown command: "start"',
        b"FIRMWARE_NAME:Marlin 2.1.2 SOURCE_CODE_URL:x",
        b"echo:Settings Reset",
    ],
)
def test_no_other_line_is_taken_for_a_boot(line: bytes) -> None:
    assert not isinstance(parse_reply(line), Booted | Banner)


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda x: x.name)
def test_no_answer_of_any_firmware_is_taken_for_a_boot(dialect: VirtualDialect) -> None:
    texts = [getattr(dialect, field.name) for field in fields(dialect) if field.name != "banner"]
    for text in texts:
        for line in (text,) if isinstance(text, str) else text if isinstance(text, tuple) else ():
            for each in line.splitlines():
                assert not isinstance(parse_reply(each.encode()), Booted | Banner)


@pytest.mark.parametrize("name", ["marlin", "marlin1", "prusa", "repetier", "smoothie"])
def test_the_first_line_of_a_banner_is_a_boot(name: str) -> None:
    assert parse_reply(DIALECTS[name].banner[0].encode()) == Booted()


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        (b"TM: error triggered!", Severity.PRINT_ENDS),
        (b"Error:Temperature sensor error", Severity.PRINT_ENDS),
        (b"Error:Thermal Runaway, system stopped! Heater_ID: 0", Severity.NEEDS_RESET),
        (b"Error:MAXTEMP triggered", Severity.NEEDS_RESET),
        (b"ALARM: Hard limit +X", Severity.NEEDS_RESET),
        (b"!! Shutdown due to M112", Severity.NEEDS_RESET),
        (b"Error:Probing Failed", Severity.PRINT_ENDS),
        (b"!! something", Severity.PRINT_ENDS),
        (b"!!", Severity.NEEDS_RESET),
        (b"Printer stopped due to errors. Fix the error and use M999", Severity.NEEDS_RESET),
        (b"Entering Alarm/Halt state", Severity.NEEDS_RESET),
        (b"HALT asserted - reset or M999 required", Severity.NEEDS_RESET),
        (b"Limit switch +X was hit - reset or M999 required", Severity.NEEDS_RESET),
        (b"Emergency Stop! Reset the controller to continue.", Severity.NEEDS_RESET),
        (b"// Klipper state: Shutdown", Severity.NEEDS_RESET),
        (b"// Klipper state: Disconnect", Severity.NEEDS_RESET),
        (b"Unknown M code: M9999", Severity.REMARK),
        (b"Unknown command:M9999 ", Severity.REMARK),
        (b"echo: cold extrusion prevented", Severity.REMARK),
        (b'echo:Unknown command: "G80"', Severity.REMARK),
        (b'// Unknown command:"G80"', Severity.REMARK),
    ],
)
def test_failures(line: bytes, severity: Severity) -> None:
    reply = parse_reply(line)
    assert isinstance(reply, Failure)
    assert reply.fault.severity is severity


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_some_reply(line: bytes) -> None:
    assert parse_reply(line) is not None
    assert parse_reply(b"ok " + line) is not None
    assert parse_reply(b"Error:" + line) is not None


@given(st.lists(st.binary(max_size=50)))
def test_cutting_does_not_depend_on_how_bytes_arrive(pieces: list[bytes]) -> None:
    one_by_one, at_once = LineReader(), LineReader()
    lines = [line for piece in pieces for line in one_by_one.feed(piece)]
    assert lines == at_once.feed(b"".join(pieces))


def test_an_endless_line_is_dropped_whole() -> None:
    reader = LineReader()
    for _ in range(10):
        assert reader.feed(b"x" * REPLY_BYTES_MAX) == []
    assert reader.feed(b"tail\nok\n") == [b"ok"]
