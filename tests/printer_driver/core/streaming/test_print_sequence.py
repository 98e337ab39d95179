import pytest

from printer_driver.core.gcode.command_kinds import CommandKind
from printer_driver.core.gcode.gcode_lines import (
    NO_LINE_YET,
    commands_of,
)
from printer_driver.core.gcode.position import Position
from printer_driver.core.streaming.print_sequence import (
    PrintSequence,
    PrintStage,
)
from printer_driver.core.streaming.sent_line import (
    NO_PLACE,
    FilePlace,
)
from printer_driver.core.streaming.stream_settings import (
    Park,
    StreamSettings,
)
from printer_driver.printer import PrintState, Temperature

HOT = (Temperature(name="T0", actual_c=210, target_c=210),)
PARKED = StreamSettings(park=Park(x=0, y=200))
SETTLING = ["M400", "M105", "M114"]
COLD = (Temperature(name="T0", actual_c=40, target_c=0),)


def job_of(
    *lines: str,
    settings: StreamSettings | None = None,
    compacts: bool = False,
    alone_s: int = 0,
) -> PrintSequence:
    """An empty line has not been read yet."""
    ends = [f"{line}\n".encode() if line else NO_LINE_YET for line in lines]
    return PrintSequence(
        print_id="p",
        commands=commands_of(ends),
        bytes_total=99,
        started_s=0.0,
        settings=settings,
        compacts=compacts,
        alone_s=alone_s,
    )


def take(job: PrintSequence) -> str:
    return job.take(0.0) if job.next_command() else ""


def drain(job: PrintSequence, heaters_off: list[str] | None = None) -> list[str]:
    """What goes out until nothing more comes by itself."""
    sent = []
    for _ in range(50):
        if command := take(job):
            sent.append(command)
        elif not job.on_idle(heaters_off or []):
            break
    return sent


def until(job: PrintSequence, command: str) -> list[str]:
    """What goes out up to this."""
    sent: list[str] = []
    while not sent or sent[-1] != command:
        if text := take(job):
            sent.append(text)
        else:
            assert job.on_idle([])
    return sent


def stage(job: PrintSequence) -> PrintStage:
    return job.stage


def test_the_file_then_m400_then_a_proof() -> None:
    job = job_of("G28", "G1 X1")
    assert [take(job) for _ in range(5)] == ["G28", "G1 X1", "M400", "M114", ""]
    assert job.on_idle([])
    assert job.on_idle([])
    assert take(job) == "M105"
    assert stage(job) is PrintStage.VERIFYING
    job.heard_proof()
    assert stage(job) is PrintStage.OVER
    assert job.final_state is PrintState.DONE


def test_firmware_without_temperatures_is_believed_at_last() -> None:
    job = job_of("G28")
    drain(job)
    assert job.stage is PrintStage.OVER


def test_absolute_moves_may_follow_relative_ones_may_not() -> None:
    job = job_of("G1 X0", "G90", "G1 X1", "M106", "G92 E0", "G91", "G1 X1")
    follows = []
    for _ in range(7):
        job.next_command()
        follows.append(job.follows)
        job.take(0.0)
    assert follows == [False, False, True, True, False, False, False]


def test_ignored_lines_are_passed_and_count_as_done() -> None:
    settings = StreamSettings(ignored=frozenset({"M601"}))
    job = job_of("G28", "m601 ; pause", "G1 X1", settings=settings)
    assert [take(job), take(job)] == ["G28", "G1 X1"]
    assert job.progress.lines == 3


def test_moves_are_compacted_when_wanted() -> None:
    job = job_of("G1 X1.50 Y2", "M117 1.0 2", compacts=True)
    assert [take(job), take(job)] == ["G1X1.5Y2", "M117 1.0 2"]


