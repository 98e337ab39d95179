from __future__ import annotations

from collections.abc import Callable

import pytest

from crdtqueue.core import claim_events as ce
from crdtqueue.core import messages as m
from crdtqueue.core.claims import EPOCH_MAX, HELD_IN_HEARTBEAT_MAX, PROMISES_MAX
from crdtqueue.core.ids import Claim, JobId, PeerId
from tests.core.claims_desk import (
    HIGHER,
    LOWER,
    MIDDLE,
    MINE,
    TIMES,
    B,
    C,
    D,
    Desk,
    arm,
    armed,
    ask,
    denied,
    deny,
    grant,
    missed,
    release,
    told,
)
from tests.core.samples import JOB, JOB_2, a_claim, peer

# The claimant -------------------------------------------------------------------------------------


def test_alone_a_claim_is_stored_and_then_it_may_heat() -> None:
    desk = Desk()
    assert desk.want() == [ce.StoreStart(claim=MINE)]
    assert desk.claims.why_not(JOB_2, desk.now_s) is ce.No.BUSY
    desk.read([MINE])
    assert desk.stored(ce.StoreStart(claim=MINE)) == [ce.MayHeat(claim=MINE)]
    assert desk.claims.held_by(JOB, desk.now_s) == MINE
    assert desk.want() == [missed(ce.No.HELD)]


def test_it_heats_only_after_every_grant_the_own_record_and_every_acknowledgement() -> None:
    desk = Desk(B, C)
    assert desk.want() == [told(B, ask(MINE)), told(C, ask(MINE))]
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(armed(MINE), C) == []
    assert desk.hear(grant(MINE), C) == [ce.StoreStart(claim=MINE)]
    assert desk.hear(armed(MINE), B) == []
    assert desk.stored(ce.StoreStart(claim=MINE)) == [told(B, arm(MINE)), told(C, arm(MINE))]
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(armed(MINE), B) == []
    assert desk.hear(armed(MINE), B) == []
    assert desk.hear(armed(MINE), C) == [ce.MayHeat(claim=MINE)]
    assert desk.hear(armed(MINE), C) == []


def asking(*voters: PeerId) -> Desk:
    desk = Desk(*voters)
    desk.want()
    return desk


def arming(*voters: PeerId) -> Desk:
    desk = asking(*voters)
    for voter in voters:
        desk.hear(grant(MINE), voter)
    desk.stored(ce.StoreStart(claim=MINE))
    return desk


def test_a_denial_ends_the_attempt_and_frees_the_voters() -> None:
    desk = asking(B, C)
    freed = [told(B, release(MINE)), told(C, release(MINE))]
    assert desk.hear(deny(MINE, ce.No.PROMISED.value), C) == [*freed, missed(ce.No.PROMISED)]
    assert desk.hear(grant(MINE), B) == []
    assert desk.want() == [told(B, ask(MINE)), told(C, ask(MINE))]


def test_a_denial_while_arming_is_written_down_and_the_next_epoch_is_another() -> None:
    desk = arming(B)
    end = ce.WriteEnd(claim=MINE, reason=ce.No.HELD.value)
    gone = [end, told(B, release(MINE)), missed(ce.No.HELD)]
    assert desk.hear(deny(MINE, "words of another version"), B) == gone
    desk.read([MINE], ended=[MINE])
    assert desk.want() == [told(B, ask(a_claim(epoch=2)))]


def test_a_denial_of_another_claim_changes_nothing() -> None:
    desk = asking(B)
    assert desk.hear(deny(a_claim(epoch=7), ce.No.HELD.value), B) == []
    assert desk.hear(grant(a_claim(epoch=7)), B) == []
    assert desk.hear(grant(MINE), B) == [ce.StoreStart(claim=MINE)]


@pytest.mark.parametrize("start", [asking, arming])
def test_a_silent_voter_ends_the_attempt_in_time(start: Callable[[PeerId], Desk]) -> None:
    desk = start(B)
    desk.wait(TIMES.answer_s - 0.1)
    assert desk.claims.why_not(JOB_2, desk.now_s) is ce.No.BUSY
    assert desk.wait(0.2)[-1] == missed(ce.No.NO_ANSWER)


@pytest.mark.parametrize("start", [asking, arming])
def test_a_lost_voter_ends_the_attempt(start: Callable[..., Desk]) -> None:
    desk = start(B, C)
    assert desk.tell(ce.PeerGone(peer=B))[-1] == missed(ce.No.NO_ANSWER)
    assert desk.claims.in_sight() == {C}
    assert desk.claims.why_not(JOB_2, desk.now_s) is None


