"""Makes the summary of this peer's printer, for other peers and for its own page."""

from crdtqueue.core.ids import JobId
from crdtqueue.core.sync.messages import PrinterSummary
from crdtqueue.core.worker.materials import in_words
from crdtqueue.core.worker.worker import Worker
from crdtqueue.core.worker.worker_events import (
    PrintPhase,
    WaitReason,
    WorkerState,
)
from printer_driver.printer import PrinterStatus, PrintReport

HOLDING_BACK = "holding_back"
TEXT_CHARS_MAX = 200

_ACTIVE = {
    WorkerState.STARTING: "starting",
    WorkerState.RESUMING: "starting",
    WorkerState.CLAIMING: "claiming",
    WorkerState.FETCHING: "fetching",
}
_AT_SOMETHING = {"starting", "printing", "paused", "cancelling", WaitReason.SCRIPT.value}
_PHASES = {
    PrintPhase.PAUSED: "paused",
    PrintPhase.CANCELLING: "cancelling",
}


def printer_summary(
    worker: Worker, status: PrinterStatus | None, holds_back: str
) -> PrinterSummary:
    """The state of the printer, in words that a page can show.

    `holds_back` is the reason, as a sentence, for which a queue asks for no job; empty if all do.
    """
    state = _state(worker, holds_back)
    printing = worker.saved.printing
    report = _report_of_ours(worker, status)
    done = min(report.bytes_done / report.bytes_total, 1.0) if report and report.bytes_total else 0
    job: JobId | None = printing.claim.job if printing else None
    return PrinterSummary(
        state=state,
        text=(_text(worker, state, holds_back) + _said(state, status))[:TEXT_CHARS_MAX],
        job=job or (worker.held[1].job if worker.held else None),
        next_job=worker.next_job,
        file_name=printing.file.name if printing else None,
        progress=done if report and report.bytes_total else None,
        elapsed_s=max(report.elapsed_s, 0.0) if report else None,
        temperatures=[
            (t.name, t.actual_c, t.target_c) for t in (status.temperatures if status else ())
        ][:16],
        managing=worker.saved.managing,
        bed_clear=worker.saved.bed_clear,
    )


def _report_of_ours(worker: Worker, status: PrinterStatus | None) -> PrintReport | None:
    printing = worker.saved.printing
    report = status.print if status else None
    return report if printing and report and str(report.print_id) == printing.print_id else None


def _state(worker: Worker, holds_back: str) -> str:
    if worker.state in {WorkerState.PRINTING, WorkerState.REPORTING}:
        at_it = WaitReason.SCRIPT.value if worker.saved.script else "printing"
        return _PHASES.get(worker.printer.phase or PrintPhase.PRINTING, at_it)
    if worker.printer.problem:
        return WaitReason.PRINTER.value
    if worker.saved.script:
        return WaitReason.SCRIPT.value
    if worker.state in _ACTIVE:
        return _ACTIVE[worker.state]
    if worker.wait:
        return worker.wait.value
    return HOLDING_BACK if holds_back and worker.next_job is None else "idle"


def _text(worker: Worker, state: str, holds_back: str) -> str:
    match state:
        case WaitReason.PRINTER:
            return worker.printer.problem
        case WaitReason.SOMEBODY_ELSE:
            return "Prints something that is not of the queues. Jobs wait until it is over."
        case WaitReason.SCRIPT:
            return worker.problem or f"Runs the script {_script(worker)}."
        case WaitReason.COOLING:
            return "Lets the bed cool down."
        case WaitReason.BED:
            return (
                f"{worker.problem} Take the part off, then confirm that the bed is clear.".strip()
            )
        case WaitReason.MATERIAL:
            return f"Waits for {in_words(worker.missing)}. Load it, then confirm that it is loaded."
        case WaitReason.MANAGING:
            return worker.problem or "Takes no jobs until you start managing it."
        case "holding_back":
            return holds_back
        case _:
            return _text_of_print(worker, state)


def _said(state: str, status: PrinterStatus | None) -> str:
    """What the printer itself wants people to know while it is busy."""
    if status is None or state not in _AT_SOMETHING:
        return ""
    if status.question:
        return f" The printer asks at its panel: {status.question.text}"
    return f" The printer says: {status.notification}" if status.notification else ""


def _script(worker: Worker) -> str:
    run, todo = worker.saved.script, worker.saved.todo
    return run.step.value if run else todo[0].value if todo else ""


def _text_of_print(worker: Worker, state: str) -> str:
    file = worker.saved.printing.file.name if worker.saved.printing else _script(worker)
    match state:
        case "printing":
            return f"Prints {file}."
        case "paused":
            return f"Paused while printing {file}. {worker.printer.reason}".strip()
        case "cancelling":
            return f"Cancels {file} and switches the heaters off."
        case "starting":
            return worker.problem or f"Starts {file}."
        case "claiming":
            return "Asks the other peers for a job."
        case "fetching":
            return worker.problem or "Fetches the file."
        case _:
            return worker.problem or "Ready for the next job."
