from __future__ import annotations

from crdtqueue.core.document.model import (
    Job,
    QueueState,
    RosterEntry,
)
from crdtqueue.core.document.replication import (
    HOLDERS_MIN,
    is_safe_to_leave,
    to_fetch,
)
from crdtqueue.core.ids import PeerId, Profile
from tests.harness.samples import (
    ENDER,
    ME,
    MK3S,
    SET_B,
    a_claim,
    a_job,
    file,
    peer,
    print_set,
    record,
)

PEERS = frozenset({ME, *(peer(n) for n in range(1, 6))})
SUBMITTER = peer(1)


def state(
    *holders: PeerId, job: Job | None = None, profiles: dict[PeerId, Profile] | None = None
) -> QueueState:
    roster = {
        each: RosterEntry(peer=each, name="x", profile=profile, addresses=())
        for each, profile in (profiles or {}).items()
    }
    return QueueState(
        jobs=(job or a_job(),), roster=roster, holders={file().sha256: frozenset(holders)}
    )


def fetchers(queue: QueueState, peers: frozenset[PeerId] = PEERS) -> set[PeerId]:
    return {each for each in peers if to_fetch(queue, each, peers - {each})}


def test_just_as_many_copies_are_made_as_are_needed() -> None:
    assert len(fetchers(state(SUBMITTER))) == HOLDERS_MIN - 1
    assert fetchers(state(SUBMITTER, peer(2))) == set()
    assert fetchers(state()) == set()


def test_a_printer_that_fits_comes_first() -> None:
    for each in PEERS - {SUBMITTER}:
        fitting = dict.fromkeys(PEERS, ENDER) | {each: MK3S}
        assert fetchers(state(SUBMITTER, profiles=fitting)) == {each}


def test_nothing_is_fetched_that_nobody_in_sight_has() -> None:
    assert to_fetch(state(peer(9)), ME, frozenset({SUBMITTER})) == []
    assert to_fetch(state(SUBMITTER), ME, frozenset({SUBMITTER})) == [file()]
    assert to_fetch(state(ME), ME, frozenset({SUBMITTER})) == []


def test_nothing_is_fetched_for_a_job_that_is_done() -> None:
    assert fetchers(state(SUBMITTER, job=a_job(records=(record(a_claim()),)))) == set()


def test_the_submitter_may_leave_once_two_hold_every_file() -> None:
    job = a_job()
    assert not is_safe_to_leave(state(SUBMITTER), job)
    assert is_safe_to_leave(state(SUBMITTER, ME), job)
    two = a_job(print_set(), print_set(SET_B, name="lid.gcode"))
    assert not is_safe_to_leave(state(SUBMITTER, ME), two)