def test_a_peer_that_is_out_of_sight_has_no_vote() -> None:
    desk = Desk(B, C)
    desk.wait(TIMES.out_of_sight_s - 1.0)
    desk.tell(ce.HeardOf(peer=C, held=()))
    desk.wait(1.5)
    assert desk.claims.in_sight() == {C}
    assert desk.want() == [told(C, ask(MINE))]
    desk.tell(ce.PeerGone(peer=D))


def test_a_peer_that_comes_in_sight_while_we_ask_gets_a_vote() -> None:
    desk = asking(B)
    assert desk.tell(ce.PeerSeen(peer=C)) == [told(C, ask(MINE))]
    assert desk.tell(ce.PeerSeen(peer=C)) == []
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(grant(MINE), C) == [ce.StoreStart(claim=MINE)]
    assert desk.tell(ce.PeerSeen(peer=D)) == []
    asked = [told(each, arm(MINE)) for each in (B, C, D)]
    assert desk.stored(ce.StoreStart(claim=MINE)) == asked
    desk.hear(armed(MINE), B)
    desk.hear(armed(MINE), D)
    late = peer(0xEE)
    assert desk.tell(ce.PeerSeen(peer=late)) == [told(late, arm(MINE))]
    assert desk.hear(armed(MINE), C) == []
    assert desk.hear(armed(MINE), late) == [ce.MayHeat(claim=MINE)]


def test_a_full_disk_ends_the_attempt() -> None:
    desk = asking(B)
    desk.hear(grant(MINE), B)
    end = ce.WriteEnd(claim=MINE, reason=ce.No.DISK.value)
    effects = desk.tell(ce.NotStored(effect=ce.StoreStart(claim=MINE)))
    assert effects == [end, told(B, release(MINE)), missed(ce.No.DISK)]
    assert desk.stored(ce.StoreStart(claim=MINE)) == []


def test_who_is_not_in_sync_neither_asks_nor_grants() -> None:
    desk = Desk(B, synced=False)
    assert desk.want() == [missed(ce.No.UNSYNCED)]
    assert desk.hear(ask(a_claim(B))) == denied(a_claim(B), ce.No.UNSYNCED)
    assert desk.hear(arm(a_claim(B))) == denied(a_claim(B), ce.No.UNSYNCED)
    desk = asking(B)
    effects = desk.tell(ce.SyncChanged(synced=False))
    assert effects == [told(B, release(MINE)), missed(ce.No.UNSYNCED)]


def test_who_boots_alone_but_knows_others_holds_back_for_a_minute() -> None:
    desk = Desk(others=[B])
    assert desk.want() == [missed(ce.No.COLD_START)]
    desk.wait(TIMES.cold_start_hold_s)
    assert desk.want() == [ce.StoreStart(claim=MINE)]
    desk = Desk(others=[B])
    desk.tell(ce.PeerSeen(peer=B))
    desk.tell(ce.PeerGone(peer=B))
    assert desk.want() == [ce.StoreStart(claim=MINE)]


@pytest.mark.parametrize("start", [asking, arming])
def test_a_record_that_shows_us_late_ends_the_attempt(start: Callable[[PeerId], Desk]) -> None:
    assert start(B).read([HIGHER])[-1] == missed(ce.No.STALE)


def test_a_lower_record_does_not_end_an_attempt_that_is_granted() -> None:
    desk = arming(B)
    assert desk.read([LOWER, MINE]) == []
    assert desk.hear(armed(MINE), B) == [ce.MayHeat(claim=MINE)]


def test_a_job_whose_epochs_are_used_up_is_left_alone() -> None:
    desk = Desk()
    last = a_claim(B, epoch=EPOCH_MAX)
    desk.read([last], ended=[last])
    assert desk.want() == [missed(ce.No.EXHAUSTED)]


# The voter ----------------------------------------------------------------------------------------


def test_a_promise_is_stored_before_it_is_told_and_keeps_others_out() -> None:
    desk = Desk()
    claim = a_claim(B)
    assert desk.hear(ask(claim)) == [ce.StorePromise(claim=claim)]
    assert desk.want() == [missed(ce.No.PROMISED)]
    assert desk.stored(ce.StorePromise(claim=claim)) == [told(B, grant(claim))]
    assert desk.want(JOB_2)[0] == told(B, ask(a_claim(job=JOB_2)))


