"""One peer of crdtqueue for `claims_compare`: told what to do in lines of JSON, and says when."""

import asyncio
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from crdtqueue.core.claims.claim_events import (
    ClaimTimes,
    MayHeat,
    No,
)
from crdtqueue.core.document.keys import job_entries
from crdtqueue.core.ids import JOB_ID_CHARS, JobId
from crdtqueue.peer.lan_queue import LanQueue
from crdtqueue.peer.peer import Peer
from tests.harness.loopback_peers import Eavesdropper, running
from tests.harness.samples import a_job


def say(**fields: object) -> None:
    """One line for the driver; all clocks of this machine are one."""
    print(json.dumps(fields | {"at_s": time.monotonic()}), flush=True)


class Node:
    """A peer that does what it is told, and tells what it sees."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.queue: LanQueue = peer.queue("workshop")
        self.seen: set[str] = set()
        runner = self.queue.own_claims
        runner._listener = Eavesdropper(peer, claimed=self.claimed, missed=self.missed)

    def claimed(self, armed: MayHeat) -> None:
        """The printer may heat."""
        say(kind="claimed", job=armed.claim.job)

    def missed(self, job: JobId, reason: No) -> None:
        """It may not."""
        say(kind="missed", job=job, reason=reason.value)

    async def watch(self) -> None:
        """Says when a job is visible here."""
        with self.peer.changes.watch() as changed:
            while True:
                changed.clear()
                for job in self.queue.state.jobs:
                    if job.id not in self.seen:
                        self.seen.add(job.id)
                        say(kind="visible", job=job.id)
                await changed.wait()

    async def obey(self, order: dict[str, Any]) -> None:
        """Carries out one line."""
        match order["do"]:
            case "join":
                await self.peer.add_addresses("workshop", order["peers"])
            case "submit":
                say(kind="submits")
                job = JobId(secrets.token_hex(JOB_ID_CHARS // 2))
                await self.queue.edit(job_entries(a_job(job=job)))
                say(kind="submitted", job=job)
            case "claim":
                self.queue.own_claims.want(JobId(order["job"]))
            case "sights":
                say(
                    kind="sights",
                    count=len(self.queue.claims.in_sight()),
                    ready=not self.queue.holds_back,
                )


async def main(folder: Path) -> None:
    """Reads orders until there are no more."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with running(folder, queue="workshop", times=ClaimTimes()) as peer:
        node = Node(peer)
        watching = asyncio.create_task(node.watch())
        say(kind="ready", address=str(peer.config.listen))
        while line := await reader.readline():
            await node.obey(json.loads(line))
        watching.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
