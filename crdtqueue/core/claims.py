"""Who may print which job: GRANT, then ARM, and only then may anything heat.

A CRDT converges; it cannot exclude. So a claimant asks every peer in sight for the job. Each peer
promises a job to one claim at a time, stores the promise, then grants. With all grants the claimant
stores its start record, and has the granting peers store it before they acknowledge. An armed claim
is a print in progress: it ends by its owner's end record, or lapses after a long silence.

Rules:

1. A promise is stored before the grant is sent, a start record before its acknowledgement.
2. Of two claims of one job the one of higher rank wins, on every peer (`Claim.rank`). A higher one
   that comes to a voter after a lower one waits there: the lower gives up when it hears of it.
3. Time is this peer's monotonic clock. Ages travel, instants do not.
4. A peer that is not in sync neither claims nor grants.
5. A peer that boots alone, though it knows others, holds back for `cold_start_hold_s`.
6. Whoever is or comes in sight before the claim is armed is a voter; where one is lost, the attempt
   is given up, since what it has promised or wants itself is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from crdtqueue.core.claim_events import (
    ClaimTimes,
    DropPromise,
    Effect,
    Event,
    HeardOf,
    MayHeat,
    Missed,
    No,
    NotStored,
    PeerGone,
    PeerSeen,
    RecordsRead,
    Said,
    StoreArmed,
    Stored,
    StorePromise,
    StoreStart,
    SyncChanged,
    Tell,
    Want,
    WriteEnd,
)
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.messages import (
    Arm,
    Armed,
    Ask,
    ClaimMessage,
    ClaimText,
    Deny,
    Grant,
    HeldClaim,
    Release,
)

EPOCH_MAX = 999_999_999
PROMISES_MAX = 10_000
HELD_IN_HEARTBEAT_MAX = 200


class Phase(Enum):
    """How far this peer's own attempt is."""

    ASKING = auto()
    STORING = auto()
    ARMING = auto()


@dataclass(kw_only=True, slots=True)
class _Attempt:
    claim: Claim
    phase: Phase
    voters: set[PeerId]
    answered: set[PeerId]
    deadline_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """A job promised to `claim` until `expires_s`; armed ones do not expire."""

    claim: Claim
    armed: bool
    expires_s: float


