"""When a person may mark a printer lost, so that another one prints its job.

By rule 4 of `claims.py` a print begins within `ClaimTimes.begin_within_s` of asking. A printer that
was heard a moment ago may be about to begin, unnoticed by the person who has just looked at it.
"""

from enum import Enum, auto

from crdtqueue.core.durations import Span

MARK_LOST_AFTER_S = 60.0
"""The silence before a mark: far longer than it takes to fall out of sight and to begin a print."""


class OwnerPresence(Enum):
    """Where the owner of a job is, as seen from the peer that marks it lost."""

    HERE = auto()
    IN_SIGHT = auto()
    AWAY = auto()


def why_not_lost(
    owner: str, job: str, where: OwnerPresence, *, silent_s: float, after_s: float
) -> str:
    """Why `owner` cannot be marked lost, and what to do instead; empty if it can.

    It was last heard of `silent_s` ago, and must have been silent for `after_s`.
    """
    if where is OwnerPresence.HERE:
        return (
            f"This printer has {job} itself. Cancel its print, or stop managing the printer; then"
            " another one may begin."
        )
    if where is OwnerPresence.IN_SIGHT:
        return (
            f"{owner} is in sight. Cancel the print there, or stop managing that printer; then"
            " another one may begin."
        )
    if silent_s >= after_s:
        return ""
    left = Span(seconds=after_s - silent_s, is_left=True)
    return (
        f"{owner} has not been silent for long, and may be about to begin {job}. Wait {left}, look"
        " at the printer once more, then mark it lost."
    )
