"""Scripts in a real store and as real files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from crdtqueue.adapters.store import Store
from crdtqueue.core.errors import Invalid
from crdtqueue.core.worker.scripts import (
    SCRIPT_BYTES_MAX,
    SCRIPT_STEPS,
    CycleStep,
)
from crdtqueue.peer import script_store
from crdtqueue.peer.script_store import (
    ScriptStore,
    check_script,
    event_named,
)


def with_script_store(
    folder: Path,
    use: Callable[[ScriptStore], Awaitable[None]],
    changes: dict[CycleStep, str | None] | None = None,
    stored: str | None = None,
) -> None:
    async def scenario() -> None:
        store = Store(folder / "store.sqlite3")
        await store.open()
        if stored is not None:
            await store.set_meta("scripts", stored)
        script_store = ScriptStore(store, folder / "scripts")
        await script_store.open(changes or {})
        await use(script_store)
        await store.close()

    asyncio.run(scenario())


def test_a_script_survives_and_is_where_the_printer_reads_it(tmp_path: Path) -> None:
    async def set_two(script_store: ScriptStore) -> None:
        await script_store.put(CycleStep.CLEAR_BED, "G1 Y200 ; ü\n")
        await asyncio.gather(
            script_store.put(CycleStep.WAITING, "M300"),
            script_store.put(CycleStep.COOLDOWN, "M140 S0"),
        )

    async def read(script_store: ScriptStore) -> None:
        assert script_store.texts[CycleStep.CLEAR_BED] == "G1 Y200 ; ü\n"
        assert set(script_store.refs) == {
            CycleStep.CLEAR_BED,
            CycleStep.WAITING,
            CycleStep.COOLDOWN,
        }
        ref = script_store.refs[CycleStep.CLEAR_BED]
        path = script_store.files.path(ref.sha256)
        assert await asyncio.to_thread(path.read_text, "utf-8") == "G1 Y200 ; ü\n"
        await script_store.put(CycleStep.CLEAR_BED, None)
        assert CycleStep.CLEAR_BED not in {*script_store.refs, *script_store.texts}

    async def cleared(script_store: ScriptStore) -> None:
        assert set(script_store.texts) == {CycleStep.WAITING, CycleStep.COOLDOWN}

    with_script_store(tmp_path, set_two)
    with_script_store(tmp_path, read)
    with_script_store(tmp_path, cleared)


def test_what_is_given_at_the_start_is_set(tmp_path: Path) -> None:
    async def read(script_store: ScriptStore) -> None:
        assert script_store.texts == {CycleStep.WAITING: "M300"}

    with_script_store(tmp_path, read, {CycleStep.WAITING: "M300"})
    with_script_store(tmp_path, read)


@pytest.mark.parametrize(
    "stored", ["{", "[1]", '{"dance": "G28", "cool": "G28", "waiting": 3, "activated": "no"}']
)
def test_stored_nonsense_is_left_out(tmp_path: Path, stored: str) -> None:
    async def read(script_store: ScriptStore) -> None:
        assert (script_store.texts, script_store.refs) == ({}, {})

    with_script_store(tmp_path, read, stored=stored)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no G or M command"),
        ("hello", "no G or M command"),
        ("G28 ; " + "x" * SCRIPT_BYTES_MAX, "larger than 16 kB"),
        ("G1 X" + "1" * 200, "has 204 bytes"),
        ("G1 Xä", "cannot be sent"),
    ],
)
def test_what_is_no_script_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Invalid, match="waiting") as caught:
        check_script(CycleStep.WAITING, text)
    assert why in str(caught.value)


def test_an_event_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    assert [event_named(step) for step in SCRIPT_STEPS] == [*SCRIPT_STEPS]
    for name in ("cool", "dance"):
        with pytest.raises(Invalid, match="clear-bed"):
            event_named(name)
    with pytest.raises(Invalid, match="There is no event cool"):
        check_script(CycleStep.COOL, "G28")


def test_old_scripts_do_not_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_store, "SHELF_BYTES_MAX", 1000)

    async def use(script_store: ScriptStore) -> None:
        for number in range(10):
            await script_store.put(CycleStep.WAITING, f"M300 S{number} ;{'x' * 300}")
        kept = await script_store.files.all()
        assert script_store.refs[CycleStep.WAITING].sha256 in kept
        assert len(kept) <= 3

    with_script_store(tmp_path, use)
