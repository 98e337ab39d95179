"""The printers of the serial benchmarks, each a process of its own."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

REPLY_LIMIT_S = 30.0


class Printer:
    """A virtual printer at a pseudo-terminal."""

    def __init__(self, process: "subprocess.Popen[str]", port: str) -> None:
        self._process = process
        self.port = port

    def look(self) -> dict[str, Any]:
        """Its condition, as `printer_driver.virtual.firmware_machine.Condition`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("look\n")
        self._process.stdin.flush()
        condition: dict[str, Any] = json.loads(self._process.stdout.readline())
        return condition


@contextlib.contextmanager
def _process(*command: str) -> Iterator[Printer]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield Printer(process, process.stdout.readline().strip())
    finally:
        process.kill()
        process.communicate()


def virtual_printer(*, baud: int, latency_ms: float) -> contextlib.AbstractContextManager[Printer]:
    """One whose wire and moves take their real time."""
    options = f"virtual:baud={baud},latency_ms={latency_ms}"
    return _process("printer_driver.virtual", options)


def instant_printer() -> contextlib.AbstractContextManager[Printer]:
    """One that answers at once and does nothing."""
    return _process("tests.benchmarks.serial_responder")
