"""What is sent while nothing is printed: commands of a person, and questions for temperatures."""

from collections import deque
from collections.abc import Iterator

from printer_driver.core.gcode.gcode_lines import command_of
from printer_driver.core.replies.faults import TEXT_CHARS_MAX
from printer_driver.core.streaming.line_sender import LineSender
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    REPORT_TEMPERATURES,
)
from printer_driver.errors import GcodeError

POLL_S = 2.0
"""Between two M105."""
MANUAL_COMMANDS_MAX = 32


class IdleCommands:
    """Sends one line at a time through `lines`."""

    def __init__(self, lines: LineSender) -> None:
        self.poll_at_s = 0.0
        """When `go_on` is due."""
        self._lines = lines
        self._manual: deque[str] = deque()

    def poll_now(self, now_s: float) -> None:
        """Ask for the temperatures at the next chance."""
        self.poll_at_s = now_s

    def take(self, commands: tuple[str, ...], *, is_busy: bool) -> Iterator[str]:
        """Takes commands of a person; yields a sentence for each that is not sent."""
        for command in commands:
            if is_busy or len(self._manual) >= MANUAL_COMMANDS_MAX:
                yield f"Not sent: {command[:TEXT_CHARS_MAX]}; the printer is busy."
                continue
            try:
                text = command_of(command.encode("utf-8", errors="replace"))
            except GcodeError as error:
                yield str(error)
            else:
                self._manual.extend(filter(None, [text]))

    def drop(self) -> Iterator[str]:
        """Drops the commands that are not sent yet; yields a sentence if there were any."""
        if self._manual:
            yield f"Not sent: {len(self._manual)} commands, from {self._manual[0]} on."
        self._manual.clear()

    def go_on(self, now_s: float) -> None:
        """Send what is due."""
        lines = self._lines
        if self._manual and lines.is_idle:
            lines.send(self._manual.popleft(), NO_PLACE, now_s, follows=False)
        if now_s >= self.poll_at_s:
            self.poll_at_s = now_s + POLL_S
            if lines.is_idle:
                lines.send(REPORT_TEMPERATURES, NO_PLACE, now_s, follows=False)
