import pytest

from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintJob,
)
from printer_driver.octoprint.display import (
    by_hand,
    connection_of,
    problem_of,
)
from printer_driver.printer import Connection, PrintState

WHERE = "http://octopi.local"


def job(phase: JobPhase, text: str = "", path: str | None = None, error: str = "") -> OctoPrintJob:
    return OctoPrintJob(phase=phase, text=text, path=path, error=error)


@pytest.mark.parametrize("phase", JobPhase)
def test_there_is_a_problem_exactly_where_there_is_no_printer(phase: JobPhase) -> None:
    connection = connection_of(job(phase))
    assert (connection is Connection.READY) == (problem_of(job(phase), WHERE) == "")


def test_what_to_do_is_said() -> None:
    offline = job(JobPhase.OFFLINE, "Offline after error", error="MAXTEMP")
    assert connection_of(offline) is Connection.OFFLINE
    problem = problem_of(offline, WHERE)
    assert "MAXTEMP" in problem
    assert f"Connect it at {WHERE}" in problem
    assert connection_of(job(JobPhase.CONNECTING)) is Connection.CONNECTING


def test_a_print_by_hand_is_the_same_while_its_file_is() -> None:
    ids = [
        by_hand(job(JobPhase.PRINTING, "Printing", "a.gcode")),
        by_hand(job(JobPhase.PAUSED, "Paused", "a.gcode")),
        by_hand(job(JobPhase.PRINTING, "Printing", "b\udc80.gcode")),
        by_hand(job(JobPhase.OTHER, "Printing from SD")),
    ]
    assert len({report.print_id for report in ids}) == 3
    assert all(report.print_id.startswith("by-hand-") for report in ids)
    assert ids[1].state is PrintState.PAUSED
