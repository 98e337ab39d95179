"""The operations on the history: search, export, print a file again."""

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from crdtqueue.adapters.history_export import csv_lines, json_pieces
from crdtqueue.adapters.history_store import (
    HistoryStore,
    printer_names,
)
from crdtqueue.api.jobs import Jobs
from crdtqueue.api.models import NewJob, NewSet
from crdtqueue.core.errors import Invalid, NotFound, Unavailable
from crdtqueue.core.history import HistoryEntry, HistoryFilter
from crdtqueue.core.ids import JobId, PrintId, Sha256
from crdtqueue.peer.peer import Peer


class PrintHistory:
    """The history of a running peer."""

    def __init__(self, peer: Peer, jobs: Jobs) -> None:
        self._peer = peer
        self._jobs = jobs

    @property
    def _history(self) -> HistoryStore:
        return self._peer.history

    async def page(self, wanted: HistoryFilter, *, after: str, limit: int) -> dict[str, Any]:
        """Entries, the latest first, how many there are in all, and the mark of the next page."""
        page = await self._history.page(wanted, after=after, limit=limit)
        entries = [asdict(entry) for entry in page.entries]
        return {"entries": entries, "total": page.total, "after": page.after}

    async def printers(self) -> list[str]:
        """The names of the printers in it, also of those that no queue knows any more."""
        return await printer_names(self._peer.store)

    def csv(self, wanted: HistoryFilter) -> AsyncIterator[str]:
        """All of it as CSV."""
        return csv_lines(self._history.all(wanted))

    def json(self, wanted: HistoryFilter) -> AsyncIterator[str]:
        """All of it as JSON."""
        return json_pieces(self._history.all(wanted))

    async def print_again(self, print_id: str, queue_name: str) -> JobId:
        """Adds a job of the file of an earlier print.

        Raises NotFound if there is no such print, Unavailable if no peer in sight has the file.
        """
        entry = await self._history.entry(PrintId(print_id))
        if entry is None:
            raise NotFound("The history has no such print. Look at the list again.")
        if not entry.sha256 or not entry.profile:
            raise Invalid("Nobody knows any more which file that was. Add the file itself.")
        await self._bring(entry)
        new = NewSet(sha256=entry.sha256, name=entry.file_name, profiles=[entry.profile])
        return await self._jobs.add(queue_name, NewJob(name=_name(entry), sets=[new]))

    async def _bring(self, entry: HistoryEntry) -> None:
        sha256 = Sha256(entry.sha256)
        if await self._peer.files.size_bytes(sha256) is not None:
            return
        for queue in self._peer.queues.values():
            for job in (*queue.state.jobs, *queue.state.deleted):
                for each in job.sets:
                    if each.file.sha256 == sha256:
                        await self._peer.file_fetcher.have(queue, each.file)
                        return
        raise Unavailable(f"No queue here has {entry.file_name} any more. Add the file itself.")


def _name(entry: HistoryEntry) -> str:
    return entry.job_name or entry.file_name
