"""Which files a peer copies ahead, so that the submitter may be switched off."""

import hashlib
from functools import partial

from crdtqueue.core.document.model import (
    FileRef,
    Job,
    PrintSet,
    QueueState,
)
from crdtqueue.core.document.profiles import fits
from crdtqueue.core.document.progress import progress
from crdtqueue.core.ids import PeerId

HOLDERS_MIN = 2


def is_safe_to_leave(state: QueueState, job: Job) -> bool:
    """Whether enough peers hold every file of the job, whoever of them is switched off."""
    return all(len(state.holders.get(each.file.sha256, ())) >= HOLDERS_MIN for each in job.sets)


def to_fetch(state: QueueState, me: PeerId, in_sight: frozenset[PeerId]) -> list[FileRef]:
    """The files that this peer should copy now, most urgent first.

    All peers in sight compute the same order from the document alone: peers whose printer fits come
    first, then a hash decides. So as many copies are made as are needed, by peers that are likely
    to print them.
    """
    wanted = []
    for job in state.jobs:
        if not is_safe_to_leave(state, job):
            mine = [each.file for each in job.sets if _is_to_copy(state, each, me, in_sight)]
            if mine and not progress(job).complete:
                wanted += mine
    return wanted


def _is_to_copy(state: QueueState, each: PrintSet, me: PeerId, in_sight: frozenset[PeerId]) -> bool:
    holders = state.holders.get(each.file.sha256, frozenset())
    missing = HOLDERS_MIN - len(holders)
    if missing <= 0 or me in holders or not holders & in_sight:
        return False
    ranked = sorted((in_sight | {me}) - holders, key=partial(_turn, state, each))
    return me in ranked[:missing]


def _turn(state: QueueState, each: PrintSet, peer: PeerId) -> tuple[bool, bytes]:
    entry = state.roster.get(peer)
    fitting = entry is not None and entry.profile is not None and fits(each.profiles, entry.profile)
    return not fitting, hashlib.sha256(f"{each.file.sha256}/{peer}".encode()).digest()
