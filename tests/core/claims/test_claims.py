from __future__ import annotations

from collections.abc import Iterable

import pytest

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import HELD_IN_HEARTBEAT_MAX
from crdtqueue.core.claims.quorum import (
    Rules,
    VoterList,
    VoterLists,
)
from crdtqueue.core.document.model import Mode
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.sync import messages as m
from tests.harness.claims_fixture import (
    MINE,
    TIMES,
    B,
    C,
    D,
    Desk,
    armed,
    denied,
    deny,
    grant,
    missed,
    release,
    told,
)
from tests.harness.samples import (
    JOB,
    JOB_2,
    ME,
    a_claim,
)


def beat(sender: PeerId, claim: Claim, silent_s: float) -> ce.HeardOf:
    held = (m.HeldClaim(claim=m.ClaimText.of(claim), silent_s=silent_s),)
    return ce.HeardOf(peer=sender, held=held)


def test_a_job_is_taken_over_only_after_the_long_silence() -> None:
    desk = Desk()
    claim = a_claim(B)
    desk.arm(claim)
    desk.read([claim])
    desk.wait(TIMES.takeover_s)
    assert desk.want() == [missed(ce.No.HELD)]
    assert desk.claims.silent_s(claim, desk.now_s) == TIMES.takeover_s
    desk.wait(0.1)
    assert desk.want() == [ce.StoreStart(claim=a_claim(epoch=2))]


def test_a_voter_promises_what_is_silent_for_long_and_only_then() -> None:
    desk = Desk(promises=[(a_claim(B), True)])
    desk.read([a_claim(B)])
    successor = a_claim(C, epoch=2)
    assert desk.asked(successor) == denied(successor, ce.No.HELD)
    desk.wait(TIMES.takeover_s + 0.1)
    assert desk.asked(successor) == [ce.StorePromise(claim=successor)]


def test_a_heartbeat_of_the_owner_or_hearsay_keeps_a_claim_alive() -> None:
    desk = Desk()
    claim = a_claim(B)
    desk.read([claim])
    desk.wait(TIMES.takeover_s - 10.0)
    desk.tell(beat(C, claim, 600.0))
    assert desk.claims.silent_s(claim, desk.now_s) == 600.0
    desk.tell(beat(C, claim, 10_000.0))
    assert desk.claims.silent_s(claim, desk.now_s) == 600.0
    desk.tell(beat(B, claim, 5_000.0))
    assert desk.claims.silent_s(claim, desk.now_s) == 0.0
    desk.tell(beat(C, a_claim(D), 0.0))
    assert desk.claims.held(desk.now_s) == {JOB: claim}


def test_an_owner_that_comes_back_has_lost_to_its_successor() -> None:
    desk = Desk()
    old, new = a_claim(B), a_claim(C, epoch=2)
    desk.read([old, new])
    desk.tell(beat(B, old, 0.0))
    assert desk.claims.held_by(JOB, desk.now_s) == new
    desk.read([old, new], ended=[new])
    assert desk.claims.held_by(JOB, desk.now_s) == old


def test_a_heartbeat_names_our_own_claims_first_and_not_too_many() -> None:
    desk = Desk()
    many = [a_claim(B, job=JobId(f"{n:012x}")) for n in range(HELD_IN_HEARTBEAT_MAX)]
    mine = a_claim(job=JobId("f" * 12))
    desk.read([*many, mine])
    desk.wait(3.0)
    held = desk.claims.heartbeat(desk.now_s)
    assert len(held) == HELD_IN_HEARTBEAT_MAX
    assert held[0] == m.HeldClaim(claim=m.ClaimText.of(mine), silent_s=0.0)
    assert {each.silent_s for each in held[1:]} == {3.0}


def test_time_is_kept_even_when_there_is_nothing_to_wait_for() -> None:
    desk = Desk()
    assert desk.claims.next_deadline_s() == desk.now_s + TIMES.heartbeat_s


def test_a_process_that_was_stopped_does_not_take_its_own_sleep_for_silence() -> None:
    desk = Desk(others=[B])
    desk.read([a_claim(B)])
    desk.wait(TIMES.cold_start_hold_s)
    desk.tell(ce.PeerSeen(peer=C))
    desk.sleep(3 * TIMES.takeover_s)
    assert desk.claims.silent_s(a_claim(B), desk.now_s) < TIMES.cold_start_hold_s + 1.0
    assert desk.want(JOB_2) == [missed(ce.No.COLD_START, JOB_2)]
    desk.tell(ce.PeerSeen(peer=C))
    assert desk.want(JOB) == [missed(ce.No.HELD)]


# Every print has a claim of its own ---------------------------------------------------------------


