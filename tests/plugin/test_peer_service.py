"""The peer process with all that follows it, as the tab sees it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from octoprint_crdtqueue.local_jobs import (
    LocalFile,
    PeerRefused,
    add,
    hand_over,
    parse_local_job,
    take_in,
)
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable
from octoprint_crdtqueue.peer_service import (
    BUSY,
    NOT_RUNNING,
    REQUESTS_MAX,
    PeerService,
)
from octoprint_crdtqueue.plugin_config import QueueChange

from crdtqueue.core.errors import Invalid
from tests.harness.patience import HANG_S
from tests.harness.peer_processes import (
    GCODE,
    until,
)
from tests.harness.supervised_peers import (
    kill,
    launcher,
    pids,
)

pytestmark = pytest.mark.e2e

PIN = LocalFile(name="pin.gcode", on_disk=GCODE / "pin_mk3s.gcode")
START_S = 40.0


class Browser:
    """What a browser is sent."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    @property
    def last(self) -> dict[str, Any]:
        return self.messages[-1] if self.messages else {"state": None}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[PeerService, Browser]]:
    browser = Browser()
    service = PeerService(folder, launcher(folder), browser.messages.append)
    service.start()
    try:
        until(lambda: service.view()["state"] is not None, START_S)
        yield service, browser
    finally:
        service.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PeerService, Browser]]:
    with serving(tmp_path_factory.mktemp("service")) as both:
        yield both


def names(view: dict[str, Any]) -> set[str]:
    return {queue["name"] for queue in view["state"]["queues"]} if view["state"] else set()


def test_a_state_says_how_old_it_is_while_the_peer_has_nothing_new_to_say(
    running: tuple[PeerService, Browser],
) -> None:
    service, browser = running
    until(lambda: service.view()["age_s"] >= 1.5, START_S)
    until(lambda: browser.last["age_s"] >= 1.5, START_S)
    assert browser.last["state"] == service.view()["state"]


def test_changes_reach_the_browsers_by_themselves(running: tuple[PeerService, Browser]) -> None:
    service, browser = running
    until(lambda: names(browser.last) == {"local"}, START_S)
    service.pending.add([QueueChange(name="shop")])
    service.apply_pending()
    until(lambda: names(browser.last) == {"local", "shop"}, 10)
    assert browser.last["service"] == {"state": "running", "problem": ""}


def test_a_stored_file_becomes_a_job(running: tuple[PeerService, Browser]) -> None:
    service, _ = running
    job = parse_local_job({"path": "parts/pin.gcode", "copies": 3})
    added = service.ask(add(job, PIN))
    (queue,) = (q for q in service.ask(state)["queues"] if q["local"])
    (found,) = (each for each in queue["jobs"] if each["id"] == added["id"])
    assert (found["name"], found["copies_total"]) == ("pin", 3)
    assert found["sets"][0]["profiles"] == ["MK3S"]


def state(client: PeerClient) -> dict[str, Any]:
    found: dict[str, Any] = client.ask("GET", "/api/state").json()
    return found


def test_what_the_peer_refuses_comes_back_with_its_sentence(
    running: tuple[PeerService, Browser], tmp_path: Path
) -> None:
    service, _ = running
    empty = tmp_path / "empty.gcode"
    empty.touch()
    with pytest.raises(PeerRefused) as refused:
        service.ask(take_in(LocalFile(name="empty.gcode", on_disk=empty)))
    assert refused.value.answer.status == 422
    with pytest.raises(PeerRefused) as nowhere:
        service.ask(add(parse_local_job({"path": "pin.gcode", "queue": "no such"}), PIN))
    assert nowhere.value.answer.status == 404


