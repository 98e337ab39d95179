"""Edits of jobs, with real processes: whoever is switched off, nothing of them is lost."""

from pathlib import Path
from typing import Any

import pytest

from crdtqueue.core.errors import CrdtQueueError
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    running,
)

pytestmark = pytest.mark.e2e

PIN = GCODE / "pin_mini.gcode"


def path(job: str) -> str:
    return f"/api/queues/workshop/jobs/{job}"


def names(peer: PeerProcess) -> list[str]:
    return [job["name"] for job in peer.queue()["jobs"]]


def history(peer: PeerProcess) -> list[dict[str, Any]]:
    return list(peer.client.get("/api/history", {})["entries"])


def test_a_job_is_edited_while_its_submitter_and_every_printer_are_off(tmp_path: Path) -> None:
    laptop = PeerProcess(tmp_path / "laptop", "laptop")
    office = PeerProcess(tmp_path / "office", "office")
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    with running(laptop, office, mini):
        mini.client.post("/api/printer/managing", {"managing": False})
        job, last = laptop.add(PIN, name="pin"), laptop.add(PIN, name="last")
        office.wait(lambda: bool(office.jobs().get(last, {}).get("safe_to_leave")))
        laptop.kill()
        mini.kill()
        mini.stop_printer()
        office.client.patch(path(job), {"runs": 2, "name": "two pins"})
        office.client.post(f"{path(last)}/place", {"before": job})
        office.client.delete(path(last))
        mini.start([office])
        mini.client.post("/api/printer/managing", {"managing": True})
        office.wait(lambda: office.jobs()[job]["state"] == "done", 60)
        assert executed(mini.record) == commands(PIN, PIN)
        laptop.start([office])
        for peer in (laptop, office, mini):
            peer.wait(lambda peer=peer: names(peer) == ["two pins"])  # type: ignore[misc]
            peer.wait(lambda peer=peer: len(history(peer)) == 2)  # type: ignore[misc]
        assert {entry["result"] for entry in history(laptop)} == {"done"}


def test_edits_that_two_people_made_apart_both_hold(tmp_path: Path) -> None:
    here, there = (PeerProcess(tmp_path / name, name) for name in ("here", "there"))
    with running(here, there):
        jobs = [here.add(PIN, name=name) for name in "abc"]
        there.wait(lambda: names(there) == ["a", "b", "c"])
        there.kill()
        here.client.patch(path(jobs[0]), {"name": "A"})
        here.client.post(f"{path(jobs[2])}/place", {"before": jobs[0]})
        here.kill()
        there.start([here])
        there.client.patch(path(jobs[0]), {"runs": 5})
        there.client.delete(path(jobs[1]))
        here.start([there])
        for peer in (here, there):
            peer.wait(lambda peer=peer: names(peer) == ["c", "A"])  # type: ignore[misc]
            assert peer.jobs()[jobs[0]]["runs"] == 5


def test_a_job_that_is_printed_goes_when_its_copy_is_done_and_stays_in_the_history(
    tmp_path: Path,
) -> None:
    office = PeerProcess(tmp_path / "office", "office")
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=300)
    with running(office, mini):
        job = office.add(PIN, copies=5)
        office.wait(lambda: office.jobs()[job]["state"] == "printing", 60)
        with pytest.raises(CrdtQueueError, match="mini has"):
            office.client.delete(path(job))
        office.client.delete(f"{path(job)}?after_copy=true")
        mini.wait(lambda: names(mini) == [] and names(office) == [], 90)
        for peer in (office, mini):
            peer.wait(lambda peer=peer: len(history(peer)) == 1)  # type: ignore[misc]
        assert executed(mini.record) == commands(PIN)
        office.client.post(f"{path(job)}/restore")
        mini.wait(lambda: mini.jobs()[job]["copies_done"] >= 1)


def test_a_job_with_its_files_goes_to_a_queue_that_never_met_this_one(tmp_path: Path) -> None:
    here = PeerProcess(tmp_path / "here", "here")
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    archive = tmp_path / "pins.gjob"
    with running(here):
        job = here.add(PIN, GCODE / "pin_mk3s.gcode", copies=2)
        with archive.open("wb") as file:
            here.client.download(f"{path(job)}/gjob", file)
    with running(mini):
        added = mini.client.send("/api/queues/local/gjob", archive)["id"]
        mini.wait(lambda: len(history(mini)) == 2, 60)
        assert executed(mini.record) == commands(PIN, PIN)
        assert {entry["job_id"] for entry in history(mini)} == {added}
