import pytest

from printer_driver.core.replies.dialects import (
    DIALECTS,
    RX_BYTES,
    Dialect,
    Family,
    recognise,
)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Marlin 2.1.2 (Nov 22 2026 12:00:00)", Family.MARLIN),
        ("Marlin 1.1.9 (Github)", Family.MARLIN_1),
        ("Marlin V1; Sprinter/grbl mashup for gen6", Family.MARLIN_1),
        ("Marlin Ultimaker2; Sprinter/grbl mashup for gen6", Family.MARLIN_1),
        ("Marlin bugfix-1.1.x (Github)", Family.MARLIN_1),
        ("Prusa-Firmware 3.13.0 based on Marlin", Family.PRUSA),
        ("Prusa-Firmware-Buddy 6.4.0+11974 (Github)", Family.PRUSA_BUDDY),
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


@pytest.mark.parametrize(
    ("name", "breaks_waits", "stops_moves"),
    [
        ("Prusa-Firmware 3.14.1 based on Marlin", False, False),
        ("Prusa-Firmware-Buddy 6.4.0", True, True),
        ("Klipper", False, False),
        ("RepRapFirmware for Duet 3 MB6HC", True, False),
        ("Repetier_1.0.4", True, False),
        ("Smoothieware", False, False),
    ],
)
def test_what_a_cancel_can_break_off(name: str, *, breaks_waits: bool, stops_moves: bool) -> None:
    dialect = recognise(name)
    assert (dialect.breaks_waits, dialect.stops_moves) == (breaks_waits, stops_moves)


def test_only_a_capability_or_klippers_reader_lets_m112_overtake() -> None:
    assert [x.family for x in DIALECTS if x.has_emergency_parser] == [Family.KLIPPER]


def test_a_prusa_never_finds_its_receive_buffer_full() -> None:
    assert recognise("Prusa-Firmware 3.14.1 based on Marlin").rx_bytes - 1 < RX_BYTES - 1


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda x: x.family)
def test_every_dialect_tells_a_way_out(dialect: Dialect) -> None:
    assert dialect.way_out.endswith(".")
