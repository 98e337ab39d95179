from pathlib import Path

import pytest

from printer_driver.virtual.incidents import parse_incident
from printer_driver.virtual.virtual_dialects import (
    MARLIN_2,
    PRUSA,
)
from printer_driver.virtual.virtual_options import (
    VirtualOptions,
    is_virtual,
    parse_virtual,
)


def test_plain_virtual_is_the_default() -> None:
    assert parse_virtual("virtual") == VirtualOptions()
    assert parse_virtual("virtual:").board.firmware.dialect is MARLIN_2


def test_everything_can_be_chosen() -> None:
    options = parse_virtual(
        "virtual:prusa,baud=115200,latency_ms=16,advanced_ok,rx_bytes=128,flips_to_host=1e-4,"
        "resets_on_dtr,seed=7,link=/run/usb-0,at=2.5:unplug 3,at=9:say // action:pause"
    )
    board = options.board
    assert board.firmware.dialect is PRUSA
    assert board.firmware.advanced_ok
    assert not board.firmware.emergency_parser
    assert board.firmware.rx_bytes == 128
    assert (board.wiring.baud, board.wiring.latency_s) == (115200, 0.016)
    assert board.noise.flips_to_host == 1e-4
    assert board.resets_on_dtr
    assert board.incidents == (
        (2.5, parse_incident("unplug 3")),
        (9.0, parse_incident("say // action:pause")),
    )
    assert (options.seed, options.link) == (7, Path("/run/usb-0"))


@pytest.mark.parametrize(
    ("port", "problem"),
    [
        ("virtual:marlin9", "no setting"),
        ("virtual:baud=fast", "baud=fast is wrong"),
        ("virtual:baud=1", "between 300 and"),
        ("virtual:latency_ms=nan", "between 0 and 1000"),
        ("virtual:at=soon:reset", "at=SECONDS:INCIDENT"),
        ("virtual:at=5:explode", "none of: reset"),
    ],
)
def test_mistakes_are_explained(port: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_virtual(port)


@pytest.mark.parametrize(
    ("port", "expected"),
    [("virtual", True), ("virtual:prusa", True), ("/dev/virtual", False), ("virtually", False)],
)
def test_what_means_a_virtual_printer(port: str, expected: bool) -> None:
    assert is_virtual(port) is expected
