"""How a printer is used, as the arguments of `serve` say it."""

import argparse
from pathlib import Path

import pytest

from crdtqueue.adapters.printer_process import SerialPrinter
from crdtqueue.cli import serve
from crdtqueue.cli.main import make_parser
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.worker_events import WorkerConfig
from crdtqueue.peer.config import PrinterConfig
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from tests.harness.samples import MK3S


def options(*arguments: str) -> argparse.Namespace:
    given = ["serve", "--port", "virtual", "--profile", "mk3s", *arguments]
    return make_parser(given).parse_args(given)


def printer(*arguments: str) -> PrinterConfig:
    found = serve.config_of(options(*arguments)).printer
    assert found
    return found


def test_a_printer_is_used_with_care_unless_told_otherwise() -> None:
    assert printer().worker == WorkerConfig(profile=MK3S)
    assert not printer().worker.self_clearing
    assert printer().scripts == {}


def test_everything_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "a=b.gcode"
    path.write_text("G28")
    told = printer(
        "--self-clearing", "--retries", "0", "--cool-bed-c", "35", "--cool-max-s", "60",
        "--script", f"clear-bed={path}", "--script", f"waiting={path}",
    )  # fmt: skip
    cooldown = Cooldown(bed_c=35.0, max_s=60.0)
    assert told.worker == WorkerConfig(
        profile=MK3S, self_clearing=True, retries=0, cooldown=cooldown
    )
    assert told.scripts == {CycleStep.CLEAR_BED: "G28", CycleStep.WAITING: "G28"}


def test_a_script_that_halts_the_printer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stop.gcode"
    path.write_text("G28\nM112")
    with pytest.raises(Invalid, match="clear-bed cannot have M112"):
        printer("--script", f"clear-bed={path}")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--retries", "-1"], "from 0 to 2"),
        (["--retries", "3"], "from 0 to 2"),
        (["--cool-bed-c", "0"], "1 to 200"),
        (["--cool-bed-c", "nan"], "1 to 200"),
        (["--cool-bed-c", "40", "--cool-max-s", "inf"], "up to 86400"),
        (["--cool-max-s", "nan"], "up to 86400"),
        (["--script", "waiting"], "names no file"),
        (["--script", "dance=x"], "There is no event 'dance'"),
        (["--script", "waiting=/nowhere/x.gcode"], "cannot be read"),
        (["--script", "waiting=/dev/zero"], "larger than 16 kB"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(Invalid) as caught:
        printer(*arguments)
    assert says in str(caught.value)


def test_what_is_said_of_the_streaming_goes_to_the_printer_process() -> None:
    place = printer("--park", "1,2", "--ignore", "M601", "--off-when-alone", "30").place
    assert isinstance(place, SerialPrinter)
    assert place.stream == StreamSettings(
        ignored=frozenset({"M601"}), park=Park(x=1, y=2), alone_s=1800
    )