def test_pause_resume_cancel() -> None:
    job = job_of("G28", "G1 X1")
    take(job)
    job.pause()
    assert drain(job) == SETTLING
    assert job.report(FilePlace("p", 1, 0), 5.0).state is PrintState.PAUSED
    job.resume()
    assert drain(job)[0] == "G1 X1"
    job = job_of("G28", "G1 X1")
    job.cancel("Enough.")
    job.pause()
    job.resume()
    assert take(job) == ""
    sent = []
    while "M105" not in sent:
        job.on_idle(["M104 S0"])
        if command := take(job):
            sent.append(command)
    assert sent[:4] == ["M104 S0", "M107", "M84", "M105"]
    job.heard_targets([0.0, 0.0])
    assert job.on_idle([])
    assert job.stage is PrintStage.OVER
    assert job.report(NO_PLACE, 5.0).state is PrintState.CANCELLED
    assert job.reason == "Enough."


def test_heaters_that_stay_on_are_told_of() -> None:
    job = job_of("G28")
    job.cancel("Enough.")
    sent = drain(job, ["M104 S0"])
    assert sent.count("M104 S0") == 5
    assert "may still be on" in job.reason


def test_a_resume_during_the_pausing_is_not_lost() -> None:
    job = job_of("G28", "G1 X1")
    take(job)
    job.pause()
    job.resume()
    assert drain(job)[:4] == [*SETTLING, "G1 X1"]


def test_the_printers_own_pause_sends_nothing() -> None:
    job = job_of("G28", "G1 X1")
    take(job)
    job.hold()
    assert drain(job) == []
    assert job.stage is PrintStage.PAUSED
    job.resume()
    assert drain(job)[0] == "G1 X1"


def test_parking_and_back_to_the_exact_place() -> None:
    settings = StreamSettings(park=Park(x=0, y=200))
    job = job_of(
        "G90", "M83", "G92 E3", "G1 X10 Y20 Z1 F1200", "M106 S9", "G1 X1", settings=settings
    )
    for _ in range(5):
        take(job)
    job.pause(HOT)
    assert [take(job) for _ in SETTLING] == SETTLING
    job.heard_targets([210.0])
    assert job.heard_position(Position(x=10, y=20, z=1, e=3)) == ""
    parked = drain(job)
    assert parked == ["M83", "G1 E-1 F1800", "G90", "G1 Z6 F600", "G1 X0 Y200 F6000"]
    job.resume(COLD)
    assert take(job) == "M114"
    job.heard_position(Position(x=0, y=200, z=6, e=2))
    way = ["M109 S210", "G90", "G1 X10.000 Y20.000 F6000", "G1 Z1.000 F600", "M114"]
    assert until(job, "M114") == way
    job.heard_position(Position(x=10, y=20, z=1, e=2))
    assert drain(job)[:7] == ["M83", "G1 E1 F1800", "G90", "M83", "G1 F1200", "M106 S9", "G1 X1"]
    assert job.head.e == 3


def test_progress_of_another_print_does_not_count() -> None:
    report = job_of("G28").report(FilePlace("old", 7, 9), 1.5)
    assert (report.state, report.lines_done, report.elapsed_s) == (PrintState.STARTING, 0, 1.5)


def test_a_file_that_takes_its_part_off_says_so_at_its_end() -> None:
    job = job_of("G1 X1 E1", "M118 A1 action:bed_clear", "G1 X0 Y0", "M84")
    assert [take(job), take(job)] == ["G1 X1 E1", "M118 A1 action:bed_clear"]
    job.heard_bed_clear()
    assert not job.report(NO_PLACE, 0.0).bed_cleared
    drain(job)
    assert job.report(NO_PLACE, 0.0).bed_cleared


def test_what_is_printed_afterwards_lies_on_the_bed() -> None:
    job = job_of("M118 A1 action:bed_clear", "G1 X1 Y1 E1")
    take(job)
    job.heard_bed_clear()
    drain(job)
    report = job.report(NO_PLACE, 0.0)
    assert (report.state, report.bed_cleared) == (PrintState.DONE, False)


def test_a_cancelled_print_leaves_the_bed_to_people() -> None:
    job = job_of("M118 A1 action:bed_clear", "G1 X1 Y1")
    take(job)
    job.heard_bed_clear()
    job.cancel("Enough.")
    drain(job)
    job.heard_targets([])
    drain(job)
    report = job.report(NO_PLACE, 0.0)
    assert (report.state, report.bed_cleared) == (PrintState.CANCELLED, False)


