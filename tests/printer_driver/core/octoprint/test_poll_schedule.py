from printer_driver.core.octoprint.poll_schedule import (
    HEARTBEAT_S,
    LOOK_GAP_S,
    SILENCE_S,
    Lookout,
)
from printer_driver.core.octoprint.push_messages import (
    EventKind,
    PrintEvent,
    Pushed,
    PushState,
    StatePushed,
)
from printer_driver.core.octoprint.rest_answers import (
    Job,
    JobPhase,
)
from printer_driver.printer import Temperature

POLL_S = 1.0
IDLE = Job(phase=JobPhase.IDLE, text="Operational")
PRINTING = Job(phase=JobPhase.PRINTING, text="Printing", path="a.gcode")
T0 = (Temperature(name="T0", actual_c=20.0, target_c=0.0),)


def started() -> Lookout:
    lookout = Lookout(poll_s=POLL_S)
    lookout.turned(PushState.LIVE, 99.0)
    lookout.looked(IDLE, 100.0)
    return lookout


def due_s(lookout: Lookout, *, is_settling: bool = False) -> float:
    return lookout.next_look_s(is_settling=is_settling)


def state(job: Job, temperatures: tuple[Temperature, ...] | None = None) -> list[Pushed]:
    return [StatePushed(job=job, temperatures=temperatures)]


def test_the_first_look_is_due_at_once() -> None:
    assert due_s(Lookout(poll_s=POLL_S)) < 0


def test_without_push_it_polls() -> None:
    lookout = Lookout(poll_s=POLL_S)
    for push in (PushState.DOWN, PushState.OPENING):
        lookout.turned(push, 99.0)
        lookout.looked(IDLE, 100.0)
        assert due_s(lookout) == 100.0 + POLL_S


def test_with_push_it_looks_now_and_then() -> None:
    lookout = started()
    assert due_s(lookout) == 100.0 + SILENCE_S
    for second in range(int(HEARTBEAT_S)):
        lookout.heard(state(IDLE), 100.0 + second)
        assert due_s(lookout) > 100.0 + second
    assert due_s(lookout) == 100.0 + HEARTBEAT_S


def test_a_silent_socket_is_not_trusted() -> None:
    lookout = started()
    lookout.heard(state(IDLE), 103.0)
    assert due_s(lookout) == 103.0 + SILENCE_S


def test_while_a_print_begins_or_ends_it_polls() -> None:
    assert due_s(started(), is_settling=True) == 100.0 + POLL_S


def test_news_are_looked_at_soon_and_not_in_a_storm() -> None:
    event = PrintEvent(kind=EventKind.FAILED, path=None)
    for pushed in ([event], state(PRINTING)):
        lookout = started()
        for _ in range(100):
            lookout.heard(pushed, 100.5)
        assert due_s(lookout) == 100.0 + LOOK_GAP_S
        lookout.looked(PRINTING, 100.6)
        assert due_s(lookout) > 101.0


def test_news_that_came_during_a_look_are_news_still() -> None:
    lookout = started()
    lookout.heard([PrintEvent(kind=EventKind.FAILED, path=None)], 103.5)
    lookout.looked(IDLE, 103.4)
    assert due_s(lookout) == 103.4 + LOOK_GAP_S


def test_a_lost_socket_is_news() -> None:
    lookout = started()
    lookout.turned(PushState.DOWN, 102.0)
    assert due_s(lookout) == 100.0 + LOOK_GAP_S
    lookout.looked(IDLE, 102.5)
    lookout.turned(PushState.DOWN, 103.0)  # a further attempt has failed
    assert due_s(lookout) == 102.5 + POLL_S


def test_pushed_temperatures_are_kept_while_there_is_a_socket() -> None:
    lookout = started()
    seen = []
    for job in (state(IDLE, T0), state(IDLE)):
        lookout.heard(job, 101.0)
        seen.append(lookout.temperatures)
    lookout.turned(PushState.DOWN, 102.0)
    assert [*seen, lookout.temperatures] == [T0, T0, None]
