"""`python -m printer_driver bundle --journal FILE OUT.zip` collects what a bug report needs."""

import argparse
import asyncio
import contextlib
import json
import platform
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

from printer_driver.client import SocketPrinter
from printer_driver.errors import PrinterError
from printer_driver.port.serial_log import SerialLog
from printer_driver.process.process import beside
from printer_driver.protocol import status_to_json

WRITTEN_S = 0.5
"""The process writes its serial log a moment after it was asked to."""
FILE_BYTES_MAX = 16 * 1024 * 1024


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line; ends the process with a usage message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m printer_driver bundle",
        description="Put logs, journal and status of one printer into a zip for a bug report.",
    )
    parser.add_argument("--journal", required=True, type=Path, help="as the printer process has it")
    parser.add_argument("--socket", type=Path, help="its socket, if it is running")
    parser.add_argument("out", type=Path, help="the zip to write")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Write the bundle; returns the exit code."""
    given = parse(arguments)
    status = asyncio.run(ask(given.socket)) if given.socket else {}
    files = files_of(given.journal)
    try:
        write(given.out, files, {"status": status, **_versions()})
    except OSError as error:
        sys.stderr.write(f"The bundle cannot be written ({error}); choose another place.\n")
        return 1
    names = ", ".join(path.name for path in files) or "no log yet"
    sys.stdout.write(f"{given.out}: {names}\n")
    return 0


def files_of(journal: Path) -> list[Path]:
    """The existing files of this printer, without the g-code."""
    logs = SerialLog(beside(journal, ".serial.log")).files_possible()
    log = journal.with_name("printer.log")
    possible = [journal, beside(journal, ".lines"), beside(journal, ".port"), *logs, log]
    return [path for path in possible if path.is_file()]


def write(out: Path, files: list[Path], about: dict[str, Any]) -> None:
    """Raises `OSError`."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("about.json", json.dumps(about, indent=2))
        for path in files:
            with path.open("rb") as file:
                bundle.writestr(path.name, file.read(FILE_BYTES_MAX))


async def ask(socket: Path) -> dict[str, Any]:
    """The status of the printer process, as JSON, or `unavailable` with the reason.

    The process also writes its serial log out.
    """
    printer = SocketPrinter(socket)
    try:
        await printer.serial_log()
        status = status_to_json(await printer.status())
        await asyncio.sleep(WRITTEN_S)
    except PrinterError as error:
        return {"unavailable": str(error)}
    finally:
        await printer.close()
    return status


def _versions() -> dict[str, str]:
    versions = {"python": sys.version, "platform": platform.platform()}
    with contextlib.suppress(metadata.PackageNotFoundError):
        versions["crdtqueue"] = metadata.version("crdtqueue")
    return versions
