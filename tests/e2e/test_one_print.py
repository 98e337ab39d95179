"""From a job submitted at one peer to the last command that another peer's printer executed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.patience import HANG_S
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    printer_processes,
    running,
    until,
)

pytestmark = pytest.mark.e2e

PIN_MK3S, PIN_MINI, PIN_ENDER = (GCODE / f"pin_{p}.gcode" for p in ("mk3s", "mini", "ender3"))
CUBE_MK3S = GCODE / "cube20_mk3s.gcode"


def is_done(peer: PeerProcess, job: str) -> bool:
    return bool(peer.jobs()[job]["state"] == "done")


def progress_of(peer: PeerProcess) -> float:
    return float(peer.state()["printer"]["progress"] or 0)


def test_a_job_submitted_at_one_peer_is_printed_by_the_other_that_fits(tmp_path: Path) -> None:
    submitter = PeerProcess(tmp_path / "a", "laptop")
    printer = PeerProcess(tmp_path / "b", "mini", profile="MINI", speed_up=2000)
    with running(submitter, printer):
        job = submitter.add(PIN_MINI, PIN_MK3S, copies=2)
        submitter.wait(lambda: is_done(submitter, job), 60)
        printer.wait(lambda: is_done(printer, job))
        assert submitter.jobs()[job]["copies_done"] == 2
        assert executed(printer.record) == commands(PIN_MINI, PIN_MINI)
    assert printer_processes(tmp_path) == []


def test_a_real_printer_waits_until_a_person_has_cleared_the_bed(tmp_path: Path) -> None:
    peer = PeerProcess(tmp_path, "mini", profile="MINI", speed_up=2000, self_clearing=False)
    with running(peer):
        first, second = peer.add(PIN_MINI), peer.add(PIN_MINI)
        peer.wait(lambda: is_done(peer, first), 60)
        peer.wait(lambda: peer.state()["printer"]["state"] == "waiting_for_bed")
        assert "bed of mini" in peer.jobs()[second]["why"]
        peer.stop()
        peer.start()
        assert peer.state()["printer"]["bed_clear"] is False
        assert executed(peer.record) == commands(PIN_MINI)
        peer.client.post("/api/printer/bed-clear")
        peer.wait(lambda: is_done(peer, second), 60)
        assert executed(peer.record) == commands(PIN_MINI, PIN_MINI)


def test_kill_9_of_the_claiming_peer_in_mid_print(tmp_path: Path) -> None:
    peers = [
        PeerProcess(tmp_path / name, name, profile="MK3S", speed_up=200)
        for name in ("left", "right")
    ]
    with running(*peers):
        job = peers[0].add(CUBE_MK3S)
        peers[0].wait(lambda: peers[0].jobs()[job]["printing_by"] is not None)
        name = peers[0].jobs()[job]["printing_by"]["name"]
        owner, other = sorted(peers, key=lambda peer: peer.name != name)
        owner.wait(lambda: progress_of(owner) > 0.1, 60)
        owner.kill()
        assert len(printer_processes(owner.folder)) == 1
        before = len(executed(owner.record))
        owner.start([other])
        owner.wait(lambda: len(executed(owner.record)) > before)
        for peer in peers:
            peer.wait(lambda peer=peer: is_done(peer, job), 90)  # type: ignore[misc]
            assert peer.jobs()[job]["copies_done"] == 1
        assert executed(owner.record) == commands(CUBE_MK3S)
        assert executed(other.record) == []


def test_the_print_is_counted_when_it_ended_while_the_peer_was_dead(tmp_path: Path) -> None:
    peer = PeerProcess(tmp_path, "mini", profile="MINI", speed_up=300)
    with running(peer):
        job = peer.add(PIN_MINI)
        peer.wait(lambda: progress_of(peer) > 0.05, 60)
        peer.kill()
        until(lambda: executed(peer.record) == commands(PIN_MINI), 60)
        peer.start()
        peer.wait(lambda: is_done(peer, job))
        assert peer.jobs()[job]["copies_done"] == 1
        assert executed(peer.record) == commands(PIN_MINI)


def test_the_printer_process_is_restarted_between_two_prints_and_never_in_one(
    tmp_path: Path,
) -> None:
    mk3s = PeerProcess(tmp_path, "mk3s", profile="MK3S", speed_up=20)
    with running(mk3s):
        mk3s.wait(lambda: bool(printer_processes(mk3s.folder)))
        (before,) = printer_processes(mk3s.folder)
        restart = [sys.executable, "-m", "crdtqueue", "printer", "restart", "--url", mk3s.url]
        assert subprocess.run(restart, check=False, timeout=HANG_S).returncode == 0
        (after,) = printer_processes(mk3s.folder)
        assert after != before
        job = mk3s.add(PIN_MK3S)
        mk3s.wait(lambda: 0 < progress_of(mk3s) < 1)
        refused = subprocess.run(
            restart, check=False, timeout=HANG_S, capture_output=True, text=True
        )
        assert refused.returncode == 1
        assert "Restart it when the print is over." in refused.stderr
        mk3s.wait(lambda: is_done(mk3s, job), HANG_S)
        assert printer_processes(mk3s.folder) == [after]
