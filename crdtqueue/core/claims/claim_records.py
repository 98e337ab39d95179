"""What a peer knows about the claims of a queue: the records of the document, and when each owner
was last heard."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable

from crdtqueue.core.claims.quorum import Rules
from crdtqueue.core.ids import Claim, JobId, PeerId


class ClaimRecords:
    """The claims of one queue, and its rules. Claims are only added, and a claim that is over stays
    over.

    In *available* mode a claim stops counting after a silence of `takeover_s`.
    """

    def __init__(self, me: PeerId, takeover_s: float) -> None:
        self.own_incarnation = 0
        """The highest of our own that any record names."""
        self._rules = Rules()
        self._rules_digest = self._rules.digest
        self._takeover_s = takeover_s
        self._me = me
        self._claims: set[Claim] = set()
        self._over: set[Claim] = set()
        self._acknowledged: set[Claim] = set()
        self._open: defaultdict[JobId, set[Claim]] = defaultdict(set)
        self._epochs: dict[JobId, int] = {}
        self._history: defaultdict[JobId, int] = defaultdict(int)
        self._alive_s: dict[Claim, float] = {}

    # What comes in

    def read(self, claims: frozenset[Claim], over: frozenset[Claim], now_s: float) -> None:
        """Takes in the document's records."""
        for claim in claims - self._claims:
            self._add(claim, now_s)
        for claim in over - self._over:
            self._over.add(claim)
            self._raise_epoch(claim)
            self._history[claim.job] ^= _token(f"{claim.key}/over")
            self._alive_s.pop(claim, None)
            self._close(claim)
        self._acknowledged = {
            each for each in self._acknowledged if each not in claims and each not in over
        }

    def go_by(self, rules: Rules) -> bool:
        """Takes in the queue's rules; returns whether claims under the old ones are void."""
        if rules == self._rules:
            return False
        before, self._rules_digest = self._rules_digest, rules.digest
        self._rules = rules
        return before != self._rules_digest

    def acknowledge(self, claim: Claim, now_s: float) -> None:
        """Records that we are about to acknowledge this armed claim: it counts from now on."""
        if claim not in self._claims:
            self._add(claim, now_s)
            self._acknowledged.add(claim)
        self._alive_s[claim] = now_s

    def forget(self, claim: Claim) -> None:
        """Forgets an acknowledged claim that was not acknowledged after all and is not in the
        document."""
        if claim in self._acknowledged:
            self._acknowledged.discard(claim)
            self._claims.discard(claim)
            self._history[claim.job] ^= _token(claim.key)
            self._alive_s.pop(claim, None)
            self._close(claim)

    def heard_of(self, claim: Claim, silent_s: float, now_s: float) -> None:
        """Records that another peer has heard of the owner of a claim so long ago."""
        if claim in self._alive_s and claim.peer != self._me:
            self._alive_s[claim] = max(self._alive_s[claim], now_s - silent_s)

    def slept(self, gap_s: float) -> None:
        """Ignores a time in which this machine slept: the others were not silent, nobody
        listened."""
        self._alive_s = {claim: alive_s + gap_s for claim, alive_s in self._alive_s.items()}

    def _add(self, claim: Claim, now_s: float) -> None:
        self._claims.add(claim)
        self._raise_epoch(claim)
        self._history[claim.job] ^= _token(claim.key)
        if claim.peer == self._me:
            self.own_incarnation = max(self.own_incarnation, claim.incarnation)
        if claim not in self._over:
            self._open[claim.job].add(claim)
            # It is alive from when we first saw its record: what was before, we cannot know.
            self._alive_s[claim] = now_s

    def _raise_epoch(self, claim: Claim) -> None:
        """An end without a start counts, too, as a full disk leaves it: no claim is made twice."""
        self._epochs[claim.job] = max(self._epochs.get(claim.job, 0), claim.epoch)

    def _close(self, claim: Claim) -> None:
        still = self._open.get(claim.job)
        if still is not None:
            still.discard(claim)
            if not still:
                del self._open[claim.job]

    # What is known

    @property
    def rules(self) -> Rules:
        """The rules of the queue: whose grants a claim needs."""
        return self._rules

    @property
    def takeover_s(self) -> float | None:
        """The silence after which a claim no longer counts; None if no silence is enough."""
        return None if self._rules.is_safe else self._takeover_s

    def is_over(self, claim: Claim) -> bool:
        """Whether it was ended by its owner, or marked lost by a person."""
        return claim in self._over

    def epoch(self, job: JobId) -> int:
        """The highest epoch that a claim of the job ever had; 0 if it was never claimed."""
        return self._epochs.get(job, 0)

    def open(self, job: JobId) -> Iterable[Claim]:
        """The claims of the job that are neither ended nor marked lost."""
        return self._open.get(job, ())

    def all_open(self) -> Iterable[Claim]:
        """The claims of all jobs that are neither ended nor marked lost."""
        return (claim for claims in self._open.values() for claim in claims)

    def owner(self, job: JobId, now_s: float) -> Claim | None:
        """The claim that owns the job: the open one of highest rank that has not lapsed."""
        held = [claim for claim in self.open(job) if not self.has_lapsed(claim, now_s)]
        return max(held, key=lambda claim: claim.rank, default=None)

    def owners(self, now_s: float) -> dict[JobId, Claim]:
        """`owner` of every job that has one."""
        owners = ((job, self.owner(job, now_s)) for job in self._open)
        return {job: claim for job, claim in owners if claim}

    def silent_s(self, claim: Claim, now_s: float) -> float:
        """How long nobody has heard from the owner of an open claim."""
        return 0.0 if claim.peer == self._me else now_s - self._alive_s.get(claim, now_s)

    def has_lapsed(self, claim: Claim, now_s: float) -> bool:
        """Whether the owner was silent for so long that others may take the job over."""
        takeover_s = self.takeover_s
        return takeover_s is not None and self.silent_s(claim, now_s) > takeover_s

    def basis(self, claim: Claim) -> str:
        """A digest that is equal on two peers if they use the same rules and know the same other
        claims of the job. In the document the end of a claim comes after the records of its
        prints, so they also know the same of those."""
        history = self._history.get(claim.job, 0)
        if claim in self._claims:
            history ^= _token(claim.key)
        return hashlib.sha256(f"{self._rules_digest} {history}".encode()).hexdigest()[:16]

    @property
    def size(self) -> int:
        """The number of remembered facts that are not in the document."""
        return len(self._acknowledged)


def follows(claim: Claim, other: Claim) -> bool:
    """Whether `claim` is a later claim of the same peer on the same job, and so replaces it."""
    same = claim.job == other.job and claim.peer == other.peer
    return same and claim.epoch > other.epoch and claim.incarnation >= other.incarnation


def _token(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
