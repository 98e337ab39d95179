from __future__ import annotations

from crdtqueue.core.claims.claim_records import (
    ClaimRecords,
    follows,
)
from crdtqueue.core.claims.quorum import Rules
from crdtqueue.core.document.model import Mode
from crdtqueue.core.ids import Claim
from tests.harness.samples import (
    JOB,
    JOB_2,
    ME,
    a_claim,
    peer,
)

B, C = peer(2), peer(3)
NONE: frozenset[Claim] = frozenset()


def read(*claims: Claim, over: tuple[Claim, ...] = ()) -> ClaimRecords:
    records = ClaimRecords(ME, takeover_s=100.0)
    records.read(frozenset(claims), frozenset(over), now_s=0.0)
    return records


def test_epochs_never_fall_whatever_the_document_forgets() -> None:
    records = read(a_claim(B, epoch=3))
    records.read(NONE, NONE, now_s=1.0)
    assert records.epoch(JOB) == 3
    assert records.owner(JOB, now_s=1.0) == a_claim(B, epoch=3)
    assert records.epoch(JOB_2) == 0


def test_what_is_over_stays_over_and_owns_nothing() -> None:
    records = read(a_claim(B), over=(a_claim(B),))
    records.read(frozenset({a_claim(B)}), NONE, now_s=1.0)
    assert records.is_over(a_claim(B))
    assert records.owner(JOB, now_s=1.0) is None
    assert list(records.all_open()) == []


def test_an_acknowledged_claim_counts_until_it_is_forgotten() -> None:
    records = read()
    records.acknowledge(a_claim(B), now_s=5.0)
    assert records.owners(now_s=5.0) == {JOB: a_claim(B)}
    assert records.size == 1
    records.forget(a_claim(B))
    assert records.owners(now_s=5.0) == {}
    assert records.epoch(JOB) == 1
    records.acknowledge(a_claim(B), now_s=5.0)
    records.read(frozenset({a_claim(B)}), NONE, now_s=6.0)
    records.forget(a_claim(B))
    assert records.owner(JOB, now_s=6.0) == a_claim(B)
    assert records.size == 0


def test_the_basis_is_equal_however_the_records_came() -> None:
    claim, first, second = a_claim(epoch=9), a_claim(B), a_claim(C)
    together = read(first, second, over=(first,))
    apart = read(second)
    assert apart.basis(claim) != together.basis(claim)
    apart.read(frozenset({first, second}), NONE, now_s=0.0)
    assert apart.basis(claim) != together.basis(claim)
    apart.read(frozenset({first, second}), frozenset({first}), now_s=0.0)
    assert apart.basis(claim) == together.basis(claim)
    apart.acknowledge(claim, now_s=0.0)
    assert apart.basis(claim) == together.basis(claim)


def test_the_basis_tells_rules_apart() -> None:
    records = read()
    before = records.basis(a_claim())
    assert not records.go_by(Rules())
    assert records.go_by(Rules(mode=Mode.SAFE))
    assert records.basis(a_claim()) != before
    assert records.takeover_s is None


def test_silence_is_counted_from_the_last_word_and_not_while_we_slept() -> None:
    records = read(a_claim(B), a_claim(job=JOB_2))
    assert records.silent_s(a_claim(B), now_s=60.0) == 60.0
    records.heard_of(a_claim(B), silent_s=5.0, now_s=60.0)
    records.heard_of(a_claim(B), silent_s=50.0, now_s=60.0)
    assert records.silent_s(a_claim(B), now_s=60.0) == 5.0
    records.slept(1_000.0)
    assert records.silent_s(a_claim(B), now_s=1_060.0) == 5.0
    assert not records.has_lapsed(a_claim(B), now_s=1_155.0)
    assert records.has_lapsed(a_claim(B), now_s=1_155.1)
    assert not records.has_lapsed(a_claim(job=JOB_2), now_s=9_999.0)


def test_only_a_later_claim_of_the_same_peer_and_job_follows() -> None:
    first = a_claim(B, epoch=2, incarnation=2)
    assert follows(a_claim(B, epoch=3, incarnation=2), first)
    assert follows(a_claim(B, epoch=3, incarnation=7), first)
    for other in (
        first,
        a_claim(B, epoch=3, incarnation=1),
        a_claim(C, epoch=3, incarnation=2),
        a_claim(B, epoch=3, incarnation=2, job=JOB_2),
    ):
        assert not follows(other, first)
