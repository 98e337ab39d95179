from __future__ import annotations

from collections.abc import Callable

import pytest

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.voter import PROMISES_MAX
from crdtqueue.core.ids import Claim, JobId
from crdtqueue.core.sync import messages as m
from tests.harness.claims_fixture import (
    HIGHER,
    LOWER,
    MIDDLE,
    MINE,
    TIMES,
    B,
    C,
    Desk,
    armed,
    asking,
    denied,
    grant,
    missed,
    release,
    told,
)
from tests.harness.samples import (
    JOB,
    JOB_2,
    a_claim,
)


def test_a_promise_is_stored_before_it_is_told_and_keeps_others_out() -> None:
    desk = Desk()
    claim = a_claim(B)
    assert desk.asked(claim) == [ce.StorePromise(claim=claim)]
    assert desk.want() == [missed(ce.No.PROMISED)]
    assert desk.stored(ce.StorePromise(claim=claim)) == [told(B, grant(claim))]
    assert desk.want(JOB_2)[0] == told(B, desk.ask(a_claim(job=JOB_2)))


def test_a_lower_claim_is_denied_what_is_promised() -> None:
    desk = Desk()
    desk.promise(MIDDLE)
    assert desk.asked(LOWER) == denied(LOWER, ce.No.PROMISED)
    assert desk.asked_to_arm(LOWER) == denied(LOWER, ce.No.PROMISED)
    assert desk.asked_to_arm(HIGHER) == denied(HIGHER, ce.No.PROMISED)


def test_a_higher_claim_waits_until_the_lower_gives_up() -> None:
    desk = Desk()
    desk.promise(LOWER)
    assert desk.asked(HIGHER) == []
    assert desk.hear(release(LOWER)) == [
        ce.DropPromise(claim=LOWER),
        ce.StorePromise(claim=HIGHER),
    ]
    assert desk.stored(ce.StorePromise(claim=LOWER)) == []
    assert desk.stored(ce.StorePromise(claim=HIGHER)) == [told(HIGHER.peer, grant(HIGHER))]


def test_of_those_that_wait_the_highest_stays() -> None:
    desk = Desk()
    desk.promise(LOWER)
    assert desk.asked(MIDDLE) == []
    assert desk.asked(HIGHER) == denied(MIDDLE, ce.No.OUTRANKED)
    assert desk.asked(MIDDLE) == denied(MIDDLE, ce.No.PROMISED)
    assert desk.asked_to_arm(LOWER) == [
        *denied(HIGHER, ce.No.HELD),
        ce.StoreArmed(claim=LOWER),
    ]


def test_who_waits_and_gives_up_or_goes_gets_nothing() -> None:
    for event in (
        ce.ClaimMessageReceived(peer=HIGHER.peer, message=release(HIGHER)),
        ce.PeerGone(peer=HIGHER.peer),
    ):
        desk = Desk()
        desk.promise(LOWER)
        desk.asked(HIGHER)
        assert desk.tell(event) == []
        assert desk.hear(release(LOWER)) == [ce.DropPromise(claim=LOWER)]
        assert desk.claims.why_not(JOB, desk.now_s) is None


