import pytest

from printer_driver.core.thermal import AMBIENT_C, Heater


def test_it_heats_holds_and_cools() -> None:
    heater = Heater(heating_c_per_s=5.0, cooling_c_per_s=1.0).with_target(71.0, 10.0)
    assert heater.at(10.0) == AMBIENT_C
    assert heater.at(15.0) == pytest.approx(46.0)
    assert heater.reached_s(also_cooling=False) == pytest.approx(20.0)
    assert heater.at(100.0) == 71.0
    off = heater.with_target(0.0, 100.0)
    assert off.at(110.0) == pytest.approx(61.0)
    assert off.at(1000.0) == AMBIENT_C
    assert off.reached_s(also_cooling=True) == pytest.approx(150.0)
    assert off.reached_s(also_cooling=False) == 100.0
