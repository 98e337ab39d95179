import pytest

from printer_driver.core.octoprint import end_cause as evidence
from printer_driver.core.octoprint import octoprint_print as prints
from printer_driver.core.octoprint.octoprint_print import (
    CAUSE_WAIT_S,
    OUTCOME_WAIT_S,
    Asked,
    CopyGone,
    CopyInUse,
    DeleteCopy,
    EventPushed,
    JobSeen,
    OctoPrintPhase,
    OctoPrintPrint,
    OutcomeSeen,
    Over,
    ProgressPushed,
    PushTurned,
    ReadOutcome,
    TerminalLogSeen,
)
from printer_driver.core.octoprint.push_messages import (
    EventKind,
    PrinterReset,
    PrintEvent,
    PushState,
)
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintFile,
    OctoPrintJob,
)
from printer_driver.printer import PrintReport, PrintState

PATH = "crdtqueue/print-1.gcode"


class Rig:
    """One print, and a clock that stands still unless it is moved."""

    def __init__(self, *, asked: bool = True) -> None:
        report = PrintReport(print_id="p", state=PrintState.STARTING, bytes_total=100)
        self.print = OctoPrintPrint(report, PATH)
        self.now_s = 1000.0
        if asked:
            self.tell(Asked())

    def tell(self, event: prints.Event) -> list[prints.Effect]:
        self.print.receive(event, self.now_s)
        return self.print.effects()

    def job(
        self,
        phase: JobPhase,
        path: str | None = PATH,
        *,
        done_bytes: int | None = None,
        print_time_s: float | None = None,
        is_all_sent: bool = False,
    ) -> list[prints.Effect]:
        job = OctoPrintJob(
            phase=phase,
            text=phase.value,
            path=path,
            size_bytes=130,
            done_bytes=done_bytes,
            print_time_s=print_time_s,
            is_all_sent=is_all_sent,
        )
        return self.tell(JobSeen(job=job))

    def outcome(
        self, success: int = 0, failure: int = 0, *, last: bool = False, error: str = ""
    ) -> list[prints.Effect]:
        file = OctoPrintFile(
            path=PATH,
            size_bytes=130,
            sha1="",
            successes=success,
            failures=failure,
            is_last_success=last,
            print_time_s=33.5,
        )
        return self.tell(OutcomeSeen(file=file, error=error))

    def pushed(self, *kinds: EventKind, path: str = PATH, **fields: bool | str) -> "Rig":
        for kind in kinds:
            event = PrintEvent(kind=kind, path=path, **fields)  # type: ignore[arg-type]
            assert self.tell(EventPushed(event=event)) == []
        return self

    def live(self) -> "Rig":
        self.tell(PushTurned(push=PushState.LIVE))
        return self

    def no_copy(self) -> list[prints.Effect]:
        return self.tell(OutcomeSeen(file=None, error=""))

    def running(self) -> "Rig":
        assert self.job(JobPhase.PRINTING, done_bytes=50, print_time_s=9) == [ReadOutcome()]
        assert self.outcome() == []
        return self

    @property
    def state(self) -> PrintState:
        return self.print.report.state


def over(effects: list[prints.Effect]) -> tuple[PrintState, str]:
    (effect,) = effects
    assert isinstance(effect, Over)
    return effect.report.state, effect.report.reason


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (JobPhase.STARTING, PrintState.STARTING),
        (JobPhase.PRINTING, PrintState.PRINTING),
        (JobPhase.PAUSING, PrintState.PRINTING),
        (JobPhase.PAUSED, PrintState.PAUSED),
        (JobPhase.CANCELLING, PrintState.CANCELLING),
        (JobPhase.FINISHING, PrintState.PRINTING),
        (JobPhase.OTHER, PrintState.PRINTING),
    ],
)
def test_states(phase: JobPhase, state: PrintState) -> None:
    rig = Rig()
    rig.job(phase)
    assert rig.state is state


def test_progress_is_never_more_than_all() -> None:
    rig = Rig().running()
    rig.job(JobPhase.PRINTING, done_bytes=120, print_time_s=10)
    assert (rig.print.report.bytes_done, rig.print.report.bytes_total) == (100, 100)
    assert rig.print.report.elapsed_s == 10


