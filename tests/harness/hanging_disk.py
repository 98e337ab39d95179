"""The printer process on a disk that hangs: `python -m tests.harness.hanging_disk FIFO …`.

Once a file has been looked through, reading it from its second block on waits in the kernel until
somebody writes to the FIFO.
"""

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from printer_driver.__main__ import main
from printer_driver.prints.file_check import BLOCK_BYTES
from printer_driver.process import driver

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class HangingFile(io.FileIO):
    def __init__(self, path: Path, fifo: int) -> None:
        super().__init__(path)
        self._fifo = fifo
        self._is_looked_through = False
        self._has_hung = False

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self._is_looked_through and not self._has_hung and self.tell() >= BLOCK_BYTES:
            os.read(self._fifo, 1)
            self._has_hung = True
        count = super().readinto(buffer) or 0
        self._is_looked_through = self._is_looked_through or not count
        return count


if __name__ == "__main__":
    fifo = os.open(sys.argv.pop(1), os.O_RDWR)

    def open_hanging(path: Path) -> BinaryIO:
        return io.BufferedReader(HangingFile(path, fifo), BLOCK_BYTES)

    driver.open_gcode = open_hanging  # type: ignore[attr-defined]
    sys.exit(main())
