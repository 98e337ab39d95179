"""One thread for what may wait for a disk, so that the thread with the printer never does."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

TASKS_MAX = 256

_log = logging.getLogger(__name__)

Task = Callable[[], None]


class Background:
    """Runs tasks one after the other. The thread starts with the first one.

    A task hands its result on itself (`call_soon` of the main loop) and must not raise; what
    escapes is logged.
    """

    def __init__(self) -> None:
        self._tasks: queue.Queue[Task] = queue.Queue(TASKS_MAX)
        self._thread: threading.Thread | None = None

    def run(self, task: Task) -> bool:
        """Queue a task; False when too many wait already."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="background", daemon=True)
            self._thread.start()
        try:
            self._tasks.put_nowait(task)
        except queue.Full:
            return False
        return True

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            try:
                task()
            except Exception:  # noqa: BLE001 - logged; the thread must outlive one bad task
                _log.exception("a background task failed; please report this")


@dataclass(frozen=True, kw_only=True, slots=True)
class Threads:
    """Two, so that the disk of a g-code file keeps no journal from being written."""

    journals: Background
    files: Background
    """Looks through g-code files; hangs as long as their disk does."""
