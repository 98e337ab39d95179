"""How far a job is, from its run records alone.

Counts are never stored and never decremented: what is done is the number of `done` records of the
job's generation, so repeated, late or out-of-order records change nothing twice.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from crdtqueue.core.ids import Profile, SetId
from crdtqueue.core.model import Job, PrintSet, Result, RunRecord
from crdtqueue.core.profile import fits

FAILURES_MAX = 3
"""After so many failed prints of a generation a person has to look before the job goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Copies done and wanted."""

    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether nothing is left to print. A job in which there is nothing is never complete."""
        return 0 < self.total <= self.done


def sets_for(job: Job, printer: Profile) -> tuple[PrintSet, ...]:
    """The sets that a printer of this profile can print, in printing order."""
    return tuple(each for each in job.sets if each.copies and fits(each.profiles, printer))


def done_by_set(job: Job) -> Counter[SetId]:
    """Finished copies of each set, of the job's present generation."""
    return Counter(record.set for record in _done(job))


def next_set(job: Job, printer: Profile) -> PrintSet | None:
    """What a printer of this profile prints next of `job`; None if nothing is left for it.

    Run after run, in each the sets in their order, each set all its copies: sets of 5 and 5 print
    as AAAAABBBBB, three runs of sets of 1 and 1 as ABABAB. A run that printers of another kind have
    done, with the files that fit them, is done.
    """
    way = sets_for(job, printer)
    ways = _ways(job)
    if not way or _runs_done(ways) >= job.runs:
        return None
    done = ways.get(way, Counter())
    runs = _runs_of(way, done)
    return next(each for each in way if done[each.id] < (runs + 1) * each.copies)


def progress(job: Job) -> Progress:
    """Copies done and wanted, of whole runs by whomever, and of the run that has got furthest."""
    ways = _ways(job)
    runs_left = job.runs - _runs_done(ways)
    done = sum(_runs_of(way, counts) * _copies(way) for way, counts in ways.items())
    if runs_left <= 0:
        return Progress(done=done, total=done)
    begun = {way: _copies_of_next_run(way, counts) for way, counts in ways.items()}
    way = max(begun, key=lambda each: begun[each] / _copies(each), default=())
    return Progress(done=done + begun.get(way, 0), total=done + runs_left * _copies(way))


Way: TypeAlias = tuple[PrintSet, ...]
"""One way to print a run: all sets that fit some kind of printer."""


def _ways(job: Job) -> dict[Way, Counter[SetId]]:
    """Every way to print a run of the job, and what has been printed by printers of that kind."""
    named = {p for each in job.sets for p in each.profiles} | {r.profile for r in _done(job)}
    ways = {way: Counter[SetId]() for p in sorted(named) if (way := sets_for(job, p))}
    for record in _done(job):
        way = sets_for(job, record.profile)
        if way:
            ways[way][record.set] += 1
    return ways


def _done(job: Job) -> list[RunRecord]:
    return [r for r in job.records if r.result is Result.DONE and r.generation == job.generation]


def _runs_of(way: Way, done: Counter[SetId]) -> int:
    return min(done[each.id] // each.copies for each in way)


def _runs_done(ways: dict[Way, Counter[SetId]]) -> int:
    return sum(_runs_of(way, done) for way, done in ways.items())


def _copies(way: Way) -> int:
    return sum(each.copies for each in way)


def _copies_of_next_run(way: Way, done: Counter[SetId]) -> int:
    runs = _runs_of(way, done)
    return sum(min(done[each.id] - runs * each.copies, each.copies) for each in way)


def failures(job: Job) -> int:
    """Failed prints of the job's present generation."""
    return len(_failed(job))


def _failed(job: Job) -> list[RunRecord]:
    return [r for r in job.records if r.result is Result.FAILED and r.generation == job.generation]


def on_hold(job: Job) -> str:
    """Why nobody may take the job at all, as a sentence; empty if it may be taken."""
    if job.paused:
        return "Paused. Press Resume to let it be printed."
    if failures(job) >= FAILURES_MAX:
        last = max(_failed(job), key=lambda each: each.ended_at_s)
        return f"Failed {failures(job)} times, at last: {last.reason} Delete it or add it again."
    return ""
