"""Storms over peers that claim jobs. `python -m tests.simulation` runs more of them by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque

import pytest

from tests.simulation.claim_judge import Broken
from tests.simulation.claim_mutants import MUTANTS, DeniesHigher
from tests.simulation.claim_peer import Kit
from tests.simulation.claim_storms import Storm, weather

consume = deque[object](maxlen=0).extend

SEEDS = 240
REAL_SEEDS = 60
PARTS = 6


@pytest.mark.parametrize("part", range(PARTS))
def test_no_storm_breaks_a_promise(part: int) -> None:
    for seed in range(part, SEEDS, PARTS):
        weather(seed)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_storm_does_with_real_documents(part: int) -> None:
    for seed in range(SEEDS + part, SEEDS + REAL_SEEDS, PARTS):
        weather(seed, real=True)


@pytest.mark.parametrize("name", MUTANTS)
def test_the_storms_find_what_is_broken_on_purpose(name: str) -> None:
    mutant = MUTANTS[name]
    with pytest.raises(Broken) as found:
        consume(weather(seed, kit=mutant.kit) for seed in mutant.seeds)
    assert any("python -m tests.simulation" in note for note in found.value.__notes__)


def test_a_seed_is_the_same_storm_in_every_process() -> None:
    traces = set()
    for hash_seed in ("1", "2"):
        shown = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "3", "--trace"],
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            text=True,
        )
        traces.add(shown.stdout)
    assert len(traces) == 1
    storm = Storm(3)
    storm.run()
    assert storm.world.trace in traces.pop()
    other = Storm(7)
    other.run()
    assert other.world.trace != storm.world.trace


def contests(kit: Kit) -> list[float]:
    """How long ten idle printers that see a job together need until one has it, in 20 chances."""
    storms = (Storm(seed, kit=kit, peers=10) for seed in range(0, 80, 4))
    return [storm.contest() for storm in storms if not storm.plan.star]


def test_many_that_ask_together_agree_soon() -> None:
    patient, hasty = contests(Kit()), contests(Kit(machine=DeniesHigher))
    assert max(patient) < 10.0 < max(hasty)
    assert sum(patient) < sum(hasty)
