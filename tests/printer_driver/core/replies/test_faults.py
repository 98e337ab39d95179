import pytest

from printer_driver.core.replies.faults import (
    TEXT_CHARS_MAX,
    Fault,
    FaultKind,
    Severity,
    fault_of,
    remark_of,
)


@pytest.mark.parametrize(
    ("text", "kind", "severity"),
    [
        ("Heating failed, system stopped! Heater_ID: bed", "heating_failed", "needs_reset"),
        ("Thermal Runaway, system stopped! Heater_ID: 0", "thermal_runaway", "needs_reset"),
        ("MINTEMP triggered, system stopped! Heater_ID: 0", "mintemp", "needs_reset"),
        ("MAXTEMP triggered, system stopped!", "maxtemp", "needs_reset"),
        ("Printer halted. kill() called!", "halted", "needs_reset"),
        ("Heater extruder not heating at expected rate", "heating_failed", "needs_reset"),
        (
            "Temperature took too long to be reached on T, HALT asserted - reset or M999 required",
            "heating_failed",
            "needs_reset",
        ),
        ("Heater 1 fault: temperature excursion exceeded", "heating_failed", "print_ends"),
        ("Heating fault on heater 1, temperature rising", "heating_failed", "print_ends"),
        ("Limit switch +X was hit - reset or M999 required", "endstop", "needs_reset"),
        ("Soft Endstop X was exceeded - reset or $X or M999 required", "endstop", "needs_reset"),
        ("Motor Driver alarm - reset or M999 required to continue", "halted", "needs_reset"),
        (
            "Temperature reading is unreliable on T HALT asserted - reset or M999 required",
            "heating_failed",
            "needs_reset",
        ),
        ("Temperature sensor error", "heating_failed", "print_ends"),
        ("Temperature control failed", "heating_failed", "print_ends"),
        ("TM: error triggered!", "thermal_runaway", "print_ends"),
        ("Klipper state: Shutdown", "halted", "needs_reset"),
        ("No trigger on probe after full movement", "probing_failed", "print_ends"),
        ("No trigger on x after full movement", "homing_failed", "print_ends"),
        ("Must home axis first", "homing_failed", "print_ends"),
        ("expected line 57 got 59", "checksum", "remark"),
        ("Unknown M code: M9999", "unknown_command", "remark"),
        ("Probing Failed", "probing_failed", "print_ends"),
        ("Homing Failed", "homing_failed", "print_ends"),
        ("Hard limit +X", "endstop", "needs_reset"),
        (
            "!! KILL caused by too much inactive time",
            "left_alone",
            "needs_reset",
        ),
        ("cold extrusion prevented", "cold_extrusion", "remark"),
        ("checksum mismatch", "checksum", "remark"),
        ('Unknown command: "G80"', "unknown_command", "remark"),
        ("the moon is full", "other", "remark"),
    ],
)
def test_fault_of(text: str, kind: str, severity: str) -> None:
    fault = fault_of(text, is_grave=False)
    assert (fault.kind, fault.severity) == (FaultKind(kind), Severity(severity))
    assert text.rstrip("!") in fault.sentence


def test_what_firmware_marks_as_grave_ends_the_print() -> None:
    assert fault_of("move out of range", is_grave=True).severity is Severity.PRINT_ENDS


@pytest.mark.parametrize("kind", FaultKind)
def test_every_fault_says_what_to_do(kind: FaultKind) -> None:
    advice = Fault(kind=kind, severity=Severity.REMARK, text="x").advice
    assert advice.endswith(".")
    assert len(advice) > 20


def test_a_remark_is_never_grave() -> None:
    assert remark_of("kill the lights") is None
    assert len(fault_of("x" * 999, is_grave=True).text) == TEXT_CHARS_MAX
