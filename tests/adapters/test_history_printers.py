"""Which printers the history of a real store names."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from crdtqueue.adapters.history_printers import printer_names
from crdtqueue.adapters.history_store import History
from crdtqueue.adapters.store import Store
from tests.harness.store_load import (
    STORE_NAME,
    entry_of,
)


def names_of(folder: Path, printers: Iterable[str], limit: int = 100) -> list[str]:
    """The names in a history whose prints these printers made, one after the other."""
    entries = [replace(entry_of(n), printer_name=each) for n, each in enumerate(printers)]

    async def scenario() -> list[str]:
        store = Store(folder / STORE_NAME)
        await store.open()
        try:
            await History(store).record(entries)
            return await printer_names(store, limit)
        finally:
            await store.close()

    return asyncio.run(scenario())


def test_each_printer_is_named_once_as_it_was_written_last(tmp_path: Path) -> None:
    printed = ["mini", "Ölsardine", "MK3S", "", "mini", "mk3s"]
    assert names_of(tmp_path, printed) == ["mini", "mk3s", "Ölsardine"]


def test_of_too_many_printers_the_latest_are_named(tmp_path: Path) -> None:
    assert names_of(tmp_path, ["first", "second", "third", "second"], 2) == ["second", "third"]


def test_nothing_was_printed_by_nobody(tmp_path: Path) -> None:
    assert names_of(tmp_path, []) == []
