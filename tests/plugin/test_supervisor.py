"""The supervisor with real peer processes."""

import os
import signal
import socket
import sqlite3
import stat
from pathlib import Path

import pytest
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable
from octoprint_crdtqueue.peer_file import PeerFile
from octoprint_crdtqueue.peer_process import CannotStart, Child, Post
from octoprint_crdtqueue.supervision import ServiceState
from octoprint_crdtqueue.supervisor import Supervisor

from tests.harness.peer_processes import (
    free_port,
    until,
)
from tests.harness.supervised_peers import (
    Watched,
    kill,
    launcher,
    pids,
    supervised,
)

pytestmark = pytest.mark.e2e


def test_the_peer_runs_answers_only_to_the_token_and_ends(tmp_path: Path) -> None:
    with supervised(launcher(tmp_path)) as watched:
        watched.wait_for(ServiceState.RUNNING)
        client = watched.client()
        state = client.ask("GET", "/api/state")
        assert state.ok
        assert state.json()["peer"]["name"] == "plugin"
        client._headers = {"Authorization": "Bearer nonsense"}
        assert client.ask("GET", "/api/state").status in {401, 403}
        for name in ("peer-token", "peer-process.json"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert len(pids(tmp_path)) == 1
    assert pids(tmp_path) == []
    assert watched.status.state is ServiceState.STOPPED
    with pytest.raises(PeerUnavailable):
        client.ask("GET", "/api/state")


def test_a_peer_that_was_killed_is_started_again_and_the_reason_is_told(tmp_path: Path) -> None:
    with supervised(launcher(tmp_path)) as watched:
        watched.wait_for(ServiceState.RUNNING)
        killed = kill(tmp_path)
        watched.wait(lambda: watched.status.state is ServiceState.WAITING)
        assert watched.status.problem == "Something ended it (signal 9)."
        watched.wait_for(ServiceState.RUNNING)
        assert pids(tmp_path) != [killed]
        assert watched.client().ask("GET", "/api/state").ok


def test_a_peer_that_does_not_end_when_told_is_ended_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octoprint_crdtqueue.supervision.STOP_TIMEOUT_S", 0.5)
    with supervised(launcher(tmp_path)) as watched:
        watched.wait_for(ServiceState.RUNNING)
        (pid,) = pids(tmp_path)
        os.kill(pid, signal.SIGSTOP)
    assert watched.status.state is ServiceState.STOPPED
    assert pids(tmp_path) == []


def test_a_port_in_use_is_told_with_what_to_do_and_the_peer_starts_when_it_is_free(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        watched = Watched(launcher(tmp_path, port))
        watched.supervisor.start()
        watched.wait(lambda: watched.status.problem != "")
        assert f"Port {port} is in use by another program." in watched.status.problem
        assert "in the settings of this plugin" in watched.status.problem
    try:
        watched.wait_for(ServiceState.RUNNING)
    finally:
        watched.supervisor.stop()


def test_a_store_of_a_newer_version_is_told_with_what_to_do(tmp_path: Path) -> None:
    with supervised(launcher(tmp_path)) as watched:
        watched.wait_for(ServiceState.RUNNING)
    (store,) = (tmp_path / "peer").glob("*.sqlite*")
    with sqlite3.connect(store) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()
    with supervised(launcher(tmp_path)) as watched:
        watched.wait(lambda: watched.status.problem != "")
        assert "newer crdtqueue. Update crdtqueue" in watched.status.problem


def test_a_peer_that_outlived_its_octoprint_is_ended_first(tmp_path: Path) -> None:
    port = free_port()
    with supervised(launcher(tmp_path, port)) as before:
        before.wait_for(ServiceState.RUNNING)
        (orphan,) = pids(tmp_path)
        with supervised(launcher(tmp_path, port)) as after:
            after.wait_for(ServiceState.RUNNING)
            before.supervisor.stop()
            assert orphan not in pids(tmp_path)
            assert len(pids(tmp_path)) == 1


def test_a_stranger_with_the_remembered_process_id_is_left_alone(tmp_path: Path) -> None:
    with supervised(launcher(tmp_path / "a")) as watched:
        watched.wait_for(ServiceState.RUNNING)
        (pid,) = pids(tmp_path / "a")
        assert watched.status.peer is not None
        forged = PeerFile(path=tmp_path / "peer-process.json")
        address = watched.status.peer
        forged.write(pid, type(address)(url=address.url, token="another"))  # noqa: S106
        assert not forged.end_leftover()
        assert PeerClient(address).ask("GET", "/api/state").ok


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid":1,"url":"x"}'])
def test_a_broken_file_of_the_process_remembers_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "peer-process.json"
    path.write_text(content)
    assert not PeerFile(path=path).end_leftover()


class Refusing:
    """What cannot start anything."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def launch(self, run: int, post: Post) -> Child:
        raise self.error


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (CannotStart("Finish the set-up wizard."), "Finish the set-up wizard."),
        (RuntimeError("a bug"), "It cannot be started: a bug."),
    ],
)
def test_what_cannot_be_started_is_a_problem_and_no_crash(error: Exception, problem: str) -> None:
    with supervised(Refusing(error)) as watched:
        watched.wait_for(ServiceState.WAITING)
        assert watched.status.problem == problem


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    starter = launcher(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with supervised(starter) as watched:
        watched.wait(lambda: watched.status.problem != "")
        assert "may be written" in watched.status.problem


def test_a_supervisor_that_was_never_started_stops_at_once() -> None:
    Supervisor(Refusing(RuntimeError()), lambda: None).stop()


def test_it_can_be_started_again_after_a_stop(tmp_path: Path) -> None:
    watched = Watched(launcher(tmp_path))
    for _ in range(2):
        watched.supervisor.start()
        watched.wait_for(ServiceState.RUNNING)
        watched.supervisor.stop()
        until(lambda: pids(tmp_path) == [], 5)
