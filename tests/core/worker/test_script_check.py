from __future__ import annotations

import pytest

from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.script_check import (
    SENSELESS,
    check_commands,
)


@pytest.mark.parametrize("code", SENSELESS)
def test_a_command_that_makes_no_sense_is_refused_with_its_line_and_the_reason(code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_commands("cooldown", f"G28\n{code} S1 ; now")
    assert refused.value.code == "script_command"
    says = f"The script cooldown cannot have {code} (line 2): {SENSELESS[code]}. Take it out."
    assert refused.value.message == says


@pytest.mark.parametrize(
    "line",
    [
        "M112",
        " m112 ",
        "M0112",
        "M112;now",
        "N7 M112*33",
        "M112 S0",
        "\\M112",
        "M 112",
        "\ufeffM112",
    ],
)
def test_an_emergency_stop_is_found_however_it_is_written(line: str) -> None:
    with pytest.raises(Invalid, match="M112"):
        check_commands("activated", line)


@pytest.mark.parametrize(
    "gcode",
    [
        "",
        "G28\nM104 S0 ; after M112 nothing goes",
        "; M112",
        "M117 Send M112",
        "M1120",
        "M118 A1 action:cancel",
        "M81",
        "M0 Take the part",
        "G1 X10 F1080",
    ],
)
def test_other_commands_are_let_through(gcode: str) -> None:
    check_commands("print-done", gcode)
