"""The printer process on a virtual printer that others wrote: OctoPrint's, behind a real port."""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from printer_driver.client import SocketPrinter
from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.errors import PrinterUnavailable
from printer_driver.printer import Connection, PrintReport, PrintState
from tests.harness.patience import HANG_S

HERE = Path(__file__).parent
PIN = HERE.parent / "data" / "gcode" / "pin_mk3s.gcode"
WAITS = ("M190", "M109", "G80")
"""What it takes its time for."""

pytestmark = pytest.mark.skipif(
    not os.environ.get("CRDTQUEUE_OCTOPRINT"),
    reason="CRDTQUEUE_OCTOPRINT does not name an OctoPrint; `make test` does",
)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[str]:
    python = Path(os.environ["CRDTQUEUE_OCTOPRINT"]).with_name("python")
    folder = tmp_path / "octoprint"
    folder.mkdir()
    with subprocess.Popen(
        [
            python,
            HERE.parent / "harness" / "octoprint_virtual_bridge.py",
            folder,
            tmp_path / "record",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture
def printer(port: str, tmp_path: Path) -> Iterator[SocketPrinter]:
    command = [sys.executable, "-m", "printer_driver", "--port", port, "--baud", "115200"]
    command += ["--socket", str(tmp_path / "socket"), "--journal", str(tmp_path / "journal")]
    with subprocess.Popen(command) as process:
        yield SocketPrinter(tmp_path / "socket")
        process.kill()


async def ready(printer: SocketPrinter) -> None:
    while True:
        with contextlib.suppress(PrinterUnavailable):
            if (await printer.status()).connection is Connection.READY:
                return
        await asyncio.sleep(0.05)


async def printed(printer: SocketPrinter, path: Path) -> PrintReport:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()  # noqa: ASYNC240 - a small file
    await printer.start("p1", path, digest)
    async for status in printer.watch():
        if status.print and status.print.state not in (PrintState.STARTING, PrintState.PRINTING):
            return status.print
    raise AssertionError


def gcode() -> bytes:
    """A real file, cut short. Its extrusion is relative, which this printer takes for absolute: the
    E that it tells must never be corrected."""
    lines = PIN.read_text().splitlines()[:700]
    return "\n".join(line for line in lines if not line.startswith(WAITS)).encode()


def test_a_real_file_is_printed_to_the_end_exactly_once(
    printer: SocketPrinter, tmp_path: Path
) -> None:
    path = tmp_path / "short.gcode"
    path.write_bytes(gcode())

    async def scenario() -> PrintReport:
        async with asyncio.timeout(HANG_S):
            await ready(printer)
            report = await printed(printer, path)
            await printer.close()
            return report

    report = asyncio.run(scenario())
    assert report.state is PrintState.DONE, report.reason
    with path.open("rb") as file:
        commands = [command.text for command in commands_of(file)]
    executed = (tmp_path / "record").read_text().splitlines()
    begin = executed.index(commands[0])
    ours = ("M105", "M110", "M115", "M155", "M400", "M114", "M113")
    of_file = [x for x in executed[begin:] if not x.startswith(ours) or x in commands]
    assert of_file[: len(commands)] == commands