def test_a_lower_claim_is_denied_what_is_promised() -> None:
    desk = Desk()
    desk.promise(MIDDLE)
    assert desk.hear(ask(LOWER)) == denied(LOWER, ce.No.PROMISED)
    assert desk.hear(arm(LOWER)) == denied(LOWER, ce.No.PROMISED)
    assert desk.hear(arm(HIGHER)) == denied(HIGHER, ce.No.PROMISED)


def test_a_higher_claim_waits_until_the_lower_gives_up() -> None:
    desk = Desk()
    desk.promise(LOWER)
    assert desk.hear(ask(HIGHER)) == []
    assert desk.hear(release(LOWER)) == [
        ce.DropPromise(claim=LOWER),
        ce.StorePromise(claim=HIGHER),
    ]
    assert desk.stored(ce.StorePromise(claim=LOWER)) == []
    assert desk.stored(ce.StorePromise(claim=HIGHER)) == [told(HIGHER.peer, grant(HIGHER))]


def test_of_those_that_wait_the_highest_stays() -> None:
    desk = Desk()
    desk.promise(LOWER)
    assert desk.hear(ask(MIDDLE)) == []
    assert desk.hear(ask(HIGHER)) == denied(MIDDLE, ce.No.OUTRANKED)
    assert desk.hear(ask(MIDDLE)) == denied(MIDDLE, ce.No.PROMISED)
    assert desk.hear(arm(LOWER)) == [
        *denied(HIGHER, ce.No.HELD),
        ce.StoreArmed(claim=LOWER),
    ]


def test_who_waits_and_gives_up_or_goes_gets_nothing() -> None:
    for event in (
        ce.Said(peer=HIGHER.peer, message=release(HIGHER)),
        ce.PeerGone(peer=HIGHER.peer),
    ):
        desk = Desk()
        desk.promise(LOWER)
        desk.hear(ask(HIGHER))
        assert desk.tell(event) == []
        assert desk.hear(release(LOWER)) == [ce.DropPromise(claim=LOWER)]
        assert desk.claims.why_not(JOB, desk.now_s) is None


def test_two_that_ask_together_agree_on_the_higher() -> None:
    desk = asking(LOWER.peer)
    assert desk.hear(ask(LOWER)) == denied(LOWER, ce.No.OUTRANKED)
    assert desk.hear(grant(MINE), LOWER.peer) == [ce.StoreStart(claim=MINE)]
    assert desk.hear(ask(HIGHER)) == denied(HIGHER, ce.No.HELD)

    desk = asking(HIGHER.peer)
    assert desk.hear(ask(HIGHER)) == [
        told(HIGHER.peer, release(MINE)),
        missed(ce.No.OUTRANKED),
        ce.StorePromise(claim=HIGHER),
    ]


def test_an_unarmed_promise_lapses() -> None:
    desk = Desk()
    desk.promise(a_claim(B))
    desk.wait(TIMES.unarmed_lapse_s - 0.1)
    assert desk.want() == [missed(ce.No.PROMISED)]
    desk.wait(0.1)
    assert desk.claims.why_not(JOB, desk.now_s) is None


def test_a_lapsed_promise_goes_to_who_waits() -> None:
    desk = Desk()
    desk.promise(LOWER)
    desk.wait(TIMES.unarmed_lapse_s - 1.0)
    desk.hear(ask(HIGHER))
    assert desk.wait(1.0) == [ce.DropPromise(claim=LOWER), ce.StorePromise(claim=HIGHER)]


def test_an_armed_promise_is_kept_until_the_end_record() -> None:
    desk = Desk()
    claim = a_claim(B)
    desk.promise(claim)
    desk.arm(claim)
    desk.wait(TIMES.unarmed_lapse_s + 100.0)
    desk.hear(release(claim))
    assert desk.want() == [missed(ce.No.HELD)]
    assert desk.hear(ask(HIGHER)) == denied(HIGHER, ce.No.HELD)
    assert desk.hear(ask(claim)) == denied(claim, ce.No.STALE)
    desk.read([claim], ended=[claim])
    assert told(HIGHER.peer, ask(a_claim(epoch=2))) in desk.want()


def test_an_arm_is_acknowledged_only_once_it_is_stored() -> None:
    desk = Desk()
    claim = a_claim(B)
    desk.promise(claim)
    assert desk.hear(arm(claim)) == [ce.StoreArmed(claim=claim)]
    assert desk.hear(arm(claim)) == [ce.StoreArmed(claim=claim)]
    assert desk.stored(ce.StoreArmed(claim=claim)) == [told(B, armed(claim))]


