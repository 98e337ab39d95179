"""`make demo`: three peers, each with a virtual printer, one LAN queue, real g-code.

Every printer process behind it drives a virtual Marlin over a real pseudo-terminal. At the end the
commands that the printers executed are compared with the files.
"""

import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    running,
)

SPEED_UP = float(os.environ.get("DEMO_SPEED_UP", "60"))
TIMEOUT_S = 600.0

PRINTERS = {"mk3s-left": "MK3S", "mini-shelf": "MINI", "ender-garage": "ENDER3"}
JOBS = [
    ("hinge pins", ["pin_mk3s", "pin_mini", "pin_ender3"], 2),
    ("shelf bracket", ["bracket_mini", "bracket_ender3"], 1),
    ("calibration cube", ["cube20_mk3s"], 1),
    ("spare pin, MINI", ["pin_mini"], 1),
    ("spare pin, Ender", ["pin_ender3"], 1),
    ("spare bracket", ["bracket_mini", "bracket_ender3"], 1),
]

console = Console()


def main() -> int:
    """Runs the demo; 0 if everything was printed exactly once, and where it fits."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    folder = Path(tempfile.mkdtemp(prefix="crdtqueue-demo-"))
    peers = [
        PeerProcess(folder / name, name, profile=profile, speed_up=SPEED_UP)
        for name, profile in PRINTERS.items()
    ]
    try:
        console.print("Starting three peers, each with a virtual printer …")
        with running(*peers):
            console.print(f"The page of each peer: {', '.join(peer.url for peer in peers)}")
            good = _demonstrate(peers)
            _linger(peers)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


def _demonstrate(peers: list[PeerProcess]) -> bool:
    submitter = peers[1]
    wanted = {
        submitter.add(
            *(GCODE / f"{file}.gcode" for file in files), copies=copies, name=name
        ): copies
        for name, files, copies in JOBS
    }
    console.print(f"Submitted {len(wanted)} jobs at {submitter.name}; each goes to whom it fits.")
    with Live(console=console, refresh_per_second=4) as live:
        deadline_s = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline_s:
            queue = submitter.queue()
            live.update(_table(queue))
            if queue["jobs"] and all(job["state"] == "done" for job in queue["jobs"]):
                break
            time.sleep(0.25)
    return _verdict(peers, wanted)


def _table(queue: dict[str, Any]) -> Table:
    table = Table("Job", "State", "Copies", "", "Why", box=None, expand=True)
    for job in queue["jobs"]:
        now = job["printing_by"]["progress"] or 0 if job["printing_by"] else 0
        done = (job["copies_done"] + now) / max(job["copies_total"], 1)
        bar = ProgressBar(total=1, completed=done, width=20)
        copies = f"{job['copies_done']}/{job['copies_total']}"
        table.add_row(job["name"], job["state"], copies, bar, job["why"])
    return table


def _verdict(peers: list[PeerProcess], wanted: dict[str, int]) -> bool:
    """Compares what the queue says and what the printers executed with what was asked for."""
    jobs = peers[0].jobs()
    counted = {job: each["copies_done"] for job, each in jobs.items()} == wanted
    console.print(f"\nThe queue counts every copy once: {_yes(counted)}")
    prints = 0
    clean = True
    for peer in peers:
        files = _files_executed(peer)
        clean = clean and files is not None
        names = [file.stem for file in files or []]
        prints += len(names)
        console.print(f"{peer.name} ({peer.profile}) executed: {', '.join(names) or 'nothing'}")
    whole = clean and prints == sum(wanted.values())
    console.print(
        f"{prints} prints for {sum(wanted.values())} copies, no line more or less: {_yes(whole)}"
    )
    return counted and whole


def _files_executed(peer: PeerProcess) -> list[Path] | None:
    """Which files of its profile the printer executed, whole and in order; None if it is not so."""
    rest = executed(peer.record)
    fitting = {
        file: commands(file) for file in sorted(GCODE.glob(f"*_{str(peer.profile).lower()}.gcode"))
    }
    found = []
    while rest:
        match = next((f for f, text in fitting.items() if rest[: len(text)] == text), None)
        if match is None:
            return None
        found.append(match)
        rest = rest[len(fitting[match]) :]
    return found


def _yes(good: bool) -> str:  # a word for a fact
    return "[green]yes[/]" if good else "[red]NO[/]"


def _linger(peers: list[PeerProcess]) -> None:
    """A person may want to look around; a script does not."""
    if sys.stdin.isatty() and not os.environ.get("CI"):
        console.print(f"\nLook around at {peers[0].url} — Ctrl-C ends the demo.")
        while True:
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
