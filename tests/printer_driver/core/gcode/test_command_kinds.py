import pytest

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    code_of,
    kind_of,
)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("G1 X1", CommandKind.MOVE),
        ("G01X1", CommandKind.MOVE),
        ("G10", CommandKind.LONG),
        ("M106 S255", CommandKind.HARMLESS),
        ("M104 S200", CommandKind.HARMLESS),
        ("M104 T1 S200", CommandKind.QUICK),
        ("G92 E0", CommandKind.QUICK),
        ("G91", CommandKind.QUICK),
        ("M109 S200", CommandKind.HEATING),
        ("M1090", CommandKind.LONG),
        ("G28", CommandKind.LONG),
        ("M400", CommandKind.LONG),
        ("T1", CommandKind.LONG),
        ("START_PRINT", CommandKind.LONG),
        ("", CommandKind.LONG),
    ],
)
def test_kind_of(command: str, kind: CommandKind) -> None:
    assert kind_of(command) is kind


def test_code_of() -> None:
    assert [code_of(x) for x in ("G01 X1", "M862.3 P1", "T0", "hello", "M 104")] == [
        "G1",
        "M862.3",
        "T0",
        "",
        "M104",
    ]
