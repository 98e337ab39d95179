"""The jobs of one queue as JSON. A job is converted again only when it has changed."""

from dataclasses import dataclass

from crdtqueue.api.state_text import (
    Json,
    StateText,
    parts_of,
    state_text,
)
from crdtqueue.core.document.drafts import Drafts
from crdtqueue.core.document.model import (
    Deletion,
    Job,
    PrintSet,
    QueueState,
)
from crdtqueue.core.document.progress import (
    SetProgress,
    progress,
    set_progress,
)
from crdtqueue.core.document.replication import is_safe_to_leave
from crdtqueue.core.durations import Span
from crdtqueue.core.explain import (
    JobState,
    PrinterInSight,
    Sight,
    explain,
    overtaking,
)
from crdtqueue.core.ids import JobId, PeerId
from crdtqueue.peer.lan_queue import LanQueue


def names(queue: LanQueue) -> dict[PeerId, str]:
    """What the peers of a queue are called."""
    return {queue.me.peer: queue.me.name} | {e.peer: e.name for e in queue.state.roster.values()}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Cached:
    job: Job
    turn: object
    text: StateText


class JobViews:
    """The jobs of one queue as JSON. It compares jobs by identity: an unchanged job is the same
    object."""

    def __init__(self) -> None:
        self._cached: dict[JobId, _Cached] = {}
        self._basis: tuple[object, object] = (None, None)

    def texts(
        self, queue: LanQueue, drafts: Drafts, printers: tuple[PrinterInSight, ...], now_s: float
    ) -> list[StateText]:
        """Every job as JSON, in the queue's order."""
        state = queue.state
        self._forget_outdated(state, printers)
        held = queue.claims.held(now_s)
        ahead = overtaking(state, printers)
        found = []
        for place, job in enumerate(state.jobs):
            claim = held.get(job.id)
            sight = Sight(
                printers=printers,
                claim=claim,
                silent_s=queue.claims.silent_s(claim, now_s) if claim else 0.0,
                takeover_in_s=queue.claims.takeover_in_s(claim, now_s) if claim else None,
                obstacle="" if claim else queue.readiness.obstacle(job.id),
                edited_for_s=drafts.edited_for_s(job.id, now_s) if job.draft else None,
                overtaking=frozenset(p for p, next_place in ahead.items() if next_place > place),
            )
            found.append(self._text_of(queue, job, sight, now_s))
        return found

    def _text_of(self, queue: LanQueue, job: Job, sight: Sight, now_s: float) -> StateText:
        if sight.claim or job.draft:
            # Its lease or its edit grows older with every look.
            return state_text(_fields(queue, job, sight), now_s)
        taken_by = [p.peer for p in sight.printers if _is_next(job, p)]
        turn = sight.overtaking, sight.obstacle, taken_by
        known = self._cached.get(job.id)
        if known is None or known.job is not job or known.turn != turn:
            now = state_text(_fields(queue, job, sight), now_s)
            known = _Cached(job=job, turn=turn, text=now)
            self._cached[job.id] = known
        return known.text

    def _forget_outdated(self, state: QueueState, printers: tuple[PrinterInSight, ...]) -> None:
        holders, fingerprint = self._basis
        now = tuple(_turn_facts(printer) for printer in printers)
        if (
            holders is not state.holders
            or fingerprint != now
            or len(self._cached) > 2 * len(state.jobs)
        ):
            self._basis, self._cached = (state.holders, now), {}


def _fields(queue: LanQueue, job: Job, sight: Sight) -> Json:
    counts = _counts(job, safe_to_leave=is_safe_to_leave(queue.state, job))
    return counts | _why(queue, job, sight)


def _turn_facts(printer: PrinterInSight) -> object:
    """What of a printer matters to all jobs that it does not have."""
    summary = printer.summary
    told = {"offline", "script", "holding_back", "waiting_for_material"}
    doing = (summary.state, summary.text if summary.state in told else "") if summary else None
    return printer.peer, printer.name, printer.profile, printer.holds_back, doing


def _is_next(job: Job, printer: PrinterInSight) -> bool:
    return printer.summary is not None and printer.summary.next_job == job.id


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


def _why(queue: LanQueue, job: Job, sight: Sight) -> Json:
    state, why = explain(job, sight)
    return {
        "state": state.value,
        "why": why if why.goes_on else str(why),
        "why_parts": parts_of(why) if why.goes_on else None,
        "draft": _draft(queue, job, sight),
        "printing_by": _printing_by(queue, job, state, sight),
    }


def _draft(queue: LanQueue, job: Job, sight: Sight) -> Json | None:
    if job.draft is None:
        return None
    return {
        "by": job.draft.by,
        "self": job.draft.peer == queue.me.peer,
        "for_s": Span(seconds=sight.edited_for_s or 0.0),
    }


def _printing_by(queue: LanQueue, job: Job, state: JobState, sight: Sight) -> Json | None:
    claim = sight.claim
    if claim is None or state not in {JobState.PRINTING, JobState.PAUSED}:
        return None
    summary = next((p.summary for p in sight.printers if p.peer == claim.peer), None)
    its = summary if summary and summary.job == job.id else None
    left_s = sight.takeover_in_s if sight.is_silent else None
    return {
        "peer": claim.peer,
        "name": names(queue).get(claim.peer, claim.peer),
        "in_sight": claim.peer == queue.me.peer or queue.links.to(claim.peer) is not None,
        "silent_s": Span(seconds=sight.silent_s) if sight.is_silent else None,
        "takeover_in_s": None if left_s is None else Span(seconds=left_s, is_left=True),
        "progress": its.progress if its else None,
        "file_name": its.file_name if its else None,
    }