def test_done() -> None:
    rig = Rig().running()
    assert rig.job(JobPhase.FINISHING, is_all_sent=True) == []
    assert rig.state is PrintState.PRINTING
    assert rig.job(JobPhase.IDLE, is_all_sent=True) == [ReadOutcome()]
    assert over(rig.outcome(success=1, last=True)) == (PrintState.DONE, "")
    report = rig.print.report
    assert (report.bytes_done, report.elapsed_s) == (100, 33.5)
    assert rig.job(JobPhase.IDLE) == rig.job(JobPhase.PRINTING) == rig.outcome(1) == []


def test_the_result_comes_a_moment_later() -> None:
    rig = Rig().running()
    rig.job(JobPhase.IDLE)
    assert rig.outcome() == []
    rig.now_s += OUTCOME_WAIT_S / 2
    assert rig.job(JobPhase.IDLE) == [ReadOutcome()]
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_octoprint_could_not_write_the_result_of_a_finished_print() -> None:
    rig = Rig().running()
    rig.job(JobPhase.FINISHING, is_all_sent=True)
    rig.job(JobPhase.OFFLINE, path=None)
    rig.now_s += OUTCOME_WAIT_S
    assert over(rig.outcome())[0] is PrintState.DONE


def test_all_sent_and_cancelled_after_all() -> None:
    rig = Rig().running()
    rig.job(JobPhase.FINISHING, is_all_sent=True)
    rig.job(JobPhase.CANCELLING)
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_cancelled_and_another_file_chosen_at_once() -> None:
    rig = Rig().running()
    rig.job(JobPhase.CANCELLING)
    rig.job(JobPhase.IDLE, path="other.gcode")
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_the_printers_error_is_the_reason() -> None:
    rig = Rig().running()
    rig.job(JobPhase.OFFLINE, path=None)
    state, reason = over(rig.outcome(failure=1, error="MAXTEMP"))
    assert (state, "MAXTEMP" in reason) == (PrintState.FAILED, True)


def test_disconnected() -> None:
    rig = Rig().running()
    rig.job(JobPhase.OFFLINE, path=None)
    assert over(rig.outcome(failure=1)) == (PrintState.FAILED, evidence.DISCONNECTED)


def test_a_person_has_gone_on_to_another_file_while_nobody_watched() -> None:
    rig = Rig()
    rig.job(JobPhase.PRINTING, path="other.gcode")
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, prints.TAKEN_OVER)


def test_it_is_not_told_how_it_ended_while_we_were_away() -> None:
    rig = Rig()
    rig.job(JobPhase.IDLE, path=None)
    assert over(rig.outcome(failure=1)) == (PrintState.FAILED, prints.UNCLEAR)


CANCELLATION = (EventKind.CANCELLING, EventKind.CANCELLED, EventKind.FAILED)


def test_a_printer_that_resets_itself_has_failed() -> None:
    """The job shows nothing of it but a cancellation."""
    rig = Rig().live().running().pushed(EventKind.CANCELLING, EventKind.CANCELLED)
    rig.job(JobPhase.CANCELLING)
    rig.tell(EventPushed(event=PrinterReset()))
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(failure=1)) == (PrintState.FAILED, evidence.RESET)


def test_the_reset_is_told_after_the_result() -> None:
    rig = Rig().live().running().pushed(*CANCELLATION)
    rig.job(JobPhase.IDLE)
    assert rig.outcome(failure=1) == []
    rig.tell(EventPushed(event=PrinterReset()))
    assert rig.job(JobPhase.IDLE) == [ReadOutcome()]
    assert over(rig.outcome(failure=1)) == (PrintState.FAILED, evidence.RESET)


def test_a_person_cancels_and_begins_another_print_at_once() -> None:
    rig = Rig().live().running().pushed(*CANCELLATION, has_user=True)
    rig.pushed(EventKind.STARTED, path="other.gcode")
    rig.tell(EventPushed(event=PrinterReset()))  # the other print's
    rig.job(JobPhase.PRINTING, path="other.gcode")
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, evidence.CANCELLED)


