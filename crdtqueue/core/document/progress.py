"""How far a job is, computed from its run records alone.

Counts are never stored and never decremented. Every copy of a job has a slot (the run, the set, the
number of the copy in that run), and a `done` record fills the slot that it was printed for. So
records that are repeated, late or out of order change nothing twice. Rules:

1. The present run is the highest run of which anything was printed. Runs before it are over,
   whatever is edited later.
2. A run is over once the sets that fit one kind of printer (`Way`) are all printed: a job may
   have a file for each kind.
3. A second record for a filled slot is a double print. It fills the next free slot of its set,
   so that no more is printed than was asked for.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from crdtqueue.core.document.model import (
    Deletion,
    Job,
    PrintSet,
    Result,
    RunRecord,
)
from crdtqueue.core.document.profiles import fits
from crdtqueue.core.ids import Profile, SetId

FAILURES_MAX = 3
"""After so many failed prints a person has to look before the job goes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Copies done and wanted, the present run, and the number of double prints."""

    done: int
    total: int
    run: int = 1
    doubles: int = 0

    @property
    def complete(self) -> bool:
        """Whether nothing is left to print. A job in which there is nothing is never complete."""
        return 0 < self.total <= self.done


@dataclass(frozen=True, kw_only=True, slots=True)
class SetProgress:
    """Copies of one set: done and wanted in the present run, done and still pending in all."""

    run_done: int = 0
    run_wanted: int = 0
    done: int = 0
    pending: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One copy to print: the `number`th of its set in its run, both counted from 1."""

    set: PrintSet
    run: int
    number: int


def next_copy(job: Job, printer: Profile) -> Copy | None:
    """What a printer of this profile prints next of `job`; None if nothing is left for it.

    Run after run, in each the sets in their order, each set all its copies: sets of 5 and 5 print
    as AAAAABBBBB, three runs of sets of 1 and 1 as ABABAB. A run that printers of another kind have
    done, with the files that fit them, is done.
    """
    way = sets_for(job, printer)
    tally = _Tally(job)
    if not way or tally.run > job.runs:
        return None
    filled = tally.of(way)
    for each in way:
        for number in range(1, each.wanted(job.generation, tally.run) + 1):
            if (tally.run, number) not in filled[each.id]:
                return Copy(set=each, run=tally.run, number=number)
    return None


def next_set(job: Job, printer: Profile) -> PrintSet | None:
    """The set that `next_copy` is of."""
    following = next_copy(job, printer)
    return following.set if following else None


def sets_for(job: Job, printer: Profile) -> tuple[PrintSet, ...]:
    """The sets that a printer of this profile can print, in printing order."""
    return tuple(each for each in job.sets if _wants(each) and fits(each.profiles, printer))


def progress(job: Job) -> Progress:
    """Copies done by anybody, and copies wanted by the kind of printer that is furthest in this
    run."""
    tally = _Tally(job)
    done = sum(len(filled) for sets in tally.ways.values() for filled in sets.values())
    left = 0
    if tally.run <= job.runs:
        # Of equals the way with the least left, so that the sum does not depend on names.
        left = min((tally.left(way) for way in tally.furthest()), default=0)
    return Progress(
        done=done, total=done + left, run=min(tally.run, max(job.runs, 1)), doubles=tally.doubles
    )


def set_progress(job: Job) -> dict[SetId, SetProgress]:
    """The counts of every set of the job."""
    tally = _Tally(job)
    over = tally.run > job.runs
    run = min(tally.run, max(job.runs, 1))
    found = {}
    for each in job.sets:
        filled = tally.slots(each.id)
        wanted = each.wanted(job.generation, run)
        run_done = sum(slot[0] == run for slot in filled)
        found[each.id] = SetProgress(
            run_done=run_done,
            run_wanted=wanted,
            done=len(filled),
            pending=0 if over else _pending(job, each, run, filled),
        )
    return found


def failures(job: Job) -> int:
    """Failed prints of the job's present generation."""
    return len(_failed(job))


def why_nobody_may_take(job: Job) -> str:
    """Why nobody may take the job at all, as a sentence; empty if it may be taken."""
    if job.deletion is Deletion.AFTER_COPY:
        return "Is deleted as soon as the copy that is being printed is done."
    if job.paused and failures(job) > job.forgiven:
        return f"Paused after it failed: {_last_failure(job).reason} Press Resume to try again."
    if job.paused:
        return "Paused. Press Resume to let it be printed."
    if job.draft:
        return f"Being edited on {job.draft.by}. It goes on when that is finished."
    if failures(job) - job.forgiven >= FAILURES_MAX:
        last = _last_failure(job).reason
        return f"Failed {failures(job)} times, at last: {last} Press Resume to try again."
    return ""


Slot: TypeAlias = tuple[int, int]
"""A run, and the number of a copy in it, both counted from 1."""

Way: TypeAlias = tuple[PrintSet, ...]
"""One way to print a run: all sets that fit some kind of printer."""


