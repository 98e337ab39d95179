import pytest

from printer_driver.core.gcode.command_kinds import (
    Kind,
    code_of,
    kind_of,
)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("G1 X1", Kind.MOVE),
        ("G01X1", Kind.MOVE),
        ("G10", Kind.LONG),
        ("M106 S255", Kind.HARMLESS),
        ("M104 S200", Kind.HARMLESS),
        ("M104 T1 S200", Kind.QUICK),
        ("G92 E0", Kind.QUICK),
        ("G91", Kind.QUICK),
        ("M109 S200", Kind.HEATING),
        ("M1090", Kind.LONG),
        ("G28", Kind.LONG),
        ("M400", Kind.LONG),
        ("T1", Kind.LONG),
        ("START_PRINT", Kind.LONG),
        ("", Kind.LONG),
    ],
)
def test_kind_of(command: str, kind: Kind) -> None:
    assert kind_of(command) is kind


def test_code_of() -> None:
    assert [code_of(x) for x in ("G01 X1", "M862.3 P1", "T0", "hello", "M 104")] == [
        "G1",
        "M862.3",
        "T0",
        "",
        "M104",
    ]
