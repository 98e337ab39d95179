"""What printers write into a queue's document, at random: claims, their ends, run records."""

from __future__ import annotations

from crdtqueue.core.document import keys as d
from crdtqueue.core.document.model import (
    Job,
    Result,
    RunRecord,
)
from crdtqueue.core.document.progress import next_copy
from crdtqueue.core.ids import Claim, claim_of_print
from tests.simulation.document_edits import TEXTS, Edit, Hand


def claim(hand: Hand) -> list[d.Entry]:
    job = hand.job()
    if job is None:
        return []
    epoch = 1 + max((c.epoch for c in hand.state.claims if c.job == job.id), default=0)
    new = Claim(job=job.id, epoch=epoch, peer=hand.me, incarnation=hand.incarnation)
    return [d.claim_entry(new, at_s=hand.chance.choice((1.75e9, 1.5)))]


def _claims(hand: Hand, *, mine: bool) -> list[Claim]:
    claims = (c for c in hand.state.claims if (c.peer == hand.me) is mine)
    return sorted(claims, key=lambda each: each.key)


def end(hand: Hand) -> list[d.Entry]:
    running = [c for c in _claims(hand, mine=True) if c not in hand.state.ended]
    return [d.end_entry(hand.chance.choice(running), "done")] if running else []


def give_up(hand: Hand) -> list[d.Entry]:
    """A person marks another printer's claim as lost."""
    others = _claims(hand, mine=False)
    if not others:
        return []
    lost = hand.chance.choice(others)
    return [d.lost_entry(lost, peer=hand.me, by="Ann", at_s=1.75e9)]


def finish_copy(hand: Hand) -> list[d.Entry]:
    """A run record, in time or late: its claim may be over, its job reset or deleted."""
    claims = _claims(hand, mine=True)
    if not claims:
        return []
    jobs = {job.id: job for job in (*hand.state.jobs, *hand.state.deleted)}
    of = hand.chance.choice(claims)
    job = jobs[of.job]
    number = 1 + sum(r.print_id.startswith(f"{of.key}/") for r in job.records)
    record = _record(hand, of, number, job)
    return [d.record_entry(record)] if record else []


def _record(hand: Hand, of: Claim, number: int, job: Job) -> RunRecord | None:
    chance, copy = hand.chance, next_copy(job, hand.profile)
    if copy is None and not job.sets:
        return None
    results = [Result.DONE] * 7 + [Result.FAILED, Result.CANCELLED, Result.ABORTED]
    return RunRecord(
        print_id=of.print_id(number),
        generation=max(0, job.generation - (chance.random() < 0.2)),
        run=copy.run if copy else chance.randint(1, 4),
        copy=copy.number if copy else chance.randint(1, 3),
        set=copy.set.id if copy else chance.choice(job.sets).id,
        profile=hand.profile,
        result=chance.choice(results),
        reason=chance.choice(TEXTS),
        started_at_s=1.75e9,
        ended_at_s=1.75e9 + chance.randint(0, 9),
        bytes=chance.randint(0, 2**31),
        filament_mm=chance.choice((0.0, 1234.5)),
    )


def repeat_record(hand: Hand) -> list[d.Entry]:
    """A peer that lost power after writing writes the same record again."""
    jobs = (*hand.state.jobs, *hand.state.deleted)
    records = (record for job in jobs for record in job.records)
    mine = [r for r in records if (made := claim_of_print(r.print_id)) and made[0].peer == hand.me]
    return [d.record_entry(hand.chance.choice(mine))] if mine else []


PRINTERS: dict[Edit, int] = {claim: 16, end: 5, give_up: 3, finish_copy: 32, repeat_record: 4}
"""Each edit, and how often beside the others."""
