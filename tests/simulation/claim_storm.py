"""Storms over several `Claims` machines: delays, slow disks, crashes and restarts, no partition.

All that a machine is told comes from a seeded simulator, so a failing seed fails again.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from crdtqueue.core import claim_events as ce
from crdtqueue.core.claims import Claims
from crdtqueue.core.ids import Claim, JobId, PeerId

FLAP_SHARE = 0.5
FLAP_S_MAX = ce.ClaimTimes().out_of_sight_s - 4.0
STORM_S = 40.0
CALM_S = 160.0
RETRY_S = 5.0
TIMES = ce.ClaimTimes()

Entry = tuple[str, str]
"""A root and a key of the document; here records have no values."""


class Doubled(AssertionError):
    """Two printers were let heat for one job."""


class Starved(AssertionError):
    """A job was not printed although nothing was in the way any more."""


@dataclass(kw_only=True)
class Disk:
    """What survives a crash."""

    entries: set[Entry] = field(default_factory=set)
    promises: dict[JobId, tuple[Claim, bool]] = field(default_factory=dict)
    printing: Claim | None = None
    finished_s: float = 0.0
    incarnation: int = 0


class World:
    """Time, chance, the network, and what must hold across all peers."""

    def __init__(
        self, seed: int, machine: type[Claims], *, peers: int, jobs: int, hub: bool
    ) -> None:
        self.chance = random.Random(seed)
        self.machine = machine
        self.now_s = 0.0
        self.jobs = [JobId(f"{n:012x}") for n in range(1, jobs + 1)]
        self.nodes = {p: Node(self, p) for p in (PeerId(f"{n:016x}") for n in range(peers))}
        self.hub = next(iter(self.nodes)) if hub else None
        self.heating: dict[JobId, Claim] = {}
        self.printed: defaultdict[JobId, int] = defaultdict(int)
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._line_free_s: defaultdict[tuple[PeerId, PeerId, str], float] = defaultdict(float)

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now_s + delay_s, self._order, work))

    def latency_s(self) -> float:
        slow = self.chance.random() < 0.02
        return self.chance.uniform(0.5, 3.0) if slow else self.chance.uniform(0.001, 0.05)

    def send(self, source: Node, target: Node, line: str, deliver: Callable[[], None]) -> None:
        """First in, first out on each line between two peers; lost if either crashes meanwhile."""
        key = source.me, target.me, line
        self._line_free_s[key] = max(self._line_free_s[key], self.now_s + self.latency_s())
        lives = source.disk.incarnation, target.disk.incarnation

        def arrive() -> None:
            if lives == (source.disk.incarnation, target.disk.incarnation) and target.up:
                deliver()

        self.later(self._line_free_s[key] - self.now_s, arrive)

    def linked(self, node: Node) -> list[Node]:
        others = [n for n in self.nodes.values() if n is not node and n.up]
        return [n for n in others if self.hub in {None, n.me, node.me}]

    def run_until(self, end_s: float) -> None:
        while self._queue and self._queue[0][0] <= end_s:
            self.now_s, _, work = heapq.heappop(self._queue)
            work()

    def may_heat(self, claim: Claim) -> None:
        other = self.heating.get(claim.job)
        if other:
            raise Doubled(f"{claim.key} and {other.key} at {self.now_s:.3f} s")
        self.heating[claim.job] = claim

    def over(self, claim: Claim) -> None:
        if self.heating.get(claim.job) == claim:
            del self.heating[claim.job]

    def submit(self, job: JobId) -> None:
        self.chance.choice([n for n in self.nodes.values() if n.up]).edit(("jobs", job))

    def crash_some(self) -> None:
        """One after the other: peers that never met cannot know of each other's claims.

        For the same reason the hub of a star stays up: without it there is a partition.
        """
        while self.now_s < STORM_S:
            self.run_until(self.now_s + self.chance.uniform(0.2, 6.0))
            nodes = list(self.nodes.values())
            if all(node.up and all(node.sessions.values()) for node in nodes):
                node = self.chance.choice([node for node in nodes if node.me != self.hub])
                if self.chance.random() < FLAP_SHARE:
                    self.flap(node, self.chance.choice(self.linked(node)))
                else:
                    node.crash()
                    self.later(self.chance.uniform(0.3, 20.0), node.boot)

    def flap(self, one: Node, two: Node) -> None:
        """The link between two that are alive breaks, and is back before they forget each other."""
        one.drop(two.me)
        two.drop(one.me)
        self.later(self.chance.uniform(0.1, FLAP_S_MAX), lambda: one.link(two))


class Node:
    """A peer: one `Claims`, its document and disk, and a worker as simple as can be."""

    def __init__(self, world: World, me: PeerId) -> None:
        self.world = world
        self.me = me
        self.disk = Disk()
        self.up = False

    # Life

    def boot(self) -> None:
        world, disk = self.world, self.disk
        self.up = True
        disk.incarnation += 1
        self.entries = set(disk.entries)
        self.sessions: dict[PeerId, bool] = {}
        self.avoid_s: dict[JobId, float] = {}
        self.asking = False
        self.disk_free_s = world.now_s
        self.claims = world.machine(
            me=self.me,
            incarnation=disk.incarnation,
            times=TIMES,
            promises=list(disk.promises.values()),
            now_s=world.now_s,
        )
        self.read_records()
        self.tell(ce.SyncChanged(synced=True))
        for other in world.linked(self):
            self.link(other)
        life = disk.incarnation
        self.repeat(life, 0.05, 0.4, lambda: self.act(lambda: self.claims.tick(world.now_s)))
        self.repeat(life, 0.01, 1.0, self.work)
        self.repeat(life, 1.9, 2.1, self.beat)

    def crash(self) -> None:
        self.up = False
        for other in self.world.linked(self):
            gone_s, life = self.world.chance.uniform(0.0, 3.0), self.disk.incarnation
            self.world.later(gone_s, partial(self.notice, other, life))

    def notice(self, other: Node, life: int) -> None:
        """`other` sees that its link to this life of ours is closed."""
        if other.up and not (self.up and self.disk.incarnation > life and self.linked_to(other)):
            other.drop(self.me)

    def linked_to(self, other: Node) -> bool:
        return self.me in other.sessions

    def drop(self, peer: PeerId) -> None:
        if self.sessions.pop(peer, None) is not None:
            self.tell(ce.SyncChanged(synced=all(self.sessions.values())))

    def link(self, other: Node) -> None:
        for one, two in ((self, other), (other, self)):
            one.drop(two.me)
            one.sessions[two.me] = False
            one.tell(ce.SyncChanged(synced=False))
        for one, two in ((self, other), (other, self)):
            self.world.send(one, two, "claims", partial(two.hello, one.me))
            self.world.send(one, two, "document", partial(two.ask, one))

    def hello(self, peer: PeerId) -> None:
        self.tell(ce.PeerSeen(peer=peer))

    def ask(self, asker: Node) -> None:
        """Sync step 1 has arrived, and is answered."""
        entries = set(self.entries)
        self.world.send(self, asker, "document", lambda: asker.synced_with(self.me, entries))

    def synced_with(self, peer: PeerId, entries: set[Entry]) -> None:
        self.integrate(entries, peer)
        self.sessions[peer] = True
        self.tell(ce.SyncChanged(synced=all(self.sessions.values())))

    def repeat(self, life: int, low_s: float, high_s: float, work: Callable[[], None]) -> None:
        def again() -> None:
            if self.up and self.disk.incarnation == life:
                work()
                self.repeat(life, low_s, high_s, work)

        self.world.later(self.world.chance.uniform(low_s, high_s), again)

    # The document and the disk

    def edit(self, *entries: Entry, stored: Callable[[bool], None] | None = None) -> None:
        self.integrate(set(entries), None)
        self.store(lambda: self.disk.entries.update(entries), stored)

    def integrate(self, entries: set[Entry], source: PeerId | None) -> None:
        new = entries - self.entries
        if not new:
            return
        self.entries |= new
        if source:
            self.store(lambda: self.disk.entries.update(new), None)
        for other in self.world.linked(self):
            if other.me != source and other.me in self.sessions:
                self.world.send(self, other, "document", partial(other.integrate, new, self.me))
        self.act(self.read_records)
        if any(root == "jobs" for root, _ in new):
            self.world.later(0.001, partial(self.look, self.disk.incarnation))

    def look(self, life: int) -> None:
        """All idle printers see a new job at about the same moment."""
        if self.up and self.disk.incarnation == life:
            self.work()

    def store(self, write: Callable[[], None], stored: Callable[[bool], None] | None) -> None:
        chance, life = self.world.chance, self.disk.incarnation
        self.disk_free_s = max(self.disk_free_s, self.world.now_s) + chance.uniform(0.001, 0.1)
        full = stored is not None and chance.random() < 0.005

        def finish() -> None:
            if self.up and self.disk.incarnation == life:
                if not full:
                    write()
                if stored:
                    stored(not full)

        self.world.later(self.disk_free_s - self.world.now_s, finish)

    def records(self, root: str) -> frozenset[Claim]:
        found = (Claim.from_key(key) for name, key in self.entries if name == root)
        return frozenset(claim for claim in found if claim)

    def read_records(self) -> None:
        others = frozenset(self.world.nodes) - {self.me}
        event = ce.RecordsRead(
            claims=self.records("claims"), ended=self.records("ends"), others=others
        )
        self.claims.receive(event, self.world.now_s)

    # Claims

    def tell(self, event: ce.Event) -> None:
        self.act(lambda: self.claims.receive(event, self.world.now_s))

    def act(self, change: Callable[[], None]) -> None:
        change()
        for effect in self.claims.effects():
            self.carry_out(effect)

    def carry_out(self, effect: ce.Effect) -> None:
        match effect:
            case ce.Tell(peer=peer, message=message):
                target = self.world.nodes[peer]
                if peer in self.sessions:
                    said = ce.Said(peer=self.me, message=message)
                    self.world.send(self, target, "claims", lambda: target.tell(said))
            case ce.StorePromise(claim=claim) | ce.StoreArmed(claim=claim):
                kept = claim, isinstance(effect, ce.StoreArmed)
                put = self.disk.promises.__setitem__
                self.store(lambda: put(claim.job, kept), lambda ok: self.stored(effect, ok=ok))
            case ce.StoreStart(claim=claim):
                entry = "claims", claim.key
                self.edit(entry, stored=lambda ok: self.stored(effect, ok=ok))
            case ce.WriteEnd(claim=claim):
                self.edit(("ends", claim.key))
            case ce.MayHeat(claim=claim):
                self.world.may_heat(claim)
                self.store(lambda: self.begin(claim), None)
            case ce.Missed(job=job):
                self.asking = False
                self.avoid_s[job] = self.world.now_s + RETRY_S
                self.world.later(RETRY_S, partial(self.look, self.disk.incarnation))

    def stored(self, effect: ce.StorePromise | ce.StoreStart | ce.StoreArmed, *, ok: bool) -> None:
        self.tell(ce.Stored(effect=effect) if ok else ce.NotStored(effect=effect))

    def beat(self) -> None:
        heard = ce.HeardOf(peer=self.me, held=self.claims.heartbeat(self.world.now_s))
        for other in self.world.linked(self):
            if other.me in self.sessions:
                self.world.send(self, other, "claims", partial(other.tell, heard))

    # The worker

    def begin(self, claim: Claim) -> None:
        self.asking = False
        self.disk.printing = claim
        self.disk.finished_s = self.world.now_s + self.world.chance.uniform(0.5, 8.0)

    def work(self) -> None:
        claim = self.disk.printing
        if claim and self.world.now_s >= self.disk.finished_s:
            self.disk.printing = None
            self.world.printed[claim.job] += 1
            self.world.over(claim)
            # In the disk with the worker's own state, so that no crash comes in between.
            finished = {("ends", claim.key), ("done", claim.job)}
            self.disk.entries |= finished
            self.edit(*finished)
        elif claim is None and not self.asking:
            self.end_orphans()
            self.choose()

    def end_orphans(self) -> None:
        """Nobody can tell whether a claim of an earlier life was armed."""
        for claim in self.records("claims") - self.records("ends"):
            if claim.peer == self.me and claim.incarnation < self.disk.incarnation:
                self.world.over(claim)
                self.edit(("ends", claim.key))

    def choose(self) -> None:
        held = self.claims.held(self.world.now_s)
        for job in self.world.jobs:
            free = ("done", job) not in self.entries and job not in held
            if (
                free
                and ("jobs", job) in self.entries
                and self.avoid_s.get(job, 0.0) <= self.world.now_s
            ):
                self.asking = True
                self.tell(ce.Want(job=job))
                return


def storm(seed: int, machine: type[Claims] = Claims) -> World:
    shape = random.Random(seed)
    world = World(
        seed, machine, peers=shape.choice([3, 4]), jobs=shape.randint(2, 6), hub=seed % 4 == 0
    )
    for node in world.nodes.values():
        node.boot()
    for job in world.jobs:
        world.later(shape.uniform(0.0, STORM_S), partial(world.submit, job))
    world.crash_some()
    while world.now_s < STORM_S + CALM_S and len(world.printed) < len(world.jobs):
        world.run_until(world.now_s + RETRY_S)
    world.run_until(world.now_s + RETRY_S)
    left = [job for job in world.jobs if world.printed[job] == 0]
    if left:
        raise Starved(f"{len(left)} of {len(world.jobs)} jobs are left")
    if max(world.printed.values()) > 1:
        raise Doubled("a job was printed again")
    return world
