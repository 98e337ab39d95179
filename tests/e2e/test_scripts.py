"""Scripts, in real processes: they clear the bed, survive kill -9, and are nobody's print."""

from pathlib import Path

import pytest

from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    running,
    until,
)

pytestmark = pytest.mark.e2e

PIN = GCODE / "pin_mini.gcode"


def write(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_script_clears_the_bed_and_the_next_copy_begins_by_itself(tmp_path: Path) -> None:
    sweep = write(tmp_path, "sweep.gcode", "; over the bed", "G1 Y200 F3000", "G1 Y0")
    before = write(tmp_path, "before.gcode", "M117 Stand clear")
    peer = PeerProcess(
        tmp_path / "peer", "mini", profile="MINI", speed_up=2000, self_clearing=False
    )
    scripts = ["--script", f"clear-bed={sweep}", "--script", f"before-print={before}"]
    with running(peer, extra=scripts):
        job = peer.add(PIN, copies=2)
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 90)
        peer.wait(lambda: peer.state()["printer"]["state"] == "idle")
        one = [*commands(before), *commands(PIN), *commands(sweep)]
        assert executed(peer.record) == one * 2
        assert peer.jobs()[job]["copies_done"] == 2
        peer.wait(lambda: peer.client.get("/api/history", {})["total"] == 2)


def test_kill_9_in_mid_script_runs_it_once_and_loses_nothing(tmp_path: Path) -> None:
    slow = write(tmp_path, "slow.gcode", *["G4 S60", "M117 done"] * 5)
    peer = PeerProcess(tmp_path / "peer", "mini", profile="MINI", speed_up=100, self_clearing=False)
    with running(peer, extra=["--script", f"clear-bed={slow}"]):
        job = peer.add(PIN, copies=2)
        peer.wait(lambda: peer.state()["printer"]["state"] == "script", 90)
        assert "clear-bed" in peer.state()["printer"]["text"]
        until(lambda: len(executed(peer.record)) > len(commands(PIN)), 30)
        peer.kill()
        peer.start()
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 90)
        peer.wait(lambda: peer.state()["printer"]["state"] == "idle", 60)
        assert executed(peer.record) == [*commands(PIN), *commands(slow)] * 2
