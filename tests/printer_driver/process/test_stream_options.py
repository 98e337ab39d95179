import argparse

import pytest

from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from printer_driver.process.stream_options import (
    add_arguments,
    arguments_of,
    settings_of,
)


def read(*arguments: str) -> StreamSettings:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return settings_of(parser.parse_args(arguments))


def test_nothing_need_be_set() -> None:
    assert read() == StreamSettings()
    assert arguments_of(StreamSettings()) == []


def test_everything_may_be_set() -> None:
    given = ("--ignore", "m900 k0.1 ; no", "--ignore", "M601", "--park=-10,200.5")
    assert read(*given, "--off-when-alone", "30") == StreamSettings(
        ignored=frozenset({"M900 K0.1", "M601"}), park=Park(x=-10, y=200.5), alone_s=1800
    )


@pytest.mark.parametrize(
    "settings",
    [
        StreamSettings(ignored=frozenset({"M900 K0.1", "-M601"}), alone_s=300),
        StreamSettings(park=Park(x=-10, y=200.5, lift=7)),
        StreamSettings(cancel_script=("G91", "G1 Z5", "G90", "M84")),
        StreamSettings(bufsize=33, rx_bytes=1024, compacts=True),
    ],
)
def test_the_arguments_say_the_same(settings: StreamSettings) -> None:
    assert read(*arguments_of(settings)) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        ("--park", "10"),
        ("--park", "10,nan"),
        ("--park", "10,9000"),
        ("--park", "1,2,-3"),
        ("--on-cancel", "; nothing"),
        ("--on-cancel", "G1 X" + "1" * 100),
        ("--bufsize", "3"),
        ("--bufsize", "34"),
        ("--rx-bytes", "64"),
        ("--off-when-alone", "4"),
        ("--off-when-alone", "241"),
        ("--off-when-alone", "soon"),
    ],
)
def test_wrong_ones(wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        read(*wrong)
