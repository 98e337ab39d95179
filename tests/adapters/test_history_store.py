"""The history in a real store: written once, filtered, in pages, and of bounded length."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from crdtqueue.adapters.history_store import (
    RECORD_ROWS,
    HistoryStore,
    printer_names,
)
from crdtqueue.adapters.store import Store
from crdtqueue.core.document.model import Result
from crdtqueue.core.errors import Invalid, Unavailable
from crdtqueue.core.history import PAGE_ROWS_MAX, HistoryEntry, HistoryFilter
from crdtqueue.core.ids import PrintId, QueueName
from tests.harness.loopback_peers import (
    fill_disk,
    free_disk,
)
from tests.harness.store_load import (
    STORE_NAME,
    entry_of,
)

ALL = HistoryFilter()


def run(
    folder: Path, use: Callable[[Store, HistoryStore], Awaitable[None]], rows: int = 1_000
) -> None:
    async def scenario() -> None:
        store = Store(folder / STORE_NAME)
        await store.open()
        try:
            await use(store, HistoryStore(store, rows_max=rows))
        finally:
            await store.close()

    asyncio.run(scenario())


async def ends(history: HistoryStore, wanted: HistoryFilter = ALL) -> list[float]:
    return [entry.ended_at_s async for entry in history.all(wanted)]


def test_what_was_recorded_is_there_after_a_restart_and_only_once(tmp_path: Path) -> None:
    entries = [entry_of(number) for number in (2, 1, 3)]

    async def write(_: Store, history: HistoryStore) -> None:
        await history.record(entries)
        await history.record(reversed(entries))

    async def read(_: Store, history: HistoryStore) -> None:
        assert [entry async for entry in history.all(ALL)] == [
            entry_of(3),
            entry_of(2),
            entry_of(1),
        ]
        assert await history.entry(entry_of(2).print_id) == entry_of(2)
        assert await history.entry(PrintId("nothing")) is None

    run(tmp_path, write)
    run(tmp_path, read)


def test_later_looks_fill_in_and_never_overwrite(tmp_path: Path) -> None:
    first = replace(entry_of(1), printer_name="", job_name="bracket", bytes=0, double=False)
    later = replace(
        first,
        printer_name="Voron",
        job_name="renamed",
        bytes=5,
        double=True,
        result=Result.FAILED,
        generation=3,
        queue=QueueName("other"),
    )
    last = replace(first, printer_name="Other", bytes=7, file_name="")
    filled = replace(first, printer_name="Voron", bytes=5, double=True)

    async def use(_: Store, history: HistoryStore) -> None:
        await history.record([first])
        await history.record([later])
        assert await history.entry(first.print_id) == filled
        await history.record([last])
        assert await history.entry(first.print_id) == filled

    run(tmp_path, use)


def test_a_job_that_is_named_0_has_a_name(tmp_path: Path) -> None:
    first = replace(entry_of(1), job_name="0")

    async def use(_: Store, history: HistoryStore) -> None:
        await history.record([first])
        await history.record([replace(first, job_name="renamed")])
        assert await history.entry(first.print_id) == first

    run(tmp_path, use)


def test_texts_that_are_none_are_kept_as_far_as_they_are(tmp_path: Path) -> None:
    broken = replace(entry_of(1), job_name="half \ud83d a smile", filament_mm=float("nan"))

    async def use(_: Store, history: HistoryStore) -> None:
        await history.record([broken, entry_of(2)])
        found = await history.entry(broken.print_id)
        assert found
        assert (found.job_name, found.filament_mm) == ("half ? a smile", 0.0)

    run(tmp_path, use)


ONE = replace(entry_of(1), job_name="Würfel 100%", printer_name="Voron", queue=QueueName("garage"))
TWO = replace(entry_of(2), result=Result.FAILED, reason="Thermal runaway")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ALL, [3, 2, 1]),
        (HistoryFilter(printer="voron"), [1]),
        (HistoryFilter(printer=ONE.peer), [3, 2, 1]),
        (HistoryFilter(printer="Vor"), []),
        (HistoryFilter(job="WÜRFEL 100%"), [1]),
        (HistoryFilter(job=ONE.job_id), [3, 2, 1]),
        (HistoryFilter(queue="Garage"), [1]),
        (HistoryFilter(result=Result.FAILED), [2]),
        (HistoryFilter(from_s=2.0), [3, 2]),
        (HistoryFilter(until_s=2.0), [1]),
        (HistoryFilter(from_s=2.0, until_s=3.0), [2]),
        (HistoryFilter(text="RUNAWAY"), [2]),
        (HistoryFilter(text="würf"), [1]),
        (HistoryFilter(text="0%"), [1]),
        (HistoryFilter(text="%"), [1]),
        (HistoryFilter(text="!"), []),
        (HistoryFilter(text="ÜRFEL 1"), [1]),
        (HistoryFilter(text="' OR 1=1 --"), []),
        (HistoryFilter(text="part", result=Result.DONE, printer="voron"), [1]),
    ],
)
def test_a_filter_finds_what_fits_all_of_it(
    tmp_path: Path, wanted: HistoryFilter, found: list[int]
) -> None:
    async def use(_: Store, history: HistoryStore) -> None:
        await history.record([ONE, TWO, entry_of(3)])
        assert await ends(history, wanted) == found
        assert (await history.page(wanted)).total == len(found)

    run(tmp_path, use)


def test_pages_follow_each_other_while_the_history_grows(tmp_path: Path) -> None:
    same_time = [
        replace(entry_of(number), ended_at_s=float(number // 3)) for number in range(1, 26)
    ]

    async def use(_: Store, history: HistoryStore) -> None:
        await history.record(same_time)
        seen: list[HistoryEntry] = []
        after = ""
        while not seen or after:
            page = await history.page(ALL, after=after, limit=10)
            seen += page.entries
            after = page.after
            await history.record([entry_of(100 + len(seen))])
        assert sorted(e.print_id for e in seen) == sorted(e.print_id for e in same_time)
        assert [e.ended_at_s for e in seen] == sorted((e.ended_at_s for e in seen), reverse=True)
        assert page.total == 27

    run(tmp_path, use)


@pytest.mark.parametrize("after", ["nonsense", ":", "1e999x:", "\0"])
def test_a_page_that_is_none_is_refused(tmp_path: Path, after: str) -> None:
    async def use(_: Store, history: HistoryStore) -> None:
        with pytest.raises(Invalid, match="Begin with the first"):
            await history.page(ALL, after=after)
        for limit in (0, PAGE_ROWS_MAX + 1):
            with pytest.raises(Invalid, match="1 to 200"):
                await history.page(ALL, limit=limit)

    run(tmp_path, use)


def test_what_ended_first_is_forgotten_first_and_does_not_come_back(tmp_path: Path) -> None:
    entries = [entry_of(number) for number in range(1, 21)]

    async def use(_: Store, history: HistoryStore) -> None:
        await history.record(entries)
        assert await ends(history) == list(range(20, 10, -1))
        await history.record(entries[:3])
        assert await ends(history) == list(range(20, 10, -1))

    run(tmp_path, use, rows=10)


def test_a_long_history_is_written_and_read_in_parts(tmp_path: Path) -> None:
    numbers = range(1, RECORD_ROWS + PAGE_ROWS_MAX + 2)

    async def use(_: Store, history: HistoryStore) -> None:
        await history.record(entry_of(number) for number in numbers)
        assert await ends(history) == list(reversed(numbers))

    run(tmp_path, use)


def test_a_full_disk_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    async def use(store: Store, history: HistoryStore) -> None:
        await history.record([entry_of(1)])
        fill_disk(store)
        large = [replace(entry_of(n), reason="x" * 5_000) for n in range(2, 9)]
        with pytest.raises(Unavailable, match="Make room"):
            await history.record(large)
        assert await ends(history) == [1]
        free_disk(store)
        await history.record(large)
        assert len(await ends(history)) == 8

    run(tmp_path, use)


def test_a_damaged_row_is_shown_as_it_is(tmp_path: Path) -> None:
    async def use(store: Store, history: HistoryStore) -> None:
        await history.record([entry_of(1), entry_of(2)])
        sql = "UPDATE history SET result = 'dune', bytes = 'x', job_name = CAST(x'ff' AS TEXT)"
        await store.write((f"{sql} WHERE ended_at_s = 1", ()))
        found = await history.entry(entry_of(1).print_id)
        assert found
        assert (found.result, found.bytes, found.job_name) == (Result.ABORTED, 0, "\ufffd")
        assert len(await ends(history)) == 2

    run(tmp_path, use)


def names_of(folder: Path, printers: Iterable[str], limit: int = 100) -> list[str]:
    """The names in a history whose prints these printers made, one after the other."""
    entries = [replace(entry_of(n), printer_name=each) for n, each in enumerate(printers)]

    async def scenario() -> list[str]:
        store = Store(folder / STORE_NAME)
        await store.open()
        try:
            await HistoryStore(store).record(entries)
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
