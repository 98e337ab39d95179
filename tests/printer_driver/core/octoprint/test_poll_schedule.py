from printer_driver.core.octoprint.poll_schedule import (
    HEARTBEAT_S,
    LOOK_GAP_S,
    SILENCE_S,
    PollSchedule,
)
from printer_driver.core.octoprint.push_messages import (
    EventKind,
    PrintEvent,
    Pushed,
    PushState,
    StatePushed,
)
from printer_driver.core.octoprint.rest_answers import (
    JobPhase,
    OctoPrintJob,
)
from printer_driver.printer import Temperature

POLL_S = 1.0
IDLE = OctoPrintJob(phase=JobPhase.IDLE, text="Operational")
PRINTING = OctoPrintJob(phase=JobPhase.PRINTING, text="Printing", path="a.gcode")
T0 = (Temperature(name="T0", actual_c=20.0, target_c=0.0),)


def started() -> PollSchedule:
    poll_schedule = PollSchedule(poll_s=POLL_S)
    poll_schedule.turned(PushState.LIVE, 99.0)
    poll_schedule.looked(IDLE, 100.0)
    return poll_schedule


def due_s(poll_schedule: PollSchedule, *, is_settling: bool = False) -> float:
    return poll_schedule.next_look_s(is_settling=is_settling)


def state(job: OctoPrintJob, temperatures: tuple[Temperature, ...] | None = None) -> list[Pushed]:
    return [StatePushed(job=job, temperatures=temperatures)]


def test_the_first_look_is_due_at_once() -> None:
    assert due_s(PollSchedule(poll_s=POLL_S)) < 0


def test_without_push_it_polls() -> None:
    poll_schedule = PollSchedule(poll_s=POLL_S)
    for push in (PushState.DOWN, PushState.OPENING):
        poll_schedule.turned(push, 99.0)
        poll_schedule.looked(IDLE, 100.0)
        assert due_s(poll_schedule) == 100.0 + POLL_S


def test_with_push_it_looks_now_and_then() -> None:
    poll_schedule = started()
    assert due_s(poll_schedule) == 100.0 + SILENCE_S
    for second in range(int(HEARTBEAT_S)):
        poll_schedule.heard(state(IDLE), 100.0 + second)
        assert due_s(poll_schedule) > 100.0 + second
    assert due_s(poll_schedule) == 100.0 + HEARTBEAT_S


def test_a_silent_socket_is_not_trusted() -> None:
    poll_schedule = started()
    poll_schedule.heard(state(IDLE), 103.0)
    assert due_s(poll_schedule) == 103.0 + SILENCE_S


def test_while_a_print_begins_or_ends_it_polls() -> None:
    assert due_s(started(), is_settling=True) == 100.0 + POLL_S


def test_news_are_looked_at_soon_and_not_in_a_storm() -> None:
    event = PrintEvent(kind=EventKind.FAILED, path=None)
    for pushed in ([event], state(PRINTING)):
        poll_schedule = started()
        for _ in range(100):
            poll_schedule.heard(pushed, 100.5)
        assert due_s(poll_schedule) == 100.0 + LOOK_GAP_S
        poll_schedule.looked(PRINTING, 100.6)
        assert due_s(poll_schedule) > 101.0


def test_news_that_came_during_a_look_are_news_still() -> None:
    poll_schedule = started()
    poll_schedule.heard([PrintEvent(kind=EventKind.FAILED, path=None)], 103.5)
    poll_schedule.looked(IDLE, 103.4)
    assert due_s(poll_schedule) == 103.4 + LOOK_GAP_S


def test_a_lost_socket_is_news() -> None:
    poll_schedule = started()
    poll_schedule.turned(PushState.DOWN, 102.0)
    assert due_s(poll_schedule) == 100.0 + LOOK_GAP_S
    poll_schedule.looked(IDLE, 102.5)
    poll_schedule.turned(PushState.DOWN, 103.0)  # a further attempt has failed
    assert due_s(poll_schedule) == 102.5 + POLL_S


def test_pushed_temperatures_are_kept_while_there_is_a_socket() -> None:
    poll_schedule = started()
    seen = []
    for job in (state(IDLE, T0), state(IDLE)):
        poll_schedule.heard(job, 101.0)
        seen.append(poll_schedule.temperatures)
    poll_schedule.turned(PushState.DOWN, 102.0)
    assert [*seen, poll_schedule.temperatures] == [T0, T0, None]
