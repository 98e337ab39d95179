"""The routes of the history over real HTTP."""

import asyncio
import csv
import io
from pathlib import Path

import httpx
import pytest

from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
    running,
)
from tests.harness.peer_pages import (
    client_of,
    error_of,
)


async def until_entries(client: httpx.AsyncClient, count: int) -> list[dict[str, object]]:
    for _ in range(200):
        found = (await client.get("/api/history")).json()["entries"]
        if len(found) >= count:
            return list(found)
        await asyncio.sleep(0.05)
    raise AssertionError("the prints are not in the history")


def test_the_history_is_looked_at_taken_along_and_printed_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        printer = MemoryPrinter(auto=True)
        async with running(tmp_path, printer=printer) as peer, client_of(peer) as client:
            await add_job(peer, "local")
            (entry,) = await until_entries(client, 1)
            for params, count in (
                ({"result": "done", "job": "part"}, 1),
                ({"result": "failed"}, 0),
                ({"from_s": "1", "to_s": "2"}, 0),
                ({"text": "PART", "limit": "1"}, 1),
            ):
                page = (await client.get("/api/history", params=params)).json()
                assert (len(page["entries"]), page["total"]) == (count, count)
            names = (await client.get("/api/history/printers")).json()
            assert names == {"printers": [entry["printer_name"]]}
            table = await client.get("/api/history.csv", params={"result": "done"})
            assert "history.csv" in table.headers["content-disposition"]
            (row,) = csv.DictReader(io.StringIO(table.text))
            assert row["file_name"] == "part.gcode"
            assert (await client.get("/api/history.json")).json() == [entry]
            again = {"print_id": entry["print_id"], "queue": "local"}
            assert (await client.post("/api/history/print-again", json=again)).status_code == 201
            await until_entries(client, 2)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "100000"},
        {"limit": "nan"},
        {"from_s": "yesterday"},
        {"result": "won"},
        {"after": "nowhere"},
        {"text": "x" * 201},
    ],
)
def test_a_bad_filter_is_told_what_is_wrong(tmp_path: Path, params: dict[str, str]) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer, client_of(peer) as client:
            answer = await client.get("/api/history", params=params)
            assert answer.status_code == 422
            error_of(answer)

    asyncio.run(scenario())


def test_a_print_that_nobody_knows_is_not_found(tmp_path: Path) -> None:
    async def use(client: httpx.AsyncClient) -> None:
        answer = await client.post(
            "/api/history/print-again", json={"print_id": "x", "queue": "local"}
        )
        assert answer.status_code == 404
        error_of(answer)

    async def scenario() -> None:
        async with running(tmp_path) as peer, client_of(peer) as client:
            await use(client)

    asyncio.run(scenario())
