from pathlib import Path

import pytest

from printer_driver.__main__ import parse_settings
from printer_driver.core.streaming.stream_settings import Park
from printer_driver.port.port_keeper import AUTO_BAUD
from printer_driver.port.serial_log import Keep

BASE = ["--socket", "/s", "--journal", "/j"]


def test_settings() -> None:
    settings = parse_settings(["--port", "virtual", *BASE, "--speed-up", "10", "--record", "/r"])
    assert (settings.port, settings.baud, settings.speed_up) == ("virtual", 115200, 10.0)
    assert (settings.socket, settings.journal, settings.record) == (
        Path("/s"),
        Path("/j"),
        Path("/r"),
    )


def test_what_a_person_may_set() -> None:
    more = ["--park", "10,200,5", "--serial-log", "all"]
    settings = parse_settings(["--port", "auto", "--baud", "auto", *BASE, *more])
    assert (settings.port, settings.baud, settings.keep) == ("auto", AUTO_BAUD, Keep.ALL)
    assert settings.stream.park == Park(x=10, y=200, lift=5)


@pytest.mark.parametrize(
    "arguments",
    [
        BASE,
        ["--port", "/dev/ttyUSB0", *BASE, "--speed-up", "5"],
        ["--port", "virtual", *BASE, "--speed-up", "0"],
        ["--port", "virtual", *BASE, "--baud", "fast"],
        ["--port", "virtual", *BASE, "--baud", "0"],
        ["--port", "virtual", *BASE, "--serial-log", "some"],
    ],
)
def test_wrong_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_settings(arguments)
    assert ended.value.code == 2