def test_a_job_file_becomes_a_job_and_a_broken_one_is_refused(
    running: tuple[PeerService, Browser], tmp_path: Path
) -> None:
    service, _ = running
    added = service.ask(add(parse_local_job({"path": "to take along.gcode"}), PIN))["id"]
    answer = service.ask(lambda peer: peer.ask("GET", f"/api/queues/local/jobs/{added}/gjob"))
    assert (answer.status, answer.disposition.startswith("attachment")) == (200, True)
    file = LocalFile(name="x.gjob", on_disk=tmp_path / "x.gjob")
    file.on_disk.write_bytes(answer.body)
    path = "/api/queues/local/gjob?name=x.gjob"
    assert service.ask(hand_over(file, path))["id"] != added
    file.on_disk.write_bytes(answer.body[:100])
    with pytest.raises(PeerRefused) as refused:
        service.ask(hand_over(file, path))
    assert refused.value.answer.status == 422


def test_what_is_too_large_to_be_passed_on_is_said_and_not_cut_off(
    running: tuple[PeerService, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octoprint_crdtqueue.peer_client.ANSWER_BYTES_MAX", 10)
    with pytest.raises(PeerUnavailable, match="larger than"):
        running[0].ask(state)


def test_a_file_that_does_not_name_its_printer_needs_profiles(
    running: tuple[PeerService, Browser], tmp_path: Path
) -> None:
    service, _ = running
    plain = LocalFile(name="plain.gcode", on_disk=tmp_path / "plain.gcode")
    plain.on_disk.write_text("G28\nM104 S0\n")
    with pytest.raises(Invalid, match="which printer it is made for"):
        service.ask(add(parse_local_job({"path": "plain.gcode"}), plain))
    job = parse_local_job({"path": "plain.gcode", "profiles": ["ANY"]})
    assert service.ask(add(job, plain))["id"]


def test_a_file_that_has_gone_is_told(running: tuple[PeerService, Browser], tmp_path: Path) -> None:
    gone = LocalFile(name="gone.gcode", on_disk=tmp_path / "gone.gcode")
    with pytest.raises(Invalid, match=r"has no file gone\.gcode any more"):
        running[0].ask(take_in(gone))


@pytest.mark.parametrize("data", [None, [], {}, {"path": 7}, "x"])
def test_what_names_no_file_is_refused(data: object) -> None:
    with pytest.raises(Invalid, match="Say which file"):
        parse_local_job(data)


def test_too_many_requests_at_once_are_turned_away(
    running: tuple[PeerService, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octoprint_crdtqueue.peer_service.WAIT_FOR_TURN_S", 0.05)
    service, _ = running
    done, started = threading.Event(), threading.Semaphore(0)

    def wait(_: PeerClient) -> None:
        started.release()
        done.wait(HANG_S)

    threads = [threading.Thread(target=service.ask, args=(wait,)) for _ in range(REQUESTS_MAX)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert started.acquire(timeout=HANG_S)
        with pytest.raises(PeerUnavailable, match=BUSY):
            service.ask(state)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert service.ask(state)["peer"]["name"] == "plugin"


def test_a_kill_is_told_and_healed_and_saved_changes_are_made_then(tmp_path: Path) -> None:
    with serving(tmp_path) as (service, browser):
        kill(tmp_path)
        until(lambda: service.view()["state"] is None, 10)
        with pytest.raises(PeerUnavailable, match=NOT_RUNNING):
            service.ask(state)
        service.pending.add([QueueChange(name="shop")])
        service.apply_pending()
        until(lambda: names(browser.last) == {"local", "shop"}, START_S)
        told = [m["service"]["problem"] for m in browser.messages if "service" in m]
        assert "Something ended it (signal 9)." in told
    assert pids(tmp_path) == []


def test_a_restart_is_a_new_process(tmp_path: Path) -> None:
    with serving(tmp_path) as (service, _):
        before = pids(tmp_path)
        service.restart()
        until(lambda: pids(tmp_path) not in ([], before), START_S)
        until(lambda: service.view()["state"] is not None, START_S)


def test_a_large_state_is_not_pushed_but_announced(
    running: tuple[PeerService, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octoprint_crdtqueue.peer_service.PUSHED_BYTES_MAX", 10)
    service, browser = running
    service.pending.add([QueueChange(name="another")])
    service.apply_pending()
    until(lambda: browser.last == {"changed": True}, 10)
    assert service.view()["state"] is not None
