"""How many lines and bytes may be unacknowledged at once.

Without an emergency parser M108 and M112 are read only when a command slot is free, so one slot
stays free: at most BUFSIZE - 1 lines. The bytes are limited by the serial buffer, so that firmware
that does not read for a moment loses nothing.
"""

from printer_driver.core.replies.dialects import BUFSIZE, RX_BYTES

LINES_MAX = 32
CLEAN_LINES_TO_GROW = 32
"""Acknowledged lines without an error before the window grows by one again."""
BELIEVED_AFTER = 3
"""Times that ADVANCED_OK must show a larger buffer in a row; noise alters single replies."""


class Window:
    """Starts at the limits, falls to one line with each error, and grows back with clean lines."""

    def __init__(self, *, bufsize: int = BUFSIZE, rx_bytes: int = RX_BYTES) -> None:
        self._bufsize_claimed = 0
        self._claims = 0
        self.set_limits(bufsize=bufsize, rx_bytes=rx_bytes)

    def set_limits(
        self, *, bufsize: int, rx_bytes: int, has_emergency_parser: bool = False
    ) -> None:
        """Sets what the buffers of the firmware hold."""
        self._bufsize = bufsize
        self._has_emergency_parser = has_emergency_parser
        self.bytes_max = rx_bytes - 1
        self.lines = self._set_lines_max()
        self._clean_lines = 0

    def _set_lines_max(self) -> int:
        free = 0 if self._has_emergency_parser else 1
        self.lines_max = min(max(1, self._bufsize - free), LINES_MAX)
        """Where growing ends."""
        return self.lines_max

    def has_room(self, *, lines: int, line_bytes: int, added_bytes: int) -> bool:
        """Whether a line of `added_bytes` may follow; the first one always may."""
        return not lines or (lines < self.lines and line_bytes + added_bytes <= self.bytes_max)

    def shrink(self) -> None:
        """A line was refused."""
        self.lines, self._clean_lines = 1, 0

    def note_clean_line(self) -> None:
        """A line was acknowledged."""
        if self.lines >= self.lines_max:
            return
        self._clean_lines += 1
        if self._clean_lines >= CLEAN_LINES_TO_GROW:
            self._clean_lines = 0
            self.lines += 1

    def note_free_slots(self, slots: int) -> None:
        """B of ADVANCED_OK. The acknowledged command still holds a slot, so there is one more."""
        bufsize = slots + 1
        if bufsize <= self._bufsize:
            self._claims = 0
            return
        self._claims = self._claims + 1 if bufsize == self._bufsize_claimed else 1
        self._bufsize_claimed = bufsize
        if self._claims >= BELIEVED_AFTER:
            is_full = self.lines == self.lines_max
            self._bufsize, self._claims = bufsize, 0
            lines_max = self._set_lines_max()
            self.lines = lines_max if is_full else self.lines
