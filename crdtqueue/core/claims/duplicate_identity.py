"""Finds two processes with one identity: somebody has copied the folder of a peer, or its SD card.

Every start of a process has a random instance id that is never stored. After a restart a peer has a
new one and never uses the old one again. Two processes that run at the same time alternate, and are
found out by that.
"""

from dataclasses import dataclass, field

from crdtqueue.core.ids import PeerId

TWIN_MEMORY_S = 60.0
"""So long after the last word of one of them the other is alone: peers dial every few seconds."""
INSTANCES_MAX = 8
PEERS_MAX = 512


@dataclass(kw_only=True, slots=True)
class _Starts:
    """The instances of one peer, ordered by when they were last heard, with the place and time of
    each."""

    heard: dict[str, tuple[str, float]] = field(default_factory=dict)
    duplicates: bool = False


class DuplicateIdentities:
    """The instances of every peer that has said hello to this one."""

    def __init__(self) -> None:
        self._peers: dict[PeerId, _Starts] = {}

    def hello(self, peer: PeerId, instance: str, place: str, now_s: float) -> bool:
        """Takes in a hello. Returns whether two processes have this identity; then both are
        refused."""
        starts = self._peers.pop(peer, None) or _Starts()
        self._peers[peer] = starts
        while len(self._peers) > PEERS_MAX:
            del self._peers[next(iter(self._peers))]
        heard = {i: each for i, each in starts.heard.items() if now_s - each[1] < TWIN_MEMORY_S}
        back = instance in heard and instance != next(reversed(heard))
        heard.pop(instance, None)
        heard[instance] = place, now_s
        while len(heard) > INSTANCES_MAX:
            del heard[next(iter(heard))]
        starts.heard = heard
        starts.duplicates = back or (starts.duplicates and len(heard) > 1)
        return starts.duplicates

    def places(self, peer: PeerId) -> tuple[str, ...]:
        """The addresses at which the instances of a peer were heard lately."""
        starts = self._peers.get(peer)
        return tuple(sorted({place for place, _ in starts.heard.values()})) if starts else ()
