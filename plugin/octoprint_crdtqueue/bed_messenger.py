"""The thread that passes the printer's word about its bed on to the peer."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from octoprint_crdtqueue.bed_word import Answered, BedWord, Drop, Event, TellPeer, Word
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable

PATH = "/api/printer/bed-clear"
EVENTS_MAX = 64
"""That wait for the thread while it waits for the peer."""

log = logging.getLogger("octoprint.plugins.crdtqueue")


class BedMessenger:
    """`post` never waits, so OctoPrint's own threads may call it. The thread starts with the first.

    `tell` asks the peer with a function of its client, and raises PeerUnavailable.
    """

    def __init__(self, tell: Callable[[Callable[[PeerClient], Answered]], Answered]) -> None:
        self._tell = tell
        self._inbox: queue.Queue[Event] = queue.Queue(EVENTS_MAX)
        self._bed = BedWord()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def is_said_in_print(self) -> bool:
        """Whether it matters if the running print lays filament."""
        return self._bed.word is Word.IN_PRINT

    def post(self, event: Event) -> None:
        """Something happened; from any thread."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="crdtqueue bed", daemon=True
                )
                self._thread.start()
        try:
            self._inbox.put_nowait(event)
        except queue.Full:
            log.warning("The print queue has no time for the printer's word about its bed.")

    def _work(self) -> None:
        while True:
            event = self._next_event()
            if event:
                self._bed.receive(event, time.monotonic())
            self._bed.tick(time.monotonic())
            for effect in self._bed.effects():
                self._perform(effect)

    def _next_event(self) -> Event | None:
        deadline_s = self._bed.next_deadline_s()
        timeout_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _perform(self, effect: TellPeer | Drop) -> None:
        match effect:
            case TellPeer():
                self._bed.receive(self._ask(), time.monotonic())
            case Drop(reason=reason):
                log.warning("That the bed is clear was not passed on: %s. Confirm it.", reason)

    def _ask(self) -> Answered:
        try:
            return self._tell(_tell_peer)
        except PeerUnavailable as error:
            return Answered(reason=str(error))


def _tell_peer(client: PeerClient) -> Answered:
    answer = client.ask("POST", PATH)
    if not answer.ok:
        return Answered(reason=answer.message)
    log.info("The printer says that its bed is clear; the print queue knows.")
    return Answered()
