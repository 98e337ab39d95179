"""The jobs of one queue as JSON, each computed anew only when something of it has changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from crdtqueue.adapters import clock
from crdtqueue.core.drafts import Drafts
from crdtqueue.core.explain import JobState, Printer, explain
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.model import Deletion, Job, PrintSet
from crdtqueue.core.progress import SetProgress, progress, set_progress
from crdtqueue.core.replication import is_safe_to_leave
from crdtqueue.peer.lan_queue import LanQueue

Json: TypeAlias = dict[str, Any]


def names(queue: LanQueue) -> dict[PeerId, str]:
    """What the peers of a queue are called."""
    return {queue.me.peer: queue.me.name} | {e.peer: e.name for e in queue.state.roster.values()}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cached:
    job: Job
    safe_to_leave: bool
    counts: str
    why: str


class JobViews:
    """The jobs of one queue. Jobs keep their identity while they do not change."""

    def __init__(self) -> None:
        self._cached: dict[JobId, _Cached] = {}
        self._gist: object = None

    def texts(
        self, queue: LanQueue, drafts: Drafts, printers: tuple[Printer, ...]
    ) -> Iterator[str]:
        """Every job as JSON text, in the queue's order."""
        state = queue.state
        gist = tuple(_gist(printer) for printer in printers)
        if gist != self._gist or len(self._cached) > 2 * len(state.jobs):
            self._gist, self._cached = gist, {}
        now_s = clock.now_s()
        held = queue.claims.held(now_s)
        for job in state.jobs:
            claim = held.get(job.id)
            if claim or job.draft:
                why = json.dumps(_why(queue, job, claim, drafts, printers))
                counts = json.dumps(_counts(job, safe_to_leave=is_safe_to_leave(state, job)))
            else:
                cached = self._unclaimed(queue, job, drafts, printers)
                counts, why = cached.counts, cached.why
            yield f"{counts[:-1]}, {why[1:]}"

    def _unclaimed(
        self, queue: LanQueue, job: Job, drafts: Drafts, printers: tuple[Printer, ...]
    ) -> _Cached:
        safe_to_leave = is_safe_to_leave(queue.state, job)
        known = self._cached.get(job.id)
        if known and known.job is job and known.safe_to_leave == safe_to_leave:
            return known
        cached = _Cached(
            job=job,
            safe_to_leave=safe_to_leave,
            counts=json.dumps(_counts(job, safe_to_leave=safe_to_leave)),
            why=json.dumps(_why(queue, job, None, drafts, printers)),
        )
        self._cached[job.id] = cached
        return cached


def _gist(printer: Printer) -> object:
    """What of a printer matters to a job that it does not have."""
    news = printer.news
    doing = (news.state, news.text if news.state == "offline" else "") if news else None
    return printer.peer, printer.name, printer.profile, doing


def _counts(job: Job, *, safe_to_leave: bool) -> Json:
    far, sets = progress(job), set_progress(job)
    return {
        "id": job.id,
        "name": job.name,
        "note": job.note,
        "runs": job.runs,
        "run": far.run,
        "copies_done": far.done,
        "copies_total": far.total,
        "doubles": far.doubles,
        "paused": job.paused,
        "deleting": job.deletion is Deletion.AFTER_COPY,
        "created_by": job.created_by,
        "created_at_s": job.created_at_s,
        "safe_to_leave": safe_to_leave,
        "sets": [_set(each, sets[each.id]) for each in job.sets],
    }


def _set(each: PrintSet, far: SetProgress) -> Json:
    return {
        "id": each.id,
        "file": {
            "sha256": each.file.sha256,
            "name": each.file.name,
            "size_bytes": each.file.size_bytes,
        },
        "copies": each.copies,
        "extra": far.run_wanted - each.copies,
        "profiles": sorted(each.profiles),
        "materials": list(each.materials),
        "run_done": far.run_done,
        "run_total": far.run_wanted,
        "done": far.done,
        "pending": far.pending,
        "total": far.done + far.pending,
    }


def _why(
    queue: LanQueue,
    job: Job,
    claim: Claim | None,
    drafts: Drafts,
    printers: tuple[Printer, ...],
) -> Json:
    now_s = clock.now_s()
    silent_s = queue.claims.silent_s(claim, now_s) if claim else 0.0
    state, why = explain(job, claim, silent_s, printers)
    return {
        "state": state.value,
        "why": why,
        "draft": _draft(queue, job, drafts, now_s),
        "printing_by": _printing_by(queue, job, state, claim, printers),
    }


def _draft(queue: LanQueue, job: Job, drafts: Drafts, now_s: float) -> Json | None:
    if job.draft is None:
        return None
    return {
        "by": job.draft.by,
        "self": job.draft.peer == queue.me.peer,
        "for_s": round(drafts.edited_for_s(job.id, now_s) or 0.0),
    }


def _printing_by(
    queue: LanQueue,
    job: Job,
    state: JobState,
    claim: Claim | None,
    printers: tuple[Printer, ...],
) -> Json | None:
    if claim is None or state not in {JobState.PRINTING, JobState.PAUSED}:
        return None
    news = next((p.news for p in printers if p.peer == claim.peer), None)
    its = news if news and news.job == job.id else None
    return {
        "peer": claim.peer,
        "name": names(queue).get(claim.peer, claim.peer),
        "progress": its.progress if its else None,
        "file_name": its.file_name if its else None,
    }
