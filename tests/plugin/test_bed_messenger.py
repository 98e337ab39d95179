import logging
import threading
from collections.abc import Callable

import pytest
from octoprint_crdtqueue import bed_report
from octoprint_crdtqueue.bed_messenger import EVENTS_MAX, BedMessenger
from octoprint_crdtqueue.bed_report import (
    BedSaidClear,
    BedSaidClearUnwatched,
    Event,
    FilamentLaid,
    PeerAnswered,
    PrintBegan,
    PrintOver,
)
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable

from tests.harness.patience import HANG_S
from tests.harness.peer_processes import until

AT_REST, IN_PRINT = BedSaidClear(in_print=False), BedSaidClear(in_print=True)
Work = Callable[[PeerClient], PeerAnswered]


class Peer:
    """Answers in turn; it hangs until `go_on`."""

    def __init__(self, *answers: PeerAnswered | Exception) -> None:
        self.asked = 0
        self.go_on = threading.Event()
        self._answers = list(answers)

    def tell(self, _: Work) -> PeerAnswered:
        self.asked += 1
        assert self.go_on.wait(HANG_S)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_peer_that_hangs_delays_nobody_and_fills_no_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    peer = Peer(PeerAnswered())
    messenger = BedMessenger(peer.tell)
    messenger.post(AT_REST)
    until(lambda: peer.asked == 1, HANG_S)
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
        until(lambda: "was not passed on" in caplog.text, HANG_S)
    assert "(Still not.)" in caplog.text


def test_what_nobody_expected_is_logged_once_and_asked_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bed_report, "RETRY_S", 0.01)
    peer = Peer(ValueError("What?"), ValueError("Again?"), PeerAnswered(), PeerAnswered())
    peer.go_on.set()
    messenger = BedMessenger(peer.tell)
    messenger.post(AT_REST)
    until(lambda: peer.asked == 3, HANG_S)
    (record,) = caplog.records
    assert record.exc_info
    assert "What?" in caplog.text


def test_it_says_whether_filament_matters() -> None:
    messenger = BedMessenger(Peer().tell)
    matters = [messenger.is_said_in_print]
    for event in (IN_PRINT, FilamentLaid()):
        messenger.post(event)
        matters.append(messenger.is_said_in_print)
    assert matters == [False, True, False]


@pytest.mark.parametrize("event", [AT_REST, PrintBegan(), PrintOver(done=True)])
def test_filament_matters_no_more(event: Event) -> None:
    peer = Peer(PeerAnswered())
    peer.go_on.set()
    messenger = BedMessenger(peer.tell)
    messenger.post(IN_PRINT)
    messenger.post(event)
    assert not messenger.is_said_in_print


def test_filament_laid_while_the_peer_is_asked_counts(caplog: pytest.LogCaptureFixture) -> None:
    peer = Peer(PeerAnswered(), PeerAnswered())
    messenger = BedMessenger(peer.tell)
    messenger.post(AT_REST)
    until(lambda: peer.asked == 1, HANG_S)
    messenger.post(PrintBegan())
    for _ in range(EVENTS_MAX):
        messenger.post(IN_PRINT)
    if messenger.is_said_in_print:
        messenger.post(FilamentLaid())
    messenger.post(PrintOver(done=True))
    messenger.post(BedSaidClearUnwatched())
    peer.go_on.set()
    until(lambda: "was not passed on" in caplog.text, HANG_S)
    assert "has no time" not in caplog.text
    assert peer.asked == 1


def test_filament_that_found_no_room_matters_still() -> None:
    peer = Peer(PeerAnswered())
    messenger = BedMessenger(peer.tell)
    messenger.post(AT_REST)
    until(lambda: peer.asked == 1, HANG_S)
    messenger.post(IN_PRINT)
    for _ in range(EVENTS_MAX):
        messenger.post(BedSaidClearUnwatched())
    messenger.post(FilamentLaid())
    assert messenger.is_said_in_print
    peer.go_on.set()
