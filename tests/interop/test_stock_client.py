"""A stock Yjs client, with y-websocket, joins a running peer's queue like any other peer."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crdtqueue.adapters.crdt import facade
from crdtqueue.api.models import JobEdit, SetEdit
from crdtqueue.api.operations import Operations
from crdtqueue.core.document.keys import ROOTS
from crdtqueue.core.yjs.lib0 import JsonValue
from crdtqueue.core.yjs.update_parser import parse_state_vector
from crdtqueue.peer.lan_queue import room_of
from crdtqueue.peer.peer import Peer
from tests.harness import loopback_peers
from tests.harness.patience import HANG_S
from tests.interop.yjs_replica import Yjs, running

pytestmark = pytest.mark.e2e

BACKENDS = [name for name in ("y_py", "pycrdt") if find_spec(name)]
MISCHIEF = [
    "a map in a map",
    "an array in a map",
    "a text in a map",
    "xml in a map",
    "a document in a map",
    "bytes in a map",
    "undefined in a map",
    "a bigint in a map",
    "no number in a map",
    "infinity in a map",
    "a large value",
    "a deep value",
    "a long key",
    "an empty key",
    "a map of another name",
    "an array of another name",
    "a text of another name",
    "an array where a map is",
    "a text where a map is",
    "xml where a map is",
]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The peer's library."""
    name = str(request.param)
    monkeypatch.setattr(facade, "find_spec", lambda library: library == name or None)
    return name


@pytest.fixture
def node(yjs_folder: Path) -> Iterator[Yjs]:
    with running(yjs_folder, "client.mjs") as clients:
        yield clients


