"""A printer that says itself that its bed is clear, with real processes."""

import asyncio
import time
from pathlib import Path

import pytest

from crdtqueue.adapters.printer_process import socket_path
from printer_driver.client import SocketPrinter
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    running,
)
from tests.harness.virtual_printers import until_ready

pytestmark = pytest.mark.e2e

PIN = GCODE / "pin_mini.gcode"
SAYS_CLEAR = "M118 A1 action:bed_clear"


def mini(folder: Path) -> PeerProcess:
    return PeerProcess(folder / "peer", "mini", profile="MINI", speed_up=2000, self_clearing=False)


def sweeping(folder: Path) -> Path:
    """A file that takes its own part off at its end."""
    path = folder / "sweeping.gcode"
    path.write_text(PIN.read_text() + f"G1 Y0 F6000\n{SAYS_CLEAR}\n")
    return path


def say_clear(peer: PeerProcess) -> None:
    """What a button of the printer's own menu does."""

    async def send() -> None:
        printer = SocketPrinter(socket_path(peer.folder))
        try:
            await until_ready(printer)
            await printer.send([SAYS_CLEAR])
        finally:
            await printer.close()

    asyncio.run(send())


def copies_done(peer: PeerProcess, job: str) -> int:
    return int(peer.jobs()[job]["copies_done"])


def waits_for_bed(peer: PeerProcess, job: str, copies: int) -> bool:
    return copies_done(peer, job) == copies and peer.state()["printer"]["bed_clear"] is False


def test_a_file_that_takes_its_part_off_is_printed_again_by_itself(tmp_path: Path) -> None:
    peer, file = mini(tmp_path), sweeping(tmp_path)
    with running(peer):
        job = peer.add(file, copies=3)
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 90)
        assert executed(peer.record) == commands(file) * 3
        assert peer.state()["printer"]["bed_clear"] is True


def test_scripts_run_between_and_do_not_swallow_it(tmp_path: Path) -> None:
    peer, file = mini(tmp_path), sweeping(tmp_path)
    script = tmp_path / "done.gcode"
    script.write_text("M117 Next, please\nG4 P100\n")
    with running(peer, extra=["--script", f"print-done={script}"]):
        job = peer.add(file, copies=2)
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 90)
        peer.wait(lambda: peer.state()["printer"]["state"] == "idle")
        assert executed(peer.record) == (commands(file) + commands(script)) * 2


def test_said_while_the_peer_is_away_it_counts_once(tmp_path: Path) -> None:
    peer = mini(tmp_path)
    with running(peer):
        job = peer.add(PIN, copies=3)
        peer.wait(lambda: waits_for_bed(peer, job, 1), 60)
        peer.kill()
        say_clear(peer)
        peer.start()
        peer.wait(lambda: waits_for_bed(peer, job, 2), 60)
        end_s = time.monotonic() + 5.0
        while time.monotonic() < end_s:  # more than two of the statuses that come in any case
            assert waits_for_bed(peer, job, 2)
            time.sleep(0.2)
        say_clear(peer)
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 60)
        spoken = [line for line in executed(peer.record) if not line.startswith("M118")]
        assert spoken == commands(PIN) * 3


def test_both_processes_begin_anew_before_it_is_said(tmp_path: Path) -> None:
    peer = mini(tmp_path)
    with running(peer):
        job = peer.add(PIN, copies=2)
        peer.wait(lambda: waits_for_bed(peer, job, 1), 60)
        peer.kill()
        peer.stop_printer()
        peer.start()
        peer.wait(lambda: waits_for_bed(peer, job, 1), 30)
        say_clear(peer)
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 60)
