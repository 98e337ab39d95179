"""The sync protocol on one link: it makes two replicas equal, and applies no update with a gap.

y-py forgets an update that it cannot integrate yet. So an update with a gap is never applied; the
session asks for everything that is missing instead (sync step 1). Both sides send step 1 first.
Source: y-protocols, PROTOCOL.md, "Sync protocol v1".
"""

from typing import Protocol

from crdtqueue.core.errors import Hostile
from crdtqueue.core.sync.frames import (
    Frame,
    PassedOn,
    SyncStep1,
    SyncStep2,
    Update,
    encode_sync_step_1,
    encode_sync_step_2,
)

REPEATED_GAPS_MAX = 3


class SyncedDocument(Protocol):
    """What a sync session needs of the document."""

    def integrate(self, update: bytes) -> bool:
        """Applies an update; False if it has a gap. Raises Hostile if it is malformed."""

    def diff(self, state_vector: bytes) -> bytes:
        """What the owner of this state vector lacks. Raises Hostile if it is malformed."""

    def state_vector(self) -> bytes:
        """What is known here."""


class SyncSession:
    """Call `start` once, then `receive` with each frame; send what `effects` returns, in order."""

    def __init__(self, replica: SyncedDocument) -> None:
        self._replica = replica
        self._asked = False
        self._gaps = 0
        self._synced = False
        self._effects: list[bytes] = []

    @property
    def synced(self) -> bool:
        """Whether everything that the other side had when last asked is here."""
        return self._synced

    def effects(self) -> list[bytes]:
        """Frames to send, each handed out once."""
        effects, self._effects = self._effects, []
        return effects

    def start(self) -> None:
        """Asks for everything that the other side knows and we do not."""
        self._ask()

    def receive(self, frame: Frame) -> None:
        """Takes in a sync frame; others are not for this machine. Raises Hostile."""
        match frame:
            case SyncStep1(state_vector=state_vector):
                self._effects.append(encode_sync_step_2(self._replica.diff(state_vector)))
            case SyncStep2(update=update):
                self._step2(update)
            case Update(update=update):
                self._take(update)
            case PassedOn(updates=updates):
                for update in updates:
                    self._take(update)
            case _:
                return

    def _take(self, update: bytes) -> None:
        if not self._replica.integrate(update) and not self._asked:
            self._ask()

    def _step2(self, update: bytes) -> None:
        self._asked = False
        if self._replica.integrate(update):
            self._synced, self._gaps = True, 0
            return
        self._gaps += 1
        if self._gaps > REPEATED_GAPS_MAX:
            raise Hostile("its answers to sync step 1 leave gaps, again and again")
        self._ask()

    def _ask(self) -> None:
        self._asked, self._synced = True, False
        self._effects.append(encode_sync_step_1(self._replica.state_vector()))
