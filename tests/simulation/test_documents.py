from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crdtqueue.core.document.keys import Entry
from crdtqueue.core.document.model import QueueState
from tests.interop.yjs_replica import NoYjs, Yjs, install, running
from tests.simulation.document_replicas import Ours
from tests.simulation.document_storm import storm

SEEDS = 210
SEEDS_WITH_YJS = 50
PARTS = 6


def storms(seeds: range, ours: type[Ours]) -> None:
    for seed in seeds:
        storm(seed, ours=ours)


@pytest.mark.parametrize("part", range(PARTS))
def test_replicas_agree_and_lose_nothing(part: int) -> None:
    storms(range(part, SEEDS, PARTS), Ours)


@pytest.fixture
def yjs(pytestconfig: pytest.Config) -> Iterator[Yjs]:
    try:
        folder = install(pytestconfig.cache.mkdir("interop_yjs"))
    except NoYjs as missing:
        pytest.skip(str(missing))
    with running(folder) as replicas:
        yield replicas


@pytest.mark.e2e
def test_stock_yjs_is_one_of_them(yjs: Yjs) -> None:
    for seed in range(SEEDS, SEEDS + SEEDS_WITH_YJS):
        storm(seed, yjs)


class OneRecord(Ours):
    """Keeps one run record for each job, whoever writes it."""

    def write(self, entries: list[Entry]) -> None:
        super().write([(r, k.partition("/")[0] if r == "runs" else k, v) for r, k, v in entries])


class WholeJob(Ours):
    """Reads back and writes all that it knows of a job when it edits one field."""

    def write(self, entries: list[Entry]) -> None:
        jobs = {key.partition("/")[0] for root, key, _ in entries if root == "jobs"}
        whole = {
            ("jobs", key): value
            for key, value in self.content()["jobs"].items()
            if key.partition("/")[0] in jobs
        }
        whole |= {(root, key): value for root, key, value in entries}
        super().write([(root, key, value) for (root, key), value in whole.items()])


class HalfRead(Ours):
    """Does not hear of what others delete."""

    def state(self) -> QueueState:
        for root, key, value in self._document.take_changes():
            if value is not None:
                self._reader.change(root, key, value)
        return self._reader.state()


@pytest.mark.parametrize("mutant", [OneRecord, WholeJob, HalfRead])
def test_the_storms_find_what_is_broken_on_purpose(mutant: type[Ours]) -> None:
    with pytest.raises(AssertionError) as caught:
        storms(range(40), mutant)
    assert "document_storm" in caught.value.__notes__[0]


def test_a_seed_is_always_the_same_storm() -> None:
    def trace(hash_seed: str) -> str:
        command = [sys.executable, "-m", "tests.simulation.document_storm", "7", "3"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        root = Path(__file__).parents[2]
        child = subprocess.run(command, env=environment, cwd=root, capture_output=True, check=True)
        return child.stdout.decode()

    assert trace("1") == trace("2")
