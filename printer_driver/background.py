"""A thread for disk access, so that the thread that drives the printer never waits for a disk."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass

TASKS_MAX = 256

_log = logging.getLogger(__name__)

Task = Callable[[], None]


class Background:
    """Runs tasks one after the other. The thread starts with the first task.

    A task hands its result to the main loop (`call_soon`). It must not raise; an exception is
    logged.
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
    """Two threads: a disk that hangs with a g-code file must not stop the journals."""

    journals: Background
    files: Background
    """Looks through g-code files; hangs as long as their disk does."""
