"""Ends forgotten edits, so that they do not block their jobs."""

import asyncio
import logging
from contextlib import suppress

from crdtqueue.core.document.drafts import Drafts
from crdtqueue.core.document.keys import draft_entry
from crdtqueue.core.errors import Unavailable
from crdtqueue.peer.lan_queue import LanQueue
from printer_driver import clock

LOOK_S = 2.0

log = logging.getLogger(__name__)


class DraftKeeper:
    """Watches the drafts of one queue. Keep `run` running."""

    def __init__(self, queue: LanQueue) -> None:
        self._queue = queue
        self.drafts = Drafts(queue.me.peer)

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            now_s = clock.now_s()
            self.drafts.see(self._queue.state.jobs, now_s)
            forgotten = self.drafts.forgotten(now_s)
            if forgotten:
                log.info("%s: nobody goes on editing %s", self._queue.name, ", ".join(forgotten))
                with suppress(Unavailable):
                    await self._queue.edit(draft_entry(job, None) for job in forgotten)
            await asyncio.sleep(LOOK_S)
