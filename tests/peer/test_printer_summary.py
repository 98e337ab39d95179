"""What a printer says of itself, for every way in which it can stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crdtqueue.core.sync.messages import PrinterSummary
from crdtqueue.core.worker import worker_events as w
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.materials import Loaded
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.worker_events import PrintPhase
from crdtqueue.peer.printer_summary import (
    TEXT_CHARS_MAX,
    printer_summary,
)
from printer_driver.printer import Connection, PrinterStatus, Question
from tests.harness.samples import (
    JOB,
    a_job,
    print_set,
)
from tests.harness.worker_fixture import (
    IDLE_PRINTER,
    MINE,
    Bench,
    claimed,
)


def summary(bench: Bench, holds_back: str = "") -> PrinterSummary:
    return printer_summary(bench.worker, None, holds_back)


def test_a_printer_tells_what_it_takes_next() -> None:
    bench = Bench(a_job())
    bench.tell(IDLE_PRINTER)
    assert summary(bench).next_job is None
    bench.read()
    assert (summary(bench).state, summary(bench).next_job) == ("claiming", JOB)


@pytest.mark.parametrize(
    ("saved", "seen", "state", "says"),
    [
        (w.WorkerMemory(), IDLE_PRINTER, "idle", "Ready"),
        (w.WorkerMemory(), w.PrinterSeen(problem="Unplugged."), "offline", "Unplugged."),
        (w.WorkerMemory(), w.PrinterSeen(phase=PrintPhase.PRINTING), "busy", "not of the queues"),
        (w.WorkerMemory(bed_clear=False), IDLE_PRINTER, "waiting_for_bed", "Take the part off"),
        (w.WorkerMemory(managing=False), IDLE_PRINTER, "stopped", "until you start managing"),
        (
            w.WorkerMemory(managing=False, stopped_because="Three jobs failed."),
            IDLE_PRINTER,
            "stopped",
            "Three jobs failed.",
        ),
        (
            w.WorkerMemory(managing=False, bed_clear=False, stopped_because="It was cancelled."),
            IDLE_PRINTER,
            "waiting_for_bed",
            "It was cancelled. Take the part off",
        ),
        (
            w.WorkerMemory(bed_clear=False, todo=(CycleStep.COOL,)),
            IDLE_PRINTER,
            "cooling",
            "cool down",
        ),
        (
            w.WorkerMemory(todo=(CycleStep.PRINT_DONE,)),
            IDLE_PRINTER,
            "script",
            "Runs the script print-done.",
        ),
    ],
)
def test_a_printer_that_is_at_nothing_says_why(
    saved: w.WorkerMemory, seen: w.PrinterSeen, state: str, says: str
) -> None:
    cooldown = Cooldown(bed_c=30.0)
    bench = Bench(saved=saved, cooldown=cooldown, scripts=(CycleStep.PRINT_DONE,))
    bench.tell(seen)
    told = summary(bench)
    assert told.state == state
    assert says in told.text


def test_what_holds_all_queues_back_is_told_only_if_nothing_can_be_taken() -> None:
    bench = Bench()
    bench.tell(IDLE_PRINTER)
    held = summary(bench, "Only 1 of 3 voters is in sight.")
    assert (held.state, held.text) == ("holding_back", "Only 1 of 3 voters is in sight.")


def test_a_missing_material_is_named() -> None:
    saved = w.WorkerMemory(loaded=Loaded(tools=("PLA",), said=True))
    bench = Bench(a_job(replace(print_set(), materials=("PETG",))), saved=saved)
    bench.read()
    bench.tell(IDLE_PRINTER)
    bench.held = {JOB: MINE}
    bench.read()
    bench.tell(claimed(MINE))
    told = summary(bench)
    assert (told.state, told.job) == ("waiting_for_material", JOB)
    assert told.text.startswith("Waits for PETG in tool 1.")


def test_a_script_at_the_printer_is_no_print() -> None:
    bench = Bench(
        saved=w.WorkerMemory(todo=(CycleStep.PRINT_DONE,)), scripts=(CycleStep.PRINT_DONE,)
    )
    run = bench.script(bench.tell(IDLE_PRINTER))
    assert summary(bench).state == "script"
    bench.script_seen(run, PrintPhase.PRINTING)
    told = summary(bench)
    assert (told.state, told.text) == ("script", "Runs the script print-done.")
    assert (told.job, told.file_name, told.progress) == (None, None, None)
    bench.script_seen(run, PrintPhase.PAUSED)
    assert summary(bench).text == "Paused while printing print-done."


def test_a_long_reason_does_not_make_the_message_one_that_nobody_reads() -> None:
    bench = Bench()
    bench.tell(w.PrinterSeen(problem="x" * 1000))
    assert len(summary(bench).text) == TEXT_CHARS_MAX


def status(notification: str = "", question: Question | None = None) -> PrinterStatus:
    return PrinterStatus(connection=Connection.READY, notification=notification, question=question)


def test_what_the_printer_says_is_told_while_it_is_at_something() -> None:
    bench = Bench(a_job())
    bench.start()
    told = printer_summary(bench.worker, status("It waits for somebody at its panel."), "")
    assert told.text.endswith("The printer says: It waits for somebody at its panel.")
    asked = printer_summary(bench.worker, status(question=Question(text="Filament loaded?")), "")
    assert asked.text.endswith("The printer asks at its panel: Filament loaded?")
    idle = Bench()
    idle.tell(IDLE_PRINTER)
    assert "says" not in printer_summary(idle.worker, status("Print done."), "").text