def test_two_that_ask_together_agree_on_the_higher() -> None:
    desk = asking(LOWER.peer)
    assert desk.asked(LOWER) == denied(LOWER, ce.No.OUTRANKED)
    assert desk.hear(grant(MINE), LOWER.peer) == [ce.StoreStart(claim=MINE)]
    assert desk.asked(HIGHER) == denied(HIGHER, ce.No.HELD)

    desk = asking(HIGHER.peer)
    assert desk.asked(HIGHER) == [
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
    desk.asked(HIGHER)
    assert desk.wait(1.0) == [ce.DropPromise(claim=LOWER), ce.StorePromise(claim=HIGHER)]


def test_an_armed_promise_is_kept_until_the_end_record() -> None:
    desk = Desk()
    claim = a_claim(B)
    desk.promise(claim)
    desk.arm(claim)
    desk.wait(TIMES.unarmed_lapse_s + 100.0)
    desk.hear(release(claim))
    assert desk.want() == [missed(ce.No.HELD)]
    assert desk.asked(HIGHER) == denied(HIGHER, ce.No.HELD)
    assert desk.asked(claim) == denied(claim, ce.No.STALE)
    desk.read([claim], ended=[claim])
    assert told(HIGHER.peer, desk.ask(a_claim(epoch=2))) in desk.want()


def test_an_arm_is_acknowledged_only_once_it_is_stored() -> None:
    desk = Desk()
    claim = a_claim(B)
    desk.promise(claim)
    assert desk.asked_to_arm(claim) == [ce.StoreArmed(claim=claim)]
    assert desk.asked_to_arm(claim) == [ce.StoreArmed(claim=claim)]
    assert desk.stored(ce.StoreArmed(claim=claim)) == [told(B, armed(claim))]


@pytest.mark.parametrize("asked", [Desk.asked, Desk.asked_to_arm])
def test_a_full_disk_denies_and_forgets(
    asked: Callable[[Desk, Claim], list[ce.Effect]],
) -> None:
    desk = Desk()
    claim = a_claim(B)
    (effect,) = asked(desk, claim)
    assert isinstance(effect, ce.StorePromise | ce.StoreArmed)
    refused = [*denied(claim, ce.No.DISK), ce.DropPromise(claim=claim)]
    assert desk.tell(ce.PromiseNotStored(effect=effect)) == refused
    assert desk.tell(ce.PromiseNotStored(effect=effect)) == []
    assert desk.claims.why_not(JOB, desk.now_s) is None


def test_a_release_while_the_promise_is_stored_takes_it_back() -> None:
    desk = Desk()
    desk.asked(a_claim(B))
    desk.hear(release(a_claim(B)))
    assert desk.stored(ce.StorePromise(claim=a_claim(B))) == []
    assert desk.claims.why_not(JOB, desk.now_s) is None


@pytest.mark.parametrize("say", [Desk.ask, Desk.arm_of, lambda _, claim: release(claim)])
def test_nobody_speaks_for_another(say: Callable[[Desk, Claim], m.ClaimMessage]) -> None:
    desk = Desk(B)
    desk.promise(a_claim(B))
    assert desk.hear(say(desk, a_claim(B)), C) == []
    assert desk.want() == [missed(ce.No.PROMISED)]
    assert desk.hear(say(desk, MINE), C) == []


def test_what_is_open_in_the_document_is_not_granted() -> None:
    desk = Desk()
    desk.read([a_claim(B)])
    late = a_claim(C, epoch=2)
    assert desk.asked(late) == denied(late, ce.No.HELD)
    desk.read([a_claim(B)], ended=[a_claim(B)])
    assert desk.asked(a_claim(C)) == denied(a_claim(C), ce.No.STALE)
    assert desk.asked(late) == [ce.StorePromise(claim=late)]


def test_promises_are_limited() -> None:
    promised = [(a_claim(B, job=JobId(f"{n:012x}")), False) for n in range(PROMISES_MAX)]
    desk = Desk(promises=promised)
    other = a_claim(C, job=JobId("f" * 12))
    assert desk.asked(other) == denied(other, ce.No.PROMISED)
    assert desk.asked_to_arm(other) == denied(other, ce.No.PROMISED)
    desk.wait(TIMES.unarmed_lapse_s)
    assert desk.asked(other) == [ce.StorePromise(claim=other)]


def test_promises_of_the_store_count_again_after_a_restart() -> None:
    other = a_claim(C, job=JOB_2)
    desk = Desk(promises=[(a_claim(B), False), (other, True)])
    assert desk.want() == [missed(ce.No.PROMISED)]
    assert desk.want(JOB_2) == [missed(ce.No.HELD, JOB_2)]
    desk.wait(TIMES.unarmed_lapse_s)
    assert desk.claims.why_not(JOB, desk.now_s) is None
    assert desk.want(JOB_2) == [missed(ce.No.HELD, JOB_2)]
    assert desk.asked_to_arm(other) == [ce.StoreArmed(claim=other)]
    desk.read([other], ended=[other])
    assert desk.claims.why_not(JOB_2, desk.now_s) is None


def test_a_hub_lets_only_one_of_two_that_do_not_see_each_other() -> None:
    hub = Desk(LOWER.peer, HIGHER.peer)
    hub.promise(LOWER)
    assert hub.asked(HIGHER) == []
    hub.asked_to_arm(LOWER)
    assert hub.stored(ce.StoreArmed(claim=LOWER)) == [told(LOWER.peer, armed(LOWER))]
    assert hub.asked_to_arm(HIGHER) == denied(HIGHER, ce.No.HELD)
