"""Passes updates of other peers on to further peers.

Where all peers are linked, each gets an update from its author before anybody else can pass it on.
If every update were passed on at once, it would cross every link of the queue. So updates wait for
a moment and go out together; a peer that is not linked to the author gets them that much later.

A link still carries updates in the order in which the sender has received them. The claims rely on
that (docs/claims.md, "What was printed"): `take` what waits before anything newer is sent.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from crdtqueue.core.sync.frames import (
    encode_passed_on,
    encode_update,
)

Source = TypeVar("Source")

FORWARD_S: Final = 0.25
WAITING_MAX: Final = 256
WAITING_BYTES_MAX: Final = 256 * 2**10


class UpdateRelay(Generic[Source]):
    """The updates that wait, with the link that each came by.

    `take` them within `FORWARD_S`, and at once when `is_full`.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[Source, bytes]] = []
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more may wait."""
        return len(self._waiting) >= WAITING_MAX or self._bytes >= WAITING_BYTES_MAX

    def put(self, update: bytes, source: Source) -> None:
        """A change has come from `source`."""
        self._waiting.append((source, update))
        self._bytes += len(update)

    def take(self, targets: list[Source]) -> list[tuple[Source, bytes]]:
        """The frames to send, and to whom: to nobody what came from there. Nothing waits then."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        sources = [source for source, _ in waiting]
        to_others = _frames([update for _, update in waiting])
        found = []
        for target in targets if waiting else ():
            frames = to_others
            if target in sources:
                frames = _frames([update for source, update in waiting if source != target])
            found += [(target, frame) for frame in frames]
        return found


def _frames(updates: list[bytes]) -> list[bytes]:
    """One frame, unless a large update is among them."""
    if len(updates) > 1 and sum(map(len, updates)) <= 2 * WAITING_BYTES_MAX:
        return [encode_passed_on(updates)]
    return [encode_update(update) for update in updates]
