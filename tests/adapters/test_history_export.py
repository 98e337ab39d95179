"""The history as CSV and JSON, read back by those who know these formats."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace

import pytest

from crdtqueue.adapters.history_export import COLUMNS, csv_lines, json_pieces
from crdtqueue.core.history import HistoryEntry
from tests.harness.store_load import entry_of


def text_of(entries: list[HistoryEntry], *, as_csv: bool) -> str:
    async def source() -> AsyncIterator[HistoryEntry]:
        for entry in entries:
            yield entry

    async def collect() -> str:
        pieces = csv_lines(source()) if as_csv else json_pieces(source())
        return "".join([piece async for piece in pieces])

    return asyncio.run(collect())


def row_of(entry: HistoryEntry) -> dict[str, str]:
    header, row = csv.reader(io.StringIO(text_of([entry], as_csv=True), newline=""))
    return dict(zip(header, row, strict=True))


def test_csv_begins_with_a_header_and_ends_its_lines_as_rfc_4180_says() -> None:
    text = text_of([entry_of(1), entry_of(2)], as_csv=True)
    lines = text.split("\r\n")
    assert lines[0] == ",".join(COLUMNS)
    assert len(lines) == 4
    assert lines[-1] == ""
    assert "\n" not in "".join(lines)


def test_times_are_written_for_people() -> None:
    row = row_of(replace(entry_of(1), started_at_s=0.0, ended_at_s=1_700_000_000.5))
    assert (row["started"], row["ended"]) == ("", "2023-11-14T22:13:20Z")


@pytest.mark.parametrize("text", ['say "hi", twice', "two\nlines", "two\r\nlines", "Würfel", "a;b"])
def test_any_text_comes_through(text: str) -> None:
    assert row_of(replace(entry_of(1), job_name=text))["job_name"] == text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_no_text_is_a_formula(start: str) -> None:
    text = f"{start}cmd|' /C calc'!A0"
    row = row_of(replace(entry_of(1), file_name=text, reason=text))
    assert row["file_name"] == row["reason"] == f"'{text}"


@pytest.mark.parametrize("numbers", [(), (1,), (1, 2, 3)])
def test_json_is_one_array(numbers: tuple[int, ...]) -> None:
    entries = [entry_of(number) for number in numbers]
    assert json.loads(text_of(entries, as_csv=False)) == [asdict(entry) for entry in entries]
