"""The protocol with one thing broken on purpose, each of which the storms must find."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claim_records import ClaimRecords
from crdtqueue.core.claims.claimant import (
    Attempt,
    AttemptPhase,
    Claimant,
)
from crdtqueue.core.claims.claims import Claims
from crdtqueue.core.claims.quorum import (
    Rules,
    VoterList,
    VoterLists,
)
from crdtqueue.core.claims.voter import Voter
from crdtqueue.core.ids import Claim, PeerId
from crdtqueue.core.sync.messages import Ask
from tests.simulation.claim_peer import Kit


class _Mutant(Claims):
    """A machine whose parts are of another class."""

    records: type[ClaimRecords] = ClaimRecords
    votes: type[Voter] = Voter
    claimant: type[Claimant] = Claimant

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self._records.__class__ = self.records
        self._voter.__class__ = self.votes
        self._claimant.__class__ = self.claimant


class NoGrantRound(_Mutant):
    """Nobody is asked: a claimant spreads its start record, and whoever has it says so."""

    def _object_to(self, claim: Claim, basis: str) -> ce.No | None:
        return None

    class votes(Voter):  # noqa: N801
        def _objection(self, claim: Claim, basis: str, now_s: float) -> ce.No | None:
            return None

    class claimant(Claimant):  # noqa: N801
        def _suffices(self, attempt: Attempt, votes: set[PeerId]) -> bool:
            return attempt.phase is AttemptPhase.ASKING or super()._suffices(attempt, votes)


class NoArm(_Mutant):
    """Grants are enough: nobody stores the start record before the printer heats."""

    class claimant(Claimant):  # noqa: N801
        def _suffices(self, attempt: Attempt, votes: set[PeerId]) -> bool:
            return attempt.phase is AttemptPhase.ARMING or super()._suffices(attempt, votes)

        def _put_question(self, attempt: Attempt, peer: PeerId) -> None:
            if attempt.phase is AttemptPhase.ASKING:
                super()._put_question(attempt, peer)


class _HalfRules(Rules):
    def short_of(self, votes: Set[PeerId]) -> VoterList | None:
        lists = self.lists.in_force
        return next((each for each in lists if 2 * len(each.peers & votes) < len(each.peers)), None)


class HalfIsEnough(_Mutant):
    """Half of the voters count as a majority."""

    class records(ClaimRecords):  # noqa: N801
        def go_by(self, rules: Rules) -> bool:
            return super().go_by(_HalfRules(mode=rules.mode, lists=rules.lists))


class SilenceEnds(_Mutant):
    """*Safe* mode takes over from who is silent, too."""

    class records(ClaimRecords):  # noqa: N801
        @property
        def takeover_s(self) -> float | None:
            return self._takeover_s


class _OneList(VoterLists):
    @property
    def in_force(self) -> tuple[VoterList, ...]:
        return (self.current,) if self.current else ()


class ListsAreReplaced(_Mutant):
    """A new list of voters counts at once, and alone."""

    class records(ClaimRecords):  # noqa: N801
        def go_by(self, rules: Rules) -> bool:
            lists = _OneList(lists=rules.lists.lists, stated=rules.lists.stated)
            return super().go_by(Rules(mode=rules.mode, lists=lists))


class DeniesHigher(_Mutant):
    """A voter denies a higher claim at once, so that those who ask together all miss."""

    class votes(Voter):  # noqa: N801
        def _lets_wait(self, ask: Ask, now_s: float) -> bool:
            return False


class SleepIsSilence(_Mutant):
    """A process that was stopped takes its own sleep for the silence of others."""

    class records(ClaimRecords):  # noqa: N801
        def slept(self, gap_s: float) -> None:
            pass


class WallClock(SleepIsSilence):
    """Silence is measured by a clock that people set."""

    def is_cold(self, now_s: float) -> bool:
        return False

    class records(SleepIsSilence.records):  # noqa: N801
        def silent_s(self, claim: Claim, now_s: float) -> float:
            return max(super().silent_s(claim, now_s), 0.0)


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """What is broken, and the storms that are to find it: those of one kind, see `Plan.of`."""

    kit: Kit
    kind: int
    count: int = 80
    first: int = 0
    """Those before it find nothing, and take long."""

    @property
    def seeds(self) -> range:
        return range(self.kind + 4 * self.first, 4 * self.count, 4)


QUIET, SHARP, WILD_SAFE = 0, 1, 3

SHORT = replace(ce.ClaimTimes(), takeover_s=3.0, out_of_sight_s=1.0, begin_within_s=600.0)

MUTANTS = {
    "no grant round": Mutant(kit=Kit(machine=NoGrantRound), kind=SHARP),
    "no ARM": Mutant(kit=Kit(machine=NoArm), kind=SHARP),
    "half of the voters": Mutant(kit=Kit(machine=HalfIsEnough), kind=WILD_SAFE),
    "silence ends a safe claim": Mutant(kit=Kit(machine=SilenceEnds), kind=WILD_SAFE, first=72),
    "voter lists replaced": Mutant(kit=Kit(machine=ListsAreReplaced), kind=SHARP, first=52),
    "acknowledged before it is durable": Mutant(kit=Kit(acknowledges_first=True), kind=SHARP),
    "forgets at a restart": Mutant(kit=Kit(forgets=True), kind=QUIET),
    "short time-outs": Mutant(kit=Kit(times=SHORT), kind=QUIET),
    "wall-clock expiry": Mutant(kit=Kit(machine=WallClock, wall_clock=True), kind=QUIET),
    "fencing off": Mutant(kit=Kit(fenced=False), kind=SHARP),
}