class _Tally:
    """The filled slots of a job, for each kind of printer, and the present run."""

    def __init__(self, job: Job) -> None:
        self._job = job
        done = [
            r for r in job.records if r.result is Result.DONE and r.generation == job.generation
        ]
        named = {p for each in job.sets for p in each.profiles} | {r.profile for r in done}
        wanted = (way for profile in sorted(named) if (way := sets_for(job, profile)))
        self._way_of = {_ids(way): way for way in wanted}
        self.doubles = 0
        self.ways = self._filled(done)
        self.run = self._present_run(done)

    def of(self, way: Way) -> defaultdict[SetId, set[Slot]]:
        """The slots that printers of this kind have filled."""
        return self.ways.get(_ids(way), defaultdict(set))

    def slots(self, set_id: SetId) -> set[Slot]:
        """The slots of one set that anybody has filled."""
        return {slot for sets in self.ways.values() for slot in sets.get(set_id, ())}

    def furthest(self) -> list[Way]:
        """The kinds of printer that have printed the largest share of the present run."""
        share = {ids: self._share(way) for ids, way in self._way_of.items()}
        most = max(share.values(), default=0.0)
        return [way for ids, way in self._way_of.items() if share[ids] == most]

    def left(self, way: Way) -> int:
        """The copies that this kind of printer still has to print."""
        filled = self.of(way)
        return sum(_pending(self._job, each, self.run, filled[each.id]) for each in way)

    def _filled(
        self, done: list[RunRecord]
    ) -> dict[tuple[SetId, ...], defaultdict[SetId, set[Slot]]]:
        printed: defaultdict[tuple[SetId, ...], defaultdict[SetId, list[RunRecord]]]
        printed = defaultdict(lambda: defaultdict(list))
        for record in done:
            printed[_ids(sets_for(self._job, record.profile))][record.set].append(record)
        return {
            ids: defaultdict(
                set, {each.id: self._fill(each, printed[ids][each.id]) for each in way}
            )
            for ids, way in self._way_of.items()
        }

    def _fill(self, each: PrintSet, records: list[RunRecord]) -> set[Slot]:
        """Fills slots in their order, by rule 3; a slot that is passed over once is filled for
        good."""
        filled: set[Slot] = set()
        second: list[Slot] = []
        for slot in sorted((record.run, record.copy) for record in records):
            if slot in filled:
                second.append(slot)
            filled.add(slot)
        self.doubles += len(second)
        free = _slots(self._job, each, second[0]) if second else iter(())
        for slot in second:
            following = next((s for s in free if s >= slot and s not in filled), None)
            if following is None:
                break
            filled.add(following)
        return filled

    def _present_run(self, done: list[RunRecord]) -> int:
        ours = {each.id for each in self._job.sets}
        run = max((record.run for record in done if record.set in ours), default=1)
        while run <= self._job.runs and self._is_over(run):
            run = self._next_wanted(run + 1)
        return run

    def _is_over(self, run: int) -> bool:
        generation = self._job.generation
        ways = [w for w in self._way_of.values() if any(e.wanted(generation, run) for e in w)]
        return not ways or any(self._is_printed(way, run) for way in ways)

    def _is_printed(self, way: Way, run: int) -> bool:
        filled = self.of(way)
        return all(_missing(self._job, each, run, filled[each.id]) == 0 for each in way)

    def _next_wanted(self, run: int) -> int:
        """The first run from `run` on in which a copy is wanted; one past the last if there is
        none."""
        if any(each.copies for each in self._job.sets):
            return run
        extras = (key for each in self._job.sets for key, copies in each.extras.items() if copies)
        ahead = (r for g, r in extras if g == self._job.generation and r >= run)
        return min(ahead, default=self._job.runs + 1)

    def _share(self, way: Way) -> float:
        wanted = sum(each.wanted(self._job.generation, self.run) for each in way)
        filled = self.of(way)
        missing = sum(_missing(self._job, each, self.run, filled[each.id]) for each in way)
        return 1 - missing / wanted if wanted else 0.0


def _ids(way: Way) -> tuple[SetId, ...]:
    return tuple(each.id for each in way)


def _wants(each: PrintSet) -> bool:
    return bool(each.copies or any(each.extras.values()))


def _missing(job: Job, each: PrintSet, run: int, filled: set[Slot]) -> int:
    """The copies that this run still lacks."""
    wanted = each.wanted(job.generation, run)
    return wanted - sum(1 for of, number in filled if of == run and 0 < number <= wanted)


def _pending(job: Job, each: PrintSet, run: int, filled: set[Slot]) -> int:
    """The copies that this run and those after it still lack."""
    extras = sum(
        copies
        for (generation, of), copies in each.extras.items()
        if generation == job.generation and run < of <= job.runs
    )
    ahead = sum(1 for of, _ in filled if run < of <= job.runs)
    later = each.copies * (job.runs - run) + extras - ahead
    return _missing(job, each, run, filled) + max(later, 0)


def _slots(job: Job, each: PrintSet, start: Slot) -> Iterator[Slot]:
    """The slots of a set that are wanted, from `start` on, in their order."""
    if each.copies:
        runs: Iterator[int] = iter(range(start[0], job.runs + 1))
    else:
        runs = iter(
            sorted(run for g, run in each.extras if g == job.generation and run <= job.runs)
        )
    for run in runs:
        for number in range(1, each.wanted(job.generation, run) + 1):
            if (run, number) >= start:
                yield run, number


def _last_failure(job: Job) -> RunRecord:
    return max(_failed(job), key=lambda each: each.ended_at_s)


def _failed(job: Job) -> list[RunRecord]:
    lost = {Result.FAILED, Result.ABORTED}
    return [r for r in job.records if r.result in lost and r.generation == job.generation]
