"""Writes every print that ended into the history of this peer, whichever peer printed it."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from crdtqueue.adapters.history_store import HistoryStore
from crdtqueue.core.document.model import (
    Job,
    RosterEntry,
)
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.history import job_entries
from crdtqueue.core.ids import JobId, PeerId, QueueName
from crdtqueue.peer.lan_queue import LanQueue

GATHER_S = 0.5
"""Records that come in together are written together."""
RETRY_S = 30.0

log = logging.getLogger(__name__)


class HistoryKeeper:
    """Keep `run` running; call `look` when a queue has changed."""

    def __init__(
        self, history: HistoryStore, queues: Callable[[], Mapping[QueueName, LanQueue]]
    ) -> None:
        self._history = history
        self._queues = queues
        self._wake = asyncio.Event()
        self._written: dict[QueueName, dict[JobId, Job]] = {}

    def look(self) -> None:
        """There may be new records."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            self._wake.clear()
            for queue in list(self._queues().values()):
                await self._write(queue)
            await asyncio.sleep(GATHER_S)
            await self._wake.wait()

    async def _write(self, queue: LanQueue) -> None:
        """Writes the records of changed jobs: an unchanged job is the same object as before."""
        state = queue.state
        known = self._written.get(queue.name, {})
        jobs = {job.id: job for job in (*state.jobs, *state.deleted) if job.records}
        changed = [job for job in jobs.values() if known.get(job.id) is not job]
        entries = [e for job in changed for e in job_entries(queue.name, job, _roster(queue))]
        try:
            await self._history.record(entries)
        except Unavailable as error:
            log.warning("%s", error)
            asyncio.get_running_loop().call_later(RETRY_S, self._wake.set)
        else:
            self._written[queue.name] = jobs


def _roster(queue: LanQueue) -> dict[PeerId, RosterEntry]:
    me = queue.me
    own = RosterEntry(peer=me.peer, name=me.name, profile=me.profile, addresses=())
    return {**queue.state.roster, me.peer: own}
