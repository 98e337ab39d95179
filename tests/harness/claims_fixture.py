"""A claims machine with a clock around it, and short names for what is said, for its tests."""

from __future__ import annotations

from collections.abc import Iterable

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import Claims
from crdtqueue.core.claims.quorum import Rules
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.sync import messages as m
from tests.harness.samples import (
    JOB,
    ME,
    a_claim,
    peer,
)

B, C, D = peer(0xBB), peer(0xCC), peer(0xDD)
TIMES = ce.ClaimTimes()
MINE = a_claim()
HIGHER = max((a_claim(peer(n)) for n in range(100)), key=lambda claim: claim.rank)
LOWER = min((a_claim(peer(n)) for n in range(100)), key=lambda claim: claim.rank)
MIDDLE = sorted((a_claim(peer(n)) for n in range(100)), key=lambda claim: claim.rank)[50]
assert LOWER.rank < MINE.rank < HIGHER.rank


class Desk:
    """A machine, its clock, and the effects of each event."""

    def __init__(
        self,
        *in_sight: PeerId,
        promises: Iterable[tuple[Claim, bool]] = (),
        others: Iterable[PeerId] = (),
        synced: bool = True,
        rules: Rules = Rules(),  # noqa: B008  # it is frozen
    ) -> None:
        self.now_s = self.asked_s = 100.0
        self.others = frozenset(others)
        self.rules = rules
        self.records: tuple[frozenset[Claim], frozenset[Claim]] = frozenset(), frozenset()
        self.claims = Claims(me=ME, incarnation=1, times=TIMES, promises=promises, now_s=self.now_s)
        self.read()
        self.tell(ce.SyncChanged(synced=synced))
        for each in in_sight:
            self.tell(ce.PeerSeen(peer=each))

    def tell(self, event: ce.Event) -> list[ce.Effect]:
        self.claims.receive(event, self.now_s)
        return self.claims.effects()

    def wait(self, seconds: float) -> list[ce.Effect]:
        """Lets time pass as a shell does: a tick at each deadline."""
        end_s = self.now_s + seconds
        effects: list[ce.Effect] = []
        while (deadline_s := self.claims.next_deadline_s()) <= end_s:
            self.now_s = max(self.now_s, deadline_s)
            self.claims.tick(self.now_s)
            effects += self.claims.effects()
            assert self.claims.next_deadline_s() > self.now_s
        self.now_s = end_s
        return effects

    def sleep(self, seconds: float) -> list[ce.Effect]:
        """The whole process is stopped for so long."""
        self.now_s += seconds
        self.claims.tick(self.now_s)
        return self.claims.effects()

    def read(
        self,
        claims: Iterable[Claim] = (),
        ended: Iterable[Claim] = (),
        *,
        rules: Rules | None = None,
    ) -> list[ce.Effect]:
        self.rules = rules or self.rules
        self.records = self.records[0] | {*claims}, self.records[1] | {*ended}
        return self.tell(
            ce.RecordsRead(
                claims=self.records[0], over=self.records[1], others=self.others, rules=self.rules
            )
        )

    def basis(self, claim: Claim) -> str:
        """What a peer would say that knows what this one knows."""
        return self.claims._records.basis(claim)

    def want(self, job: JobId = JOB) -> list[ce.Effect]:
        self.asked_s = self.now_s
        return self.tell(ce.Want(job=job))

    def may_heat(self, claim: Claim) -> ce.MayHeat:
        """What follows when the last `want` is granted by all."""
        return ce.MayHeat(claim=claim, begin_until_s=self.asked_s + TIMES.begin_within_s)

    def hear(self, message: m.ClaimMessage, sender: PeerId | None = None) -> list[ce.Effect]:
        return self.tell(
            ce.ClaimMessageReceived(peer=sender or PeerId(message.claim.peer), message=message)
        )

    def stored(self, effect: ce.StorePromise | ce.StoreStart | ce.StoreArmed) -> list[ce.Effect]:
        return self.tell(ce.PromiseStored(effect=effect))

    def asked(self, claim: Claim) -> list[ce.Effect]:
        """A peer that knows the same asks."""
        return self.hear(self.ask(claim))

    def asked_to_arm(self, claim: Claim) -> list[ce.Effect]:
        """A peer that knows the same has stored its start record."""
        return self.hear(self.arm_of(claim))

    def ask(self, claim: Claim) -> m.Ask:
        """The question of a peer that knows what this one knows."""
        return m.Ask(claim=m.ClaimText.of(claim), basis=self.basis(claim))

    def arm_of(self, claim: Claim) -> m.Arm:
        """The second question of such a peer."""
        return m.Arm(claim=m.ClaimText.of(claim), basis=self.basis(claim))

    def promise(self, claim: Claim) -> None:
        self.asked(claim)
        assert self.stored(ce.StorePromise(claim=claim)) == [told(claim.peer, grant(claim))]

    def arm(self, claim: Claim) -> None:
        self.asked_to_arm(claim)
        assert self.stored(ce.StoreArmed(claim=claim)) == [told(claim.peer, armed(claim))]


def grant(claim: Claim) -> m.Grant:
    return m.Grant(claim=m.ClaimText.of(claim))


def deny(claim: Claim, reason: str) -> m.Deny:
    return m.Deny(claim=m.ClaimText.of(claim), reason=reason)


def armed(claim: Claim) -> m.Armed:
    return m.Armed(claim=m.ClaimText.of(claim))


def release(claim: Claim) -> m.Release:
    return m.Release(claim=m.ClaimText.of(claim))


def told(to: PeerId, message: m.ClaimMessage) -> ce.Tell:
    return ce.Tell(peer=to, message=message)


def denied(claim: Claim, reason: ce.No) -> list[ce.Effect]:
    return [told(claim.peer, deny(claim, reason.value))]


def missed(reason: ce.No, job: JobId = JOB) -> ce.Missed:
    return ce.Missed(job=job, reason=reason)


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
