"""What a large queue costs: bytes, loading, memory, a newcomer's first sync, the page's state.

    python -m tests.benchmarks.document_bench [JOBS] [TOUCHES]

1,000 jobs of 3 sets, each job touched 50 times, in turn from three peers: moved, paused, edited,
its counts changed, drafts kept alive. Then it is loaded in fresh processes, one for each library.
Times are those of the processor, so that a busy machine does not matter; the sync's is the wall's.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from crdtqueue.adapters.crdt.facade import Document
from crdtqueue.adapters.crdt.marks import checked_mark, fits
from crdtqueue.api.view import View
from crdtqueue.core.document import keys as d
from crdtqueue.core.document.fractional_index import key_between
from crdtqueue.core.document.model import (
    Draft,
    FileRef,
    Job,
    PrintSet,
    Result,
    RunRecord,
)
from crdtqueue.core.document.reader import DocumentReader
from crdtqueue.core.ids import Claim, JobId, PeerId, Profile, SetId, Sha256
from crdtqueue.core.yjs.update_parser import parse_update
from crdtqueue.peer.peer import Peer
from tests.harness import loopback_peers
from tests.simulation.document_replicas import open_document

BACKENDS = [name for name in ("y_py", "pycrdt") if find_spec(name)]
PEERS = [PeerId(f"{number:016x}") for number in range(3)]
SETS = 3
PRINTS_MAX = 1_000
TAIL = 2_000
"""The updates that a store keeps beside its snapshot, about."""


def say(what: str, value: float, unit: str, goal: str = "") -> None:
    print(f"  {what:<52}{value:>10,.1f} {unit:<5} {goal}".rstrip(), flush=True)


# The queue ----------------------------------------------------------------------------------------


class Office:
    """Three peers' documents that stay in sync, and every update of the first."""

    def __init__(self) -> None:
        clients = [random.Random(number).getrandbits(32) for number in range(len(PEERS))]
        self.documents = [open_document(BACKENDS[0], client) for client in clients]
        self.updates: list[bytes] = []
        self.documents[0].on_update(self.updates.append)

    def write(self, author: int, entries: list[d.Entry]) -> int:
        """Writes at one peer, and returns the size of the update."""
        made: list[bytes] = []
        document = self.documents[author]
        stop = document.on_update(made.append)
        with document.edit():
            for root, key, value in entries:
                document.set(root, key, value)
        stop()
        for other in self.documents:
            if other is not document:
                other.apply(made[0])
        return len(made[0])

    def size_bytes(self) -> int:
        return len(self.documents[0].diff(b"\0"))


def a_job(number: int, order: str) -> Job:
    sets = tuple(
        PrintSet(
            id=SetId(f"{number * SETS + n:06x}"),
            order=f"K{n + 1}",
            file=FileRef(
                sha256=Sha256(f"{number % 50:064x}"),
                name=f"bracket_left_{number}_{n}_0.2mm_PLA_MK3S.gcode",
                size_bytes=1_234_567,
            ),
            copies=2,
            profiles=frozenset({Profile("MK3S")}),
        )
        for n in range(SETS)
    )
    return Job(
        id=JobId(f"{number:012x}"),
        name=f"Bracket {number}",
        order=order,
        runs=2,
        generation=0,
        paused=False,
        created_by="mk3s left",
        created_at_s=1.75e9,
        sets=sets,
    )


def touch(chance: random.Random, author: int, job: Job) -> list[d.Entry]:
    """What a person does to a job."""
    each = chance.choice(job.sets).id
    draft = Draft(peer=PEERS[author], by="mk3s left", beat=chance.getrandbits(31))
    return chance.choice(
        [
            [d.order_entry(job.id, key_between(None, None, chance.getrandbits(32)))],
            [d.paused_entry(job.id, paused=chance.random() < 0.5)],
            [d.runs_entry(job.id, chance.randint(1, 9)), d.draft_entry(job.id, draft)],
            [d.copies_entry(job.id, each, chance.randint(1, 9))],
            [d.name_entry(job.id, f"Bracket {chance.randint(1, 999)}")],
            [d.draft_entry(job.id, draft)],
        ]
    )


def one_print(author: int, job: Job) -> list[list[d.Entry]]:
    """A claim, the run record, the end."""
    claim = Claim(job=job.id, epoch=1, peer=PEERS[author], incarnation=7)
    record = RunRecord(
        print_id=claim.print_id(1),
        generation=0,
        run=1,
        copy=1,
        set=job.sets[0].id,
        profile=Profile("MK3S"),
        result=Result.DONE,
        reason="",
        started_at_s=1.75e9,
        ended_at_s=1.75e9 + 3600.5,
        bytes=1_234_567,
        filament_mm=1234.5,
    )
    return [
        [d.claim_entry(claim, at_s=1.75e9)],
        [d.record_entry(record)],
        [d.end_entry(claim, "done")],
    ]


def build(jobs: int, touches: int) -> list[bytes]:
    """Fills a queue, prints what it costs, and returns its updates."""
    office, chance = Office(), random.Random(1)
    added: list[Job] = []
    for number in range(jobs):
        last = added[-1].order if added else None
        added.append(a_job(number, key_between(last, None, chance.getrandbits(32))))
        office.write(number % len(PEERS), d.job_entries(added[-1]))
    new = office.size_bytes()
    say("a job of 3 sets, in the document", new / jobs, "B")
    sent, changed = 0, 0
    for nth in range(touches):
        for job in added:
            author = chance.randrange(len(PEERS))
            is_last = nth == touches - 1
            entries = [d.draft_entry(job.id, None)] if is_last else touch(chance, author, job)
            sent += office.write(author, entries)
            changed += len(entries)
    touched = office.size_bytes()
    count = jobs * touches
    say("a touch, in the document", (touched - new) / count, "B", "goal 30")
    say("  of them for each value written", (touched - new) / changed, "B")
    say("a touch, as the update that is sent", sent / count, "B")
    printed = added[:PRINTS_MAX]
    for number, job in enumerate(printed):
        for entries in one_print(number % len(PEERS), job):
            office.write(number % len(PEERS), entries)
    say(
        "a print (claim, record, end), in the document",
        (office.size_bytes() - touched) / len(printed),
        "B",
    )
    say("the whole document", office.size_bytes() / 1e3, "kB")
    return office.updates


