"""The printer's settings over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from crdtqueue.core.worker.scripts import SCRIPT_BYTES_MAX
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    MemoryPrinter,
    add_job,
    running,
    until,
)
from tests.harness.peer_pages import (
    client_of,
    error_of,
)


def run(
    folder: Path,
    use: Callable[[Peer, httpx.AsyncClient], Awaitable[None]],
    printer: MemoryPrinter | None = None,
) -> None:
    async def scenario() -> None:
        async with running(folder, printer=printer) as peer, client_of(peer) as client:
            await use(peer, client)

    asyncio.run(scenario())


def test_a_script_is_set_read_and_taken_away(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        scripts = "/api/printer/scripts"
        assert (await client.get(scripts)).json() == {}
        answer = await client.put(f"{scripts}/clear-bed", json={"gcode": "G1 Y200"})
        assert answer.status_code == 204
        assert (await client.get(scripts)).json() == {"clear-bed": "G1 Y200"}
        assert (await client.get("/api/state")).json()["printer"]["scripts"] == ["clear-bed"]
        assert (await client.delete(f"{scripts}/clear-bed")).status_code == 204
        gone = await client.delete(f"{scripts}/clear-bed")
        assert gone.status_code == 404

    run(tmp_path, use, MemoryPrinter())


@pytest.mark.parametrize(
    ("event", "request_", "says"),
    [
        ("dance", {"gcode": "G28"}, "There is no event 'dance'"),
        ("cool", {"gcode": "G28"}, "There is no event 'cool'"),
        ("waiting", {"gcode": "hello"}, "no G or M command"),
        ("waiting", {"gcode": "G28\n" * SCRIPT_BYTES_MAX}, "gcode"),
        ("waiting", {"gcode": "ä" * SCRIPT_BYTES_MAX}, "larger than 16 kB"),
        ("waiting", {"gcode": "G28\nM112"}, "cannot have M112 (line 2): it halts the printer"),
        ("waiting", {"gcode": ""}, "gcode"),
        ("waiting", {}, "gcode"),
        ("waiting", {"gcode": 3}, "gcode"),
    ],
)
def test_what_is_no_script_is_refused(
    tmp_path: Path, event: str, request_: dict[str, Any], says: str
) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        answer = await client.put(f"/api/printer/scripts/{event}", json=request_)
        assert answer.status_code == 422
        assert says in error_of(answer)["message"]

    run(tmp_path, use, MemoryPrinter())


def test_what_is_loaded_is_said_and_shown(tmp_path: Path) -> None:
    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        async def printer() -> dict[str, Any]:
            return dict((await client.get("/api/state")).json()["printer"])

        assert ((await printer())["loaded"], (await printer())["missing"]) == ([], {})
        answer = await client.post("/api/printer/loaded", json={"materials": ["PLA", ""]})
        assert answer.status_code == 204
        await add_job(peer, "local", materials=["", "PETG"])
        await until(peer, lambda: peer.runner and peer.runner.worker.missing)
        shown = await printer()
        assert (shown["loaded"], shown["asks_for_material"]) == (["PLA", ""], True)
        assert (shown["missing"], shown["state"]) == ({"1": "PETG"}, "waiting_for_material")
        job = (await client.get("/api/state")).json()["queues"][0]["jobs"][0]
        assert "Claimed by a. Waits for PETG in tool 2." in job["why"]
        await client.post("/api/printer/loaded", json={"materials": None})
        await until(peer, lambda: peer.runner and peer.runner.worker.saved.printing)
        assert (await printer())["asks_for_material"] is False

    run(tmp_path, use, MemoryPrinter())


@pytest.mark.parametrize("materials", ["PLA", [1], ["x" * 201], ["PLA"] * 17])
def test_what_are_no_materials_are_refused(tmp_path: Path, materials: object) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/printer/loaded", json={"materials": materials})
        assert answer.status_code == 422

    run(tmp_path, use, MemoryPrinter())


def test_a_peer_without_a_printer_says_so(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        for answer in (
            await client.get("/api/printer/scripts"),
            await client.put("/api/printer/scripts/waiting", json={"gcode": "M300"}),
            await client.delete("/api/printer/scripts/waiting"),
            await client.post("/api/printer/loaded", json={"materials": []}),
        ):
            assert answer.status_code == 409
            assert "has no printer" in error_of(answer)["message"]

    run(tmp_path, use)
