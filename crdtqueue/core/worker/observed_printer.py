"""What the printer was last seen doing, and whether somebody else has started it."""

from dataclasses import replace

from crdtqueue.core.ids import PrintId
from crdtqueue.core.worker.worker_events import (
    RESULTS,
    PrinterSeen,
)


class ObservedPrinter:
    """The latest report of the printer."""

    def __init__(self) -> None:
        self.seen = PrinterSeen(problem="The printer has not answered yet.")
        self._over: PrintId | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the printer has a print, ours or another one."""
        return self.seen.phase is not None and self.seen.phase not in RESULTS

    def is_at(self, print_id: PrintId | None) -> bool:
        """Whether the latest report is about this print."""
        return print_id is not None and self.seen.print_id == print_id

    def is_busy_with_another_than(self, ours: PrintId | None) -> bool:
        """Whether the printer has another print than `ours`."""
        return self.is_busy and not self.is_at(ours)

    def see(self, seen: PrinterSeen, *, ours: PrintId | None) -> bool:
        """Takes in a report; returns whether the printer prints for somebody else."""
        late = seen.print_id is not None and seen.print_id == self._over != ours
        # What was said of a print before it was over may arrive behind its end.
        self.seen = replace(seen, print_id=None, phase=None) if late else seen
        return self.is_busy_with_another_than(ours)

    def forget(self) -> None:
        """The printer does not know the print any more that it was last seen with."""
        self.seen = replace(self.seen, print_id=None, phase=None)

    def is_over(self, print_id: PrintId | None) -> None:
        """A print of ours has ended: later reports about it are ignored."""
        self._over = print_id
