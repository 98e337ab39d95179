"""Whose grants a claim needs, also while people change the voters.

In *available* mode a claim needs everybody in sight. In *safe* mode it needs a majority of every
voter list in force, so any two claims of a job have a voter in common.

A voter list is never replaced. Naming voters adds a list with a higher generation, and the list of
the highest rank is the current one. The earlier lists stay in force beside it until a majority of
each has *stated* in the document that it uses a later one. A voter states that only after it has
stored the later list, and after the claims that it has acknowledged are in the document. From then
on it takes part in no claim that leaves the later list out. docs/claims.md has the argument.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import TypeAlias

from crdtqueue.core.document.model import (
    VOTERS_MAX,
    Mode,
)
from crdtqueue.core.ids import PEER_ID_CHARS, PeerId, is_count, is_id
from crdtqueue.core.yjs.lib0 import JsonValue

ROOT = "queue"
_PREFIX = "voters"
LISTS_MAX = 100
"""Of more lists than this nobody can say any more which are in force: nothing is claimed."""
GENERATION_MAX = 999_999

ListId: TypeAlias = str
Entry: TypeAlias = tuple[str, str, JsonValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class VoterList:
    """The voters that one person has named; `generation` counts the lists before it."""

    generation: int
    peers: frozenset[PeerId]

    @property
    def id(self) -> ListId:
        """The id of the list: generation and digest of its voters."""
        names = ",".join(sorted(self.peers))
        return f"{self.generation}/{hashlib.sha256(names.encode()).hexdigest()[:16]}"

    @property
    def rank(self) -> tuple[int, ListId]:
        """The order of lists, the same on every peer. The list of the highest rank is the
        current one."""
        return self.generation, self.id

    def has_majority(self, votes: Set[PeerId]) -> bool:
        """Whether more than half of the list is among `votes`."""
        return 2 * len(self.peers & votes) > len(self.peers)


@dataclass(frozen=True, kw_only=True, slots=True)
class VoterLists:
    """Every voter list that was ever named, and which peers have stated to use it."""

    lists: frozenset[VoterList] = frozenset()
    stated: Mapping[ListId, frozenset[PeerId]] = field(default_factory=dict)

    @property
    def current(self) -> VoterList | None:
        """The list that was named last; None if there is none."""
        return max(self.lists, key=lambda each: each.rank, default=None)

    @property
    def in_force(self) -> tuple[VoterList, ...]:
        """The lists of each of which a claim needs a majority, the current one last."""
        ordered = sorted(self.lists, key=lambda each: each.rank)
        return tuple(
            each
            for place, each in enumerate(ordered)
            if not any(self._goes_by(each, later) for later in ordered[place + 1 :])
        )

    @property
    def voters(self) -> frozenset[PeerId]:
        """The peers whose vote can count."""
        return frozenset(peer for each in self.in_force for peer in each.peers)

    def to_state(self, me: PeerId) -> VoterList | None:
        """The list that `me` must state to use; None if it need not, or has done so."""
        current = self.current
        if current is None or me in self.stated.get(current.id, ()):
            return None
        before = (each for each in self.in_force if each != current)
        return current if any(me in each.peers for each in before) else None

    def _goes_by(self, earlier: VoterList, later: VoterList) -> bool:
        return earlier.has_majority(self.stated.get(later.id, frozenset()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The mode and the voters of a queue: they decide whose grants a claim needs."""

    mode: Mode = Mode.AVAILABLE
    lists: VoterLists = VoterLists()

    @property
    def is_safe(self) -> bool:
        """Whether a majority of named voters decides."""
        return self.mode is not Mode.AVAILABLE

    @property
    def digest(self) -> str:
        """A digest that is equal on two peers that use the same rules."""
        if not self.is_safe:
            return Mode.AVAILABLE.value
        known = sorted(each.id for each in self.lists.lists)
        in_force = [each.id for each in self.lists.in_force]
        return hashlib.sha256(f"{known} {in_force}".encode()).hexdigest()

    def short_of(self, votes: Set[PeerId]) -> VoterList | None:
        """In *safe* mode: the first list in force of which `votes` are no majority; None if
        there is none."""
        lists = self.lists
        if len(lists.lists) > LISTS_MAX or not lists.lists:
            return lists.current or VoterList(generation=0, peers=frozenset())
        return next((each for each in lists.in_force if not each.has_majority(votes)), None)


def read_voter_lists(fields: Mapping[str, JsonValue]) -> VoterLists:
    """The lists in the document's root `queue`; what makes no sense is left out.

    voters/generation/digest        the voters, write-once
    voters/generation/digest/peer   true once that peer goes by the list, by that peer
    """
    lists: set[VoterList] = set()
    stated: defaultdict[ListId, set[PeerId]] = defaultdict(set)
    for key, value in fields.items():
        match key.split("/"):
            case [_prefix, generation, digest] if _prefix == _PREFIX and is_count(generation):
                named = _read_list(int(generation), value)
                if named and named.id == f"{generation}/{digest}":
                    lists.add(named)
            case [_prefix, generation, digest, peer] if _prefix == _PREFIX and value is True:
                if is_id(peer, PEER_ID_CHARS):
                    stated[f"{generation}/{digest}"].add(PeerId(peer))
    return VoterLists(
        lists=frozenset(lists), stated={each: frozenset(peers) for each, peers in stated.items()}
    )


def _read_list(generation: int, value: JsonValue) -> VoterList | None:
    if not isinstance(value, list) or not 0 < len(value) <= VOTERS_MAX:
        return None
    if generation > GENERATION_MAX or not all(is_id(each, PEER_ID_CHARS) for each in value):
        return None
    return VoterList(generation=generation, peers=frozenset(PeerId(str(each)) for each in value))


def voters_entry(known: VoterLists, peers: Set[PeerId]) -> Entry:
    """The entry by which a person names these voters. `known` are the lists that the person's
    peer has read: whoever reads the new list has read those, too."""
    generation = min(max((each.generation for each in known.lists), default=0) + 1, GENERATION_MAX)
    named = VoterList(generation=generation, peers=frozenset(peers))
    return ROOT, f"{_PREFIX}/{named.id}", [*sorted(named.peers)]


def statement_entry(named: VoterList, peer: PeerId) -> Entry:
    """The entry by which `peer` states that it uses a list from now on."""
    return ROOT, f"{_PREFIX}/{named.id}/{peer}", True
