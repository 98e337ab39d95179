"""`make demo` as a person runs it, to its end and with Ctrl-C in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.patience import HANG_S
from tests.harness.peer_processes import (
    printer_processes,
    until,
)

pytestmark = pytest.mark.e2e


def demo(folder: Path, speed_up: int) -> "subprocess.Popen[str]":
    with (folder / "said").open("w") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.demo"],
            env=os.environ | {"DEMO_SPEED_UP": str(speed_up), "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )


def test_it_prints_everything_once_and_ends(tmp_path: Path) -> None:
    assert demo(tmp_path, 300).wait() == 0
    said = (tmp_path / "said").read_text()
    assert "The queue counts every copy once: yes" in said
    assert "7 prints for 7 copies, no line more or less: yes" in said
    assert printer_processes(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    process = demo(tmp_path, 5)
    until(lambda: "Submitted" in (tmp_path / "said").read_text(), 60)
    until(lambda: len(printer_processes(tmp_path)) == 3, 20)
    os.killpg(process.pid, number)
    assert process.wait(HANG_S) == 130
    assert printer_processes(tmp_path) == []
    assert "Traceback" not in (tmp_path / "said").read_text()
    assert list(tmp_path.glob("crdtqueue-demo-*")) == []
