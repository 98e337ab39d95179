"""The thread that tells the peer that the printer has reported a clear bed."""

import logging
import queue
import threading
import time
from collections.abc import Callable

from octoprint_crdtqueue.bed_report import (
    BedReport,
    BedSaidClear,
    Drop,
    Event,
    FilamentLaid,
    PeerAnswered,
    PrintBegan,
    PrintOver,
    TellPeer,
)
from octoprint_crdtqueue.peer_client import PeerClient, PeerUnavailable

PATH = "/api/printer/bed-clear"
EVENTS_MAX = 64
"""That wait for the thread while it waits for the peer."""

log = logging.getLogger("octoprint.plugins.crdtqueue")


class BedMessenger:
    """`post` never waits, so OctoPrint's own threads may call it. The first call starts the thread.

    `tell` asks the peer with a function of its client, and raises PeerUnavailable. Any other
    exception is logged once, and the peer is asked again.
    """

    def __init__(
        self, tell: Callable[[Callable[[PeerClient], PeerAnswered]], PeerAnswered]
    ) -> None:
        self._tell = tell
        self._inbox: queue.Queue[Event] = queue.Queue(EVENTS_MAX)
        self._bed = BedReport()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_said_in_print = False
        self._has_failed = False

    @property
    def is_said_in_print(self) -> bool:
        """Whether it matters if the running print lays filament; as of the last `post`.

        Not as of the thread, which may be waiting for the peer for many seconds.
        """
        return self._is_said_in_print

    def post(self, event: Event) -> None:
        """Something happened; from any thread."""
        with self._lock:
            self._start()
            # Said over and over, it must not take the room of the filament that is laid next.
            if self._is_said_in_print and event == BedSaidClear(in_print=True):
                return
            try:
                self._inbox.put_nowait(event)
            except queue.Full:
                log.warning("The print queue has no time for the printer's word about its bed.")
            else:
                self._note(event)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="crdtqueue bed", daemon=True)
            self._thread.start()

    def _note(self, event: Event) -> None:
        match event:
            case BedSaidClear(in_print=in_print):
                self._is_said_in_print = in_print
            case FilamentLaid() | PrintBegan() | PrintOver():
                self._is_said_in_print = False

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

    def _ask(self) -> PeerAnswered:
        try:
            answered = self._tell(_tell_peer)
        except PeerUnavailable as error:
            return PeerAnswered(reason=str(error))
        except Exception as error:  # the thread must outlive it, for the words to come
            if not self._has_failed:
                log.exception("The print queue could not be told that the bed is clear.")
            self._has_failed = True
            return PeerAnswered(reason=f"telling the peer failed: {error!r}")
        self._has_failed = False
        return answered


def _tell_peer(client: PeerClient) -> PeerAnswered:
    answer = client.ask("POST", PATH)
    if not answer.ok:
        return PeerAnswered(reason=answer.message)
    log.info("The printer says that its bed is clear; the print queue knows.")
    return PeerAnswered()
