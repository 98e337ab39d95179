"""The document of one queue, in memory and in the store."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress

from crdtqueue.adapters.crdt.facade import ApplyResult, Document, open_document
from crdtqueue.adapters.crdt.marks import checked_mark, fits
from crdtqueue.adapters.links import Link
from crdtqueue.adapters.store import COMPACT_AFTER_UPDATES, Store
from crdtqueue.core.document.keys import (
    ROOTS,
    SCHEMA,
    Entry,
)
from crdtqueue.core.document.model import QueueState
from crdtqueue.core.document.reader import DocumentReader
from crdtqueue.core.errors import Hostile, Unavailable
from crdtqueue.core.ids import QueueName
from crdtqueue.core.yjs.update_loader import Unloaded

UNWRITTEN_MAX = 1_000
"""So many updates may wait for the disk before no more are taken from other peers."""

KNOWN_MAX = 1024
KNOWN_BYTES_MAX = 1024
"""The last small updates that are in the document."""

log = logging.getLogger(__name__)


class Replica:
    """The document of a queue. Call `open` first.

    `on_update` is called with each new update and with the websocket that it came by, None for an
    update of our own. It must not wait.
    """

    def __init__(
        self, name: QueueName, store: Store, on_update: Callable[[bytes, Link | None], None]
    ) -> None:
        self._name = name
        self._store = store
        self._on_update = on_update
        self._document: Document | None = None
        self._reader = DocumentReader()
        self._last_write: asyncio.Future[None] | None = None
        self._made: list[bytes] = []
        self._unwritten = 0
        self._since_compaction = 0
        self._is_unmarked = False
        self._newer: list[bytes] | None = None
        self._known: dict[bytes, None] = {}
        self._gapped: list[bytes] = []
        self._behind = ""
        self._lost: list[bytes] = []

    async def open(self) -> None:
        """Reads the document from the store."""
        updates, mark = await self._store.updates(self._name), await self._store.mark(self._name)
        is_checked = bool(updates) and await asyncio.to_thread(fits, mark, updates[0], ROOTS)
        self._document, left = _loaded(updates, first_is_checked=is_checked)
        self._document.on_update(self._updated)
        self._since_compaction, self._gapped = len(updates), left.waiting
        self._is_unmarked = bool(updates) and not is_checked
        try:
            await self._tidy(self._document, left)
        except Unavailable as error:
            log.warning("%s: %s", self._name, error)

    async def _tidy(self, document: Document, left: Unloaded) -> None:
        """Shortens the log. Raises Unavailable if the disk is full; then the log stays as it is."""
        if left.waiting:
            log.warning(
                "%s: %d stored changes wait for others that are missing here. A peer that has those"
                " sends them.",
                self._name,
                len(left.waiting),
            )
        if left.bad:
            await self._store.set_aside(self._name, left.bad)
        if self._since_compaction - len(left.waiting) > COMPACT_AFTER_UPDATES:
            await self._compact(document)

    async def _compact(self, document: Document) -> None:
        """Replaces the log by one update. Raises Unavailable if the disk is full.

        The next start loads that update without a check, and nothing else of the log is left. So it
        takes the place of the log only once it has passed the check.
        """
        self._since_compaction, self._is_unmarked, self._newer = 0, False, []
        whole, newer = document.diff(b"\0"), self._newer
        try:
            mark = await asyncio.to_thread(checked_mark, whole, ROOTS)
        except Hostile as error:
            log.warning("%s: its log cannot be made short: %s", self._name, error)
            return
        finally:
            self._newer = None
        if self._document is document:  # else another replica may write to the log by now
            await self._store.compact(self._name, whole, (*self._gapped, *newer), mark)

    def close(self) -> None:
        """Lets go of the document."""
        if self._document:
            self._document.close()
            self._document = None

    @property
    def document(self) -> Document:
        """The open document. Raises Unavailable before `open` and after `close`."""
        if self._document is None:
            raise Unavailable(f"The queue {self._name} is closed.")
        return self._document

    @property
    def state(self) -> QueueState:
        """What the document says now; after `close`, what was read last."""
        for root, key, value in self._document.take_changes() if self._document else ():
            self._reader.change(root, key, value)
        return self._reader.state()

    @property
    def problem(self) -> str:
        """Why no job of this queue may be asked for, as a sentence; empty if nothing prevents
        it."""
        if self.state.settings.schema > SCHEMA:
            return f"{self._name} is used by a newer crdtqueue. Update this one to print from it."
        return self._behind or self._store.damage

    async def edit(self, entries: Iterable[Entry]) -> None:
        """Writes entries in one transaction and returns when they are durable.

        Raises Unavailable if they cannot be, and writes nothing if that is known before.
        """
        self._check_disk()
        with self.document.edit():
            for root, key, value in entries:
                self.document.set(root, key, value)
        self._hand_out(None)
        await self.durable()

    async def delete(self, root: str, key: str) -> None:
        """Removes one entry, durably. Raises Unavailable as `edit` does."""
        self._check_disk()
        self.document.delete(root, key)
        self._hand_out(None)
        await self.durable()

    async def durable(self) -> None:
        """Returns once everything so far is in the store. Raises Unavailable if that is
        impossible."""
        self._check_disk()
        if self._last_write:
            await asyncio.shield(self._last_write)
        self._check_disk()  # An earlier write may have failed meanwhile.

    def _check_disk(self) -> None:
        if self._behind:
            raise Unavailable(self._behind, code="disk")

    async def catch_up(self) -> None:
        """Waits while too much is on its way to the disk."""
        if self._unwritten >= UNWRITTEN_MAX and self._last_write:
            await asyncio.wait([self._last_write])

    async def repair(self) -> None:
        """After failed writes: tries to store them now, so that nothing is missing.

        Then keeps the log short and checked, so that the next start takes no longer than the first.
        """
        is_due = self._is_unmarked or self._since_compaction > COMPACT_AFTER_UPDATES
        if self._lost:
            await self._store_lost()
        elif is_due and not self._behind:
            with suppress(Unavailable):  # The log stays as it is.
                await self._compact(self.document)

    async def _store_lost(self) -> None:
        lost, self._lost = self._lost, []
        try:
            await asyncio.gather(*(self._store.append(self._name, each) for each in lost))
        except Unavailable as error:
            self._lost = lost + self._lost
            self._behind = str(error)
        else:
            self._behind = ""

    # What a sync session needs

    def integrate(self, update: bytes, source: Link | None = None) -> bool:
        """Applies an update that came by `source`; False if it has a gap. Raises Hostile.

        Every peer in sight sends each update sooner or later: a known one is not parsed again.
        """
        if update in self._known:
            return True
        if self.document.apply(update) is ApplyResult.GAP:
            return False
        self._know(update)
        self._hand_out(source)
        return True

    def _know(self, update: bytes) -> None:
        if len(update) <= KNOWN_BYTES_MAX:
            self._known[update] = None
            if len(self._known) > KNOWN_MAX:
                del self._known[next(iter(self._known))]

    def diff(self, state_vector: bytes) -> bytes:
        """What the owner of this state vector lacks. Raises Hostile."""
        return self.document.diff(state_vector)

    def size_bytes(self) -> int:
        """The size of the document as one update."""
        return len(self.document.diff(b"\0"))

    def state_vector(self) -> bytes:
        """Which updates are here."""
        return self.document.state_vector()

    def _updated(self, update: bytes) -> None:
        self._know(update)
        self._unwritten += 1
        self._since_compaction += 1
        if self._newer is not None:
            self._newer.append(update)
        self._last_write = self._store.append(self._name, update)
        self._last_write.add_done_callback(lambda write: self._written(update, write))
        self._made.append(update)

    def _hand_out(self, source: Link | None) -> None:
        """Passes on what the last change of the document has made."""
        made, self._made = self._made, []
        for update in made:
            self._on_update(update, source)

    def _written(self, update: bytes, write: "asyncio.Future[None]") -> None:
        self._unwritten -= 1
        error = None if write.cancelled() else write.exception()
        if error:
            self._lost.append(update)
            self._behind = str(error)
            log.error("%s", error)


def _loaded(updates: list[bytes], *, first_is_checked: bool) -> tuple[Document, Unloaded]:
    """A document with these updates, and those that could not be applied."""
    while True:
        document = open_document(secrets.randbits(32), ROOTS)
        left = document.load(updates, first_is_checked=first_is_checked)
        if not document.is_client_id_taken:
            return document, left
        document.close()