def owning(*in_sight: PeerId) -> Desk:
    """This peer has the job, alone."""
    desk = Desk()
    desk.want()
    desk.read([MINE])
    assert desk.stored(ce.StoreStart(claim=MINE)) == [desk.may_heat(MINE)]
    for each in in_sight:
        desk.tell(ce.PeerSeen(peer=each))
    return desk


def test_a_print_begins_soon_or_not_at_all() -> None:
    desk = owning()
    desk.wait(TIMES.begin_within_s)
    assert desk.claims.may_begin(MINE, desk.now_s)
    desk.wait(0.1)
    assert not desk.claims.may_begin(MINE, desk.now_s)


def test_a_further_claim_under_way_is_its_owners_too() -> None:
    desk, first, further = Desk(), a_claim(B), a_claim(B, epoch=2)
    desk.read([first, further, a_claim(C, epoch=3)])
    assert desk.claims.open_of_owner(first) == [first, further]
    desk.read(ended=[further])
    assert desk.claims.open_of_owner(first) == [first]


def test_the_owner_claims_anew_for_the_next_print_and_its_last_claim_ends() -> None:
    desk = owning(B)
    again = a_claim(epoch=2)
    assert desk.want() == [told(B, desk.ask(again))]
    desk.hear(grant(again), B)
    desk.read([again])
    desk.stored(ce.StoreStart(claim=again))
    effects = desk.hear(armed(again), B)
    assert effects == [desk.may_heat(again), ce.WriteEnd(claim=MINE, reason="renewed")]
    assert desk.claims.may_begin(again, desk.now_s)
    assert not desk.claims.may_begin(MINE, desk.now_s)


def test_a_voter_lets_only_the_owner_claim_anew() -> None:
    desk = Desk()
    desk.promise(a_claim(B))
    desk.arm(a_claim(B))
    other, again = a_claim(C, epoch=2), a_claim(B, epoch=2)
    assert desk.asked(other) == denied(other, ce.No.HELD)
    desk.promise(again)
    desk.arm(again)
    assert desk.claims.held_by(JOB, desk.now_s) == again
    assert desk.asked_to_arm(a_claim(B)) == denied(a_claim(B), ce.No.HELD)


def test_a_restarted_owner_needs_a_claim_of_this_start() -> None:
    desk = Desk()
    before, now = a_claim(B, epoch=5), a_claim(B, epoch=6, incarnation=2)
    desk.read([before])
    desk.promise(now)
    desk.arm(now)
    older_start = a_claim(B, epoch=7)
    assert desk.asked(older_start) == denied(older_start, ce.No.HELD)


def test_an_owner_that_was_marked_lost_is_refused_by_every_voter_that_knows() -> None:
    desk = Desk()
    desk.read([a_claim(B)], ended=[a_claim(B)])
    assert desk.asked_to_arm(a_claim(B)) == denied(a_claim(B), ce.No.STALE)
    successor = a_claim(C, epoch=2)
    desk.promise(successor)
    desk.arm(successor)
    again = a_claim(B, epoch=3)
    assert desk.asked(again) == denied(again, ce.No.HELD)


def test_a_claim_is_never_made_twice_even_if_only_its_end_was_written() -> None:
    desk = Desk()
    desk.read(ended=[MINE])
    assert desk.want() == [ce.StoreStart(claim=a_claim(epoch=2))]


def test_a_store_that_was_put_back_claims_nothing() -> None:
    desk = Desk()
    desk.read([a_claim(incarnation=2)], ended=[a_claim(incarnation=2)])
    assert desk.want() == [missed(ce.No.OUTDATED)]


def test_a_voter_that_knows_more_or_less_of_the_job_agrees_to_nothing() -> None:
    claim = a_claim(B, epoch=5)
    for unlike in ([a_claim(C)], [a_claim(C), a_claim(D)]):
        desk = Desk()
        question = desk.ask(claim)
        desk.read(unlike, ended=unlike)
        assert desk.hear(question) == denied(claim, ce.No.UNSYNCED)
    desk = Desk()
    desk.promise(claim)
    late = desk.arm_of(claim)
    desk.read([a_claim(C)], ended=[a_claim(C)])
    assert desk.hear(late) == denied(claim, ce.No.UNSYNCED)


def test_what_is_learnt_while_an_arm_is_stored_takes_it_back() -> None:
    desk = Desk()
    claim = a_claim(B, epoch=5)
    desk.asked_to_arm(claim)
    desk.read([a_claim(C)], ended=[a_claim(C)])
    assert desk.stored(ce.StoreArmed(claim=claim)) == denied(claim, ce.No.UNSYNCED)


# Safe mode ----------------------------------------------------------------------------------------


