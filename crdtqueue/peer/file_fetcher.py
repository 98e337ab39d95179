"""Copies files between peers, one piece after the other, so that the links stay free.

A claimant fetches the file that it prints. Other peers copy files that too few peers hold
(`core/document/replication.py`).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from crdtqueue.adapters.file_store import (
    FILE_BYTES_MAX,
    FileStore,
)
from crdtqueue.core.document.keys import holder_entry
from crdtqueue.core.document.model import FileRef
from crdtqueue.core.document.replication import to_fetch
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.ids import PeerId, QueueName, Sha256
from crdtqueue.core.sync.messages import (
    PIECE_BYTES_MAX,
    NoPiece,
    WantPiece,
    piece,
)
from crdtqueue.peer.lan_queue import (
    LanQueue,
)
from crdtqueue.peer.peer_link import PeerLink

PIECE_TIMEOUT_S = 15.0
COPY_RETRY_S = 3.0
PIECES_MAX = 16
"""So many pieces may be asked for over one link before the first is answered; we ask for one."""

log = logging.getLogger(__name__)


class FileFetcher:
    """The file traffic of one peer, over the links of all its queues."""

    def __init__(
        self, files: FileStore, me: PeerId, queues: Callable[[], Mapping[QueueName, LanQueue]]
    ) -> None:
        self._files = files
        self._me = me
        self._queues = queues
        self._awaited: dict[tuple[int, Sha256, int], asyncio.Future[bytes | None]] = {}
        self._locks: WeakValueDictionary[Sha256, asyncio.Lock] = WeakValueDictionary()
        self._wake = asyncio.Event()

    # What others want of us

    async def answer(self, queue: LanQueue, link: PeerLink, want: WantPiece) -> None:
        """Sends a piece that a peer asks for, if its queue names that file and we have it."""
        sha256 = Sha256(want.sha256)
        data = None
        waiting = link.begin_piece()
        try:
            if waiting <= PIECES_MAX and sha256 in wanted_files(queue):
                data = await self._files.piece(sha256, want.offset, PIECE_BYTES_MAX)
        except Unavailable as error:
            log.warning("%s", error)
        finally:
            link.end_piece()
        if data is None:
            link.say(NoPiece(sha256=sha256))
        else:
            link.send_piece(piece(sha256, want.offset, data))

    # What we want

    def arrived(self, link: PeerLink, sha256: Sha256, offset: int, data: bytes | None) -> None:
        """Takes in a piece, or that there is none. A piece that nobody waits for is thrown away."""
        waiting = self._awaited.get((id(link), sha256, offset))
        if data is None:
            refused = [f for (s, h, _), f in self._awaited.items() if (s, h) == (id(link), sha256)]
            waiting = next(iter(refused), None)
        if waiting and not waiting.done():
            waiting.set_result(data)

    async def have(self, queue: LanQueue, file: FileRef) -> None:
        """Returns once the file is here, complete and verified.

        Raises Unavailable, with a sentence for people, if no peer in sight can give it.
        """
        async with self._locks.setdefault(file.sha256, asyncio.Lock()):
            if not await self._files.verify(file.sha256):
                await self._fetch(queue, file)
        await self._announce(queue, file.sha256)

    async def _fetch(self, queue: LanQueue, file: FileRef) -> None:
        if file.size_bytes > FILE_BYTES_MAX:
            raise Unavailable(f"{file.name} is too large. Delete the job and slice it smaller.")
        holders = queue.state.holders.get(file.sha256, frozenset())
        links = queue.links.admitted
        for link in sorted(links, key=lambda each: each.peer not in holders):
            if await self._fetch_from(link, file):
                return
        names = [e.name for p, e in queue.state.roster.items() if p in holders and p != self._me]
        where = f"Switch on {' or '.join(names)}" if names else "Add the file again"
        raise Unavailable(f"No peer in sight has {file.name}. {where}, and it goes on by itself.")

    async def _fetch_from(self, link: PeerLink, file: FileRef) -> bool:
        offset = await self._files.partial_bytes(file.sha256)
        while offset < file.size_bytes:
            data = await self._piece(link, file.sha256, offset)
            if not data:
                return False
            await self._files.append(file.sha256, data)
            offset += len(data)
        return await self._files.finish(file)

    async def _piece(self, link: PeerLink, sha256: Sha256, offset: int) -> bytes | None:
        key = (id(link), sha256, offset)
        self._awaited[key] = asyncio.get_running_loop().create_future()
        link.say(WantPiece(sha256=sha256, offset=offset))
        try:
            async with asyncio.timeout(PIECE_TIMEOUT_S):
                return await self._awaited[key]
        except TimeoutError:
            return None
        finally:
            del self._awaited[key]

    # Who has what

    async def _announce(self, queue: LanQueue, sha256: Sha256) -> None:
        if self._me not in queue.state.holders.get(sha256, frozenset()):
            await queue.edit([holder_entry(sha256, self._me)])

    async def correct_holders(self, queue: LanQueue) -> None:
        """Corrects what the document says about the files of this peer."""
        try:
            here = await self._files.all()
            for sha256, peers in queue.state.holders.items():
                if self._me in peers and sha256 not in here:
                    await queue.replica.delete("files", f"{sha256}/{self._me}")
            for sha256 in sorted(wanted_files(queue) & here):
                await self._announce(queue, sha256)
        except Unavailable as error:
            log.warning("%s", error)

    async def make_room(self) -> list[Sha256]:
        """Removes files that no job names while there are too many; returns them."""
        queues = list(self._queues().values())
        removed = await self._files.evict(frozenset().union(*map(wanted_files, queues)))
        for queue in queues if removed else []:
            await self.correct_holders(queue)
        return removed

    def look(self) -> None:
        """Something has changed: looks soon whether there are files to copy."""
        self._wake.set()

    async def copy_ahead(self) -> None:
        """Copies files that too few peers hold, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            failed = False
            for queue in list(self._queues().values()):
                failed |= await self._copy_for(queue)
            if failed:
                await asyncio.sleep(COPY_RETRY_S)
                self._wake.set()
            else:
                await asyncio.sleep(0.05)

    async def _copy_for(self, queue: LanQueue) -> bool:
        linked = frozenset(link.peer for link in queue.links.admitted if link.peer)
        try:
            for file in to_fetch(queue.state, self._me, linked):
                await self.have(queue, file)
                await self.make_room()
        except Unavailable as error:  # also of a queue that was left meanwhile
            log.info("%s", error)
            return True
        return False


def wanted_files(queue: LanQueue) -> frozenset[Sha256]:
    """The files that the jobs of a queue name."""
    return frozenset(each.file.sha256 for job in queue.state.jobs for each in job.sets)
