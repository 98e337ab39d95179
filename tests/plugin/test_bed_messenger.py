import logging
import threading
from collections.abc import Callable

import pytest
from octoprint_crdtqueue.bed_messenger import EVENTS_MAX, BedMessenger
from octoprint_crdtqueue.bed_word import Answered, FilamentLaid, PrintBegan, PrintOver, Said
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable

from tests.harness import until

LIMIT_S = 10.0
AT_REST = Said(in_print=False)
Work = Callable[[PeerClient], Answered]


class Peer:
    """Answers in turn; it hangs until `go_on`."""

    def __init__(self, *answers: Answered | PeerUnavailable) -> None:
        self.asked = 0
        self.go_on = threading.Event()
        self._answers = list(answers)

    def tell(self, _: Work) -> Answered:
        self.asked += 1
        assert self.go_on.wait(LIMIT_S)
        answer = self._answers.pop(0)
        if isinstance(answer, PeerUnavailable):
            raise answer
        return answer


def test_a_peer_that_hangs_delays_nobody_and_fills_no_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    peer = Peer(Answered())
    messenger = BedMessenger(peer.tell)
    messenger.post(AT_REST)
    until(lambda: peer.asked == 1, LIMIT_S)
    with caplog.at_level(logging.WARNING):
        for _ in range(EVENTS_MAX + 1):
            messenger.post(FilamentLaid())
    assert "has no time" in caplog.text
    peer.go_on.set()


def test_a_peer_that_is_away_is_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer(PeerUnavailable("It does not run."), PeerUnavailable("Still not."))
    peer.go_on.set()
    messenger = BedMessenger(peer.tell)
    with caplog.at_level(logging.WARNING):
        for event in (AT_REST, PrintBegan(), PrintOver(done=True)):
            messenger.post(event)
        until(lambda: "was not passed on" in caplog.text, LIMIT_S)
    assert "(Still not.)" in caplog.text


def test_it_says_whether_filament_matters() -> None:
    messenger = BedMessenger(Peer().tell)
    assert not messenger.is_said_in_print
    messenger.post(Said(in_print=True))
    until(lambda: messenger.is_said_in_print, LIMIT_S)
    messenger.post(FilamentLaid())
    until(lambda: not messenger.is_said_in_print, LIMIT_S)
