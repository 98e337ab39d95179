import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.replies import (
    REPLY_BYTES_MAX,
    Action,
    Busy,
    Echo,
    Failure,
    FirmwareName,
    LineError,
    LineReader,
    Ok,
    Reply,
    Resend,
    Start,
    TemperatureReport,
    Unknown,
    parse_reply,
)
from printer_driver.printer import Temperature

NOZZLE = Temperature(name="T0", actual_c=209.9, target_c=210.0)
BED = Temperature(name="B", actual_c=60.1, target_c=60.0)


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"ok", Ok()),
        (b"ok N57 P15 B3", Ok(line_number=57, planner_free=15, buffer_free=3)),
        (
            b"ok T:209.9 /210.0 B:60.1 /60.0 T0:209.9 /210.0 @:127 B@:0",
            Ok(temperatures=(NOZZLE, BED)),
        ),
        (b" T:209.9 /210.0 B:60.1 /60.0 @:0 W:?", TemperatureReport(temperatures=(NOZZLE, BED))),
        (
            b"T:20",
            TemperatureReport(temperatures=(Temperature(name="T0", actual_c=20, target_c=0),)),
        ),
        (b"Resend: 58", Resend(line_number=58)),
        (b"rs 58", Resend(line_number=58)),
        (b"Error:checksum mismatch, Last Line: 57", LineError(last_line=57)),
        (b"Error:No Checksum with line number", LineError(last_line=None)),
        (b"echo:busy: processing", Busy(activity="processing")),
        (b"start", Start()),
        (b"// action:pause", Action(name="pause")),
        (b'echo:Unknown command: "G80"', Echo(text='Unknown command: "G80"')),
        (
            b"FIRMWARE_NAME:Marlin 2.1.2 (a b) SOURCE_CODE_URL:x",
            FirmwareName(name="Marlin 2.1.2 (a b)"),
        ),
        (b"okay", Unknown(text="okay")),
        (b"\xff\x00", Unknown(text="\ufffd\x00")),
    ],
)
def test_parse_reply(line: bytes, reply: Reply) -> None:
    assert parse_reply(line) == reply


@pytest.mark.parametrize(
    ("line", "is_fatal", "is_halted"),
    [
        (b"Error:Thermal Runaway, system stopped! Heater_ID: 0", True, True),
        (b"Error:Heating failed, system stopped! Heater_ID: bed", True, True),
        (b"Error:MAXTEMP triggered", True, True),
        (b"Error:Printer halted. kill() called!", True, True),
        (b"Error:Probing Failed", True, False),
        (b"!! something", True, False),
        (b"Error:Cold extrusion", False, False),
    ],
)
def test_failures(line: bytes, *, is_fatal: bool, is_halted: bool) -> None:
    reply = parse_reply(line)
    assert isinstance(reply, Failure)
    assert (reply.is_fatal, reply.is_halted) == (is_fatal, is_halted)


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
