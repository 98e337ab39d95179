import pytest

from printer_driver.virtual.firmware_machine import (
    HeaterName,
    Machine,
)
from printer_driver.virtual.heaters import HeaterFault
from printer_driver.virtual.virtual_dialects import (
    PRUSA,
    FirmwareSetup,
)


def test_targets_are_clipped_and_shown() -> None:
    machine = Machine(FirmwareSetup())
    assert machine.set_target("M104", "M104 S999", 0.0) is HeaterName.NOZZLE
    assert machine.set_target("M190", "M190 R60", 0.0) is HeaterName.BED
    assert machine.temperatures(0.0) == "T:21.00 /300.00 B:21.00 /60.00 @:0 B@:0"
    machine.switch_off(1.0)
    assert machine.condition(1.0, is_killed=False).nozzle_target_c == 0


def test_heating_counts_down_at_temperature() -> None:
    machine = Machine(FirmwareSetup(dialect=PRUSA, residency_s=10))
    machine.set_target("M109", "M109 S71", 0.0)
    assert machine.heating(5.0, done_s=20.0) == "T:46.0 E:0 W:?"
    assert machine.heating(12.0, done_s=20.0) == "T:71.0 E:0 W:8"


def test_the_first_alarm_counts() -> None:
    machine = Machine(FirmwareSetup())
    machine.break_heater(HeaterName.BED, HeaterFault.CUT, 0.0)
    machine.set_target("M140", "M140 S60", 0.0)
    assert machine.alarm_s == 60.0
    machine.break_heater(HeaterName.NOZZLE, HeaterFault.SHORT, 10.0)
    assert machine.alarm_s == 11.0
    assert machine.alarm_text == "Error:MAXTEMP triggered, system stopped! Heater_ID: 0"


def test_position_as_m114_tells() -> None:
    machine = Machine(FirmwareSetup())
    machine.motion.plan("G1 X1 Y2.5 Z0.2 E3", 0.0)
    assert machine.position() == "X:1.00 Y:2.50 Z:0.20 E:3.00 Count X:80 Y:200 Z:80"


def test_cold_extrusion_is_seen_only_where_it_is_prevented() -> None:
    careful, careless = Machine(FirmwareSetup(extrude_min_c=170)), Machine(FirmwareSetup())
    assert careful.is_too_cold_for("G1 X1 E1", 0.0)
    assert not careful.is_too_cold_for("G1 X1", 0.0)
    assert not careless.is_too_cold_for("G1 X1 E1", 0.0)


@pytest.mark.parametrize(("command", "fan"), [("M106", 255), ("M106 S100", 100), ("M107", 0)])
def test_the_fan(command: str, fan: float) -> None:
    machine = Machine(FirmwareSetup())
    machine.set_fan(command)
    assert machine.condition(0.0, is_killed=False).fan == fan


def test_a_reset_keeps_warmth_and_totals_but_no_position() -> None:
    machine = Machine(FirmwareSetup())
    machine.set_target("M104", "M104 S200", 0.0)
    machine.motion.plan("G1 X10", 0.0)
    machine.forget(10.0)
    condition = machine.condition(10.0, is_killed=False)
    assert condition.position == (0.0, 0.0, 0.0, 0.0)
    assert condition.totals.x_mm == 10
    assert condition.nozzle_c == pytest.approx(71.0)
    assert condition.nozzle_target_c == 0