@pytest.mark.parametrize("push", [PushState.LIVE, PushState.OPENING])
def test_the_cause_is_waited_for_while_it_may_be_pushed(push: PushState) -> None:
    rig = Rig().running()
    rig.tell(PushTurned(push=push))
    rig.job(JobPhase.IDLE)
    assert rig.outcome(failure=1) == []
    rig.now_s += CAUSE_WAIT_S / 2
    rig.job(JobPhase.IDLE)
    assert rig.outcome(failure=1) == []
    rig.now_s += CAUSE_WAIT_S
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_nothing_is_waited_for_that_cannot_come() -> None:
    rig = Rig().live().running()
    rig.job(JobPhase.IDLE)
    assert rig.outcome(failure=1) == []
    rig.tell(PushTurned(push=PushState.DOWN))
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(failure=1))[0] is PrintState.CANCELLED


def test_success_waits_for_no_event() -> None:
    rig = Rig().live().running()
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(success=1, last=True)) == (PrintState.DONE, "")


@pytest.mark.parametrize(
    ("has_reset", "state"), [(True, PrintState.FAILED), (False, PrintState.CANCELLED)]
)
def test_the_terminal_tells_what_happened_while_we_were_away(
    has_reset: bool, state: PrintState
) -> None:
    rig = Rig()
    rig.tell(PushTurned(push=PushState.OPENING))
    rig.job(JobPhase.IDLE)
    assert rig.outcome(failure=1) == []
    rig.live().tell(TerminalLogSeen(has_reset=has_reset))
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(failure=1))[0] is state


def test_a_terminal_that_was_read_in_mid_print_tells_of_another_print() -> None:
    rig = Rig().live().running()
    rig.tell(TerminalLogSeen(has_reset=True))
    rig.job(JobPhase.IDLE)
    rig.now_s += CAUSE_WAIT_S
    rig.outcome(failure=1)
    rig.now_s += CAUSE_WAIT_S
    assert over(rig.outcome(failure=1)) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_the_terminal_of_a_second_print_of_the_copy_says_nothing_of_the_first() -> None:
    rig = Rig()
    rig.job(JobPhase.IDLE)
    rig.tell(TerminalLogSeen(has_reset=True))
    assert over(rig.outcome(failure=2))[0] is PrintState.CANCELLED


def test_events_of_other_prints_are_none_of_ours() -> None:
    rig = Rig().live().running()
    for kind in EventKind:
        rig.pushed(kind, path="other.gcode", is_error=True, error="MINTEMP")
    rig.tell(EventPushed(event=PrinterReset()))
    assert (rig.state, rig.print.phase) == (PrintState.PRINTING, OctoPrintPhase.RUNNING)
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(success=1, last=True)) == (PrintState.DONE, "")


def test_events_alone_begin_and_end_nothing() -> None:
    rig = Rig(asked=False)
    rig.pushed(EventKind.STARTED, EventKind.DONE)
    assert rig.print.phase is OctoPrintPhase.ASKING
    rig.tell(Asked())
    rig.job(JobPhase.PRINTING)
    assert rig.state is PrintState.PRINTING


def test_a_done_print_whose_result_was_not_written() -> None:
    """And whose history shows a failure: then that counts, for a person may have printed it."""
    rig = Rig().live().running().pushed(EventKind.DONE)
    rig.job(JobPhase.IDLE, path=None)
    rig.now_s += OUTCOME_WAIT_S
    assert over(rig.outcome())[0] is PrintState.DONE
    rig = Rig().running().pushed(EventKind.DONE)
    rig.job(JobPhase.IDLE, path=None)
    assert over(rig.outcome(failure=1))[0] is PrintState.FAILED


def test_the_copy_was_deleted_but_the_events_were_heard() -> None:
    rig = Rig().live().running().pushed(*CANCELLATION, has_user=True)
    rig.job(JobPhase.IDLE, path=None)
    assert over(rig.no_copy()) == (PrintState.CANCELLED, evidence.CANCELLED)


def test_the_printers_error_beats_a_cancellation_by_nobody() -> None:
    rig = Rig().live().running().pushed(*CANCELLATION)
    rig.job(JobPhase.IDLE)
    rig.outcome(failure=1)
    rig.now_s += CAUSE_WAIT_S
    state, reason = over(rig.outcome(failure=1, error="MAXTEMP"))
    assert (state, "MAXTEMP" in reason) == (PrintState.FAILED, True)


