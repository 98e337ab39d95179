"""What must hold across all peers, looked at from outside, whatever they believe themselves."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from crdtqueue.core.document.model import RunRecord
from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId
from tests.simulation.claim_world import World


class Broken(AssertionError):
    """Something happened that never may."""


class Doubled(Broken):
    """Two printers heat for one job."""


class Unarmed(Broken):
    """A printer heats without an open start record of its own on its disk."""


class Fell(Broken):
    """An epoch is lower than it was."""


class Lost(Broken):
    """A finished print is not in the record, or is there twice."""


class Diverged(Broken):
    """Two replicas differ although everything has healed."""


class Starved(Broken):
    """A job is not printed although nothing is in the way any more."""


class Leaked(Broken):
    """Something is remembered that is over."""


@dataclass(kw_only=True)
class Judge:
    """Keeps the books. `alone` is whether nobody may ever be at a job of another's."""

    world: World
    alone: bool
    heating: dict[JobId, dict[PeerId, PrintId]] = field(default_factory=lambda: defaultdict(dict))
    finished: dict[PrintId, RunRecord] = field(default_factory=dict)
    overlaps: int = 0
    armed: int = 0
    lost_marks: int = 0
    given_up: set[JobId] = field(default_factory=set)
    """The jobs of which a person has marked a claim lost."""
    epochs: dict[JobId, int] = field(default_factory=dict)

    def heats(self, peer: PeerId, claim: Claim, print_id: PrintId, *, recorded: bool) -> None:
        """A printer begins to heat."""
        self.world.note(f"{peer[-2:]} heats {print_id}")
        if not recorded:
            raise Unarmed(f"{print_id} at {peer}")
        others = {p: i for p, i in self.heating[claim.job].items() if p != peer}
        if others:
            self.overlaps += 1
        if others and self.alone:
            raise Doubled(f"{print_id}, while {others} are at it")
        self.heating[claim.job][peer] = print_id
        if self.alone and claim.epoch < self.epochs.get(claim.job, 0):
            raise Fell(f"{print_id} after epoch {self.epochs[claim.job]}")
        self.epochs[claim.job] = claim.epoch

    def cools(self, peer: PeerId, claim: Claim) -> None:
        """A printer is done, or has lost its power."""
        self.world.note(f"{peer[-2:]} cools {claim.job[-2:]}")
        self.heating[claim.job].pop(peer, None)

    def is_heating(self, claim: Claim) -> bool:
        """Whether the owner of this claim is at its job now."""
        return claim.peer in self.heating[claim.job]

    def prints(self, record: RunRecord) -> None:
        """A print is finished."""
        if record.print_id in self.finished:
            raise Lost(f"{record.print_id} was printed twice")
        self.finished[record.print_id] = record


def doubles_of(records: Iterable[RunRecord]) -> int:
    """The finished prints of copies that were finished before."""
    slots = Counter((r.print_id.split("/")[0], r.generation, r.run, r.copy, r.set) for r in records)
    return sum(slots.values()) - len(slots)
