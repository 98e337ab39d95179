"""Which peer may print which job: GRANT, then ARM, and only then may anything heat.

A CRDT converges; it cannot exclude. So a claimant asks for the job: in *available* mode it asks
every peer in sight, in *safe* mode the named voters, of which it needs a majority. A peer promises
a job to one claim at a time; it stores the promise, then grants. With the grants that it needs, the
claimant stores its start record and asks the voters to store it, too; they acknowledge once it is
durable. Then one print may begin.

The rules; docs/claims.md gives the reasons:

1. A promise is durable before the grant is sent, a start record before its acknowledgement.
2. Of two claims of one job the one of higher rank wins, on every peer (`Claim.rank`).
3. Every print has a claim of its own. The owner of a job claims it anew for each print, which
   only the owner can do while its last claim is open. So an owner that was replaced finds out.
4. A print begins within `begin_within_s` of asking, on the owner's clock; otherwise the job is
   asked for again. A process that was stopped in between may have missed anything.
5. Only this peer's clock is used. Ages travel, instants do not. In *safe* mode silence never
   ends a claim.
6. A voter grants only to a claimant that uses the same rules and knows the same claims of the
   job. A peer that is not in sync neither claims nor grants.
7. A peer that starts while no other known peer is in sight waits for `cold_start_hold_s`. So
   does a process that was stopped for longer than it takes to fall out of sight.
8. In *available* mode every peer that is in sight, or comes in sight before the claim is armed,
   is a voter. If one is lost, the attempt is given up: its promises are not known.
"""

from collections.abc import Iterable

