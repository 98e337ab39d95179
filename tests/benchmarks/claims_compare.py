"""Claims beside peerprint 0.1.0, in one run, on this machine's loopback.

python -m venv /tmp/peerprint && /tmp/peerprint/bin/pip install peerprint==0.1.0
CRDTQUEUE_PEERPRINT=/tmp/peerprint/bin/python python -m tests.benchmarks.claims_compare

For 2, 3, 5 and 10 peers: from a submit until all show the job, from the decision to print it until
the printer may heat, and whether one goes on when all others are switched off. Both sides run one
process for each peer; ours keeps everything on the disk, peerprint nothing.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PEERS = (2, 3, 5, 10)
JOBS = 40
ALONE_S = 30.0
WAIT_S = 60.0

Said = dict[str, Any]


class Node:
    """A process of either side."""

    def __init__(self, command: Sequence[str]) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._said: queue.Queue[Said] = queue.Queue()
        self._kept: list[Said] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.address = self.hear("ready")["address"]

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._said.put(json.loads(line))

    def tell(self, **order: object) -> None:
        """Gives an order."""
        assert self.process.stdin
        print(json.dumps(order), file=self.process.stdin, flush=True)

    def hear(self, *kinds: str, wait_s: float = WAIT_S) -> Said:
        """The next word of one of these kinds; the others are kept for later."""
        deadline_s = time.monotonic() + wait_s
        for place, said in enumerate(self._kept):
            if said["kind"] in kinds:
                return self._kept.pop(place)
        while True:
            said = self._said.get(timeout=max(deadline_s - time.monotonic(), 0.001))
            if said["kind"] in kinds:
                return said
            self._kept.append(said)

    def stop(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait()


@dataclass
class Result:
    """What was measured, in seconds."""

    visible_s: list[float] = field(default_factory=list)
    claim_s: list[float] = field(default_factory=list)
    alone_s: float | None = None


@contextmanager
def cluster(side: str, count: int, folder: Path) -> Iterator[list[Node]]:
    """So many peers that all know each other."""
    nodes = [Node(command(side, folder / f"{n}")) for n in range(count)]
    try:
        addresses = [node.address for node in nodes]
        for node in nodes:
            node.tell(do="join", peers=[a for a in addresses if a != node.address])
        for node in nodes:
            until_ready(node, addresses)
        yield nodes
    finally:
        for node in nodes:
            node.stop()


def command(side: str, folder: Path) -> list[str]:
    """How a peer of this side is started."""
    if side == "crdtqueue":
        return [sys.executable, "-m", "tests.benchmarks.claims_node", str(folder)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    script = Path(__file__).parent / "claims_peerprint_node.py"
    return [os.environ["CRDTQUEUE_PEERPRINT"], str(script), address]


def until_ready(node: Node, addresses: list[str]) -> None:
    """Waits until a peer sees all others."""
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        node.tell(do="sights", all=addresses[1:])
        said = node.hear("sights")
        if said["ready"] and said["count"] >= len(addresses) - 1:
            return
        time.sleep(0.2)
    raise TimeoutError("the peers do not find each other")


def measure(side: str, count: int, folder: Path) -> Result:
    """One cluster's life."""
    result = Result()
    with cluster(side, count, folder) as nodes:
        for number in range(JOBS):
            submitter, claimant = nodes[number % count], nodes[(number + 1) % count]
            submitter.tell(do="submit")
            began_s = submitter.hear("submits")["at_s"]
            job = submitter.hear("submitted")["job"]
            seen_s = [visible(node, job) for node in nodes]
            result.visible_s.append(max(seen_s) - began_s)
            asked_s = time.monotonic()
            claimant.tell(do="claim", job=job)
            said = claimant.hear("claimed", "missed")
            if said["kind"] == "claimed":
                result.claim_s.append(said["at_s"] - asked_s)
        result.alone_s = alone(nodes)
    return result


def visible(node: Node, job: str) -> float:
    """When a job was there."""
    while True:
        said = node.hear("visible")
        if said["job"] == job:
            return float(said["at_s"])


def alone(nodes: list[Node]) -> float | None:
    """How long the last peer takes to have a job after all others were switched off."""
    last, others = nodes[0], nodes[1:]
    last.tell(do="submit")
    job = last.hear("submitted")["job"]
    for node in others:
        node.stop()
    began_s = time.monotonic()
    while time.monotonic() - began_s < ALONE_S:
        last.tell(do="claim", job=job)
        try:
            if last.hear("claimed", "missed", wait_s=ALONE_S)["kind"] == "claimed":
                return time.monotonic() - began_s
        except queue.Empty:
            return None
        time.sleep(0.5)
    return None


def shown(seconds: list[float]) -> str:
    """p50 and p99 in milliseconds."""
    if not seconds:
        return "      never      "
    p99 = sorted(seconds)[min(int(len(seconds) * 0.99), len(seconds) - 1)]
    return f"{statistics.median(seconds) * 1e3:8.1f} {p99 * 1e3:8.1f}"


def main() -> None:
    """Prints one line for each size and side, and the ratios."""
    sides = ["crdtqueue", *(["peerprint"] if "CRDTQUEUE_PEERPRINT" in os.environ else [])]
    print("peers  side        visible p50/p99 ms  may heat p50/p99 ms  alone after s")
    for count in PEERS:
        found = {}
        for side in sides:
            with tempfile.TemporaryDirectory() as folder:
                found[side] = result = measure(side, count, Path(folder))
            goes_on = "never" if result.alone_s is None else f"{result.alone_s:.1f}"
            print(
                f"{count:5}  {side:10}  {shown(result.visible_s)}   {shown(result.claim_s)}"
                f"    {goes_on}",
                flush=True,
            )
        if len(found) == 2:
            ours, theirs = found["crdtqueue"], found["peerprint"]
            pairs = (ours.visible_s, theirs.visible_s), (ours.claim_s, theirs.claim_s)
            ratios = (statistics.median(b) / statistics.median(a) for a, b in pairs if a and b)
            print("       times as fast: " + ", ".join(f"{ratio:.0f}" for ratio in ratios))


if __name__ == "__main__":
    main()
