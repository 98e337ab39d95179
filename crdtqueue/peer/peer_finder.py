"""Finds the other peers of a queue: by given addresses, by the roster, and by discovery.

Every peer keeps a link to every other peer, so that no link is lost when a third peer is switched
off.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from crdtqueue.adapters.discovery import discover
from crdtqueue.adapters.links import Address, dial, parse_address
from crdtqueue.core.document.keys import roster_entry
from crdtqueue.core.document.model import RosterEntry
from crdtqueue.core.errors import Invalid, Unavailable
from crdtqueue.core.ids import PeerId
from crdtqueue.peer.config import ADDRESSES_PER_QUEUE_MAX
from crdtqueue.peer.lan_queue import LanQueue

AUTO = "auto"
"""In the place of an address: peers find each other by themselves."""
DIALS_MAX = 512
DISCOVERED_MAX = 256
LOOK_S = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerSources:
    """Where a person has said that the other peers of a queue are."""

    addresses: tuple[Address, ...] = ()
    auto: bool = False

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "PeerSources":
        """Reads `host:port` or `auto`, as people write it. Raises Invalid."""
        auto = any(text.strip().lower() == AUTO for text in texts)
        given = [parse_address(text) for text in texts if text.strip().lower() != AUTO]
        addresses = tuple(dict.fromkeys(given))
        if len(addresses) > ADDRESSES_PER_QUEUE_MAX:
            raise Invalid(f"Give at most {ADDRESSES_PER_QUEUE_MAX} addresses; peers find the rest.")
        return cls(addresses=addresses, auto=auto)

    def texts(self) -> tuple[str, ...]:
        """The same, in the form that `parse` reads."""
        return tuple(str(each) for each in self.addresses) + ((AUTO,) if self.auto else ())


@dataclass(kw_only=True, slots=True)
class PeerFinder:
    """Keeps a queue linked to its peers. `problems` has a sentence for each address that fails."""

    queue: LanQueue
    where: PeerSources
    listen: Address
    changed: Callable[[], None]
    problems: dict[Address | str, str] = field(default_factory=dict)
    _discovered: dict[Address, None] = field(default_factory=dict)
    _dialled: set[Address] = field(default_factory=set)

    def sentences(self) -> list[str]:
        """What a person should look at, as sentences."""
        given = {*self.where.addresses, AUTO}
        return [text for place, text in self.problems.items() if text and place in given]

    async def run(self) -> None:
        """Dials and announces until cancelled."""
        discovery: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._announce()
                if self.where.auto and discovery is None:
                    discovery = tasks.create_task(self._discover(), name="discovery")
                for address in self._known():
                    if address not in self._dialled and len(self._dialled) < DIALS_MAX:
                        self._dialled.add(address)
                        tasks.create_task(self._dial(address), name=f"dial {address}")
                await asyncio.sleep(LOOK_S)

    def _known(self) -> list[Address]:
        return [*self.where.addresses, *self._discovered, *self._on_roster()]

    async def _discover(self) -> None:
        await discover(
            room=self.queue.room,
            peer=self.queue.me.peer,
            listen=self.listen,
            found=self._found,
            on_problem=lambda problem: self._note(AUTO, problem),
        )

    def _found(self, address: Address) -> None:
        if len(self._discovered) < DISCOVERED_MAX:
            self._discovered[address] = None

    async def _dial(self, address: Address) -> None:
        await dial(
            address,
            self.queue.room,
            wanted=lambda: self._wants(address),
            on_link=self.queue.serve,
            on_problem=lambda problem: self._note(address, problem),
        )

    def _wants(self, address: Address) -> bool:
        peer = self.queue.links.addresses.get(address) or self._named_by(address)
        own = peer == self.queue.me.peer
        return peer is None or (not own and self.queue.links.to(peer) is None)

    def _note(self, place: Address | str, problem: str) -> None:
        if self.problems.get(place, "") != problem:
            self.problems[place] = problem
            self.changed()

    def _on_roster(self) -> list[Address]:
        found = []
        for entry in self.queue.state.roster.values():
            if entry.peer != self.queue.me.peer:
                for text in entry.addresses:
                    with suppress(Invalid):
                        found.append(parse_address(text))
        return found

    def _named_by(self, address: Address) -> PeerId | None:
        roster = self.queue.state.roster.values()
        return next((e.peer for e in roster if str(address) in e.addresses), None)

    async def _announce(self) -> None:
        """Keeps this peer's own entry in the roster true."""
        queue, me = self.queue, self.queue.me
        addresses = [str(Address(host=host, port=me.port)) for host in queue.links.own_hosts]
        entry = RosterEntry(
            peer=me.peer, name=me.name, profile=me.profile, addresses=tuple(sorted(addresses))
        )
        if queue.state.roster.get(me.peer) != entry:
            with suppress(Unavailable):
                await queue.edit([roster_entry(entry)])
