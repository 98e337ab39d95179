"""Saved changes of the queues, made by a real peer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from octoprint_crdtqueue.peer_client import PeerAddress, PeerClient, PeerUnavailable
from octoprint_crdtqueue.pending import PendingQueues
from octoprint_crdtqueue.plugin_config import (
    CHANGES_MAX,
    QueueChange,
)
from octoprint_crdtqueue.supervision import ServiceState

from tests.harness.peer_processes import free_port
from tests.harness.supervised_peers import (
    launcher,
    supervised,
)


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerClient]:
    with supervised(launcher(tmp_path_factory.mktemp("peer"))) as watched:
        watched.wait_for(ServiceState.RUNNING)
        yield watched.client()


@pytest.fixture
def pending(tmp_path: Path) -> PendingQueues:
    return PendingQueues(tmp_path / "pending.json")


def queues(peer: PeerClient) -> list[str]:
    state = peer.ask("GET", "/api/state").json()
    return [queue["name"] for queue in state["queues"] if not queue["local"]]


@pytest.mark.e2e
def test_a_queue_is_joined_and_left_and_then_there_is_nothing_to_do(
    peer: PeerClient, pending: PendingQueues
) -> None:
    pending.add([QueueChange(name="my shop", addresses=("127.0.0.1:1",))])
    assert pending.as_json()["waiting"][0]["name"] == "my shop"
    pending.apply(peer)
    assert queues(peer) == ["my shop"]
    pending.add([QueueChange(name="my shop", leave=True)])
    pending.apply(peer)
    assert queues(peer) == []
    assert pending.as_json() == {"waiting": [], "refusals": []}


@pytest.mark.e2e
def test_what_the_peer_refuses_is_told_once_and_the_rest_is_done(
    peer: PeerClient, pending: PendingQueues
) -> None:
    wanted = [
        QueueChange(name="one"),
        QueueChange(name="ONE"),
        QueueChange(name="never was", leave=True),
        QueueChange(name="two"),
    ]
    pending.add(wanted)
    pending.apply(peer)
    assert set(queues(peer)) == {"one", "two"}
    (refusal,) = pending.as_json()["refusals"]
    assert refusal.startswith("ONE: There is a queue named ONE already.")
    pending.add([QueueChange(name="one", leave=True), QueueChange(name="two", leave=True)])
    pending.apply(peer)
    assert pending.as_json() == {"waiting": [], "refusals": []}


def test_changes_wait_on_disk_while_the_peer_does_not_answer(tmp_path: Path) -> None:
    path = tmp_path / "pending.json"
    PendingQueues(path).add([QueueChange(name="shop")])
    again = PendingQueues(path)
    gone = PeerClient(PeerAddress(url=f"http://127.0.0.1:{free_port()}", token=""))
    with pytest.raises(PeerUnavailable):
        again.apply(gone)
    assert [each["name"] for each in again.as_json()["waiting"]] == ["shop"]


def test_the_last_word_on_a_queue_counts(pending: PendingQueues) -> None:
    pending.add([QueueChange(name="shop")])
    pending.add([QueueChange(name="shop", leave=True)])
    assert [each["leave"] for each in pending.as_json()["waiting"]] == [True]


def test_there_is_a_limit(pending: PendingQueues) -> None:
    pending.add([QueueChange(name=str(number)) for number in range(CHANGES_MAX + 5)])
    assert len(pending.as_json()["waiting"]) == CHANGES_MAX


@pytest.mark.parametrize("content", ["", "{", "7", '[{"name": "a/b"}]', json.dumps([None])])
def test_a_broken_file_holds_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pending.json"
    path.write_text(content)
    assert PendingQueues(path).as_json()["waiting"] == []