@pytest.mark.parametrize("message", [ask, arm])
def test_a_full_disk_denies_and_forgets(message: Callable[[Claim], m.ClaimMessage]) -> None:
    desk = Desk()
    claim = a_claim(B)
    (effect,) = desk.hear(message(claim))
    assert isinstance(effect, ce.StorePromise | ce.StoreArmed)
    refused = [*denied(claim, ce.No.DISK), ce.DropPromise(claim=claim)]
    assert desk.tell(ce.NotStored(effect=effect)) == refused
    assert desk.tell(ce.NotStored(effect=effect)) == []
    assert desk.claims.why_not(JOB, desk.now_s) is None


def test_a_release_while_the_promise_is_stored_takes_it_back() -> None:
    desk = Desk()
    desk.hear(ask(a_claim(B)))
    desk.hear(release(a_claim(B)))
    assert desk.stored(ce.StorePromise(claim=a_claim(B))) == []
    assert desk.claims.why_not(JOB, desk.now_s) is None


@pytest.mark.parametrize("message", [ask, arm, release])
def test_nobody_speaks_for_another(message: Callable[[Claim], m.ClaimMessage]) -> None:
    desk = Desk(B)
    desk.promise(a_claim(B))
    assert desk.hear(message(a_claim(B)), C) == []
    assert desk.want() == [missed(ce.No.PROMISED)]
    assert desk.hear(message(MINE), C) == []


def test_what_is_open_in_the_document_is_not_granted() -> None:
    desk = Desk()
    desk.read([a_claim(B)])
    late = a_claim(C, epoch=2)
    assert desk.hear(ask(late)) == denied(late, ce.No.HELD)
    desk.read([a_claim(B)], ended=[a_claim(B)])
    assert desk.hear(ask(a_claim(C))) == denied(a_claim(C), ce.No.STALE)
    assert desk.hear(ask(late)) == [ce.StorePromise(claim=late)]


def test_promises_are_limited() -> None:
    promised = [(a_claim(B, job=JobId(f"{n:012x}")), False) for n in range(PROMISES_MAX)]
    desk = Desk(promises=promised)
    other = a_claim(C, job=JobId("f" * 12))
    assert desk.hear(ask(other)) == denied(other, ce.No.PROMISED)
    assert desk.hear(arm(other)) == denied(other, ce.No.PROMISED)
    desk.wait(TIMES.unarmed_lapse_s)
    assert desk.hear(ask(other)) == [ce.StorePromise(claim=other)]


def test_promises_of_the_store_count_again_after_a_restart() -> None:
    other = a_claim(C, job=JOB_2)
    desk = Desk(promises=[(a_claim(B), False), (other, True)])
    assert desk.want() == [missed(ce.No.PROMISED)]
    assert desk.want(JOB_2) == [missed(ce.No.HELD, JOB_2)]
    desk.wait(TIMES.unarmed_lapse_s)
    assert desk.claims.why_not(JOB, desk.now_s) is None
    assert desk.want(JOB_2) == [missed(ce.No.HELD, JOB_2)]
    assert desk.hear(arm(other)) == [ce.StoreArmed(claim=other)]
    desk.read([other], ended=[other])
    assert desk.claims.why_not(JOB_2, desk.now_s) is None


def test_a_hub_lets_only_one_of_two_that_do_not_see_each_other() -> None:
    hub = Desk(LOWER.peer, HIGHER.peer)
    hub.promise(LOWER)
    assert hub.hear(ask(HIGHER)) == []
    hub.hear(arm(LOWER))
    assert hub.stored(ce.StoreArmed(claim=LOWER)) == [told(LOWER.peer, armed(LOWER))]
    assert hub.hear(arm(HIGHER)) == denied(HIGHER, ce.No.HELD)


# Silence ------------------------------------------------------------------------------------------


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
    assert desk.hear(ask(successor)) == denied(successor, ce.No.HELD)
    desk.wait(TIMES.takeover_s + 0.1)
    assert desk.hear(ask(successor)) == [ce.StorePromise(claim=successor)]


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


def test_nothing_is_awaited_when_there_is_nothing_to_wait_for() -> None:
    desk = Desk()
    assert desk.claims.next_deadline_s() is None
    desk.arm(a_claim(B))
    desk.tell(ce.PeerGone(peer=B))
    assert desk.claims.next_deadline_s() is None
