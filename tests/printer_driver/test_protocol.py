import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.errors import BadRequestError, NotPrinting, PrinterUnavailable, PrintRefused
from printer_driver.printer import (
    Connection,
    PrinterStatus,
    PrintReport,
    PrintState,
    Question,
    Telemetry,
    Temperature,
)
from printer_driver.protocol import (
    Do,
    dump_line,
    error_from_json,
    error_to_json,
    load_json_object,
    parse_request,
    request_id,
    status_from_json,
    status_to_json,
)

START = {"id": 1, "do": "start", "print_id": "p", "path": "/x", "sha256": "a" * 64}


def test_a_status_survives_the_socket() -> None:
    status = PrinterStatus(
        connection=Connection.READY,
        problem="ü",
        print=PrintReport(print_id="p", state=PrintState.DONE, notice="Slow.", bed_cleared=True),
        temperatures=(Temperature(name="T0", actual_c=20.5, target_c=0.0),),
        firmware="Marlin",
        fault="halted",
        question=Question(text="Filament out", choices=("Go on", "Stop")),
        notification="Door open",
        bed_cleared_after="p",
        telemetry=Telemetry(lines_per_s=280.5, resends=3),
    )
    assert status_from_json(json.loads(dump_line(status_to_json(status)))) == status


def test_a_status_of_another_version() -> None:
    """An older one says nothing of telemetry, a newer one measures more."""
    value = status_to_json(PrinterStatus(connection=Connection.READY, telemetry=Telemetry()))
    value["telemetry"]["window_bytes"] = 7
    assert status_from_json(value).telemetry == Telemetry()
    for name in ("telemetry", "question", "fault", "notification", "bed_cleared_after"):
        del value[name]
    assert status_from_json(value) == PrinterStatus(connection=Connection.READY)


def test_commands_and_answers() -> None:
    sent = parse_request({"id": 1, "do": "send", "commands": ["M105", "G28 X"]})
    assert sent.commands == ("M105", "G28 X")
    assert parse_request({"id": 1, "do": "answer", "choice": 1}).choice == 1


@pytest.mark.parametrize(
    ("do", "field", "value"),
    [
        ("send", "commands", "M105"),
        ("send", "commands", []),
        ("send", "commands", ["M105"] * 33),
        ("send", "commands", [7]),
        ("send", "commands", ["M117 " + "x" * 200]),
        ("answer", "choice", True),
        ("answer", "choice", -1),
        ("answer", "choice", 99),
        ("answer", "choice", None),
    ],
)
def test_bad_commands_and_answers(do: str, field: str, value: object) -> None:
    with pytest.raises(BadRequestError):
        parse_request({"id": 1, "do": do, field: value})


def test_a_request() -> None:
    request = parse_request(START)
    assert (request.id, request.do, request.print_id) == (1, Do.START, "p")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("do", "dance"),
        ("do", ["start"]),
        ("print_id", ""),
        ("print_id", "a b"),
        ("print_id", "x" * 129),
        ("path", "relative"),
        ("path", "/\0"),
        ("path", "/" + "x" * 5000),
        ("path", "/\ud800"),
        ("sha256", "xyz"),
        ("sha256", None),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadRequestError, match=field):
        parse_request({**START, field: value})


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_an_object(line: bytes) -> None:
    try:
        message = load_json_object(line)
        parse_request(message)
    except BadRequestError:
        pass


@pytest.mark.parametrize(("given_id", "kept"), [(5, 5), ("x", "x"), (True, None), (2**70, None)])
def test_request_id(given_id: object, kept: object) -> None:
    assert request_id({"id": given_id}) == kept


@pytest.mark.parametrize(
    "error",
    [PrinterUnavailable("a"), NotPrinting("b"), PrintRefused("c", code="busy"), PrintRefused("d")],
)
def test_errors_keep_their_kind(error: PrinterUnavailable) -> None:
    back = error_from_json(error_to_json(error))
    assert type(back) is type(error)
    assert (back.code, str(back)) == (error.code, str(error))


def test_an_unreadable_error() -> None:
    assert isinstance(error_from_json("?"), PrinterUnavailable)
