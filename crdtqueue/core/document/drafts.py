"""Which jobs are being edited, since when, and which edits are forgotten.

A job that is being edited is not claimed, so a page that was closed in the middle of an edit must
not block it for ever. The draft of a job has a `beat` that changes with the keystrokes. A draft is
over when this peer has not seen its beat change for `DRAFT_S`, on its own clock. The peer of the
editor ends it first; any other peer does so a little later, in case the editor's peer is switched
off.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from crdtqueue.core.document.model import (
    Draft,
    Job,
)
from crdtqueue.core.ids import JobId, PeerId

DRAFT_S = 600.0
OTHERS_GRACE_S = 15.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    draft: Draft
    since_s: float
    beat_s: float


class Drafts:
    """The drafts of one queue. Call `see` after each change of the jobs, and from time to time."""

    def __init__(self, me: PeerId, *, draft_s: float = DRAFT_S) -> None:
        self._me = me
        self._draft_s = draft_s
        self._seen: dict[JobId, _Seen] = {}

    def see(self, jobs: Iterable[Job], now_s: float) -> None:
        """Takes in what the document says now."""
        drafts = {job.id: job.draft for job in jobs if job.draft}
        self._seen = {job: self._watched(job, draft, now_s) for job, draft in drafts.items()}

    def _watched(self, job: JobId, draft: Draft, now_s: float) -> _Seen:
        known = self._seen.get(job)
        if known and known.draft == draft:
            return known
        same_editor = known is not None and known.draft.peer == draft.peer
        since_s = known.since_s if known and same_editor else now_s
        return _Seen(draft=draft, since_s=since_s, beat_s=now_s)

    def forgotten(self, now_s: float) -> list[JobId]:
        """The jobs whose drafts this peer should end now."""
        return [job for job, seen in self._seen.items() if now_s >= self._end_s(seen)]

    def edited_for_s(self, job: JobId, now_s: float) -> float | None:
        """How long the job has been edited, as seen from here; None if it is not."""
        seen = self._seen.get(job)
        return now_s - seen.since_s if seen else None

    def next_deadline_s(self) -> float | None:
        """When `forgotten` will return something, unless somebody types."""
        return min((self._end_s(seen) for seen in self._seen.values()), default=None)

    def _end_s(self, seen: _Seen) -> float:
        grace_s = 0.0 if seen.draft.peer == self._me else OTHERS_GRACE_S
        return seen.beat_s + self._draft_s + grace_s
