"""What is shown of an OctoPrint that is idle, busy with another print, or without a printer."""

import hashlib

from printer_driver.core.octoprint.octoprint_print import seen_in
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintJob,
)
from printer_driver.printer import Connection, PrintReport, PrintState

_CONNECTIONS = {
    JobPhase.OFFLINE: Connection.OFFLINE,
    JobPhase.CONNECTING: Connection.CONNECTING,
}


def connection_of(job: OctoPrintJob) -> Connection:
    """The state of the connection between OctoPrint and the printer."""
    return _CONNECTIONS.get(job.phase, Connection.READY)


def problem_of(job: OctoPrintJob, where: str) -> str:
    """What is wrong with OctoPrint's printer and what to do; empty if it can print."""
    if job.phase is JobPhase.OFFLINE:
        error = f": {job.error}" if job.error else ""
        return f"OctoPrint has no printer ({job.text}{error}). Connect it at {where}."
    if job.phase is JobPhase.CONNECTING:
        return f"OctoPrint is connecting the printer ({job.text})."
    return ""


def by_hand(job: OctoPrintJob) -> PrintReport:
    """The report of a print that a person has started in OctoPrint, under an id of its own."""
    name = hashlib.sha256((job.path or job.text).encode("utf-8", "replace")).hexdigest()[:16]
    report = PrintReport(print_id=f"by-hand-{name}", state=PrintState.PRINTING)
    return seen_in(report, job)
