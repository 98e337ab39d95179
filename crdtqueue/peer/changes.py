"""Notifies watchers that something has changed; they look up themselves what it was."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Changes:
    """Any number of watchers. No watcher can delay another one."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()
        self._closed = False

    def notify(self) -> None:
        """Something has changed."""
        for watcher in self._watchers:
            watcher.set()

    @property
    def is_closed(self) -> bool:
        """Whether there will be no more, because the process ends."""
        return self._closed

    def close(self) -> None:
        """Tells the watchers that they may go."""
        self._closed = True
        self.notify()

    @contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
