"""What this peer tells others, and its own page, about its printer."""

from crdtqueue.core.ids import JobId
from crdtqueue.core.messages import PrinterNews
from crdtqueue.core.worker import Worker, WorkerState
from crdtqueue.core.worker_events import PrintPhase
from printer_driver.printer import PrinterStatus

_ACTIVE = {
    WorkerState.STARTING: "starting",
    WorkerState.RESUMING: "starting",
    WorkerState.CLAIMING: "claiming",
    WorkerState.FETCHING: "fetching",
}
_PHASES = {
    PrintPhase.PAUSED: "paused",
    PrintPhase.CANCELLING: "cancelling",
}


def printer_news(worker: Worker, status: PrinterStatus | None, holds_back: str) -> PrinterNews:
    """The printer's state, in words that a page can show.

    `holds_back` is why a queue asks for no job, as a sentence; empty if all do.
    """
    state = _state(worker)
    printing = worker.saved.printing
    report = status.print if status else None
    ours = report if printing and report and str(report.print_id) == printing.print_id else None
    done = min(ours.bytes_done / ours.bytes_total, 1.0) if ours and ours.bytes_total else None
    job: JobId | None = printing.claim.job if printing else None
    return PrinterNews(
        state=state,
        text=_text(worker, state, holds_back)[:200],
        job=job or (worker.held[1].job if worker.held else None),
        file_name=printing.file.name if printing else None,
        progress=done,
        elapsed_s=max(ours.elapsed_s, 0.0) if ours else None,
        temperatures=[
            (t.name, t.actual_c, t.target_c) for t in (status.temperatures if status else ())
        ][:16],
        managing=worker.saved.managing,
        bed_clear=worker.saved.bed_clear,
    )


def _state(worker: Worker) -> str:
    if worker.state in {WorkerState.PRINTING, WorkerState.REPORTING}:
        return _PHASES.get(worker.printer.phase or PrintPhase.PRINTING, "printing")
    if worker.printer.problem:
        return "offline"
    if worker.state in _ACTIVE:
        return _ACTIVE[worker.state]
    if not worker.saved.bed_clear:
        return "waiting_for_bed"
    return "idle" if worker.saved.managing else "stopped"


def _text(worker: Worker, state: str, holds_back: str) -> str:
    file = worker.saved.printing.file.name if worker.saved.printing else ""
    match state:
        case "printing":
            return f"Prints {file}."
        case "paused":
            return f"Paused while printing {file}."
        case "cancelling":
            return f"Cancels {file} and switches the heaters off."
        case "starting":
            return worker.problem or f"Starts {file}."
        case "offline":
            return worker.printer.problem
        case "claiming":
            return "Asks the other peers for a job."
        case "fetching":
            return worker.problem or "Fetches the file."
        case "waiting_for_bed":
            asks = "Take the part off, then confirm that the bed is clear."
            return f"{worker.problem} {asks}".strip()
        case "stopped":
            return "Takes no jobs until you start managing it."
        case _:
            return worker.problem or holds_back or "Ready for the next job."