def test_pushed_progress_is_shown_and_decides_nothing() -> None:
    rig = Rig().live().running()
    for phase, path in ((JobPhase.PAUSED, PATH), (JobPhase.IDLE, PATH), (JobPhase.PRINTING, "x")):
        job = OctoPrintJob(phase=phase, text="", path=path, done_bytes=70, print_time_s=11)
        assert rig.tell(ProgressPushed(job=job)) == []
        assert rig.state is PrintState.PRINTING
        assert (rig.print.report.bytes_done, rig.print.report.elapsed_s) == (70, 11)


def test_no_result_at_all_and_the_copy_is_the_fence() -> None:
    rig = Rig().running()
    rig.job(JobPhase.OFFLINE, path=None)
    rig.now_s += OUTCOME_WAIT_S
    assert rig.job(JobPhase.OFFLINE, path=None) == [ReadOutcome()]
    assert rig.outcome() == [DeleteCopy()]
    assert over(rig.tell(CopyGone())) == (PrintState.FAILED, prints.LOST)


def test_a_fence_that_got_no_answer_is_put_up_again() -> None:
    rig = Rig()
    rig.job(JobPhase.IDLE, path=None)
    rig.now_s += OUTCOME_WAIT_S
    assert rig.outcome() == [DeleteCopy()]
    assert rig.print.phase is OctoPrintPhase.FENCING
    assert rig.job(JobPhase.IDLE, path=None) == [ReadOutcome()]
    assert rig.outcome() == [DeleteCopy()]


def test_it_begins_late_before_the_fence() -> None:
    rig = Rig()
    rig.job(JobPhase.IDLE, path=None)
    rig.now_s += OUTCOME_WAIT_S
    rig.outcome()
    assert rig.tell(CopyInUse()) == []
    assert rig.job(JobPhase.STARTING) == [ReadOutcome()]
    assert rig.state is PrintState.STARTING
    rig.outcome()
    rig.job(JobPhase.IDLE)
    assert over(rig.outcome(success=1, last=True))[0] is PrintState.DONE


def test_the_copy_was_deleted() -> None:
    rig = Rig().running()
    rig.job(JobPhase.IDLE, path=None)
    assert over(rig.no_copy()) == (PrintState.FAILED, prints.DELETED)


def test_nothing_is_concluded_before_octoprint_was_asked() -> None:
    rig = Rig(asked=False)
    assert rig.job(JobPhase.IDLE, path=None) == []
    rig.now_s += 100
    assert rig.job(JobPhase.PRINTING, path="other.gcode") == []
    assert rig.print.phase is OctoPrintPhase.ASKING
    rig.tell(Asked())
    assert rig.job(JobPhase.IDLE, path=None) == [ReadOutcome()]


@pytest.mark.parametrize(
    ("success", "failure", "state"),
    [(1, 0, PrintState.DONE), (0, 1, PrintState.FAILED)],
)
def test_a_person_prints_the_copy_again(success: int, failure: int, state: PrintState) -> None:
    """Found at the first look of a new process."""
    rig = Rig()
    assert rig.job(JobPhase.PRINTING, print_time_s=5) == [ReadOutcome()]
    assert over(rig.outcome(success, failure))[0] is state


def test_a_person_prints_the_copy_again_between_two_looks() -> None:
    rig = Rig().running()
    assert rig.job(JobPhase.PRINTING, print_time_s=1) == [ReadOutcome()]
    assert over(rig.outcome(success=1, last=True))[0] is PrintState.DONE


def test_begun_anew_from_the_pause_is_the_same_print() -> None:
    rig = Rig().running()
    rig.job(JobPhase.PAUSED, print_time_s=12)
    assert rig.job(JobPhase.STARTING, print_time_s=0) == [ReadOutcome()]
    assert rig.outcome() == []
    assert rig.state is PrintState.STARTING


def test_the_result_of_a_print_that_is_just_ending_is_not_read_early() -> None:
    rig = Rig()
    assert rig.job(JobPhase.FINISHING) == []
    assert rig.job(JobPhase.CANCELLING) == []