class Claims:
    """The claims of one queue, as one peer sees them.

    Call `receive` with each event and `tick` at `next_deadline_s`; after each, carry out all that
    `effects` returns, in order. `promises` are those of the store, at the start.
    """

    def __init__(
        self,
        *,
        me: PeerId,
        incarnation: int,
        times: ClaimTimes,
        promises: Iterable[tuple[Claim, bool]],
        now_s: float,
    ) -> None:
        self._me = me
        self._incarnation = incarnation
        self._times = times
        self._started_s = now_s
        self._seen_s: dict[PeerId, float] = {}
        self._met_others = False
        self._others: frozenset[PeerId] = frozenset()
        self._synced = False
        self._claims: frozenset[Claim] = frozenset()
        self._ended: frozenset[Claim] = frozenset()
        self._epochs: dict[JobId, int] = {}
        self._alive_s: dict[Claim, float] = {}
        self._attempt: _Attempt | None = None
        self._waiting: dict[JobId, Claim] = {}
        self._effects: list[Effect] = []
        # How long before the restart they were made is unknown: they get their whole time again.
        self._promises = {
            claim.job: Promise(claim=claim, armed=armed, expires_s=now_s + times.unarmed_lapse_s)
            for claim, armed in promises
        }

    # What happened

    def receive(self, event: Event, now_s: float) -> None:
        """Takes in one event."""
        match event:
            case Want(job=job):
                self._want(job, now_s)
            case PeerSeen(peer=peer):
                self._see(peer, now_s)
            case PeerGone(peer=peer):
                self._lose(peer)
            case Said(peer=peer, message=message):
                self._see(peer, now_s)
                self._said(peer, message, now_s)
            case HeardOf(peer=peer, held=held):
                self._see(peer, now_s)
                self._heard_of(peer, held, now_s)
            case RecordsRead():
                self._read(event, now_s)
            case SyncChanged(synced=synced):
                self._synced = synced
                if self._attempt and self._attempt.phase is Phase.ASKING and not synced:
                    self._give_up(No.UNSYNCED)
            case Stored(effect=effect):
                self._stored(effect, now_s)
            case NotStored(effect=effect):
                self._not_stored(effect.claim, now_s)

    def tick(self, now_s: float) -> None:
        """Lets time pass: peers fall out of sight, promises lapse, answers come too late."""
        for peer in [p for p, s in self._seen_s.items() if now_s >= s + self._times.out_of_sight_s]:
            self._lose(peer)
        for promise in list(self._promises.values()):
            over = promise.claim in self._ended if promise.armed else now_s >= promise.expires_s
            if over:
                self._free(promise.claim.job, now_s)
        attempt = self._attempt
        if attempt and attempt.phase is not Phase.STORING and now_s >= attempt.deadline_s:
            self._give_up(No.NO_ANSWER)

    def effects(self) -> list[Effect]:
        """What must be done now; each is handed out once."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` has something to do, at the latest; None if nothing is awaited."""
        deadlines = [seen + self._times.out_of_sight_s for seen in self._seen_s.values()]
        deadlines += [p.expires_s for p in self._promises.values() if not p.armed]
        if self._attempt and self._attempt.phase is not Phase.STORING:
            deadlines.append(self._attempt.deadline_s)
        return min(deadlines, default=None)

    # What is known

    def held_by(self, job: JobId, now_s: float) -> Claim | None:
        """The claim that owns the job now: the open one of highest rank that has not lapsed."""
        held = [c for c in self._open() if c.job == job and not self._lapsed(c, now_s)]
        return max(held, key=lambda claim: claim.rank, default=None)

    def held(self, now_s: float) -> dict[JobId, Claim]:
        """`held_by` of every job that is owned."""
        best: dict[JobId, Claim] = {}
        for claim in self._open():
            if not self._lapsed(claim, now_s):
                other = best.get(claim.job)
                best[claim.job] = max(claim, other, key=lambda c: c.rank) if other else claim
        return best

    def silent_s(self, claim: Claim, now_s: float) -> float:
        """How long nobody has heard from the owner of an open claim."""
        return 0.0 if claim.peer == self._me else now_s - self._alive_s.get(claim, now_s)

    def heartbeat(self, now_s: float) -> tuple[HeldClaim, ...]:
        """The open claims to name in a heartbeat, our own first."""
        claims = sorted(self._open(), key=lambda c: (c.peer != self._me, c.key))
        return tuple(
            HeldClaim(claim=ClaimText.of(claim), silent_s=self.silent_s(claim, now_s))
            for claim in claims[:HELD_IN_HEARTBEAT_MAX]
        )

    def why_not(self, job: JobId, now_s: float) -> No | None:
        """Why this peer cannot ask for the job now; None if it can."""
        if self._attempt:
            return No.BUSY
        if not self._synced:
            return No.UNSYNCED
        if self.is_cold(now_s):
            return No.COLD_START
        if self._epoch(job) >= EPOCH_MAX:
            return No.EXHAUSTED
        if self.held_by(job, now_s):
            return No.HELD
        promise = self._promises.get(job)
        if promise and not self._expired(promise, now_s):
            return No.PROMISED
        return None

    def is_cold(self, now_s: float) -> bool:
        """Whether this peer knows others, has just started, and has not met one of them yet."""
        waited = now_s - self._started_s >= self._times.cold_start_hold_s
        return bool(self._others) and not self._met_others and not waited

    def in_sight(self) -> frozenset[PeerId]:
        """The peers that were heard lately."""
        return frozenset(self._seen_s)

    def _open(self) -> frozenset[Claim]:
        armed = {p.claim for p in self._promises.values() if p.armed}
        return (self._claims | armed) - self._ended

    def _lapsed(self, claim: Claim, now_s: float) -> bool:
        return self.silent_s(claim, now_s) > self._times.takeover_s

    def _expired(self, promise: Promise, now_s: float) -> bool:
        if promise.armed:
            return promise.claim in self._ended or self._lapsed(promise.claim, now_s)
        return now_s >= promise.expires_s

    # Peers and records

    def _see(self, peer: PeerId, now_s: float) -> None:
        new = peer not in self._seen_s
        self._seen_s[peer] = now_s
        self._met_others = True
        attempt = self._attempt
        if new and attempt:
            attempt.voters.add(peer)
            self._put_question(attempt, peer)

    def _lose(self, peer: PeerId) -> None:
        self._seen_s.pop(peer, None)
        self._waiting = {job: claim for job, claim in self._waiting.items() if claim.peer != peer}
        if self._attempt and peer in self._attempt.voters:
            self._give_up(No.NO_ANSWER)

    def _heard_of(self, peer: PeerId, held: tuple[HeldClaim, ...], now_s: float) -> None:
        known = self._open()
        for each in held:
            claim = each.claim.claim
            if claim in known and claim.peer != self._me:
                silent_s = 0.0 if claim.peer == peer else each.silent_s
                heard_s = now_s - silent_s
                self._alive_s[claim] = max(self._alive_s.get(claim, heard_s), heard_s)

    def _read(self, event: RecordsRead, now_s: float) -> None:
        self._claims, self._ended = event.claims, event.ended
        self._others = event.others
        self._epochs = {}
        for claim in self._claims:
            self._epochs[claim.job] = max(self._epochs.get(claim.job, 0), claim.epoch)
        # A claim is alive from when we first saw its record: what was before, we cannot know.
        known = self._open()
        self._alive_s = {claim: self._alive_s.get(claim, now_s) for claim in known}
        if self._attempt and self._overtaken(self._attempt, now_s):
            self._give_up(No.STALE)

    def _overtaken(self, attempt: _Attempt, now_s: float) -> bool:
        """Whether the records say that our attempt comes too late."""
        job = attempt.claim.job
        if attempt.phase is Phase.ASKING:
            return self._epoch(job) >= attempt.claim.epoch
        holder = self.held_by(job, now_s)
        return holder is not None and holder.rank > attempt.claim.rank

    def _epoch(self, job: JobId) -> int:
        promise = self._promises.get(job)
        armed = promise.claim.epoch if promise and promise.armed else 0
        return max(self._epochs.get(job, 0), armed)

    # Our own attempt

    def _want(self, job: JobId, now_s: float) -> None:
        reason = self.why_not(job, now_s)
        if reason:
            self._effects.append(Missed(job=job, reason=reason))
            return
        claim = Claim(
            job=job, epoch=self._epoch(job) + 1, peer=self._me, incarnation=self._incarnation
        )
        self._attempt = _Attempt(
            claim=claim,
            phase=Phase.ASKING,
            voters=set(self._seen_s),
            answered=set(),
            deadline_s=now_s + self._times.answer_s,
        )
        self._ask_all(self._attempt)

    def _ask_all(self, attempt: _Attempt) -> None:
        for peer in sorted(attempt.voters):
            self._put_question(attempt, peer)
        self._go_on()

    def _put_question(self, attempt: _Attempt, peer: PeerId) -> None:
        if attempt.phase is Phase.ASKING:
            self._tell(peer, Ask(claim=ClaimText.of(attempt.claim)))
        elif attempt.phase is Phase.ARMING:
            self._tell(peer, Arm(claim=ClaimText.of(attempt.claim)))

    def _go_on(self) -> None:
        """Moves our attempt to its next phase once every voter has answered."""
        attempt = self._attempt
        if attempt is None or not attempt.voters <= attempt.answered:
            return
        if attempt.phase is Phase.ASKING:
            attempt.phase = Phase.STORING
            self._effects.append(StoreStart(claim=attempt.claim))
        elif attempt.phase is Phase.ARMING:
            self._attempt = None
            self._effects.append(MayHeat(claim=attempt.claim))

    def _start_stored(self, claim: Claim, now_s: float) -> None:
        attempt = self._attempt
        if attempt is None or attempt.claim != claim:
            return
        attempt.phase = Phase.ARMING
        attempt.answered = set()
        attempt.deadline_s = now_s + self._times.answer_s
        self._ask_all(attempt)

    def _give_up(self, reason: No) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        if attempt.phase is not Phase.ASKING:
            self._effects.append(WriteEnd(claim=attempt.claim, reason=reason.value))
        for peer in sorted(attempt.voters):
            self._tell(peer, Release(claim=ClaimText.of(attempt.claim)))
        self._effects.append(Missed(job=attempt.claim.job, reason=reason))

    # What others say

    def _said(self, peer: PeerId, message: ClaimMessage, now_s: float) -> None:
        claim = message.claim.claim
        ours = self._attempt is not None and self._attempt.claim == claim
        match message:
            case Ask() | Arm() | Release() if claim.peer != peer:
                return  # Nobody speaks for another peer's claim.
            case Ask():
                self._asked(claim, now_s)
            case Arm():
                self._armed_by(claim, now_s)
            case Release():
                self._released(claim, now_s)
            case Grant() if ours:
                self._answered(peer, Phase.ASKING)
            case Armed() if ours:
                self._answered(peer, Phase.ARMING)
            case Deny() if ours and self._attempt and self._attempt.phase is not Phase.STORING:
                self._give_up(next((no for no in No if no == message.reason), No.HELD))
            case _:
                return  # An answer to an attempt that is over.

    def _answered(self, peer: PeerId, phase: Phase) -> None:
        if self._attempt and self._attempt.phase is phase:
            self._attempt.answered.add(peer)
            self._go_on()

    def _asked(self, claim: Claim, now_s: float) -> None:
        reason = self._objection(claim, now_s)
        if reason is None and claim.epoch <= self._epoch(claim.job):
            reason = No.STALE
        if reason is No.PROMISED and self._lets_wait(claim):
            return
        if reason:
            self._deny(claim, reason)
            return
        if self._attempt and self._attempt.claim.job == claim.job:
            self._give_up(No.OUTRANKED)
        expires_s = now_s + self._times.unarmed_lapse_s
        self._promises[claim.job] = Promise(claim=claim, armed=False, expires_s=expires_s)
        self._effects.append(StorePromise(claim=claim))

    def _lets_wait(self, claim: Claim) -> bool:
        """Whether `claim` outranks the one that has the promise, and all that wait for it."""
        promise, waiting = self._promises.get(claim.job), self._waiting.get(claim.job)
        if promise is None or promise.armed or promise.claim.rank > claim.rank:
            return False
        if waiting and waiting.rank > claim.rank:
            return False
        if waiting and waiting != claim:
            self._deny(waiting, No.OUTRANKED)
        self._waiting[claim.job] = claim
        return True

    def _released(self, claim: Claim, now_s: float) -> None:
        promise = self._promises.get(claim.job)
        if self._waiting.get(claim.job) == claim:
            del self._waiting[claim.job]
        elif promise and promise.claim == claim and not promise.armed:
            self._free(claim.job, now_s)

    def _free(self, job: JobId, now_s: float) -> None:
        """Takes a promise back, and makes it to the claim that waits for it."""
        self._effects.append(DropPromise(claim=self._promises.pop(job).claim))
        waiting = self._waiting.pop(job, None)
        if waiting:
            self._asked(waiting, now_s)

    def _objection(self, claim: Claim, now_s: float) -> No | None:
        """Why this other peer's claim cannot have its job; None if it can."""
        if not self._synced:
            return No.UNSYNCED
        holder = self.held_by(claim.job, now_s)
        if holder and holder != claim:
            return No.HELD
        promise = self._promises.get(claim.job)
        if promise is None and len(self._promises) >= PROMISES_MAX:
            return No.PROMISED
        if promise and promise.claim != claim and not self._expired(promise, now_s):
            return No.PROMISED
        attempt = self._attempt
        if attempt and attempt.claim.job == claim.job:
            if attempt.phase is not Phase.ASKING:
                return No.HELD
            if attempt.claim.rank > claim.rank:
                return No.OUTRANKED
        return None

    def _armed_by(self, claim: Claim, now_s: float) -> None:
        reason = self._objection(claim, now_s)
        if reason:
            self._deny(claim, reason)
            return
        if self._attempt and self._attempt.claim.job == claim.job:
            self._give_up(No.OUTRANKED)
        waiting = self._waiting.pop(claim.job, None)
        if waiting and waiting != claim:
            self._deny(waiting, No.HELD)
        self._promises[claim.job] = Promise(claim=claim, armed=True, expires_s=now_s)
        self._alive_s[claim] = now_s
        self._effects.append(StoreArmed(claim=claim))

    def _stored(self, effect: StorePromise | StoreStart | StoreArmed, now_s: float) -> None:
        claim = effect.claim
        promise = self._promises.get(claim.job)
        promised = promise is not None and promise.claim == claim
        match effect:
            case StoreStart():
                self._start_stored(claim, now_s)
            case StorePromise() if promised:
                self._tell(claim.peer, Grant(claim=ClaimText.of(claim)))
            case StoreArmed() if promised:
                self._tell(claim.peer, Armed(claim=ClaimText.of(claim)))
            case _:
                return  # Released while it was being stored.

    def _not_stored(self, claim: Claim, now_s: float) -> None:
        promise = self._promises.get(claim.job)
        if self._attempt and self._attempt.claim == claim:
            self._give_up(No.DISK)
        elif promise and promise.claim == claim:
            self._deny(claim, No.DISK)
            self._free(claim.job, now_s)

    def _deny(self, claim: Claim, reason: No) -> None:
        self._tell(claim.peer, Deny(claim=ClaimText.of(claim), reason=reason.value))

    def _tell(self, peer: PeerId, message: ClaimMessage) -> None:
        self._effects.append(Tell(peer=peer, message=message))
