from __future__ import annotations

from collections.abc import Callable

import pytest

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import EPOCH_MAX
from crdtqueue.core.ids import PeerId
from tests.harness.claims_fixture import (
    HIGHER,
    LOWER,
    MINE,
    TIMES,
    B,
    C,
    D,
    Desk,
    armed,
    arming,
    asking,
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
    a_claim,
    peer,
)


def test_alone_a_claim_is_stored_and_then_it_may_heat() -> None:
    desk = Desk()
    assert desk.want() == [ce.StoreStart(claim=MINE)]
    assert desk.claims.why_not(JOB_2, desk.now_s) is ce.No.BUSY
    desk.read([MINE])
    assert desk.stored(ce.StoreStart(claim=MINE)) == [desk.may_heat(MINE)]
    assert desk.claims.held_by(JOB, desk.now_s) == MINE
    assert desk.claims.may_begin(MINE, desk.now_s)


def test_it_heats_only_after_every_grant_the_own_record_and_every_acknowledgement() -> None:
    desk = Desk(B, C)
    assert desk.want() == [told(B, desk.ask(MINE)), told(C, desk.ask(MINE))]
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(armed(MINE), C) == []
    assert desk.hear(grant(MINE), C) == [ce.StoreStart(claim=MINE)]
    assert desk.hear(armed(MINE), B) == []
    assert desk.stored(ce.StoreStart(claim=MINE)) == [
        told(B, desk.arm_of(MINE)),
        told(C, desk.arm_of(MINE)),
    ]
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(armed(MINE), B) == []
    assert desk.hear(armed(MINE), B) == []
    assert desk.hear(armed(MINE), C) == [desk.may_heat(MINE)]
    assert desk.hear(armed(MINE), C) == []


def test_a_denial_ends_the_attempt_and_frees_the_voters() -> None:
    desk = asking(B, C)
    freed = [told(B, release(MINE)), told(C, release(MINE))]
    assert desk.hear(deny(MINE, ce.No.PROMISED.value), C) == [*freed, missed(ce.No.PROMISED)]
    assert desk.hear(grant(MINE), B) == []
    assert desk.want() == [told(B, desk.ask(MINE)), told(C, desk.ask(MINE))]


def test_a_denial_while_arming_is_written_down_and_the_next_epoch_is_another() -> None:
    desk = arming(B)
    end = ce.WriteEnd(claim=MINE, reason=ce.No.HELD.value)
    gone = [end, told(B, release(MINE)), missed(ce.No.HELD)]
    assert desk.hear(deny(MINE, "words of another version"), B) == gone
    desk.read([MINE], ended=[MINE])
    assert desk.want() == [told(B, desk.ask(a_claim(epoch=2)))]


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
    assert desk.want() == [told(C, desk.ask(MINE))]
    desk.tell(ce.PeerGone(peer=D))


def test_a_peer_that_comes_in_sight_while_we_ask_gets_a_vote() -> None:
    desk = asking(B)
    assert desk.tell(ce.PeerSeen(peer=C)) == [told(C, desk.ask(MINE))]
    assert desk.tell(ce.PeerSeen(peer=C)) == []
    assert desk.hear(grant(MINE), B) == []
    assert desk.hear(grant(MINE), C) == [ce.StoreStart(claim=MINE)]
    assert desk.tell(ce.PeerSeen(peer=D)) == []
    asked = [told(each, desk.arm_of(MINE)) for each in (B, C, D)]
    assert desk.stored(ce.StoreStart(claim=MINE)) == asked
    desk.hear(armed(MINE), B)
    desk.hear(armed(MINE), D)
    late = peer(0xEE)
    assert desk.tell(ce.PeerSeen(peer=late)) == [told(late, desk.arm_of(MINE))]
    assert desk.hear(armed(MINE), C) == []
    assert desk.hear(armed(MINE), late) == [desk.may_heat(MINE)]


def test_a_full_disk_ends_the_attempt() -> None:
    desk = asking(B)
    desk.hear(grant(MINE), B)
    end = ce.WriteEnd(claim=MINE, reason=ce.No.DISK.value)
    effects = desk.tell(ce.PromiseNotStored(effect=ce.StoreStart(claim=MINE)))
    assert effects == [end, told(B, release(MINE)), missed(ce.No.DISK)]
    assert desk.stored(ce.StoreStart(claim=MINE)) == []


def test_who_is_not_in_sync_neither_asks_nor_grants() -> None:
    desk = Desk(B, synced=False)
    assert desk.want() == [missed(ce.No.UNSYNCED)]
    assert desk.asked(a_claim(B)) == denied(a_claim(B), ce.No.UNSYNCED)
    assert desk.asked_to_arm(a_claim(B)) == denied(a_claim(B), ce.No.UNSYNCED)
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
    assert desk.hear(armed(MINE), B) == [desk.may_heat(MINE)]


def test_a_job_whose_epochs_are_used_up_is_left_alone() -> None:
    desk = Desk()
    last = a_claim(B, epoch=EPOCH_MAX)
    desk.read([last], ended=[last])
    assert desk.want() == [missed(ce.No.EXHAUSTED)]
