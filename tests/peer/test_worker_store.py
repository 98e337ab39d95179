"""What the worker must not forget, with a real store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from crdtqueue.adapters.store import Store
from crdtqueue.core.document.model import FileRef
from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId, QueueName, SetId, Sha256
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.materials import Loaded
from crdtqueue.core.worker.scripts import (
    CycleStep,
    ScriptRun,
)
from crdtqueue.core.worker.strategy import Overtaken
from crdtqueue.peer.worker_store import UNREADABLE, load, save

JOB = JobId("0123456789ab")
CLAIM = Claim(job=JOB, epoch=2, peer=PeerId("a" * 16), incarnation=3)
QUEUE = QueueName("workshop")
FILE = FileRef(sha256=Sha256("0" * 64), name="ü.gcode", size_bytes=12)
PRINTING = w.CopyPrint(
    queue=QUEUE,
    claim=CLAIM,
    number=1,
    generation=0,
    run=1,
    copy=1,
    set=SetId("abcdef"),
    file=FILE,
    started_at_s=1.5,
    materials=("PLA", ""),
)
SCRIPT = ScriptRun(step=CycleStep.BEFORE_PRINT, print_id=PrintId("script/1/1"), file=FILE)


def stored(
    folder: Path, text: str | None = None, saved: w.WorkerMemory | None = None
) -> w.WorkerMemory:
    """What is read of what was stored."""

    async def scenario() -> w.WorkerMemory:
        store = Store(folder / "store.sqlite3")
        await store.open()
        if text is not None:
            await store.set_meta("worker", text)
        if saved:
            await save(store, saved)
        found = await load(store)
        await store.close()
        return found

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    "saved",
    [
        w.WorkerMemory(printing=PRINTING, bed_clear=False, managing=False, stopped_because="Jam."),
        w.WorkerMemory(
            script=SCRIPT,
            strange=True,
            doubtful=(PRINTING,),
            todo=(CycleStep.COOL, CycleStep.CLEAR_BED),
            prepared=CLAIM.job,
            worked=True,
            called=True,
            held_queue=QUEUE,
            held_claim=CLAIM.key,
            loaded=Loaded(tools=("PLA", ""), said=True),
            overtaken=(Overtaken(queue=QUEUE, job=JOB, times=2),),
            failed_jobs=(JOB,),
        ),
    ],
)
def test_what_the_worker_must_not_forget_survives(tmp_path: Path, saved: w.WorkerMemory) -> None:
    assert stored(tmp_path, saved=saved) == saved


def test_a_new_printer_has_nothing_to_remember(tmp_path: Path) -> None:
    assert stored(tmp_path) == w.WorkerMemory()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"printing": {"queue": "workshop"}}', '{"todo": ["dance"]}']
)
def test_what_makes_no_sense_stops_the_printer_until_a_person_has_looked(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert stored(tmp_path, text) == UNREADABLE
    assert "cannot be read" in caplog.text
    assert not UNREADABLE.bed_clear
    assert not UNREADABLE.managing
