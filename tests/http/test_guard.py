"""Whom the page answers: by its own names and addresses, and no other web site."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.harness.loopback_peers import running
from tests.harness.peer_pages import (
    client_of,
    error_of,
)


def answer_to(folder: Path, headers: dict[str, str], method: str = "POST") -> httpx.Response:
    async def scenario() -> httpx.Response:
        async with running(folder) as peer, client_of(peer) as client:
            answer = await client.request(
                method, "/api/queues", json={"name": "workshop"}, headers=headers
            )
            made = "workshop" in peer.queues
            assert made == (answer.status_code == 201)
            return answer

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:7421", "127.0.0.1", "192.168.1.7:7421", "[::1]", "[fe80::1]:7421",
     "printer-pi:7421", "printer-pi.local", "Printer-Pi.local.:80"],
)  # fmt: skip
def test_its_own_names_and_addresses_are_answered(tmp_path: Path, host: str) -> None:
    assert answer_to(tmp_path, {"Host": host}).status_code == 201


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:7421", "evil.local",
     "printer-pi.local.evil", "localhost:80:evil", "[evil]", "127.0.0.1@evil.example", "0x7f.1",
     "printer-pi.local.local"],
)  # fmt: skip
def test_a_name_that_points_here_is_not_enough(tmp_path: Path, host: str) -> None:
    answer = answer_to(tmp_path, {"Host": host})
    assert answer.status_code == 403
    assert error_of(answer)["code"] == "forbidden"
    assert "by its IP address" in error_of(answer)["message"]


@pytest.mark.parametrize("origin", ["http://localhost:7421", "https://localhost:7421"])
def test_the_page_itself_may_ask(tmp_path: Path, origin: str) -> None:
    assert answer_to(tmp_path, {"Host": "localhost:7421", "Origin": origin}).status_code == 201


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "http://localhost", "http://localhost:5000",
     "http://localhost:7421.evil.example", "http://evil.example/localhost:7421", "localhost:7421"],
)  # fmt: skip
def test_other_web_sites_may_not(tmp_path: Path, origin: str) -> None:
    answer = answer_to(tmp_path, {"Host": "localhost:7421", "Origin": origin})
    assert answer.status_code == 403
    assert "Another web site" in error_of(answer)["message"]


def test_a_request_of_an_old_kind_without_a_host_is_refused(tmp_path: Path) -> None:
    async def scenario() -> bytes:
        async with running(tmp_path) as peer, client_of(peer) as client:
            port = client.base_url.port
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /api/state HTTP/1.0\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert b" 403 " in asyncio.run(scenario()).splitlines()[0]
