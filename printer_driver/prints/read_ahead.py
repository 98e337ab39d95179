"""Reads the file of a print ahead in a thread, so that the loop with the printer never waits.

A dying card or a network share can delay a read for minutes. Meanwhile an emergency stop, a pause
and the watch over the heaters still work, and the lines that were read before are printed.
"""

import io
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO

from printer_driver.core.gcode.gcode_lines import (
    FILE_LINE_BYTES_MAX,
    NO_LINE_YET,
)
from printer_driver.errors import GcodeError
from printer_driver.prints.file_check import (
    FileIdentity,
    unchanged,
)

BLOCKS_AHEAD_MAX = 8
"""Of BLOCK_BYTES: half a megabyte, which lasts longer than most hangs."""

_log = logging.getLogger(__name__)


def close_aside(file: BinaryIO) -> None:
    """Closes an unused file without waiting for its disk."""
    try:
        threading.Thread(target=file.close, name="close", daemon=True).start()
    except RuntimeError:  # no room for another thread
        file.close()


class ReadAhead:
    """Reads `file` from its present position, as long as it has this `identity`.

    The object owns the file, and after the first call only its thread touches it: closing may take
    as long as reading. `arrived` is called in that thread when there is something new to take.
    """

    def __init__(
        self, file: BinaryIO, identity: FileIdentity, arrived: Callable[[], None] = lambda: None
    ) -> None:
        self._file = file
        self._identity = identity
        self._arrived = arrived
        self._taken: deque[bytes | GcodeError] = deque()
        """What was read; an empty block is the end, and nothing follows that or an error."""
        self._room = threading.Semaphore(BLOCKS_AHEAD_MAX)
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def lines(self) -> Iterator[bytes]:
        """The lines with their ends, none much longer than FILE_LINE_BYTES_MAX; NO_LINE_YET while
        the next one has not been read. Never waits.

        Raises `GcodeError` behind the last good line if the file cannot be read to its end.
        """
        self._begin()
        rest = b""
        while (block := self._take()) != b"":
            if block is None:
                yield NO_LINE_YET
                continue
            lines = io.BytesIO(rest + block).readlines()
            rest = b"" if lines[-1].endswith(b"\n") else lines.pop()
            yield from lines
            if len(rest) > FILE_LINE_BYTES_MAX:
                yield rest
                rest = b""
        if rest:
            yield rest

    def close(self) -> None:
        """Closes the file, now or as soon as the disk answers. Never waits."""
        if not self._is_closed:
            self._is_closed = True
            self._room.release()
            self._begin()

    def _begin(self) -> None:
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._work, name="read ahead", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self._file.close()
            self._taken.append(GcodeError(f"The file cannot be read ({error}); try again."))

    def _take(self) -> bytes | None:
        """The next block; None while there is none."""
        if not self._taken:
            return None
        block = self._taken.popleft()
        if isinstance(block, GcodeError):
            raise block
        self._room.release()
        return block

    # --- in the thread -----------------------------------------------------------------------

    def _work(self) -> None:
        with self._file:
            blocks = self._blocks()
            while self._has_room():
                block = next(blocks, b"")
                self._taken.append(block)
                self._arrived()
                if not block or isinstance(block, GcodeError):
                    return

    def _has_room(self) -> bool:
        """Waits for room; False when nobody takes blocks any more."""
        self._room.acquire()
        return not self._is_closed

    def _blocks(self) -> Iterator[bytes | GcodeError]:
        try:
            yield from unchanged(self._file, self._identity)
        except GcodeError as error:
            yield error
        except (OSError, ValueError) as error:
            yield GcodeError(f"The file cannot be read any more ({error}); add it again.")
        except Exception:  # noqa: BLE001 - logged; a print waits for the answer, whatever it is
            _log.exception("the file could not be read; please report this")
            yield GcodeError("The file cannot be read any more; see the log.")
