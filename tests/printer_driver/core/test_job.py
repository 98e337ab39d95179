from printer_driver.core.gcode import commands_of
from printer_driver.core.job import Job, Stage, is_heating_wait
from printer_driver.core.link import Progress
from printer_driver.printer import PrintId, PrintState


def job_of(*lines: str) -> Job:
    return Job(
        print_id=PrintId("p"),
        commands=commands_of([f"{line}\n".encode() for line in lines]),
        bytes_total=99,
        started_s=0.0,
    )


def take(job: Job) -> str | None:
    command = job.next_command()
    if command is None:
        return None
    job.take()
    return command.text


def stage(job: Job) -> Stage:
    return job.stage


def test_the_file_then_m400_then_a_proof() -> None:
    job = job_of("G28", "G1 X1")
    assert [take(job), take(job), take(job), take(job)] == ["G28", "G1 X1", "M400", None]
    assert job.on_idle([])
    assert job.on_idle([])
    assert take(job) == "M105"
    assert stage(job) is Stage.VERIFYING
    job.heard_temperatures()
    assert stage(job) is Stage.OVER
    assert job.final_state is PrintState.DONE


def test_firmware_without_temperatures_is_believed_at_last() -> None:
    job = job_of("G28")
    while take(job):
        pass
    for _ in range(20):
        job.on_idle([])
        take(job)
    assert job.stage is Stage.OVER


def test_absolute_moves_may_follow_relative_ones_may_not() -> None:
    job = job_of("G1 X0", "G90", "G1 X1", "M106", "G91", "G1 X1")
    may_follow = []
    for _ in range(6):
        job.next_command()
        may_follow.append(job.may_follow)
        job.take()
    assert may_follow == [False, False, True, False, False, False]


def test_pause_resume_cancel() -> None:
    job = job_of("G28", "G1 X1")
    take(job)
    job.pause()
    assert take(job) == "M400"
    assert job.on_idle([])
    assert job.report(Progress(print_id="p", lines=1), 5.0).state is PrintState.PAUSED
    assert take(job) is None
    job.resume()
    assert take(job) == "G1 X1"
    job.cancel("Enough.")
    job.pause()
    job.resume()
    assert take(job) is None
    assert job.on_idle(["M104 S0"])
    assert [take(job), take(job), take(job), take(job)] == ["M104 S0", "M107", "M84", None]
    assert job.on_idle([])
    assert job.stage is Stage.OVER
    assert job.report(Progress(), 5.0).state is PrintState.CANCELLED


def test_progress_of_another_print_does_not_count() -> None:
    report = job_of("G28").report(Progress(print_id="old", lines=7, end_offset=9), 1.5)
    assert (report.state, report.lines_done, report.elapsed_s) == (PrintState.STARTING, 0, 1.5)


def test_is_heating_wait() -> None:
    assert is_heating_wait("M109 S200")
    assert is_heating_wait("M190 R60")
    assert not is_heating_wait("M104 S200")
    assert not is_heating_wait("M1090")
