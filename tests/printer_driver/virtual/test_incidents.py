import pytest

from printer_driver.virtual.firmware_machine import HeaterName
from printer_driver.virtual.heaters import HeaterFault
from printer_driver.virtual.incidents import (
    Incident,
    IncidentKind,
    parse_incident,
)


@pytest.mark.parametrize(
    ("text", "incident"),
    [
        ("reset\n", Incident(kind=IncidentKind.RESET)),
        ("hang 2.5", Incident(kind=IncidentKind.HANG, seconds=2.5)),
        ("unplug", Incident(kind=IncidentKind.UNPLUG)),
        ("unplug 3", Incident(kind=IncidentKind.UNPLUG, seconds=3)),
        ("say // action:pause", Incident(kind=IncidentKind.SAY, text="// action:pause")),
        (
            "cut bed",
            Incident(kind=IncidentKind.HEATER, heater=HeaterName.BED, fault=HeaterFault.CUT),
        ),
    ],
)
def test_incidents(text: str, incident: Incident) -> None:
    assert parse_incident(text) == incident


@pytest.mark.parametrize("text", ["", "explode", "hang", "hang nan", "hang -1", "open", "say"])
def test_anything_else_is_answered_with_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="none of: reset"):
        parse_incident(text)