def safe(*changes: Iterable[PeerId]) -> Rules:
    lists = VoterLists(
        lists=frozenset(
            VoterList(generation=n, peers=frozenset(peers)) for n, peers in enumerate(changes)
        )
    )
    return Rules(mode=Mode.SAFE, lists=lists)


def safe_desk(*in_sight: PeerId, voters: Iterable[PeerId] = (ME, B, C)) -> Desk:
    return Desk(*in_sight, rules=safe(voters))


def test_in_safe_mode_a_majority_is_enough_and_only_voters_are_asked() -> None:
    desk = safe_desk(B, C, D)
    assert desk.want() == [told(B, desk.ask(MINE)), told(C, desk.ask(MINE))]
    assert desk.hear(grant(MINE), D) == []
    assert desk.hear(grant(MINE), C) == [ce.StoreStart(claim=MINE)]
    desk.stored(ce.StoreStart(claim=MINE))
    assert desk.hear(armed(MINE), D) == []
    assert desk.hear(armed(MINE), B) == [desk.may_heat(MINE)]


def test_in_safe_mode_nothing_is_asked_without_a_majority_in_sight() -> None:
    assert safe_desk().want() == [missed(ce.No.NO_MAJORITY)]
    assert safe_desk(D).want() == [missed(ce.No.NO_MAJORITY)]
    assert safe_desk(B, voters=(B, C, D)).want() == [missed(ce.No.NO_MAJORITY)]
    assert safe_desk(B, C, D, voters=()).want() == [missed(ce.No.NO_MAJORITY)]
    assert safe_desk(B).claims.short_of() is None


@pytest.mark.parametrize(
    "event",
    [ce.PeerGone(peer=B), ce.ClaimMessageReceived(peer=B, message=deny(MINE, ce.No.HELD.value))],
    ids=["gone", "denied"],
)
def test_in_safe_mode_one_voter_can_be_done_without_two_cannot(event: ce.Event) -> None:
    desk = safe_desk(B, C)
    desk.want()
    assert desk.tell(event) == []
    assert desk.hear(deny(MINE, ce.No.HELD.value), C)[-1] == missed(ce.No.HELD)


def test_in_safe_mode_silence_ends_nothing() -> None:
    desk = safe_desk(B)
    desk.read([a_claim(C)])
    desk.wait(TIMES.takeover_s)
    desk.tell(ce.PeerSeen(peer=B))
    desk.wait(TIMES.out_of_sight_s - 1.0)
    desk.tell(ce.PeerSeen(peer=B))
    assert desk.claims.takeover_in_s(a_claim(C), desk.now_s) is None
    assert desk.want() == [missed(ce.No.HELD)]
    desk.read(ended=[a_claim(C)])
    assert told(B, desk.ask(a_claim(epoch=2))) in desk.want()


def test_in_available_mode_the_count_down_can_be_read() -> None:
    desk = Desk()
    desk.read([a_claim(B)])
    desk.wait(100.0)
    assert desk.claims.takeover_in_s(a_claim(B), desk.now_s) == TIMES.takeover_s - 100.0
    desk.wait(TIMES.takeover_s)
    assert desk.claims.takeover_in_s(a_claim(B), desk.now_s) == 0.0


def test_other_voters_void_what_is_being_asked_and_what_was_granted() -> None:
    desk = safe_desk(B, C)
    desk.want()
    assert desk.read(rules=safe((ME, B, C), (B, C, D)))[:3] == [
        told(B, release(MINE)),
        told(C, release(MINE)),
        missed(ce.No.STALE),
    ]
    desk = safe_desk(B, C)
    claim = a_claim(B)
    desk.promise(claim)
    late = desk.arm_of(claim)
    desk.asked_to_arm(claim)
    desk.read(rules=safe((ME, B, C), (B, C, D)))
    assert desk.stored(ce.StoreArmed(claim=claim)) == denied(claim, ce.No.UNSYNCED)
    assert desk.hear(late) == denied(claim, ce.No.UNSYNCED)


def test_a_voter_of_an_earlier_list_states_the_later_one_until_it_is_written() -> None:
    desk = safe_desk(B, C)
    rules = safe((ME, B, C), (B, C, D))
    current = rules.lists.current
    assert current
    assert desk.read(rules=rules) == [ce.StateVoters(named=current)]
    assert ce.StateVoters(named=current) not in desk.wait(TIMES.out_of_sight_s - 0.1)
    assert ce.StateVoters(named=current) in desk.wait(0.2)
    stated = VoterLists(lists=rules.lists.lists, stated={current.id: frozenset({ME})})
    assert desk.read(rules=Rules(mode=Mode.SAFE, lists=stated)) == []
    assert desk.wait(60.0) == []
