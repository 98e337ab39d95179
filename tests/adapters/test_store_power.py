"""The store after crashes: cut after every write that SQLite made, and at any byte.

What was promised, a write whose future was done, is there. A disk that loses or changes what it had
confirmed is found out, and the store says so.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from crdtqueue.adapters.store import Store
from tests.harness.recording_vfs import (
    SECTOR_BYTES,
    Disk,
    Kind,
    Step,
    recorded,
    write_files,
)
from tests.harness.store_load import (
    STORE_NAME,
    Content,
    compact,
    read,
    write_number,
    write_version_1,
)

VERSION_1_NUMBERS = 3
NUMBERS = 24
POWER_CUTS = 2
"""Ways in which the disk may have left what was on its way, for each step."""

FALSE_ALARMS = 0.02
"""The share of power cuts that may look like damage: see `crdtqueue.adapters.wal`."""
DAMAGES = 60
"""Places in each file that are damaged, one at a time."""


async def numbers_written(folder: Path, steps: list[Step]) -> None:
    """Writes numbers, with check points, compactions and restarts between them."""
    store = Store(folder / STORE_NAME)
    await store.open()
    steps.append(Step(kind=Kind.PROMISE, offset=VERSION_1_NUMBERS))
    for number in range(VERSION_1_NUMBERS + 1, NUMBERS + 1):
        assert store._database
        store._database.execute("PRAGMA wal_autocheckpoint = 20")
        await write_number(store, number)
        if number % 7 == 0:
            await compact(store, number)
        steps.append(Step(kind=Kind.PROMISE, offset=number))
        if number == 15:
            await store.close()
            await store.open()
    await store.close()


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """All that reached the disk, from a store of the first version to the last number."""
    folder = tmp_path_factory.mktemp("recording")
    write_version_1(folder, VERSION_1_NUMBERS)
    before = (folder / STORE_NAME).read_bytes()
    try:
        with recorded() as steps:
            steps.append(Step(kind=Kind.WRITE, file=STORE_NAME, data=before))
            steps.append(Step(kind=Kind.SYNC, file=STORE_NAME))
            steps.append(Step(kind=Kind.PROMISE, offset=VERSION_1_NUMBERS))
            asyncio.run(numbers_written(folder, steps))
    except OSError as error:
        pytest.skip(str(error))
    if not any(step.kind is Kind.WRITE for step in steps[2:]):
        pytest.skip("Python has an SQLite of its own here")
    return steps


def states(steps: list[Step]) -> Iterator[tuple[Disk, int]]:
    """The disk and the last promised number, after every step that matters."""
    disk, promised = Disk(), 0
    for step in steps:
        disk.take(step)
        if step.kind is Kind.PROMISE:
            promised = step.offset
        if promised:
            yield disk, promised


def checked(folder: Path, files: dict[str, bytearray], promised: int) -> Content:
    """What a store of these files has, which must be all that was promised."""
    write_files(files, folder)
    content = asyncio.run(read(folder / STORE_NAME))
    assert content.has(promised, history_from=VERSION_1_NUMBERS + 1), (promised, content)
    for each in folder.iterdir():
        each.unlink()
    return content


def test_the_recording_covers_what_a_store_does(recording: list[Step]) -> None:
    checkpoints = [s for s in recording if s.kind is Kind.SYNC and s.file == STORE_NAME]
    assert len(checkpoints) > 5
    assert any(s.kind is Kind.DELETE and s.file.endswith("-wal") for s in recording)


def test_no_promise_is_made_before_it_is_on_the_disk(recording: list[Step]) -> None:
    disk = Disk()
    for step in recording:
        disk.take(step)
        if step.kind is Kind.PROMISE:
            assert disk.unsynced.get(f"{STORE_NAME}-wal", []) == []


@pytest.mark.long
def test_a_kill_after_any_write_loses_nothing_promised(
    recording: list[Step], tmp_path: Path
) -> None:
    for disk, promised in states(recording):
        content = checked(tmp_path, disk.after_kill(), promised)
        assert content.damage == ""


@pytest.mark.long
def test_a_power_cut_after_any_write_loses_nothing_promised(
    recording: list[Step], tmp_path: Path
) -> None:
    chance = random.Random(4)
    damages = []
    for disk, promised in states(recording):
        for _ in range(POWER_CUTS):
            content = checked(tmp_path, disk.after_power_cut(chance), promised)
            damages.append(content.damage)
    assert sum(map(bool, damages)) <= FALSE_ALARMS * len(damages)


def snapshot(recording: list[Step], *, with_log: bool) -> dict[str, bytearray]:
    """The files after a good end, or after a kill with much in the log."""
    disk = Disk()
    last = max(i for i, s in enumerate(recording) if s.kind is Kind.PROMISE)
    for step in recording[: last + 1] if with_log else recording:
        disk.take(step)
    return {name: content for name, content in disk.after_kill().items() if content}


def garbled(content: bytearray, place: int, chance: random.Random) -> bytearray:
    """One bit, a sector or a page is not what it was."""
    size = chance.choice((1, SECTOR_BYTES, 4096))
    start = place // size * size
    changed = bytes([content[place] ^ 1 << chance.randrange(8)])
    noise = changed if size == 1 else chance.choice((bytes(size), chance.randbytes(size)))
    return content[:start] + noise[: len(content) - start] + content[start + size :]


@pytest.mark.parametrize("with_log", [False, True])
@pytest.mark.parametrize("is_cut", [False, True])
def test_what_a_failing_disk_took_is_told_and_the_rest_is_kept(
    recording: list[Step], tmp_path: Path, is_cut: bool, with_log: bool
) -> None:
    files = snapshot(recording, with_log=with_log)
    chance = random.Random(f"{is_cut} {with_log}")
    kept = 0
    damages = 0
    for name in files:
        for _ in range(DAMAGES):
            content, place = files[name], chance.randrange(len(files[name]))
            damaged = content[:place] if is_cut else garbled(content, place, chance)
            write_files(files | {name: damaged}, tmp_path)
            found = asyncio.run(read(tmp_path / STORE_NAME))
            kept += found.meta > 0
            damages += 1
            assert list(found.numbers) == sorted(set(found.numbers)), (name, place)
            is_last_torn = name.endswith("-wal") and found.has(NUMBERS - 1, history_from=4)
            is_log_short = name.endswith("-wal") and is_cut and found.is_a_prefix
            is_empty = place == 0 and is_cut and not with_log
            complete = found.has(NUMBERS, history_from=VERSION_1_NUMBERS + 1)
            assert complete or found.damage or is_last_torn or is_log_short or is_empty, (
                name,
                place,
                found,
            )
            for each in tmp_path.iterdir():
                each.unlink()
    assert kept > damages / 2
