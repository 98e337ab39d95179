"""Writes the serial log to disk: after trouble, or from time to time if all of it is kept."""

import logging
from pathlib import Path

from printer_driver.background import Background
from printer_driver.port.serial_log import SerialLog

TROUBLE_APART_S = 10.0
"""Between two writings."""

_log = logging.getLogger(__name__)


class TroubleLog:
    """Only `close` waits for the disk."""

    def __init__(self, serial_log: SerialLog, background: Background) -> None:
        self._serial_log = serial_log
        self._background = background
        self._noted_s = -TROUBLE_APART_S

    def note(self, now_s: float) -> None:
        """Something has happened that a bug report should show."""
        if now_s >= self._noted_s + TROUBLE_APART_S:
            self._noted_s = now_s
            self.write()

    def tick(self, now_s: float) -> None:
        """Write what is due."""
        if self._serial_log.is_due(now_s):
            self.write()

    def write(self) -> list[Path]:
        """Writes the lines of the memory to the file, soon; returns the files, the newest first."""
        lines = self._serial_log.take()
        self._background.run(lambda: self._write_out(lines))
        return self._serial_log.files_possible()

    def close(self) -> None:
        """Writes what is left, if everything is kept."""
        if self._serial_log.keeps_all:
            self._write_out(self._serial_log.take())

    def _write_out(self, lines: list[bytes]) -> None:
        try:
            self._serial_log.write_out(lines)
        except OSError as error:
            _log.warning("the serial log cannot be written (%s)", error)
