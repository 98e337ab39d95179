from pathlib import Path

import pytest

from printer_driver.__main__ import parse_settings

BASE = ["--socket", "/s", "--journal", "/j"]


def test_settings() -> None:
    settings = parse_settings(["--port", "virtual", *BASE, "--speed-up", "10", "--record", "/r"])
    assert (settings.port, settings.baud, settings.speed_up) == ("virtual", 115200, 10.0)
    assert (settings.socket, settings.journal, settings.record) == (
        Path("/s"),
        Path("/j"),
        Path("/r"),
    )


@pytest.mark.parametrize(
    "arguments",
    [
        BASE,
        ["--port", "/dev/ttyUSB0", *BASE, "--speed-up", "5"],
        ["--port", "virtual", *BASE, "--speed-up", "0"],
        ["--port", "virtual", *BASE, "--baud", "fast"],
    ],
)
def test_wrong_arguments(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_settings(arguments)
    assert ended.value.code == 2
