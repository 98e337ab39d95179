"""The decisions about the peer process, without any process."""

from octoprint_crdtqueue.peer_client import PeerAddress
from octoprint_crdtqueue.supervision import (
    BACK_OFF_S,
    HEALTHY_S,
    START_TIMEOUT_S,
    STOP_TIMEOUT_S,
    Announced,
    Effect,
    Ended,
    Kill,
    Launch,
    ServiceState,
    StartPeer,
    StopPeer,
    Supervision,
    Terminate,
)

PEER = PeerAddress(url="http://127.0.0.1:1", token="secret")  # noqa: S106


class Machine:
    """A supervision with a clock of its own."""

    def __init__(self) -> None:
        self.supervision = Supervision()
        self.now_s = 1000.0

    def state(self) -> ServiceState:
        return self.supervision.status.state

    def receive(self, event: StartPeer | StopPeer | Announced | Ended) -> list[Effect]:
        self.supervision.receive(event, self.now_s)
        return list(self.supervision.effects())

    def wait(self, seconds: float) -> list[Effect]:
        self.now_s += seconds
        self.supervision.tick(self.now_s)
        return list(self.supervision.effects())

    def running(self) -> "Machine":
        assert self.receive(StartPeer()) == [Launch(run=1)]
        assert self.receive(Announced(run=1, peer=PEER)) == []
        assert self.state() is ServiceState.RUNNING
        return self


def test_a_process_that_answers_runs_and_says_where() -> None:
    status = Machine().running().supervision.status
    assert status.peer == PEER
    assert status.problem == ""


def test_a_process_that_ends_is_started_again_after_a_while_and_the_reason_stays_visible() -> None:
    machine = Machine().running()
    assert machine.receive(Ended(run=1, reason="It broke.")) == []
    assert machine.state() is ServiceState.WAITING
    assert machine.wait(BACK_OFF_S[0] - 0.1) == []
    assert machine.wait(0.2) == [Launch(run=2)]
    assert machine.state() is ServiceState.STARTING
    assert machine.supervision.status.problem == "It broke."
    machine.receive(Announced(run=2, peer=PEER))
    assert machine.supervision.status.problem == ""


def test_it_waits_longer_after_each_failure_and_gives_up_after_the_last() -> None:
    machine = Machine()
    machine.receive(StartPeer())
    for number, pause_s in enumerate(BACK_OFF_S, start=1):
        machine.receive(Ended(run=number, reason="No."))
        assert machine.wait(pause_s - 0.1) == []
        assert machine.wait(0.2) == [Launch(run=number + 1)]
    assert machine.receive(Ended(run=len(BACK_OFF_S) + 1, reason="No.")) == []
    assert machine.state() is ServiceState.FAILED
    assert machine.supervision.next_deadline_s() is None
    assert machine.receive(StartPeer()) == [Launch(run=len(BACK_OFF_S) + 2)]


def test_a_long_healthy_run_forgives_earlier_failures() -> None:
    machine = Machine()
    machine.receive(StartPeer())
    for run in range(1, 30):
        machine.receive(Announced(run=run, peer=PEER))
        machine.wait(HEALTHY_S)
        machine.receive(Ended(run=run, reason="Now and then."))
        assert machine.wait(BACK_OFF_S[0]) == [Launch(run=run + 1)]


def test_a_process_that_says_nothing_is_ended_and_counts_as_failed() -> None:
    machine = Machine()
    machine.receive(StartPeer())
    assert machine.wait(START_TIMEOUT_S) == [Kill(run=1)]
    assert machine.receive(Ended(run=1, reason="killed")) == []
    assert machine.state() is ServiceState.WAITING
    assert "did not start within" in machine.supervision.status.problem


def test_stopping_ends_the_process_by_force_when_it_must() -> None:
    machine = Machine().running()
    assert machine.receive(StopPeer()) == [Terminate(run=1)]
    assert machine.wait(STOP_TIMEOUT_S) == [Kill(run=1)]
    assert machine.receive(Ended(run=1, reason="killed")) == []
    assert machine.state() is ServiceState.STOPPED


def test_stopping_between_two_runs_starts_no_other() -> None:
    machine = Machine().running()
    machine.receive(Ended(run=1, reason="It broke."))
    machine.receive(StopPeer())
    assert machine.state() is ServiceState.STOPPED
    assert machine.wait(1000) == []


def test_a_restart_waits_until_the_old_process_is_gone() -> None:
    machine = Machine().running()
    assert machine.receive(StartPeer(anew=True)) == [Terminate(run=1)]
    assert machine.receive(StartPeer(anew=True)) == []
    assert machine.receive(Ended(run=1, reason="told to")) == [Launch(run=2)]
    assert machine.supervision.status.problem == ""


def test_a_start_of_what_runs_changes_nothing() -> None:
    assert Machine().running().receive(StartPeer()) == []


def test_news_of_an_earlier_run_changes_nothing() -> None:
    machine = Machine().running()
    machine.receive(StartPeer(anew=True))
    machine.receive(Ended(run=1, reason="told to"))
    machine.receive(Announced(run=1, peer=PEER))
    machine.receive(Ended(run=1, reason="told to"))
    assert machine.state() is ServiceState.STARTING
