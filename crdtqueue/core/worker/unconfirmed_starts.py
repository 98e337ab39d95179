"""Tracks start requests that the printer has not confirmed yet.

A request may stay unread as long as the printer process is stopped. Once the process answers again,
it reads the request soon, and refuses it if it is older than its own limit.
"""

from collections.abc import Iterable

from crdtqueue.core.ids import PrintId

SETTLED_S = 60.0
"""Of answers without a pause; over the printer process's CHECK_S_MAX."""


class UnconfirmedStarts:
    """Call `see` from time to time with the prints of `WorkerMemory.doubtful`."""

    def __init__(self) -> None:
        self._since_s: dict[PrintId, float] = {}

    def see(self, doubtful: Iterable[PrintId], *, answers: bool, now_s: float) -> None:
        """Takes in the doubtful prints. `answers`: whether the printer answers now."""
        known = self._since_s if answers else {}
        self._since_s = {print_id: known.get(print_id, now_s) for print_id in doubtful}

    def is_open(self, print_id: PrintId, now_s: float) -> bool:
        """Whether the printer may still begin this print."""
        return now_s < self._since_s.get(print_id, now_s) + SETTLED_S
