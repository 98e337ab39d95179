import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_driver.core.octoprint import rest_answers as octoprint
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    UnreadableAnswerError,
)
from printer_driver.printer import Temperature

JOB = {
    "job": {"file": {"origin": "local", "path": "crdtqueue/a.gcode", "size": 21740}},
    "progress": {"completion": 58.6, "filepos": 12748, "printTime": 2},
    "state": "Printing",
}
FILE = {"path": "crdtqueue/a.gcode", "size": 21740, "hash": "ABC", "date": 1795387731}


def job(state: str = "Printing", **fields: Any) -> octoprint.OctoPrintJob:
    return octoprint.job_of({**JOB, "state": state, **fields})


def printed(success: int, failure: int, last: bool) -> octoprint.OctoPrintFile:
    prints = {"success": success, "failure": failure, "last": {"success": last, "date": 1.0}}
    return octoprint.file_of({**FILE, "prints": prints})


def test_a_job() -> None:
    seen = job()
    assert (seen.path, seen.size_bytes, seen.done_bytes) == ("crdtqueue/a.gcode", 21740, 12748)
    assert (seen.print_time_s, seen.is_all_sent) == (2.0, False)
    assert seen.is_at("crdtqueue/a.gcode")
    assert not seen.is_at("crdtqueue/b.gcode")


@pytest.mark.parametrize(
    ("text", "phase"),
    [
        ("Operational", JobPhase.IDLE),
        ("Starting", JobPhase.STARTING),
        ("Resuming", JobPhase.PRINTING),
        ("Pausing", JobPhase.PAUSING),
        ("Paused", JobPhase.PAUSED),
        ("Cancelling", JobPhase.CANCELLING),
        ("Finishing", JobPhase.FINISHING),
        ("Offline after error", JobPhase.OFFLINE),
        ("Offline (Error: no such port)", JobPhase.OFFLINE),
        ("Error", JobPhase.OFFLINE),
        ("Detecting serial connection", JobPhase.CONNECTING),
        ("Opening serial connection", JobPhase.CONNECTING),
        ("Printing from SD", JobPhase.OTHER),
        ("Transferring file to SD", JobPhase.OTHER),
        ("A state of next year", JobPhase.OTHER),
    ],
)
def test_phases(text: str, phase: JobPhase) -> None:
    """What is not known counts as work: nothing is begun over it."""
    assert job(text).phase is phase
    assert job(text).phase.is_at_work == (
        phase not in (JobPhase.IDLE, JobPhase.OFFLINE, JobPhase.CONNECTING)
    )


def test_a_file_on_the_sd_card_is_none_of_ours() -> None:
    file = {"origin": "sdcard", "path": "crdtqueue/a.gcode", "size": 1}
    assert job(job={"file": file}).path is None


def test_no_job() -> None:
    nothing = {"file": {"name": None, "path": None, "origin": None, "size": None}}
    seen = job("Operational", job=nothing, progress={"completion": None, "filepos": None})
    assert (seen.path, seen.size_bytes, seen.done_bytes) == (None, 0, None)


@pytest.mark.parametrize(
    ("prints", "first"),
    [
        ((1, 0, True), True),
        ((0, 1, False), False),
        ((3, 0, True), True),
        ((1, 1, False), True),  # done, then printed again by hand and cancelled
        ((1, 1, True), False),  # failed, then printed again by hand
        ((2, 1, True), False),  # cannot be told
        ((1, 2, False), False),
    ],
)
def test_only_the_first_print_of_a_copy_counts(prints: tuple[int, int, bool], first: bool) -> None:
    file = printed(*prints)
    assert file.is_printed
    assert file.first_succeeded == first


def test_a_file() -> None:
    file = octoprint.file_of(FILE)
    assert (file.sha1, file.size_bytes, file.is_printed) == ("abc", 21740, False)
    assert not file.first_succeeded


def test_a_folder() -> None:
    folder = {"children": [FILE, {"type": "folder", "path": "x", "children": []}]}
    assert [file.path for file in octoprint.folder_of(folder)] == ["crdtqueue/a.gcode"]
    with pytest.raises(UnreadableAnswerError):
        octoprint.folder_of({"children": [FILE] * (octoprint.FILES_MAX + 1)})


def test_temperatures() -> None:
    heaters = {
        "tool0": {"actual": 214.8, "target": 215.0, "offset": 0},
        "bed": {"actual": 60, "target": None},
        "chamber": {"actual": None, "target": None},
        "a plugin's": {"actual": 5.0},
    }
    assert octoprint.temperatures_of({"temperature": heaters}) == (
        Temperature(name="T0", actual_c=214.8, target_c=215.0),
        Temperature(name="B", actual_c=60.0, target_c=0.0),
    )


def test_words_for_people_are_one_short_line() -> None:
    text = octoprint.error_of({"error": "a\x1b[31m\n  b" + "x" * 10_000})
    assert text.startswith("a [31m b")
    assert len(text) <= octoprint.TEXT_CHARS_MAX


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["Printing", "local", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("job", "file", "path", "origin", "size", "state", "progress", "filepos"),
                    *(
                        "prints",
                        "success",
                        "last",
                        "children",
                        "temperature",
                        "bed",
                        "actual",
                        "error",
                    ),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_answer_is_read_or_refused(answer: Any) -> None:
    for read in (
        octoprint.job_of,
        octoprint.file_of,
        octoprint.folder_of,
        octoprint.temperatures_of,
        octoprint.error_of,
    ):
        try:
            read(answer)
        except UnreadableAnswerError:
            continue
    octoprint.message_of(answer)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "-1e300", '"7"', "true", "[]"])
def test_numbers_that_are_none(number: str) -> None:
    value = json.loads(number)
    progress = {"filepos": value, "printTime": value}
    seen = job(progress=progress)
    assert (seen.done_bytes, seen.print_time_s) == (None, None)
