"""What people do to a queue's document, at random, through its own entry functions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from crdtqueue.core.claims.quorum import (
    read_voter_lists,
    voters_entry,
)
from crdtqueue.core.document import keys as d
from crdtqueue.core.document.fractional_index import keys_between
from crdtqueue.core.document.model import (
    Deletion,
    Draft,
    FileRef,
    Job,
    Mode,
    PrintSet,
    QueueState,
    RosterEntry,
    Strategy,
)
from crdtqueue.core.document.progress import (
    failures,
    progress,
)
from crdtqueue.core.ids import (
    JOB_ID_CHARS,
    SET_ID_CHARS,
    JobId,
    PeerId,
    Profile,
    SetId,
    Sha256,
)

PROFILES = [Profile("MK3S"), Profile("ENDER")]
ANY = Profile("ANY")
FILES = [Sha256(digit * 64) for digit in "abc"]
TEXTS = ["", "bracket", "Löwe 🦁", "x" * 40]
JOBS_MAX = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Hand:
    """Who edits, what they see, and the dice."""

    chance: random.Random
    state: QueueState
    me: PeerId
    profile: Profile
    incarnation: int

    def job(self) -> Job | None:
        """One of the jobs in the list."""
        return self.chance.choice(self.state.jobs) if self.state.jobs else None

    def order(self, others: Sequence[Job | PrintSet], at: int, count: int = 1) -> list[str]:
        """Keys for a block ahead of the `at`th of `others`."""
        before = others[at - 1].order if at else None
        after = others[at].order if at < len(others) else None
        return keys_between(before, after, count, self.chance.getrandbits(32))


Edit: TypeAlias = Callable[[Hand], list[d.Entry]]


# Jobs ---------------------------------------------------------------------------------------------


def add_jobs(hand: Hand) -> list[d.Entry]:
    """A list of files as a block of jobs, mostly at the end."""
    jobs, chance = hand.state.jobs, hand.chance
    if len(jobs) >= JOBS_MAX:
        return []
    at = len(jobs) if chance.random() < 0.6 else chance.randint(0, len(jobs))
    keys = hand.order(jobs, at, chance.choice((1, 1, 1, 3)))
    added = [_job(hand, key) for key in keys]
    held = {d.holder_entry(s.file.sha256, hand.me) for job in added for s in job.sets}
    return [*sorted(held), *(entry for job in added for entry in d.job_entries(job))]


def _job_id(chance: random.Random) -> JobId:
    return JobId(f"{chance.getrandbits(4 * JOB_ID_CHARS):0{JOB_ID_CHARS}x}")


def _job(hand: Hand, order: str) -> Job:
    chance = hand.chance
    return Job(
        id=_job_id(chance),
        name=chance.choice(TEXTS),
        order=order,
        runs=chance.randint(0, 4),
        generation=0,
        paused=chance.random() < 0.2,
        created_by=chance.choice(TEXTS),
        created_at_s=chance.choice((0.0, 1.75e9, 1.75e9 + chance.random())),
        sets=_sets(hand, None, chance.randint(1, 3)),
        note=chance.choice(TEXTS),
        draft=_draft(hand) if chance.random() < 0.2 else None,
    )


def _sets(hand: Hand, after: str | None, count: int) -> tuple[PrintSet, ...]:
    keys = keys_between(after, None, count, hand.chance.getrandbits(32) if after else 0)
    return tuple(_set(hand.chance, key) for key in keys)


def _set(chance: random.Random, order: str) -> PrintSet:
    return PrintSet(
        id=SetId(f"{chance.getrandbits(4 * SET_ID_CHARS):0{SET_ID_CHARS}x}"),
        order=order,
        file=FileRef(sha256=chance.choice(FILES), name="a.gcode", size_bytes=1000),
        copies=chance.randint(0, 3),
        profiles=_profiles(chance),
        materials=tuple(chance.choices(TEXTS, k=chance.randint(0, 2))),
        extras={(0, 1): 1} if chance.random() < 0.1 else {},
        metadata=chance.choice(TEXTS),
    )


def _profiles(chance: random.Random) -> frozenset[Profile]:
    return frozenset(chance.choice(([ANY], PROFILES, PROFILES[:1], PROFILES[1:])))


def _draft(hand: Hand) -> Draft:
    return Draft(peer=hand.me, by=hand.chance.choice(TEXTS), beat=hand.chance.getrandbits(31))


def duplicate(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None or len(hand.state.jobs) >= JOBS_MAX:
        return []
    (key,) = hand.order(hand.state.jobs, hand.state.jobs.index(job) + 1)
    sets = tuple(replace(each, extras={}) for each in job.sets)
    return d.job_entries(replace(job, id=_job_id(hand.chance), order=key, sets=sets, draft=None))


def edit_fields(hand: Hand) -> list[d.Entry]:
    job, chance = hand.job(), hand.chance
    if job is None:
        return []
    entries = [
        d.name_entry(job.id, chance.choice(TEXTS)),
        d.note_entry(job.id, chance.choice(TEXTS)),
        d.runs_entry(job.id, chance.randint(0, 4)),
    ]
    return [*chance.sample(entries, chance.randint(1, 3)), *_beat(hand, job)]


def _beat(hand: Hand, job: Job) -> list[d.Entry]:
    ours = job.draft is not None and job.draft.peer == hand.me
    return [d.draft_entry(job.id, _draft(hand))] if ours else []


def pause(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None:
        return []
    entries = [d.paused_entry(job.id, paused=not job.paused)]
    return [*entries, d.forgiven_entry(job.id, failures(job))] if job.paused else entries


def draft(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    return [d.draft_entry(job.id, None if job.draft else _draft(hand))] if job else []


def reset(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None:
        return []
    entries = [d.generation_entry(job.id, job.generation + 1)]
    return [*entries, d.forgiven_entry(job.id, 0)] if job.forgiven else entries


def delete(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    how = hand.chance.choice((Deletion.NOW, Deletion.AFTER_COPY))
    return [d.deleted_entry(job.id, how)] if job else []


def restore(hand: Hand) -> list[d.Entry]:
    away = hand.state.deleted
    return [d.deleted_entry(hand.chance.choice(away).id, Deletion.NONE)] if away else []


def place(hand: Hand) -> list[d.Entry]:
    """Moves a block of jobs."""
    jobs, chance = hand.state.jobs, hand.chance
    moved = chance.sample(jobs, min(len(jobs), chance.choice((1, 1, 1, 2, 3))))
    others = [job for job in jobs if job not in moved]
    keys = hand.order(others, chance.randint(0, len(others)), len(moved))
    return [d.order_entry(job.id, key) for job, key in zip(moved, keys, strict=True)]


# Sets ---------------------------------------------------------------------------------------------


def add_sets(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None or len(job.sets) > 4:
        return []
    last = job.sets[-1].order if job.sets else None
    added = _sets(hand, last, hand.chance.choice((1, 2)))
    held = {d.holder_entry(each.file.sha256, hand.me) for each in added}
    entries = [entry for each in added for entry in d.set_entries(job.id, each)]
    return [*sorted(held), *entries, *_beat(hand, job)]


def edit_set(hand: Hand) -> list[d.Entry]:
    job, chance = hand.job(), hand.chance
    if job is None or not job.sets:
        return []
    each = chance.choice(job.sets)
    now = {"generation": job.generation, "run": progress(job).run}
    entries = [
        d.copies_entry(job.id, each.id, chance.randint(0, 3)),
        d.extra_entry(job.id, each.id, copies=chance.randint(0, 2), **now),
        d.profiles_entry(job.id, replace(each, profiles=_profiles(chance))),
        d.materials_entry(job.id, each.id, tuple(chance.choices(TEXTS, k=2))),
    ]
    return [*chance.sample(entries, chance.randint(1, 4)), *_beat(hand, job)]


def place_set(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None or not job.sets:
        return []
    each = hand.chance.choice(job.sets)
    others = [other for other in job.sets if other.id != each.id]
    (key,) = hand.order(others, hand.chance.randint(0, len(others)))
    return [d.set_order_entry(job.id, each.id, key)]


def remove_set(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None or len(job.sets) < 2:
        return []
    return [d.removed_entry(job.id, hand.chance.choice(job.sets).id)]


# The queue, and what peers say of themselves ------------------------------------------------------


def settings(hand: Hand) -> list[d.Entry]:
    voters = {hand.me, *sorted(hand.state.roster)[: hand.chance.randint(0, 3)]}
    known = read_voter_lists(hand.state.settings.voter_fields)
    entries = [
        d.mode_entry(hand.chance.choice([*Mode])),
        d.strategy_entry(hand.chance.choice([*Strategy])),
        voters_entry(known, voters),
    ]
    return [hand.chance.choice(entries)]


def introduce(hand: Hand) -> list[d.Entry]:
    addresses = (f"10.0.0.{hand.chance.randint(1, 9)}:7420",)
    name = hand.chance.choice(TEXTS)
    entry = RosterEntry(peer=hand.me, name=name, profile=hand.profile, addresses=addresses)
    return [d.roster_entry(entry)]


PEOPLE: dict[Edit, int] = {
    add_jobs: 10,
    duplicate: 2,
    edit_fields: 8,
    pause: 3,
    draft: 3,
    reset: 2,
    delete: 4,
    restore: 3,
    place: 8,
    add_sets: 4,
    edit_set: 8,
    place_set: 4,
    remove_set: 2,
    settings: 2,
    introduce: 2,
}
"""Each edit, and how often beside the others."""