from crdtqueue.core.claims.claim_events import (
    ClaimMessageReceived,
    ClaimTimes,
    Effect,
    Event,
    HeardOf,
    Missed,
    No,
    PeerGone,
    PeerSeen,
    PromiseNotStored,
    PromiseStored,
    RecordsRead,
    StateVoters,
    StoreArmed,
    StorePromise,
    StoreStart,
    SyncChanged,
    Want,
)
from crdtqueue.core.claims.claim_records import ClaimRecords
from crdtqueue.core.claims.claimant import Claimant
from crdtqueue.core.claims.quorum import VoterList
from crdtqueue.core.claims.voter import Voter
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.sync.messages import (
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
HELD_IN_HEARTBEAT_MAX = 200


class Claims:
    """The claims of one queue, as one peer sees them.

    Call `receive` with each event and `tick` at `next_deadline_s`. After each call carry out
    everything that `effects` returns, in order. `promises` are those of the store, at the start.
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
        self.me = me
        self._incarnation = incarnation
        self._times = times
        self._awake_since_s = now_s
        self._last_s = now_s
        self._seen_s: dict[PeerId, float] = {}
        self.met_others = False
        self._others: frozenset[PeerId] = frozenset()
        self._synced = False
        self._stated_s: float | None = None
        self._effects: list[Effect] = []
        self._records = ClaimRecords(me, times.takeover_s)
        self._claimant = Claimant(
            me=me, incarnation=incarnation, records=self._records, times=times, do=self._do
        )
        self._voter = Voter(
            records=self._records,
            times=times,
            object_to=self._object_to,
            give_way=self._claimant.give_way,
            do=self._do,
        )
        self._voter.restore(promises, now_s)

    # What happened

    def receive(self, event: Event, now_s: float) -> None:
        """Takes in one event."""
        self._let_pass(now_s)
        match event:
            case Want(job=job):
                self._want(job, now_s)
            case PeerSeen(peer=peer):
                self._see(peer, now_s)
            case PeerGone(peer=peer):
                self._lose(peer)
            case ClaimMessageReceived(peer=peer, message=message):
                self._see(peer, now_s)
                self._said(peer, message, now_s)
            case HeardOf(peer=peer, held=held):
                self._see(peer, now_s)
                self._heard_of(peer, held, now_s)
            case RecordsRead():
                self._read(event, now_s)
            case SyncChanged(synced=synced):
                self._synced = synced
                if not synced:
                    self._claimant.unsynced()
            case PromiseStored(effect=StoreStart(claim=claim)):
                self._claimant.start_stored(claim, now_s)
            case PromiseStored(effect=StorePromise() | StoreArmed() as promised):
                self._voter.stored(promised)
            case PromiseNotStored(effect=StoreStart(claim=claim)):
                self._claimant.start_not_stored(claim)
            case PromiseNotStored(effect=StorePromise() | StoreArmed() as promised):
                self._voter.not_stored(promised, now_s)

    def tick(self, now_s: float) -> None:
        """Lets time pass: peers fall out of sight, promises lapse, answers come too late.

        Without a call for `out_of_sight_s` this process counts as having been stopped.
        """
        self._let_pass(now_s)

    def effects(self) -> list[Effect]:
        """What must be done now. Each effect is returned once."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float:
        """When `tick` has something to do, at the latest."""
        deadlines = [self._last_s + self._times.heartbeat_s]
        deadlines += [seen + self._times.out_of_sight_s for seen in self._seen_s.values()]
        others = self._voter.next_deadline_s(), self._claimant.next_deadline_s()
        return min(deadlines + [each for each in others if each is not None])

    # What is known

    def held_by(self, job: JobId, now_s: float) -> Claim | None:
        """The claim that owns the job now: the open one of highest rank that has not lapsed."""
        return self._records.owner(job, now_s)

    def open_of_owner(self, claim: Claim) -> list[Claim]:
        """All open claims of the claim's owner on the job: it may have been about to claim it
        anew."""
        claims = self._records.open(claim.job)
        return sorted((c for c in claims if c.peer == claim.peer), key=lambda c: c.key)

    def held(self, now_s: float) -> dict[JobId, Claim]:
        """`held_by` of every job that is owned."""
        return self._records.owners(now_s)

    def silent_s(self, claim: Claim, now_s: float) -> float:
        """How long nobody has heard from the owner of an open claim."""
        return self._records.silent_s(claim, now_s)

    def takeover_in_s(self, claim: Claim, now_s: float) -> float | None:
        """When others may take over from this open claim; None if no silence is long enough."""
        takeover_s = self._records.takeover_s
        return None if takeover_s is None else max(takeover_s - self.silent_s(claim, now_s), 0.0)

    def may_begin(self, claim: Claim, now_s: float) -> bool:
        """Whether a print may begin under this claim of ours now; if not, want the job again."""
        return self._claimant.may_begin(claim, now_s)

    def heartbeat(self, now_s: float) -> tuple[HeldClaim, ...]:
        """The open claims to name in a heartbeat, our own first."""
        claims = sorted(self._records.all_open(), key=lambda c: (c.peer != self.me, c.key))
        return tuple(
            HeldClaim(claim=ClaimText.of(claim), silent_s=self.silent_s(claim, now_s))
            for claim in claims[:HELD_IN_HEARTBEAT_MAX]
        )

    def why_not(self, job: JobId, now_s: float) -> No | None:
        """Why this peer cannot ask for the job now; None if it can."""
        if self._claimant.is_busy:
            return No.BUSY
        if self.is_outdated:
            return No.OUTDATED
        if not self._synced:
            return No.UNSYNCED
        if self.short_of():
            return No.NO_MAJORITY
        if self.is_cold(now_s):
            return No.COLD_START
        if self._records.epoch(job) >= EPOCH_MAX:
            return No.EXHAUSTED
        owner = self.held_by(job, now_s)
        if owner and owner.peer != self.me:
            return No.HELD
        return No.PROMISED if self._voter.promised(job, now_s) else None

    def is_cold(self, now_s: float) -> bool:
        """Whether this peer knows others, has just started, and has not met any of them yet."""
        waited = now_s - self._awake_since_s >= self._times.cold_start_hold_s
        return bool(self._others) and not self.met_others and not waited

    @property
    def is_outdated(self) -> bool:
        """Whether the store was copied, or put back to an earlier state: the document has claims
        of a later start of this peer."""
        return self._records.own_incarnation > self._incarnation

    def short_of(self) -> VoterList | None:
        """In *safe* mode: a voter list of which no majority is in sight; None if there is no
        such list."""
        rules = self._records.rules
        return rules.short_of(self.in_sight() | {self.me}) if rules.is_safe else None

    def in_sight(self) -> frozenset[PeerId]:
        """The peers that were heard within the last seconds."""
        return frozenset(self._seen_s)

    @property
    def size(self) -> int:
        """The number of remembered facts that are not in the document."""
        return len(self._seen_s) + self._voter.size + self._records.size

    # Time

    def _let_pass(self, now_s: float) -> None:
        gap_s, self._last_s = now_s - self._last_s, now_s
        times = self._times
        if gap_s > times.out_of_sight_s:
            self._awake_since_s, self.met_others = now_s, False
            self._records.slept(gap_s)
        for peer in [p for p, s in self._seen_s.items() if now_s >= s + times.out_of_sight_s]:
            self._lose(peer)
        self._voter.lapse(now_s)
        self._claimant.let_pass(now_s)
        self._state_voters(now_s)

    def _state_voters(self, now_s: float) -> None:
        """Asks for our statement, and again after a while: a full disk answers nothing."""
        named = self._records.rules.lists.to_state(self.me)
        due = self._stated_s is None or now_s >= self._stated_s + self._times.out_of_sight_s
        if named and due:
            self._stated_s = now_s
            self._do(StateVoters(named=named))

    # Peers and records

    def _see(self, peer: PeerId, now_s: float) -> None:
        new = peer not in self._seen_s
        self._seen_s[peer] = now_s
        self.met_others = True
        if new:
            self._claimant.see(peer)

    def _lose(self, peer: PeerId) -> None:
        self._seen_s.pop(peer, None)
        self._voter.lose(peer)
        self._claimant.lose(peer)

    def _heard_of(self, peer: PeerId, held: tuple[HeldClaim, ...], now_s: float) -> None:
        for each in held:
            claim = each.claim.claim
            silent_s = 0.0 if claim.peer == peer else each.silent_s
            self._records.heard_of(claim, silent_s, now_s)

    def _read(self, event: RecordsRead, now_s: float) -> None:
        self._others = event.others - {self.me}
        self._records.read(event.claims, event.over, now_s)
        self._voter.forget_ended()
        if self._records.go_by(event.rules):
            self._stated_s = None
            self._claimant.give_up(No.STALE)
        self._claimant.look_at_records(now_s)
        self._state_voters(now_s)

    # What is asked for, here and elsewhere

    def _want(self, job: JobId, now_s: float) -> None:
        reason = self.why_not(job, now_s)
        if reason:
            self._do(Missed(job=job, reason=reason))
        else:
            self._claimant.ask(job, self.in_sight(), now_s)

    def _said(self, peer: PeerId, message: ClaimMessage, now_s: float) -> None:
        claim = message.claim.claim
        match message:
            case Ask() | Arm() | Release() if claim.peer != peer:
                return  # Nobody speaks for another peer's claim.
            case Ask():
                self._voter.asked(message, now_s)
            case Arm():
                self._voter.armed(message, now_s)
            case Release():
                self._voter.released(claim, now_s)
            case Grant():
                self._claimant.granted(peer, claim)
            case Armed():
                self._claimant.acknowledged(peer, claim)
            case Deny():
                reason = next((no for no in No if no == message.reason), No.HELD)
                self._claimant.denied(peer, claim, reason)

    def _object_to(self, claim: Claim, basis: str) -> No | None:
        """The reason, other than a promise, for which another peer's claim cannot be granted."""
        if not self._synced:
            return No.UNSYNCED
        reason = self._claimant.objection(claim)
        if reason is None and basis != self._records.basis(claim):
            return No.UNSYNCED
        return reason

    def _do(self, effect: Effect) -> None:
        self._effects.append(effect)
