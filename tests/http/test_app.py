"""The API over real HTTP, as the page and other programs use it, and as nobody should."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from crdtqueue.api.models import BODY_BYTES_MAX
from crdtqueue.api.view import View
from crdtqueue.core.document.keys import claim_entry
from crdtqueue.core.ids import Claim, PeerId
from crdtqueue.http import app
from crdtqueue.peer.peer import Peer
from printer_driver import clock
from tests.harness.loopback_peers import (
    GCODE,
    MemoryPrinter,
    add_job,
    fill_disk,
    running,
    until,
)
from tests.harness.patience import HANG_S
from tests.harness.peer_pages import (
    client_of,
    error_of,
    page_of,
)


def run(
    folder: Path,
    use: Callable[[Peer, httpx.AsyncClient], Awaitable[None]],
    printer: MemoryPrinter | None = None,
) -> None:
    async def scenario() -> None:
        async with (
            running(folder, queue="workshop", printer=printer) as peer,
            client_of(peer) as client,
        ):
            await use(peer, client)

    asyncio.run(scenario())


async def upload(client: httpx.AsyncClient, name: str = "part.gcode") -> dict[str, Any]:
    answer = await client.post("/api/files", params={"name": name}, content=GCODE)
    assert answer.status_code == 201
    return dict(answer.json())


def a_job(file: dict[str, Any], **changes: object) -> dict[str, Any]:
    one_set = {"sha256": file["sha256"], "name": file["name"], "profiles": ["MK3S"]}
    return {"name": "part", "sets": [one_set], **changes}


def test_a_job_is_added_shown_held_released_and_deleted(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        file = await upload(client)
        assert file | {"sha256": ""} == {
            "sha256": "",
            "name": "part.gcode",
            "size_bytes": len(GCODE),
            "profile": "MK3S",
            "materials": [],
        }
        added = await client.post("/api/queues/workshop/jobs", json=a_job(file, runs=2))
        assert added.status_code == 201
        job = f"/api/queues/workshop/jobs/{added.json()['id']}"

        async def shown() -> dict[str, Any]:
            return dict((await client.get("/api/state")).json()["queues"][1]["jobs"][0])

        assert (await shown())["copies_total"] == 2
        assert (await shown())["why"] == "No printer with profile MK3S is in sight."
        assert (await client.post(f"{job}/pause")).status_code == 204
        assert (await shown())["state"] == "paused"
        assert (await client.post(f"{job}/resume")).status_code == 204
        assert (await shown())["state"] == "waiting"
        assert (await client.delete(job)).status_code == 204
        again = await client.delete(job)
        assert again.status_code == 404
        assert error_of(again)["code"] == "not_found"

    run(tmp_path, use)


def test_queues_are_made_named_and_left(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        made = await client.post("/api/queues", json={"name": "  Gar  age ä%2F? "})
        assert (made.status_code, made.json()) == (201, {"name": "Gar age ä%2F?"})
        assert (await client.post("/api/queues", json={"name": "GAR AGE Ä%2f?"})).status_code == 409
        path = "/api/queues/Gar%20age%20%C3%A4%252F%3F"
        assert (await client.delete(path)).status_code == 204
        assert (await client.delete(path)).status_code == 404
        assert (await client.delete("/api/queues/local")).status_code == 409

    run(tmp_path, use)


BAD_BODIES: list[tuple[str, bytes, str]] = [
    ("", b"", "Invalid JSON"),
    ("", b"{", "Invalid JSON"),
    ("", b"\xff\xfe", "Invalid JSON"),
    ("", b"[" * 100_000, "Invalid JSON"),
    ("", b"null", "The request"),
    ("", b"[]", "The request"),
    ("", b"{}", "name"),
    ("", b'{"name": "\\ud800", "sets": []}', "Invalid JSON"),
    ("", b'{"name": "", "sets": []}', "name"),
    ("", b'{"name": "x", "sets": []}', "sets"),
    ("", b'{"name": "x", "sets": [{}]}', "sets.0.sha256"),
    ("", b'{"name": "x", "sets": [], "surprise": 1}', "s"),
    ("runs", b"-1", "runs"),
    ("runs", b"1000000", "runs"),
    ("runs", b"1e999", "runs"),
    ("runs", b"NaN", ""),
    ("runs", b"9" * 5_000, "Invalid JSON"),
    ("name", b'"' + b"x" * 201 + b'"', "name"),
]


@pytest.mark.parametrize(("field", "text", "where"), BAD_BODIES)
def test_a_bad_request_is_told_what_is_wrong(
    tmp_path: Path, field: str, text: bytes, where: str
) -> None:
    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        body = text
        if field:
            good = json.dumps(a_job({"sha256": "0" * 64, "name": "x"}) | {field: 0}).encode()
            body = good.replace(f'"{field}": 0'.encode(), f'"{field}": '.encode() + text)
        answer = await client.post("/api/queues/workshop/jobs", content=body)
        assert answer.status_code == 422
        error = error_of(answer)
        assert error["code"] == "invalid"
        assert where in error["message"]
        assert len(error["message"]) < 500
        assert peer.queue("workshop").state.jobs == ()

    run(tmp_path, use)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sha256": "0" * 64}, "Upload it first"),
        ({"profiles": ["x" * 65]}, ""),
        ({"profiles": [" \x00 "]}, ""),
        ({"copies": -1}, "copies"),
    ],
)
def test_a_set_that_cannot_be_printed_is_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        job = a_job(await upload(client))
        job["sets"][0] |= changes
        answer = await client.post("/api/queues/workshop/jobs", json=job)
        assert answer.status_code == 422
        assert says in error_of(answer)["message"]
        assert peer.queue("workshop").state.jobs == ()

    run(tmp_path, use)


def test_a_request_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/queues", content=b" " * (BODY_BYTES_MAX + 1))
        assert answer.status_code == 422
        assert "larger than 1024 kB" in error_of(answer)["message"]

    run(tmp_path, use)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/nothing.js", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/pyproject.toml", 404),
        ("GET", "/%00", 404),
        ("POST", "/api/state", 405),
        ("GET", "/api/files", 404),
        ("PUT", "/", 405),
        ("POST", "/api/queues/nothing/jobs", 404),
        ("DELETE", "/api/queues/nothing", 404),
        ("DELETE", "/api/queues/workshop/jobs/nothing", 404),
        ("POST", "/api/printer/pause", 409),
        ("POST", "/api/printer/bed-clear", 409),
    ],
)
def test_what_is_not_there_or_not_now_is_an_error_of_the_one_shape(
    tmp_path: Path, method: str, path: str, status: int
) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        body = b'{"name": "x", "sets": [{"sha256": "%s", "name": "x", "profiles": ["A"]}]}'
        answer = await client.request(method, path, content=body % (b"0" * 64))
        assert answer.status_code == status
        error_of(answer)

    run(tmp_path, use)


def test_the_page_is_served_with_headers_that_browsers_obey(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        answer = await client.get("/")
        assert answer.status_code == 200
        assert "text/html" in answer.headers["content-type"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"

    run(tmp_path, use)


@pytest.mark.parametrize("name", ["", " ", "\n", "x" * 201, "a/", "..\\"])
def test_an_upload_needs_a_name(tmp_path: Path, name: str) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/files", params={"name": name}, content=GCODE)
        assert answer.status_code == 422
        assert "Give the file a name" in error_of(answer)["message"]

    run(tmp_path, use)


def test_an_upload_keeps_only_the_last_part_of_a_path(tmp_path: Path) -> None:
    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        assert (await upload(client, "../../etc/x.gcode"))["name"] == "x.gcode"
        assert (await upload(client, "C:\\models\\y.gcode"))["name"] == "y.gcode"

    run(tmp_path, use)


def test_the_printer_is_driven(tmp_path: Path) -> None:
    printer = MemoryPrinter()

    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        await add_job(peer)
        await until(peer, lambda: peer.runner and peer.runner.worker.state == "printing")
        for command in ("pause", "resume"):
            assert (await client.post(f"/api/printer/{command}")).status_code == 204
        early = await client.post("/api/printer/bed-clear")
        assert early.status_code == 409
        job = (await client.get("/api/state")).json()["queues"][1]["jobs"][0]["id"]
        claimed = await client.delete(f"/api/queues/workshop/jobs/{job}")
        assert error_of(claimed)["code"] == "job_is_claimed"
        assert (await client.post("/api/printer/cancel")).status_code == 204
        await until(peer, lambda: peer.queue("workshop").state.jobs[0].paused)
        over = await client.post("/api/printer/cancel")
        assert over.status_code == 409
        assert (await client.post("/api/printer/bed-clear")).status_code == 204
        managing = await client.post("/api/printer/managing", json={"managing": True})
        assert managing.status_code == 204
        await until(peer, lambda: peer.runner and peer.runner.worker.saved.managing)

    run(tmp_path, use, printer)


async def events_of(answer: httpx.Response) -> Any:
    kind = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data":
            yield kind, value.strip()


def test_the_state_comes_at_once_and_after_a_change(tmp_path: Path) -> None:
    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/api/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            events = events_of(answer)
            kind, text = await anext(events)
            assert (kind, json.loads(text)["queues"][1]["jobs"]) == ("state", [])
            job = await add_job(peer)
            async for kind, text in events:
                if kind == "state" and json.loads(text)["queues"][1]["jobs"]:
                    assert json.loads(text)["queues"][1]["jobs"][0]["id"] == job
                    break

    run(tmp_path, use)


def test_that_time_has_passed_is_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer is silent: each look finds a longer silence, which the page counts by itself."""
    monkeypatch.setattr(app, "EVENT_GAP_S", 0.01)

    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        queue = peer.queue("workshop")
        job = await add_job(peer)
        claim = Claim(job=job, epoch=1, peer=PeerId("c" * 16), incarnation=1)
        await queue.edit([claim_entry(claim, at_s=0.0)])
        await until(peer, lambda: queue.claims.held(clock.now_s()))
        before = (await client.get("/api/state")).json()
        async with client.stream("GET", "/api/events") as answer:
            events = events_of(answer)
            assert (await anext(events))[0] == "state"
            assert {(await anext(events))[0] for _ in range(10)} == {"ping"}
        assert (await client.get("/api/state")).json() != before

    run(tmp_path, use)


