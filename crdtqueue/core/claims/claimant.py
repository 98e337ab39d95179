"""The claimant's part of the claim protocol: one attempt at a time, until it is armed or given up.

ASKING: the voters are asked for the job. STORING: enough of them have granted it, and our start
record is being written to disk. ARMING: the voters store that record. Then one print may begin.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import Enum, auto

from crdtqueue.core.claims.claim_events import (
    ClaimTimes,
    Effect,
    MayHeat,
    Missed,
    No,
    StoreStart,
    Tell,
    WriteEnd,
)
from crdtqueue.core.claims.claim_records import (
    ClaimRecords,
    follows,
)
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.sync.messages import (
    Arm,
    Ask,
    ClaimText,
    Release,
)


class AttemptPhase(Enum):
    """The phases of an attempt."""

    ASKING = auto()
    STORING = auto()
    ARMING = auto()


@dataclass(kw_only=True, slots=True)
class Attempt:
    """The claim that was asked for, and who has answered.

    `voters` are those who have not refused.
    """

    claim: Claim
    phase: AttemptPhase
    voters: set[PeerId]
    answered: set[PeerId]
    began_s: float
    deadline_s: float


class Claimant:
    """The attempts of one peer in one queue. `do` is called with each effect."""

    def __init__(
        self,
        *,
        me: PeerId,
        incarnation: int,
        records: ClaimRecords,
        times: ClaimTimes,
        do: Callable[[Effect], None],
    ) -> None:
        self._me = me
        self._incarnation = incarnation
        self._records = records
        self._times = times
        self._do = do
        self._attempt: Attempt | None = None
        self._armed: tuple[Claim, float] | None = None

    # What is known

    @property
    def is_busy(self) -> bool:
        """Whether an attempt is under way."""
        return self._attempt is not None

    def next_deadline_s(self) -> float | None:
        """When the answers of the voters are due."""
        attempt = self._attempt
        return attempt.deadline_s if attempt and attempt.phase is not AttemptPhase.STORING else None

    def may_begin(self, claim: Claim, now_s: float) -> bool:
        """Whether a print may begin under this claim of ours now."""
        fresh = self._armed is not None and self._armed[0] == claim and now_s <= self._armed[1]
        return fresh and self._records.owner(claim.job, now_s) == claim

    def objection(self, claim: Claim) -> No | None:
        """Why our own attempt keeps another peer's claim from the job; None if it does not."""
        attempt = self._attempt
        if attempt is None or attempt.claim.job != claim.job:
            return None
        if attempt.phase is not AttemptPhase.ASKING:
            return No.HELD
        return No.OUTRANKED if attempt.claim.rank > claim.rank else None

    # What happens

    def ask(self, job: JobId, in_sight: Set[PeerId], now_s: float) -> None:
        """Begins an attempt: asks the peers in sight that have a vote."""
        epoch = self._records.epoch(job) + 1
        self._attempt = Attempt(
            claim=Claim(job=job, epoch=epoch, peer=self._me, incarnation=self._incarnation),
            phase=AttemptPhase.ASKING,
            voters={peer for peer in in_sight if self._has_vote(peer)},
            answered=set(),
            began_s=now_s,
            deadline_s=now_s + self._times.answer_s,
        )
        self._ask_all(self._attempt)

    def see(self, peer: PeerId) -> None:
        """A peer has come in sight."""
        attempt = self._attempt
        if attempt and self._has_vote(peer):
            attempt.voters.add(peer)
            self._put_question(attempt, peer)

    def granted(self, peer: PeerId, claim: Claim) -> None:
        """A voter has promised us the job."""
        self._answered(peer, claim, AttemptPhase.ASKING)

    def acknowledged(self, peer: PeerId, claim: Claim) -> None:
        """A voter has stored our start record."""
        self._answered(peer, claim, AttemptPhase.ARMING)

    def denied(self, peer: PeerId, claim: Claim, reason: No) -> None:
        """A voter refuses."""
        attempt = self._attempt
        if attempt and attempt.claim == claim and attempt.phase is not AttemptPhase.STORING:
            self._do_without(peer, reason)

    def lose(self, peer: PeerId) -> None:
        """A peer is out of sight."""
        if self._attempt and peer in self._attempt.voters:
            self._do_without(peer, No.NO_ANSWER)

    def start_stored(self, claim: Claim, now_s: float) -> None:
        """Our start record is durable."""
        attempt = self._attempt
        if attempt is None or attempt.claim != claim:
            return
        attempt.phase = AttemptPhase.ARMING
        attempt.answered = set()
        attempt.deadline_s = now_s + self._times.answer_s
        self._ask_all(attempt)

    def start_not_stored(self, claim: Claim) -> None:
        """The disk is full."""
        if self._attempt and self._attempt.claim == claim:
            self.give_up(No.DISK)

    def unsynced(self) -> None:
        """The document is no longer in sync. An attempt that was already granted may go on."""
        if self._attempt and self._attempt.phase is AttemptPhase.ASKING:
            self.give_up(No.UNSYNCED)

    def give_way(self, job: JobId) -> None:
        """The job goes to another peer."""
        if self._attempt and self._attempt.claim.job == job:
            self.give_up(No.OUTRANKED)

    def look_at_records(self, now_s: float) -> None:
        """Gives up an attempt that the records show to be too late."""
        attempt = self._attempt
        if attempt is None:
            return
        job, owner = attempt.claim.job, self._records.owner(attempt.claim.job, now_s)
        if attempt.phase is AttemptPhase.ASKING:
            overtaken = self._records.epoch(job) >= attempt.claim.epoch
        else:
            overtaken = owner is not None and owner.rank > attempt.claim.rank
        if overtaken:
            self.give_up(No.STALE)

    def let_pass(self, now_s: float) -> None:
        """Lets time pass: an attempt ends if the answers come too late."""
        deadline_s = self.next_deadline_s()
        if deadline_s is not None and now_s >= deadline_s:
            self.give_up(No.NO_ANSWER)

    def give_up(self, reason: No) -> None:
        """Ends the attempt, if there is one."""
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        if attempt.phase is not AttemptPhase.ASKING:
            self._do(WriteEnd(claim=attempt.claim, reason=reason.value))
        for peer in sorted(attempt.voters):
            self._do(Tell(peer=peer, message=Release(claim=ClaimText.of(attempt.claim))))
        self._do(Missed(job=attempt.claim.job, reason=reason))

    # How it goes on

    def _has_vote(self, peer: PeerId) -> bool:
        rules = self._records.rules
        return not rules.is_safe or peer in rules.lists.voters

    def _suffices(self, attempt: Attempt, votes: set[PeerId]) -> bool:
        rules = self._records.rules
        if rules.is_safe:
            return rules.short_of(votes | {self._me}) is None
        return attempt.voters <= votes

    def _ask_all(self, attempt: Attempt) -> None:
        for peer in sorted(attempt.voters):
            self._put_question(attempt, peer)
        self._go_on()

    def _put_question(self, attempt: Attempt, peer: PeerId) -> None:
        text, basis = ClaimText.of(attempt.claim), self._records.basis(attempt.claim)
        if attempt.phase is AttemptPhase.ASKING:
            self._do(Tell(peer=peer, message=Ask(claim=text, basis=basis)))
        elif attempt.phase is AttemptPhase.ARMING:
            self._do(Tell(peer=peer, message=Arm(claim=text, basis=basis)))

    def _answered(self, peer: PeerId, claim: Claim, phase: AttemptPhase) -> None:
        attempt = self._attempt
        current = attempt and attempt.claim == claim and attempt.phase is phase
        if attempt and current and peer in attempt.voters:
            attempt.answered.add(peer)
            self._go_on()

    def _go_on(self) -> None:
        """Moves the attempt to its next phase once enough voters have answered."""
        attempt = self._attempt
        if attempt is None or not self._suffices(attempt, attempt.answered):
            return
        if attempt.phase is AttemptPhase.ASKING:
            attempt.phase = AttemptPhase.STORING
            self._do(StoreStart(claim=attempt.claim))
        elif attempt.phase is AttemptPhase.ARMING:
            self._attempt = None
            begin_until_s = attempt.began_s + self._times.begin_within_s
            self._armed = attempt.claim, begin_until_s
            self._do(MayHeat(claim=attempt.claim, begin_until_s=begin_until_s))
            self._end_older(attempt.claim)

    def _end_older(self, claim: Claim) -> None:
        """Rule 3 of `claims.py`: the new claim replaces our last one."""
        for older in sorted(self._records.open(claim.job), key=lambda each: each.key):
            if follows(claim, older):
                self._do(WriteEnd(claim=older, reason="renewed"))

    def _do_without(self, peer: PeerId, reason: No) -> None:
        """A voter refuses, or is gone: in *safe* mode the attempt goes on while a majority is
        left."""
        attempt = self._attempt
        if attempt is None:
            return
        attempt.voters.discard(peer)
        attempt.answered.discard(peer)
        if not (self._records.rules.is_safe and self._suffices(attempt, attempt.voters)):
            attempt.voters.add(peer)
            self.give_up(reason)
