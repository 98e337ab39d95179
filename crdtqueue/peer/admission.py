"""Decides which peers may take part in a queue, from their hellos."""

import logging
from enum import Enum, auto

from crdtqueue.core.claims.duplicate_identity import DuplicateIdentities
from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import PeerId
from crdtqueue.core.sync.messages import (
    DUPLICATE_PLACES_MAX,
    PROTOCOL_VERSION,
    Hello,
)

OWN_DUPLICATE_MEMORY_S = 600.0
"""A copy of ourselves cannot be watched all the time: it may be linked to others only."""
CURE = "Stop one of them and delete the file store.sqlite3 in its folder."
PROBLEMS_MAX = 32

log = logging.getLogger(__name__)


class Welcome(Enum):
    """The answer to a hello."""

    IN = auto()
    MYSELF = auto()
    """This very process has dialled itself."""
    DUPLICATE = auto()
    """Another process has the same identity, ours or that of another peer."""


class Admission:
    """The hellos of one queue. `me` and `instance` are those of this process."""

    def __init__(self, me: PeerId, instance: str) -> None:
        self._me = me
        self._instance = instance
        self._duplicates = DuplicateIdentities()
        self._own_duplicates: dict[str, float] = {}
        self._problems: dict[str, str] = {}

    def hello(self, hello: Hello, host: str, now_s: float) -> Welcome:
        """Takes in a hello that came from `host`. Raises Hostile for another version."""
        address = f"{host}:{hello.port}"
        if hello.version != PROTOCOL_VERSION:
            self._note(address, f"{hello.name} runs another version of crdtqueue. Update both.")
            raise Hostile(f"it speaks version {hello.version}")
        if hello.peer == self._me:
            return self._own(hello, address, now_s)
        if self._duplicates.hello(PeerId(hello.peer), hello.instance, address, now_s):
            places = " and ".join(self._duplicates.places(PeerId(hello.peer)))
            self._note(
                hello.peer,
                f"Two peers have the same identity: {hello.name} and a copy, at {places}. {CURE}",
            )
            return Welcome.DUPLICATE
        self._problems.pop(address, None)
        self._problems.pop(hello.peer, None)
        return Welcome.IN

    def duplicates_of(self, peer: PeerId) -> tuple[str, ...]:
        """The addresses at which the processes with this identity were heard lately."""
        return self._duplicates.places(peer) if peer != self._me else (*self._own_duplicates,)

    def duplicate_of_ours(self, address: str, now_s: float) -> None:
        """Records that another process with our identity was heard, at `address`.

        Of more than DUPLICATE_PLACES_MAX addresses the further ones are left out.
        """
        if address not in self._own_duplicates:
            if len(self._own_duplicates) >= DUPLICATE_PLACES_MAX:
                return
            log.error("a copy of this peer, with the same identity, is at %s", address)
        self._own_duplicates[address] = now_s

    def holds_back(self, now_s: float) -> str:
        """Why nothing may be claimed, as a sentence; empty if it may."""
        heard = self._own_duplicates.items()
        self._own_duplicates = {
            place: s for place, s in heard if now_s - s < OWN_DUPLICATE_MEMORY_S
        }
        if not self._own_duplicates:
            return ""
        places = " and ".join(sorted(self._own_duplicates))
        return f"The peer at {places} is a copy of this one, with the same identity. {CURE}"

    def problem(self, now_s: float) -> str:
        """What a person must put right, as a sentence; empty if nothing."""
        return self.holds_back(now_s) or next(reversed(self._problems.values()), "")

    def _own(self, hello: Hello, address: str, now_s: float) -> Welcome:
        if hello.instance == self._instance:
            return Welcome.MYSELF
        self.duplicate_of_ours(address, now_s)
        return Welcome.DUPLICATE

    def _note(self, place: str, problem: str) -> None:
        if self._problems.pop(place, None) != problem:
            log.error("%s", problem)
        self._problems[place] = problem
        while len(self._problems) > PROBLEMS_MAX:
            del self._problems[next(iter(self._problems))]
