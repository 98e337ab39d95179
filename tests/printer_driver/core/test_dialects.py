import pytest

from printer_driver.core.dialects import DIALECTS, Dialect, Family, recognise


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Marlin 2.1.2 (Nov 22 2026 12:00:00)", Family.MARLIN),
        ("Marlin 1.1.9 (Github)", Family.MARLIN_1),
        ("Marlin V1; Sprinter/grbl mashup for gen6", Family.MARLIN_1),
        ("Prusa-Firmware 3.13.0 based on Marlin", Family.PRUSA),
        ("RepRapFirmware for Duet 2 WiFi/Ethernet", Family.REPRAPFIRMWARE),
        ("Klipper", Family.KLIPPER),
        ("Repetier_1.0.4", Family.REPETIER),
        ("Smoothieware", Family.SMOOTHIE),
        ("", Family.UNKNOWN),
        ("\ufffd", Family.UNKNOWN),
    ],
)
def test_recognise(name: str, family: Family) -> None:
    assert recognise(name).family is family


def test_an_unknown_firmware_is_treated_as_the_least_able() -> None:
    unknown = recognise("Foo")
    assert not unknown.takes_compact_lines
    assert not unknown.has_emergency_parser


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda x: x.family)
def test_every_dialect_tells_a_way_out(dialect: Dialect) -> None:
    assert dialect.way_out.endswith(".")
