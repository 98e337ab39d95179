"""The store under load, killed again and again: what it had promised is there at the next start.

By hand, many rounds: `python -m tests.e2e.test_store_kill 1000`.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from crdtqueue.adapters.store import Store
from tests.harness.store_load import (
    STORE_NAME,
    Content,
    compact,
    read,
    write_number,
)

ROUNDS: Final = 12
ROOT: Final = Path(__file__).parents[2]
LIFE_S: Final = 0.25
"""A process lives at most so long after its first promise."""
START_S: Final = 0.6
"""One process in four does not even live until then, but at most so long."""
LIVES: Final = 20
"""By hand: the kills of one store before the next begins anew."""
COMPACT_EVERY: Final = 50
AT_ONCE: Final = 4

pytestmark = pytest.mark.e2e


async def load(path: Path, after: int) -> None:
    """Writes numbers for ever and prints each as soon as it is promised."""
    store = Store(path)
    await store.open()
    assert store._database
    store._database.execute("PRAGMA wal_autocheckpoint = 50")
    while True:
        numbers = range(after + 1, after + 1 + AT_ONCE)
        await asyncio.gather(*(write_number(store, number) for number in numbers))
        after = numbers[-1]
        if after % COMPACT_EVERY < AT_ONCE:
            await compact(store, after)
        os.write(1, b"%d\n" % after)


def killed(path: Path, after: int, chance: random.Random) -> int:
    """Lets a process write for a while, kills it, and returns the last number it promised."""
    is_early = chance.random() < 0.25
    command = [sys.executable, "-m", "tests.e2e.test_store_kill", "load", str(path), str(after)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout
        first = b"" if is_early else process.stdout.readline()
        try:
            process.wait(chance.uniform(0, START_S if is_early else LIFE_S))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        promised = (first + process.stdout.read()).split()
    assert process.returncode == -signal.SIGKILL
    return int(promised[-1]) if promised else after


def round_of(folder: Path, before: Content | None, chance: random.Random) -> Content:
    """One more life and death of the store in `folder`."""
    path = folder / STORE_NAME
    after = before.meta if before else 0
    promised = killed(path, after, chance)
    found = asyncio.run(read(path))
    assert found.has(promised), (promised, found)
    assert found.damage == ""
    return found


def test_a_killed_store_has_all_that_it_promised(tmp_path: Path) -> None:
    chance = random.Random(8)
    found: Content | None = None
    for _ in range(ROUNDS):
        found = round_of(tmp_path, found, chance)


def main(rounds: int) -> None:
    chance, numbers = random.Random(), 0
    for life in range(0, rounds, LIVES):
        found: Content | None = None
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(LIVES):
                found = round_of(Path(folder), found, chance)
        numbers += found.meta if found else 0
        print(f"{life + LIVES} kills, {numbers} numbers, nothing promised was lost", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "load":
        asyncio.run(load(Path(sys.argv[2]), int(sys.argv[3])))
    else:
        main(int(sys.argv[1]))