class Client:
    """One stock client of a peer's queue `workshop`."""

    def __init__(self, node: Yjs, name: str) -> None:
        self._node = node
        self._name = name

    async def ask(self, command: str, **arguments: Any) -> Any:
        return await asyncio.to_thread(self._node.ask, command, name=self._name, **arguments)

    async def dial(self, peer: Peer) -> Client:
        room = room_of(peer.queue("workshop").name)
        await self.ask("join", url=f"ws://{peer.config.listen}", room=room)
        return self

    async def join(self, peer: Peer) -> Client:
        await self.dial(peer)
        await self.until_equal(peer)
        return self

    async def set(self, root: str, key: str, value: object) -> None:
        await self.ask("edit", changes=[{"root": root, "key": key, "value": value}])

    async def delete(self, root: str, key: str) -> None:
        await self.ask("edit", changes=[{"root": root, "key": key}])

    async def state(self) -> tuple[str, dict[int, int]]:
        state = await self.ask("state", roots=sorted(ROOTS))
        content = json.dumps(state["content"], sort_keys=True)
        return content, parse_state_vector(bytes.fromhex(state["state_vector"]))

    async def closed(self) -> bool:
        """Whether the link was ever closed."""
        return bool((await self.ask("state", roots=[]))["closed"])

    async def is_equal(self, peer: Peer) -> bool:
        return await self.state() == state_of(peer)

    async def until_equal(self, peer: Peer) -> None:
        """Returns once both have the same."""
        await until(partial(self.is_equal, peer))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns once `condition` is so."""
    async with asyncio.timeout(HANG_S):
        while not await condition():  # noqa: ASYNC110  # another process does not say when
            await asyncio.sleep(0.02)


def state_of(peer: Peer) -> tuple[str, dict[int, int]]:
    document = peer.queue("workshop").replica.document
    content = json.dumps(document.read(), sort_keys=True)
    return content, parse_state_vector(document.state_vector())


def test_a_stock_client_edits_a_job_and_sees_our_edits(
    tmp_path: Path, node: Yjs, backend: str
) -> None:
    async def main() -> None:
        async with loopback_peers.running(tmp_path, queue="workshop") as peer:
            job, service = await loopback_peers.add_job(peer), Operations(peer)
            queue = peer.queue("workshop")
            client = await Client(node, "one").join(peer)
            assert f"{job}/name" in (await client.state())[0]
            await client.set("jobs", f"{job}/name", "Löwe 🦁")
            await client.set("jobs", f"{job}/runs", 3)
            await client.set("jobs", f"{job}/note", "grey")
            await client.delete("jobs", f"{job}/note")
            await client.until_equal(peer)
            (found,) = queue.state.jobs
            assert (found.name, found.runs, found.note) == ("Löwe 🦁", 3, "")
            await service.jobs.edit("workshop", job, JobEdit(note="blue"))
            await client.until_equal(peer)
            assert '"blue"' in (await client.state())[0]
            assert type(queue.replica.document._backend).__module__.endswith(f"{backend}_backend")

    asyncio.run(main())


def test_what_a_later_version_wrote_outlives_all_our_edits(
    tmp_path: Path, node: Yjs, backend: str
) -> None:
    async def main() -> None:
        async with loopback_peers.running(tmp_path, queue="workshop") as peer:
            job, jobs = await loopback_peers.add_job(peer), Operations(peer).jobs
            document = peer.queue("workshop").replica.document
            (each,) = peer.queue("workshop").state.jobs[0].sets
            client = await Client(node, "later").join(peer)
            later: dict[tuple[str, str], JsonValue] = {
                ("queue", "colour"): "red",
                ("queue", "strategy"): "cheapest",
                ("jobs", f"{job}/priority"): {"level": [3]},
                ("jobs", "not a job/name"): 7,
                ("sets", f"{job}/{each.id}/nozzle"): 0.4,
                ("sets", f"{job}/{each.id}/extra.spare"): 1,
                ("runs", f"{job}/1/{peer.me.peer}/1/1"): {"result": "half done", "set": each.id},
                ("peers", "a printer to be"): {"name": "x"},
                ("more", "anything"): None,
            }
            for (root, key), value in later.items():
                await client.set(root, key, value)
            await client.until_equal(peer)
            await jobs.edit("workshop", job, JobEdit(name="x", note="y", runs=2))
            await jobs.edit_set("workshop", job, each.id, SetEdit(copies=2, extra=1))
            await jobs.duplicate("workshop", job)
            await jobs.place("workshop", job, None)
            await jobs.pause("workshop", job, paused=True)
            await jobs.print_again("workshop", job)
            await jobs.delete("workshop", job)
            await jobs.restore("workshop", job)
            await client.until_equal(peer)
            content = document.read()
            for (root, key), value in later.items():
                assert key in content[root]
                assert content[root][key] == value

    asyncio.run(main())


@pytest.mark.parametrize("seed", range(3))
def test_stock_clients_and_peers_converge_over_real_links(
    tmp_path: Path, node: Yjs, backend: str, seed: int
) -> None:
    async def main() -> None:
        chance = random.Random(seed)
        async with loopback_peers.running(tmp_path, queue="workshop") as peer:
            clients = [await Client(node, name).join(peer) for name in ("one", "other")]
            for number in range(60):
                root, key = chance.choice(("more", "jobs")), chance.choice("abcd")
                if chance.random() < 0.3:
                    client = chance.choice(clients)
                    await client.ask("leave")
                    await client.join(peer)
                elif chance.random() < 0.4:
                    await peer.queue("workshop").edit([(root, key, number)])
                elif chance.random() < 0.7:
                    await chance.choice(clients).set(root, key, {"n": [number, 0.5, None]})
                else:
                    await chance.choice(clients).delete(root, key)
                if chance.random() < 0.1:
                    for client in clients:
                        await client.until_equal(peer)
            for client in clients:
                await client.until_equal(peer)

    asyncio.run(main())


def test_whatever_else_yjs_can_hold_is_refused_and_changes_nothing(
    tmp_path: Path, node: Yjs, backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with loopback_peers.running(tmp_path, queue="workshop") as peer:
            await loopback_peers.add_job(peer)
            good = await Client(node, "good").join(peer)
            before = state_of(peer)
            for how in MISCHIEF:
                bad = await Client(node, how).dial(peer)
                caplog.clear()
                await bad.ask("misbehave", how=how)
                await until(bad.closed)
                await bad.ask("leave")
                assert "is disconnected" in caplog.text, how
                assert state_of(peer) == before, how
            await good.set("more", "still", "there")
            await good.until_equal(peer)
            assert not await good.closed()

    asyncio.run(main())


def test_awareness_of_any_kind_is_ignored(tmp_path: Path, node: Yjs, backend: str) -> None:
    async def main() -> None:
        async with loopback_peers.running(tmp_path, queue="workshop") as peer:
            client = await Client(node, "one").join(peer)
            states: list[JsonValue] = [{"user": "Ann"}, {"deep": [[{}]]}, {"x": "x" * 50_000}, None]
            for fields in states:
                await client.ask("aware", fields=fields)
            await client.set("more", "after", 1)
            await client.until_equal(peer)
            assert not await client.closed()

    asyncio.run(main())