def test_the_place_is_still_known_after_a_pause() -> None:
    job = job_of("G90", "M83", "G92 E0", "G1 X1 Y2 Z3", "G1 X4 E1", "M104 S200")
    for _ in range(4):
        take(job)
    job.next_command()
    job.pause()
    drain(job)
    job.resume()
    while stage(job) is PrintStage.RESUMING:
        assert take(job) or job.on_idle([])
    assert (take(job), job.kind, job.follows) == ("G1 X4 E1", CommandKind.MOVE, True)
    assert job.head.position == Position(x=4, y=2, z=3, e=1)


def test_firmware_is_told_when_it_may_be_alone_while_something_moves() -> None:
    job = job_of("M109 S200", "G28", "G1 F900", "G1 X1", "G1 X2", "G1 X3", alone_s=600)
    sent = [take(job) for _ in range(6)]
    assert sent == ["M109 S200", "G28", "G1 F900", "G1 X1", "M85 S600", "G1 X2"]
    job.pause()
    assert drain(job) == [*SETTLING, "M85 S0"]
    job.resume()
    while stage(job) is PrintStage.RESUMING:
        job.on_idle([])
    assert [take(job) for _ in range(5)] == ["G1 X3", "M85 S600", "M400", "M114", "M85 S0"]


def test_a_cancelled_print_leaves_no_timer_behind() -> None:
    job = job_of("G1 X1", "G1 X2", alone_s=600)
    take(job)
    take(job)
    job.cancel("Enough.")
    assert "M85 S0" in drain(job, ["M104 S0"])


def test_the_printers_own_pause_may_take_as_long_as_it_likes() -> None:
    job = job_of("G1 X1", "G1 X2", alone_s=600)
    take(job)
    job.hold()
    assert drain(job) == ["M85 S0"]


def test_taking_extrusion_back_does_not_forget_the_timer() -> None:
    job = job_of("G1 X1", "G1 X2", alone_s=600)
    take(job)
    job.take_back_extrusion(0.5)
    assert [take(job), take(job)] == ["M85 S600", "G1 E-0.50000"]


def test_beside_the_part_no_place_is_the_files() -> None:
    job = job_of("G90", "M83", "G92 E0", "G1 X1 Y2 Z3", "G1 X4", settings=PARKED)
    for _ in range(4):
        take(job)
    job.pause()
    assert [*(take(job) for _ in SETTLING), job.progress.is_aside] == [*SETTLING, False]
    job.heard_position(Position(x=1, y=2, z=3, e=0))
    job.on_idle([])
    take(job)
    assert job.progress == FilePlace("p", 4, 27, is_aside=True)
    drain(job)
    job.resume()
    while job.stage is PrintStage.RESUMING:
        assert job.progress.is_aside
        assert take(job) or job.on_idle([])
    take(job)
    assert job.progress == FilePlace("p", 5, 33)


@pytest.mark.parametrize(
    ("command", "is_aside"),
    [("M85 S600", False), ("M104 T1 S0", False), ("M104 S200", True), ("G1 E-0.5", True)],
)
def test_what_of_the_drivers_own_moves_no_place(command: str, is_aside: bool) -> None:
    job = job_of("G28", settings=StreamSettings(cancel_script=(command,)))
    take(job)
    job.cancel("Enough.")
    job.on_idle([])
    take(job)
    assert job.progress.is_aside is is_aside


def test_targets_are_those_told_behind_the_last_line_of_the_file() -> None:
    job = job_of("M104 S0", "G1 X1")
    take(job)
    job.pause(HOT)
    assert take(job) == "M400"
    job.heard_targets([210.0])  # told before M104 was executed
    assert until(job, "M105") == ["M105"]
    job.heard_targets([0.0])
    job.heard_targets([0.0])
    drain(job)
    job.resume(HOT)
    assert take(job) == ""
    assert until(job, "G1 X1") == ["G1 X1"]


def resuming() -> PrintSequence:
    job = job_of("G28", "G1 X1")
    take(job)
    job.pause(HOT)
    assert [take(job) for _ in SETTLING] == SETTLING
    job.heard_targets([210.0])
    drain(job)
    job.resume(COLD)
    assert until(job, "M109 S210") == ["M109 S210"]
    return job


