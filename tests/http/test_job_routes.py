"""The routes of jobs over real HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import (
    add_job,
    running,
)
from tests.harness.peer_pages import (
    client_of,
    error_of,
)

JOBS = "/api/queues/workshop/jobs"


def run(folder: Path, use: Callable[[Peer, httpx.AsyncClient, str], Awaitable[None]]) -> None:
    """Calls `use` with a peer, a client and the path of a job."""

    async def scenario() -> None:
        async with running(folder, queue="workshop") as peer, client_of(peer) as client:
            await use(peer, client, f"{JOBS}/{await add_job(peer)}")

    asyncio.run(scenario())


async def state(client: httpx.AsyncClient) -> dict[str, Any]:
    return dict((await client.get("/api/state")).json()["queues"][1])


async def ok(answer: Awaitable[httpx.Response], status: int = 204) -> httpx.Response:
    got = await answer
    assert got.status_code == status, got.text
    return got


def test_a_job_and_its_sets_are_edited(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient, job: str) -> None:
        await ok(client.put(f"{job}/draft"))
        await ok(client.patch(job, json={"name": "Holder", "runs": 3, "note": "two\nlines"}))
        first = (await state(client))["jobs"][0]["sets"][0]
        new = {"sha256": first["file"]["sha256"], "name": "again.gcode", "profiles": ["MINI"]}
        added = (await ok(client.post(f"{job}/sets", json={"sets": [new]}), 201)).json()["ids"]
        await ok(client.post(f"{job}/sets/{added[0]}/place", json={"before": first["id"]}))
        await ok(client.patch(f"{job}/sets/{first['id']}", json={"copies": 4, "extra": 1}))
        shown = (await state(client))["jobs"][0]
        assert (shown["name"], shown["runs"], shown["note"]) == ("Holder", 3, "two\nlines")
        assert shown["draft"]["self"]
        assert [each["file"]["name"] for each in shown["sets"]] == ["again.gcode", "part.gcode"]
        counts = {key: shown["sets"][1][key] for key in ("copies", "extra", "run_total", "pending")}
        assert counts == {"copies": 4, "extra": 1, "run_total": 5, "pending": 13}
        await ok(client.delete(f"{job}/sets/{added[0]}"))
        await ok(client.delete(f"{job}/draft"))
        shown = (await state(client))["jobs"][0]
        assert (len(shown["sets"]), shown["draft"]) == (1, None)

    run(tmp_path, use)


def test_jobs_are_ordered_copied_reset_deleted_and_restored(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient, job: str) -> None:
        copy = (await ok(client.post(f"{job}/duplicate"), 201)).json()["id"]
        first = job.rpartition("/")[2]
        await ok(client.post(f"{JOBS}/{copy}/place", json={"before": first}))
        assert [each["id"] for each in (await state(client))["jobs"]] == [copy, first]
        await ok(client.post(f"{JOBS}/{copy}/place", json={}))
        assert [each["id"] for each in (await state(client))["jobs"]] == [first, copy]
        await ok(client.post(f"{job}/print-again"))
        await ok(client.delete(job, params={"after_copy": "true"}))
        assert [each["id"] for each in (await state(client))["deleted"]] == [first]
        await ok(client.post(f"{job}/restore"))
        assert [each["id"] for each in (await state(client))["jobs"]] == [first, copy]
        await ok(client.post(f"{job}/move", json={"to": "local"}))
        assert [each["id"] for each in (await state(client))["jobs"]] == [copy]

    run(tmp_path, use)


def test_a_job_is_exported_and_imported(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient, job: str) -> None:
        archive = await ok(client.get(f"{job}/gjob"), 200)
        assert archive.headers["content-disposition"] == "attachment; filename*=utf-8''part.gjob"
        imported = await ok(client.post("/api/queues/workshop/gjob", content=archive.content), 201)
        assert (await state(client))["jobs"][1]["id"] == imported.json()["id"]
        assert not list((tmp_path / "files").glob("upload-*"))
        refused = await ok(client.post("/api/queues/workshop/gjob", content=b"PK"), 422)
        assert ".gjob" in error_of(refused)["message"]

    run(tmp_path, use)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"runs": -1}),
        ("", {"runs": 1_000_000}),
        ("", {"runs": "3"}),
        ("", {"name": ""}),
        ("", {"name": "x" * 201}),
        ("", {"note": "x" * 2_001}),
        ("", {"order": "zz"}),
        ("/sets/{set}", {"copies": 1_000_000}),
        ("/sets/{set}", {"extra": -1}),
        ("/sets/{set}", {"profiles": []}),
        ("/sets/{set}", {"profiles": ["\x1b"]}),
        ("/sets/{set}", {"materials": ["x"] * 17}),
    ],
)
def test_edits_that_make_no_sense_change_nothing(
    tmp_path: Path, path: str, body: dict[str, object]
) -> None:
    async def use(_: Peer, client: httpx.AsyncClient, job: str) -> None:
        before = (await state(client))["jobs"]
        target = job + path.format(set=before[0]["sets"][0]["id"])
        error_of(await ok(client.patch(target, json=body), 422))
        assert (await state(client))["jobs"] == before

    run(tmp_path, use)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient, job: str) -> None:
        for path in (f"{job}/sets/ffffff", f"{JOBS}/ffffffffffff", "/api/queues/x/jobs/y"):
            error_of(await ok(client.patch(path, json={}), 404))
        error_of(await ok(client.get("/api/queues/workshop/jobs/ffffffffffff/gjob"), 404))
        error_of(await ok(client.post(f"{job}/place", json={"before": "nothing"}), 404))

    run(tmp_path, use)


def test_the_queues_settings_are_for_all(tmp_path: Path) -> None:
    async def use(peer: Peer, client: httpx.AsyncClient, _: str) -> None:
        wanted = {"strategy": "least-changes", "mode": "safe", "voters": [peer.me.peer]}
        await ok(client.patch("/api/queues/workshop", json=wanted))
        shown = await state(client)
        assert {key: shown[key] for key in wanted} == wanted
        error_of(await ok(client.patch("/api/queues/workshop", json={"voters": ["x"]}), 422))
        error_of(await ok(client.patch("/api/queues/workshop", json={"mode": "fast"}), 422))

    run(tmp_path, use)
