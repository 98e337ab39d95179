"""How long it is in doubt whether a printer begins what it was told to, and did not know of then.

A request may lie unread as long as the printer's process stands still. One that answers has read it
soon after, and refuses it as late once it is older than its own limit.
"""

from collections.abc import Iterable

from crdtqueue.core.ids import PrintId

SETTLED_S = 60.0
"""Of answers without a pause; over the printer process's CHECK_S_MAX."""


class UnconfirmedStarts:
    """Told now and then which prints are doubtful (`Saved.doubtful`)."""

    def __init__(self) -> None:
        self._since_s: dict[PrintId, float] = {}

    def see(self, doubtful: Iterable[PrintId], *, answers: bool, now_s: float) -> None:
        """`answers` is whether the printer can be asked now."""
        known = self._since_s if answers else {}
        self._since_s = {print_id: known.get(print_id, now_s) for print_id in doubtful}

    def is_open(self, print_id: PrintId, now_s: float) -> bool:
        """Whether the printer may yet begin it."""
        return now_s < self._since_s.get(print_id, now_s) + SETTLED_S
