from __future__ import annotations

import pytest

from crdtqueue.core import messages as m
from crdtqueue.core.claims import Claims
from crdtqueue.core.ids import Claim
from tests.simulation.claim_storm import RETRY_S, Doubled, World, storm

SEEDS = 200


def storms(seeds: range, machine: type[Claims]) -> None:
    for seed in seeds:
        try:
            storm(seed, machine)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise


@pytest.mark.parametrize("part", range(4))
def test_no_storm_prints_twice_or_never(part: int) -> None:
    storms(range(part, SEEDS, 4), Claims)


class Agrees(Claims):
    """A voter that grants and acknowledges without looking at what it promised before."""

    def _asked(self, claim: Claim, now_s: float) -> None:
        self._tell(claim.peer, m.Grant(claim=m.ClaimText.of(claim)))

    def _armed_by(self, claim: Claim, now_s: float) -> None:
        self._tell(claim.peer, m.Armed(claim=m.ClaimText.of(claim)))


class HeatsAtOnce(Claims):
    """A claimant that waits for no answers."""

    def _go_on(self) -> None:
        if self._attempt:
            self._attempt.answered |= self._attempt.voters
        super()._go_on()


class DeniesHigher(Claims):
    """A voter that denies a higher claim at once, so that those who ask together all miss."""

    def _lets_wait(self, claim: Claim) -> bool:
        return False


@pytest.mark.parametrize("mutant", [Agrees, HeatsAtOnce])
def test_the_storms_find_what_is_broken_on_purpose(mutant: type[Claims]) -> None:
    with pytest.raises(Doubled):
        storms(range(40), mutant)


def contest(machine: type[Claims], seed: int) -> float:
    """How long ten idle printers that see a new job together need until one of them has it."""
    world = World(seed, machine, peers=10, jobs=1, hub=False)
    for node in world.nodes.values():
        node.boot()
    world.run_until(5.0)
    world.submit(world.jobs[0])
    while not world.heating and not world.printed and world.now_s < 60.0:
        world.run_until(world.now_s + 0.5)
    return world.now_s - 5.0


def test_many_that_ask_together_agree_soon() -> None:
    assert max(contest(Claims, seed) for seed in range(5)) < 2 * RETRY_S
    assert max(contest(DeniesHigher, seed) for seed in range(5)) > 4 * RETRY_S
