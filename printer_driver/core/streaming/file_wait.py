"""How long a print waits for its file, and when it gives up."""

from printer_driver.errors import GcodeError

SHOWN_S = 5.0
"""Until people are told."""
WAIT_S_MAX = 600.0
"""Until the print is given up, as when the printer is silent for so long (`core.watch`). A card or
a USB disk that is tried again, and a server that restarts, are back before; what is not leaves a
hot nozzle on the part. Waits count together, less the time in between: a dying card that gives a
piece now and then is no disk to print from."""

WAITS = "It waits for its file: the disk or network share that it lies on does not answer."
_GIVEN_UP = (
    "The file could not be read for 10 minutes; look after the disk or network share that it lies "
    "on, then start the print again."
)


class FileWait:
    """Is told at every look whether the next line of the file has been read."""

    def __init__(self) -> None:
        self.words = ""
        """For people, when they should know."""
        self._line: int | None = None
        self._since_s = 0.0
        self._waited_s = 0.0
        """In all, when a wait ended last."""
        self._ended_s = 0.0

    @property
    def is_on(self) -> bool:
        """Whether the next line was missing at the last look."""
        return self._line is not None

    def go_on(self, line: int, now_s: float) -> str:
        """The line is missing. Returns a text for the log, empty for none.

        Raises `GcodeError` when it has been missing for too long.
        """
        if line != self._line:
            note = self.end(now_s)
            self._waited_s = max(0.0, self._waited_s - (now_s - self._ended_s))
            self._line, self._since_s = line, now_s
            return note
        waited_s = now_s - self._since_s
        if self._waited_s + waited_s >= WAIT_S_MAX:
            raise GcodeError(_GIVEN_UP)
        if waited_s < SHOWN_S or self.words:
            return ""
        self.words = WAITS
        return WAITS

    def end(self, now_s: float) -> str:
        """The line is there, or is not needed any more. Returns a text for the log."""
        if self.is_on:
            self._waited_s += now_s - self._since_s
            self._line, self._ended_s = None, now_s
        said = "It no longer waits for its file." if self.words else ""
        self.words = ""
        return said