# Loading it ---------------------------------------------------------------------------------------


def timed(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return (time.process_time() - began_s) * 1e3


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def load(backend: str, file: Path, mark: str) -> None:
    """What a fresh process needs to have the document, from `file`'s updates."""
    updates = [bytes.fromhex(line) for line in file.read_text().splitlines()]
    gc.collect()
    before_mb = rss_mb()
    document = open_document(backend, 1)
    reader = DocumentReader()

    def apply() -> None:
        is_checked = fits(mark, updates[0], d.ROOTS)
        assert is_checked == bool(mark)
        document.load(updates, first_is_checked=is_checked)

    def read() -> None:
        for change in document.take_changes():
            reader.change(*change)
        reader.state()

    costs = {"load_ms": timed(apply), "read_ms": timed(read), "rss_mb": rss_mb() - before_mb}
    assert len(reader.state().jobs) > 0
    print(json.dumps(costs))


def loads(folder: Path, updates: list[bytes]) -> bytes:
    """Measures loading, and returns the document as one update."""
    snapshot, early = whole(updates), whole(updates[:-TAIL])
    tail = f"{TAIL:,} updates"
    for what, stored, mark in (
        ("a checked snapshot", [snapshot], checked_mark(snapshot, d.ROOTS)),
        (f"one and {tail}", [early, *updates[-TAIL:]], checked_mark(early, d.ROOTS)),
        ("one of another version", [snapshot], ""),
        (f"all {len(updates):,} updates", updates, ""),
    ):
        file = folder / "updates"
        file.write_text("\n".join(update.hex() for update in stored))
        for backend in BACKENDS:
            say_load(f"{backend}, from {what}", backend, file, mark)
    say("to check a snapshot", timed(lambda: parse_update(snapshot, d.ROOTS)), "ms")
    return snapshot


def say_load(what: str, backend: str, file: Path, mark: str) -> None:
    command = [sys.executable, "-m", __spec__.name, "load", backend, str(file), mark]
    child = subprocess.run(command, capture_output=True, check=True, text=True)
    took = json.loads(child.stdout)
    say(what, took["load_ms"] + took["read_ms"], "ms", "goal 300")
    say("  of them to load it", took["load_ms"], "ms")
    say("  of them to read it into jobs", took["read_ms"], "ms")
    say("  memory that stays taken", took["rss_mb"], "MB")


def whole(updates: list[bytes]) -> bytes:
    """The updates as one."""
    document: Document = open_document(BACKENDS[0], 1)
    for update in updates:
        document.apply(update)
    snapshot = document.diff(b"\0")
    document.close()
    return snapshot


# Peers --------------------------------------------------------------------------------------------


async def two_peers(folder: Path, snapshot: bytes, jobs: int) -> None:
    """A newcomer joins a peer that has it all; then that peer's page is asked for."""
    async with (
        loopback_peers.running(folder / "a", queue="workshop") as one,
        loopback_peers.running(folder / "b", name="b") as other,
    ):
        queue = one.queue("workshop")
        queue.replica.document.apply(snapshot)
        await queue.replica.durable()
        began_s, spent_s = time.perf_counter(), time.process_time()
        await other.add_queue("workshop", [str(one.config.listen)])
        await loopback_peers.until(other, lambda: len(other.queue("workshop").state.jobs) == jobs)
        say("a newcomer's first sync", (time.perf_counter() - began_s) * 1e3, "ms", "goal 1000")
        say("  of the processor, both peers", (time.process_time() - spent_s) * 1e3, "ms")
        await loopback_peers.until_linked(one, other)
        await page(one)


async def page(peer: Peer) -> None:
    queue, view = peer.queue("workshop"), View(peer)

    def text() -> str:
        return view.snapshot().text

    say("the state of all jobs, the first time", timed(text), "ms")
    say("  nothing has changed", best(text), "ms", "goal 20")
    took = []
    for job in queue.state.jobs[:20]:
        await queue.edit([d.name_entry(job.id, "another")])
        took.append(timed(text))
    say("  one job has changed", sorted(took)[len(took) // 2], "ms", "goal 20")
    say("  its size", len(text()) / 1e3, "kB")
    names = [d.name_entry(job.id, "all") for job in queue.state.jobs[:1000]]
    await queue.edit(names)
    say("  every job has changed", timed(text), "ms")


def best(work: Callable[[], object]) -> float:
    return min(timed(work) for _ in range(20))


def main(jobs: int = 1_000, touches: int = 50) -> None:
    print(f"{jobs:,} jobs of {SETS} sets, {touches} touches each")
    with tempfile.TemporaryDirectory() as folder:
        updates = build(jobs, touches)
        snapshot = loads(Path(folder), updates)
        asyncio.run(two_peers(Path(folder), snapshot, jobs))


if __name__ == "__main__":
    if sys.argv[1:2] == ["load"]:
        load(sys.argv[2], Path(sys.argv[3]), sys.argv[4])
    else:
        main(*map(int, sys.argv[1:]))