def test_so_many_pages_may_watch_and_a_closed_one_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "WATCHERS_MAX", 1)

    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        async with client.stream("GET", "/api/events") as first:
            await anext(events_of(first))
            second = await client.get("/api/events")
            assert second.status_code == 503
            assert "Close some of them" in error_of(second)["message"]
        async with asyncio.timeout(HANG_S):
            while True:
                async with client.stream("GET", "/api/events") as third:
                    if third.status_code == 200:
                        break
                await asyncio.sleep(0.01)

    run(tmp_path, use)


def test_a_full_disk_is_a_503_with_what_to_do(tmp_path: Path) -> None:
    async def use(peer: Peer, client: httpx.AsyncClient) -> None:
        file = await upload(client)
        fill_disk(peer.store)
        for _ in range(2):
            answer = await client.post(
                "/api/queues/workshop/jobs", json=a_job(file, name="x" * 200)
            )
            if answer.status_code == 503:
                break
        assert "Make room on the disk" in error_of(answer)["message"]

    run(tmp_path, use)


def test_a_mistake_of_ours_is_an_error_of_the_same_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(View, "snapshot", broken)

    async def use(_: Peer, client: httpx.AsyncClient) -> None:
        answer = await client.get("/api/state")
        assert answer.status_code == 500
        assert error_of(answer)["code"] == "internal"

    run(tmp_path, use)
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/api/files?name=x.gcode", "/api/queues"])
def test_a_request_that_breaks_off_is_no_mistake_of_ours(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as peer, page_of(peer) as url:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nG28\n"
            writer.write(head.encode())
            await writer.drain()
            writer.close()
            await reader.read()
            async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
                assert (await client.get("/api/state")).status_code == 200

    asyncio.run(scenario())
    assert "Traceback" not in capsys.readouterr().err
    assert not list((tmp_path / "files").iterdir())
