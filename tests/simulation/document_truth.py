"""What has been written in a storm, kept by the test itself, and what must be true of it then.

Of each write it is known what its writer had seen (a state vector), so that a value that nobody has
knowingly replaced is never lost, whatever the libraries do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from crdtqueue.core.document.fractional_index import is_key
from crdtqueue.core.document.keys import Entry
from crdtqueue.core.document.model import (
    Deletion,
    Job,
    PrintSet,
    QueueState,
    Result,
    RunRecord,
)
from crdtqueue.core.document.parse import read_record
from crdtqueue.core.document.profiles import fits
from crdtqueue.core.document.progress import (
    progress,
    set_progress,
)
from crdtqueue.core.ids import Claim, JobId, SetId, claim_of_print
from crdtqueue.core.yjs.lib0 import JsonValue

Slot: TypeAlias = tuple[int, int]
Way: TypeAlias = tuple[SetId, ...]
Clocks: TypeAlias = Mapping[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Write:
    """One value under one key; `seen` is all that its writer knew."""

    value: JsonValue
    client: int
    clock: int
    seen: Clocks

    def has_seen(self, other: Write) -> bool:
        """Whether it knowingly replaces the other."""
        return self.seen.get(other.client, 0) >= other.clock


@dataclass(kw_only=True)
class Truth:
    """Everything that was written."""

    writes: defaultdict[tuple[str, str], list[Write]] = field(
        default_factory=lambda: defaultdict(list)
    )
    deleted: set[tuple[str, str]] = field(default_factory=set)
    blocks: list[list[JobId]] = field(default_factory=list)

    def wrote(self, entries: Iterable[Entry], client: int, before: Clocks, after: Clocks) -> None:
        """Takes in one transaction."""
        added = []
        for root, key, value in entries:
            write = Write(value=value, client=client, clock=after[client], seen=before)
            self.writes[root, key].append(write)
            if root == "jobs" and key.endswith("/name") and len(self.writes[root, key]) == 1:
                added.append(JobId(key.partition("/")[0]))
        if len(added) > 1:
            self.blocks.append(added)

    def check(self, content: Mapping[str, Mapping[str, JsonValue]], state: QueueState) -> None:
        """Raises AssertionError if the end of a storm is not what it should be."""
        self._check_values(content)
        self._check_jobs(state)
        self._check_order(state)
        for job in (*state.jobs, *state.deleted):
            self._check_records(job)
            self._check_deletion(job)
            check_counts(job, self.records(job.id))

    def _check_values(self, content: Mapping[str, Mapping[str, JsonValue]]) -> None:
        for (root, key), writes in self.writes.items():
            heads = [w for w in writes if not any(o.has_seen(w) for o in writes if o is not w)]
            if (root, key) in self.deleted and key not in content[root]:
                continue
            assert key in content[root], f"{root} {key} is lost"
            value = content[root][key]
            assert any(w.value == value for w in heads), f"{root} {key} went back to {value}"

    def _check_jobs(self, state: QueueState) -> None:
        created = {key.partition("/")[0] for root, key in self.writes if root == "jobs"}
        assert created == {job.id for job in (*state.jobs, *state.deleted)}, "a job is lost"
        assert state.claims == self.claims("claims"), "a claim is lost"
        assert state.ended == self.claims("ends"), "the end of a claim is lost"
        assert state.lost == self.claims("lost"), "a mark of a lost claim is lost"

    def claims(self, root: str) -> frozenset[Claim]:
        """The claims that have an entry under `root`."""
        keys = ("/".join(key.split("/")[:4]) for r, key in self.writes if r == root)
        return frozenset(claim for key in keys if (claim := Claim.from_key(key)))

    def records(self, job: JobId) -> list[RunRecord]:
        """The run records that were written of a job, each once."""
        found = []
        for (root, key), writes in self.writes.items():
            made = claim_of_print(key) if root == "runs" else None
            if (
                made
                and made[0].job == job
                and (read := read_record(made[0].print_id(made[1]), writes[0].value))
            ):
                found.append(read)
        return found

    def _check_records(self, job: Job) -> None:
        wanted = {record.print_id: record for record in self.records(job.id)}
        assert {record.print_id: record for record in job.records} == wanted, "a record is lost"
        assert len(job.records) == len(wanted), "a record is there twice"

    def _check_deletion(self, job: Job) -> None:
        over = self.claims("ends") | self.claims("lost")
        is_open = any(c.job == job.id and c not in over for c in self.claims("claims"))
        assert job.deletion is not Deletion.AFTER_COPY or is_open, "the last copy is done"

    def _check_order(self, state: QueueState) -> None:
        keys = [(job.order, job.id) for job in state.jobs]
        assert all(is_key(key) for key, _ in keys)
        assert keys == sorted(keys)
        everywhere = sorted((job.order, job.id) for job in (*state.jobs, *state.deleted))
        for block in self.blocks:
            self._check_block(block, [JobId(job) for _, job in everywhere])

    def _check_block(self, block: list[JobId], order: list[JobId]) -> None:
        """Nobody's job is within a block unless it was put there, or a part of it moved."""
        if any(len(self._places(job)) > 1 for job in block):
            return
        for one, other in pairwise(order.index(job) for job in block):
            for job in order[one + 1 : other]:
                (put,) = self._places(block[0])
                assert any(w.has_seen(put) for w in self._places(job)), "a block is torn apart"

    def _places(self, job: JobId) -> list[Write]:
        return self.writes["jobs", f"{job}/order"]


def check_counts(job: Job, records: list[RunRecord]) -> None:
    """Compares the counts with those made here from the records, slot by slot."""
    printed: defaultdict[Way, defaultdict[SetId, list[Slot]]]
    printed = defaultdict(lambda: defaultdict(list))
    for record in records:
        way = tuple(s.id for s in job.sets if _is_wanted(s) and fits(s.profiles, record.profile))
        is_one = record.result is Result.DONE and record.generation == job.generation
        if is_one and record.set in way:
            printed[way][record.set].append((record.run, record.copy))
    sets = {each.id: each for each in job.sets}
    filled = {
        (way, set_id): _filled(job, sets[set_id], slots)
        for way, of in printed.items()
        for set_id, slots in of.items()
    }
    far = progress(job)
    assert far.done == sum(map(len, filled.values())), "a copy is counted twice, or not"
    doubles = sum(len(s) - len(set(s)) for of in printed.values() for s in of.values())
    assert far.doubles == doubles
    for set_id, counts in set_progress(job).items():
        slots = {slot for (_, each), all_of in filled.items() if each == set_id for slot in all_of}
        assert counts.done == len(slots)


def _is_wanted(each: PrintSet) -> bool:
    return each.copies > 0 or any(each.extras.values())


def _filled(job: Job, each: PrintSet, printed: list[Slot]) -> set[Slot]:
    """Each print fills its slot; a second one of it the next that is wanted and free."""
    filled = set(printed)
    wanted = [
        (run, number)
        for run in range(1, job.runs + 1)
        for number in range(1, each.wanted(job.generation, run) + 1)
    ]
    for slot, times in sorted(Counter(printed).items()):
        for _ in range(times - 1):
            free = [other for other in wanted if other >= slot and other not in filled]
            filled.update(free[:1])
    return filled