def test_a_pause_on_the_way_back_comes_before_the_next_line() -> None:
    job = resuming()
    job.pause(HOT)
    assert drain(job)[:3] == SETTLING
    assert stage(job) is PrintStage.PAUSED
    job.resume()
    assert drain(job)[0] == "G1 X1"


def test_a_pause_on_the_way_back_is_taken_back_by_a_resume() -> None:
    job = resuming()
    job.pause(HOT)
    job.resume()
    assert drain(job)[0] == "G1 X1"


def test_cancelled_on_the_way_back() -> None:
    job = resuming()
    job.pause(HOT)
    job.cancel("Enough.")
    assert drain(job, ["M104 S0"])[0] == "M104 S0"


def test_extrusion_is_taken_back_before_a_pause() -> None:
    job = job_of("G1 X1", "G1 X2")
    take(job)
    job.take_back_extrusion(0.5)
    job.pause()
    assert drain(job) == ["G1 E-0.50000", *SETTLING]


def test_a_head_that_does_not_come_back_is_a_pause_with_a_reason() -> None:
    job = job_of("G90", "M83", "G92 E0", "G1 X1 Y2 Z3", "G1 X4", settings=PARKED)
    for _ in range(4):
        take(job)
    job.pause()
    until(job, "M114")
    job.heard_position(Position(x=1, y=2, z=3, e=0))
    drain(job)
    job.resume()
    until(job, "M114")
    job.heard_position(Position(x=0, y=200, z=8, e=-1))
    for _ in range(2):
        until(job, "M114")
        note = job.heard_position(Position(x=1, y=2, z=4, e=-1))
    assert take(job) == ""
    assert job.on_idle([])
    report = job.report(FilePlace("p", 4, 27), 1.0)
    assert (report.state, report.reason) == (PrintState.PAUSED, note)
    assert "off in Z by +1 mm" in note
    job.resume()
    assert job.reason == ""


def test_what_is_not_read_yet_is_not_the_end() -> None:
    job = job_of("", "G28", "", "", "G1 X1", "")
    assert [take(job) for _ in range(4)] == ["", "G28", "", ""]
    assert (stage(job), job.waits_for_file) == (PrintStage.STREAMING, True)
    assert (job.progress.lines, job.progress.end_offset) == (1, 4)
    assert (take(job), job.waits_for_file) == ("G1 X1", False)
    assert [take(job) for _ in range(3)] == ["", "M400", "M114"]
    assert (stage(job), job.waits_for_file) == (PrintStage.FINISHING, False)


def test_ignored_lines_before_one_that_is_not_read_yet() -> None:
    settings = StreamSettings(ignored=frozenset({"M601", ""}))
    job = job_of("M601", "", "M601", "G28", settings=settings)
    assert [take(job), take(job)] == ["", "G28"]
    assert job.progress.lines == 3


def test_a_pause_while_the_file_is_awaited() -> None:
    job = job_of("G28", "", "", "G1 X1")
    assert [take(job), take(job)] == ["G28", ""]
    job.pause()
    assert drain(job) == SETTLING
    assert stage(job) is PrintStage.PAUSED
    job.resume()
    while stage(job) is PrintStage.RESUMING:
        assert take(job) or job.on_idle([])
    assert [take(job), take(job)] == ["", "G1 X1"]


def test_a_cancel_while_the_file_is_awaited() -> None:
    job = job_of("G28", "", "G1 X1")
    assert [take(job), take(job)] == ["G28", ""]
    job.cancel("Enough.")
    assert drain(job, ["M104 S0"])[0] == "M104 S0"


def test_a_line_may_come_while_nothing_can_be_sent() -> None:
    job = job_of("", "", "G1 X1 E1")
    job.take_back_extrusion(0.5)
    assert job.is_line_there()  # nobody has missed it yet
    assert take(job) == "G1 E-0.50000"
    assert take(job) == ""
    job.take_back_extrusion(0.5)
    assert [job.is_line_there(), job.is_line_there()] == [False, True]
    assert [take(job), take(job)] == ["G1 E-0.50000", "G1 X1 E1"]
    assert job.kind is CommandKind.MOVE
