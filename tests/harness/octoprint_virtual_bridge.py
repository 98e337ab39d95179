"""OctoPrint's own virtual printer behind a pseudo-terminal; run by OctoPrint's interpreter.

`python octoprint_virtual_bridge.py FOLDER RECORD` says the name of the port; every command that it
executes goes to the file RECORD.
"""

import os
import re
import sys
import threading
import tty
from pathlib import Path

import octoprint.plugin
import octoprint.printer.profile
import octoprint.settings
from octoprint.plugins import virtual_printer
from octoprint.plugins.virtual_printer.virtual import VirtualPrinter

SIMULATED_ERRORS = ["100:resend", "110:missing_lineno", "115:checksum_mismatch"]
"""Its fourth, `resend_with_timeout`, asks for a line that it then counts as taken."""


class Recorder:
    """Looks at each command as the pattern that finds its handler does."""

    def __init__(self, pattern: re.Pattern[str], path: Path) -> None:
        self._pattern = pattern
        self._file = path.open("w", buffering=1)

    def match(self, line: str) -> re.Match[str] | None:
        self._file.write(f"{line}\n")
        return self._pattern.match(line)


def make(folder: Path, record: Path) -> VirtualPrinter:
    octoprint.settings.settings(init=True, basedir=str(folder))
    octoprint.plugin.plugin_manager(
        init=True, plugin_folders=[], plugin_bases=[], plugin_entry_points=[]
    )
    defaults = virtual_printer.VirtualPrinterPlugin().get_settings_defaults()
    defaults["simulated_errors"] = SIMULATED_ERRORS
    settings = octoprint.plugin.plugin_settings("virtual_printer", defaults=defaults)
    VirtualPrinter.command_regex = Recorder(VirtualPrinter.command_regex, record)
    profiles = octoprint.printer.profile.PrinterProfileManager()
    return VirtualPrinter(settings, profiles, data_folder=str(folder))


def to_host(printer: VirtualPrinter, master: int) -> None:
    while True:
        if line := printer.readline():
            os.write(master, line.strip() + b"\n")


def to_printer(printer: VirtualPrinter, master: int) -> None:
    rest = b""
    while True:
        *lines, rest = (rest + os.read(master, 4096)).split(b"\n")
        for line in lines:
            left = line + b"\n"
            while left:  # it takes one line at a time, and of that only what fits
                left = left[printer.write(left) :]


def main() -> None:
    folder, record = map(Path, sys.argv[1:])
    printer = make(folder, record)
    master, slave = os.openpty()
    tty.setraw(slave)
    threading.Thread(target=to_host, args=(printer, master), daemon=True).start()
    threading.Thread(target=to_printer, args=(printer, master), daemon=True).start()
    print(os.ttyname(slave), flush=True)
    sys.stdin.read()


main()
