from math import inf

import pytest

from printer_driver.virtual.heaters import (
    AMBIENT_C,
    Heater,
    HeaterFault,
)


def heater() -> Heater:
    return Heater(heating_c_per_s=5.0, cooling_c_per_s=1.0)


def test_it_heats_holds_and_cools() -> None:
    warm = heater().with_target(71.0, 10.0)
    assert warm.at(10.0) == AMBIENT_C
    assert warm.at(15.0) == pytest.approx(46.0)
    assert warm.reached_s(also_cooling=False) == pytest.approx(20.0)
    assert warm.at(100.0) == 71.0
    off = warm.with_target(0.0, 100.0)
    assert off.at(110.0) == pytest.approx(61.0)
    assert off.at(1000.0) == AMBIENT_C
    assert off.reached_s(also_cooling=True) == pytest.approx(150.0)
    assert off.reached_s(also_cooling=False) == 100.0


def test_a_healthy_heater_raises_no_alarm() -> None:
    assert heater().with_target(200.0, 0.0).alarm() is None


def test_a_broken_thermistor_is_seen_when_it_should_heat() -> None:
    broken = heater().with_fault(HeaterFault.OPEN, 5.0)
    assert broken.at(6.0) == -14.0
    assert broken.alarm() is None
    assert broken.with_target(200.0, 10.0).alarm() == (11.0, "MINTEMP triggered")


def test_a_shorted_thermistor_is_seen_at_once() -> None:
    shorted = heater().with_fault(HeaterFault.SHORT, 5.0)
    assert shorted.at(6.0) > 400
    assert shorted.alarm() == (6.0, "MAXTEMP triggered")


def test_a_heater_without_power_fails_to_heat_or_runs_away() -> None:
    cut = heater().with_fault(HeaterFault.CUT, 0.0)
    cold = cut.with_target(200.0, 1.0)
    assert cold.at(100.0) == AMBIENT_C
    assert cold.reached_s(also_cooling=False) == inf
    assert cold.alarm() == (21.0, "Heating failed")
    hot = heater().with_target(200.0, 0.0).with_fault(HeaterFault.CUT, 100.0)
    assert hot.at(110.0) == pytest.approx(190.0)
    assert hot.alarm() == (144.0, "Thermal Runaway")
    mended = hot.with_fault(HeaterFault.NONE, 110.0)
    assert mended.alarm() is None
    assert mended.at(112.0) == pytest.approx(200.0)
