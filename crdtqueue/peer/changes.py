"""Tells whoever watches that something has changed; what it was, they look up themselves."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Changes:
    """Any number of watchers, none of which can hold the others up."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Event] = set()

    def notify(self) -> None:
        """Something has changed."""
        for watcher in self._watchers:
            watcher.set()

    @contextmanager
    def watch(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
