"""The voter's part of the claim protocol: its promises and its acknowledgements.

A job is promised to one claim at a time, for `unarmed_lapse_s`. Of the claims that come later the
one of the highest rank waits here, so that printers that ask together do not all miss. An
acknowledged claim counts like a record of the document: only its end frees the job.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from crdtqueue.core.claims.claim_events import (
    ClaimTimes,
    DropPromise,
    Effect,
    No,
    StoreArmed,
    StorePromise,
    Tell,
)
from crdtqueue.core.claims.claim_records import (
    ClaimRecords,
    follows,
)
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.sync.messages import (
    Arm,
    Armed,
    Ask,
    ClaimText,
    Deny,
    Grant,
)

PROMISES_MAX = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """The job is promised to `claim` until `expires_s`."""

    claim: Claim
    expires_s: float


class Voter:
    """The promises of one peer in one queue. `do` is called with each effect.

    `object_to` returns the reason, other than a promise, for which a claim cannot be granted now.
    `give_way` is called when a job is promised to another peer while this peer has asked for it,
    too.
    """

    def __init__(
        self,
        *,
        records: ClaimRecords,
        times: ClaimTimes,
        object_to: Callable[[Claim, str], No | None],
        give_way: Callable[[JobId], None],
        do: Callable[[Effect], None],
    ) -> None:
        self._records = records
        self._times = times
        self._object_to = object_to
        self._give_way = give_way
        self._do = do
        self._promises: dict[JobId, Promise] = {}
        self._waiting: dict[JobId, Ask] = {}
        self._armed: dict[Claim, Arm] = {}

    def restore(self, promises: Iterable[tuple[Claim, bool]], now_s: float) -> None:
        """Takes in the promises of the store; True marks a claim that was armed.

        It is unknown how long before the restart a promise was made, so it lasts for its whole time
        again.
        """
        for claim, armed in promises:
            if armed:
                self._records.acknowledge(claim, now_s)
                self._armed[claim] = Arm(claim=ClaimText.of(claim), basis="0" * 16)
            else:
                self._promise(claim, now_s)

    def _promise(self, claim: Claim, now_s: float) -> None:
        expires_s = now_s + self._times.unarmed_lapse_s
        self._promises[claim.job] = Promise(claim=claim, expires_s=expires_s)

    # What is known

    def promised(self, job: JobId, now_s: float) -> Claim | None:
        """The claim that the job is promised to now."""
        promise = self._promises.get(job)
        return promise.claim if promise and now_s < promise.expires_s else None

    def next_deadline_s(self) -> float | None:
        """When the next promise lapses."""
        return min((each.expires_s for each in self._promises.values()), default=None)

    @property
    def size(self) -> int:
        """How many promises, acknowledgements and waiting claims are remembered."""
        return len(self._promises) + len(self._armed) + len(self._waiting)

    # What happens

    def lapse(self, now_s: float) -> None:
        """Takes back the promises whose time is over."""
        over = [each for each in self._promises.values() if now_s >= each.expires_s]
        for promise in over:
            self._free(promise.claim, now_s)

    def forget_ended(self) -> None:
        """Deletes promises from the store whose claims are over by the records."""
        for claim in [each for each in self._armed if self._records.is_over(each)]:
            del self._armed[claim]
            self._do(DropPromise(claim=claim))

    def lose(self, peer: PeerId) -> None:
        """A peer is out of sight: its waiting claims are dropped."""
        self._waiting = {j: ask for j, ask in self._waiting.items() if ask.claim.peer != peer}

    def asked(self, ask: Ask, now_s: float) -> None:
        """A claimant asks for a job."""
        claim = ask.claim.claim
        reason = self._objection(claim, ask.basis, now_s)
        if reason in {None, No.UNSYNCED} and self._is_stale(claim):
            reason = No.STALE
        if reason is No.PROMISED and self._lets_wait(ask, now_s):
            return
        if reason:
            self._deny(claim, reason)
            return
        self._give_way(claim.job)
        self._promise(claim, now_s)
        self._do(StorePromise(claim=claim))

    def armed(self, arm: Arm, now_s: float) -> None:
        """A claimant has stored its start record."""
        claim = arm.claim.claim
        reason = self._objection(claim, arm.basis, now_s)
        if reason:
            self._deny(claim, reason)
            return
        self._give_way(claim.job)
        self._promises.pop(claim.job, None)
        self._deny_waiting(claim)
        self._records.acknowledge(claim, now_s)
        self._armed[claim] = arm
        self._do(StoreArmed(claim=claim))

    def released(self, claim: Claim, now_s: float) -> None:
        """A claimant gives up a claim that it has not armed."""
        waiting, promise = self._waiting.get(claim.job), self._promises.get(claim.job)
        if waiting and waiting.claim.claim == claim:
            del self._waiting[claim.job]
        elif promise and promise.claim == claim:
            self._free(claim, now_s)

    def stored(self, effect: StorePromise | StoreArmed) -> None:
        """The promise is durable: the claimant is told, unless the promise was taken back
        meanwhile."""
        claim = effect.claim
        if isinstance(effect, StorePromise):
            promise = self._promises.get(claim.job)
            if promise and promise.claim == claim:
                self._do(Tell(peer=claim.peer, message=Grant(claim=ClaimText.of(claim))))
            return
        arm = self._armed.get(claim)
        reason = self._object_to(claim, arm.basis) if arm else No.STALE
        if reason:
            self._deny(claim, reason)
        else:
            self._do(Tell(peer=claim.peer, message=Armed(claim=ClaimText.of(claim))))

    def not_stored(self, effect: StorePromise | StoreArmed, now_s: float) -> None:
        """The promise could not be stored: the disk is full."""
        claim = effect.claim
        promise = self._promises.get(claim.job)
        if isinstance(effect, StoreArmed) and claim in self._armed:
            del self._armed[claim]
            self._records.forget(claim)
            self._deny(claim, No.DISK)
            self._do(DropPromise(claim=claim))
        elif promise and promise.claim == claim:
            self._deny(claim, No.DISK)
            self._free(claim, now_s)

    # How it is decided

    def _objection(self, claim: Claim, basis: str, now_s: float) -> No | None:
        """Why this claim of another peer cannot be granted; None if it can."""
        if self._records.is_over(claim):
            return No.STALE
        owner = self._records.owner(claim.job, now_s)
        if owner and owner != claim and not follows(claim, owner):
            return No.HELD
        promised = self.promised(claim.job, now_s)
        if promised and promised != claim and not follows(claim, promised):
            return No.PROMISED
        if not promised and len(self._promises) + len(self._armed) >= PROMISES_MAX:
            return No.PROMISED
        return self._object_to(claim, basis)

    def _is_stale(self, claim: Claim) -> bool:
        """Whether we know a claim of the job that the claimant does not know."""
        return claim.epoch <= self._records.epoch(claim.job)

    def _lets_wait(self, ask: Ask, now_s: float) -> bool:
        """Whether the claim has a higher rank than the promised one and all that wait."""
        claim = ask.claim.claim
        promised, waiting = self.promised(claim.job, now_s), self._waiting.get(claim.job)
        if promised is None or promised.rank > claim.rank:
            return False
        if waiting and waiting.claim.claim.rank > claim.rank:
            return False
        self._deny_waiting(claim, No.OUTRANKED)
        self._waiting[claim.job] = ask
        return True

    def _deny_waiting(self, claim: Claim, reason: No = No.HELD) -> None:
        """`claim` replaces the claim that waits for the job."""
        waiting = self._waiting.pop(claim.job, None)
        if waiting and waiting.claim.claim != claim:
            self._deny(waiting.claim.claim, reason)

    def _free(self, claim: Claim, now_s: float) -> None:
        """Takes a promise back, and promises the job to the claim that waits for it."""
        del self._promises[claim.job]
        self._do(DropPromise(claim=claim))
        waiting = self._waiting.pop(claim.job, None)
        if waiting:
            self.asked(waiting, now_s)

    def _deny(self, claim: Claim, reason: No) -> None:
        denial = Deny(claim=ClaimText.of(claim), reason=reason.value)
        self._do(Tell(peer=claim.peer, message=denial))
