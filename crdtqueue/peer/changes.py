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
        """Wakes all watchers."""
        for watcher in self._watchers:
            watcher.set()

    @property
    def is_closed(self) -> bool:
        """Whether the process ends, so that no more changes will come."""
        return self._closed

    def close(self) -> None:
        """Wakes all watchers for the last time."""
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
