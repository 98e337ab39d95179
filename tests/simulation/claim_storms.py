"""Storms over peers that claim jobs, then calm: first nothing may go wrong, then all must get done.

A storm of a seed is the same storm every time. *Quiet* ones have slow links and disks, links that
break, clocks that jump, and crashes one after the other. *Wild* ones have everything. *Sharp* ones
are about one thing: three voters of which now this, now that one sees both others, while the
document lags behind and all want the same jobs.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.quorum import (
    VoterLists,
    voters_entry,
)
from crdtqueue.core.document.keys import (
    job_entries,
    mode_entry,
)
from crdtqueue.core.document.model import Mode
from crdtqueue.core.document.progress import progress
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.yjs.update_parser import parse_state_vector
from tests.harness.samples import (
    a_job,
    print_set,
)
from tests.simulation.claim_documents import PlainCopy, RealCopy
from tests.simulation.claim_judge import Broken, Diverged, Judge, Leaked, Lost, Starved, doubles_of
from tests.simulation.claim_peer import Kit, SimulatedPeer
from tests.simulation.claim_world import Network, Weather, World

STORM_S = 180.0
CALM_S = 900.0
LOOK_S = 20.0
DARK_S = (1.0, 8.0), (8.0, 45.0)
LOOKED_AT_S = 20.0
"""A person who marks a claim lost has looked at its printer for longer than a print may take to
begin."""

Pair = tuple[PeerId, PeerId]


class Kind(Enum):
    """What a storm is made of."""

    QUIET = "quiet"
    SHARP = "sharp"
    WILD = "wild"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A storm, but for its chances."""

    kind: Kind
    mode: Mode
    peers: int
    jobs: int
    star: bool
    times: ce.ClaimTimes
    revotes: bool

    @classmethod
    def of(cls, seed: int) -> Plan:
        """Of every four seeds one is quiet and one wild, both *available*; one wild and one sharp,
        both *safe*."""
        shape = random.Random(seed)
        kind = (Kind.QUIET, Kind.SHARP, Kind.WILD, Kind.WILD)[seed % 4]
        quiet = kind is Kind.QUIET
        return cls(
            kind=kind,
            mode=Mode.SAFE if seed % 2 else Mode.AVAILABLE,
            peers=3 if kind is Kind.SHARP else shape.choice([3, 4] if quiet else [3, 3, 4, 5]),
            jobs=20 if kind is Kind.SHARP else shape.choice([1, 2, 3, 5]),
            star=quiet and shape.random() < 0.3,
            times=ce.ClaimTimes() if quiet else replace(ce.ClaimTimes(), takeover_s=12.0),
            revotes=not quiet and shape.random() < 0.4,
        )


class Storm:
    """One storm. `run` raises what went wrong, and notes what happened."""

    def __init__(
        self, seed: int, *, kit: Kit | None = None, real: bool = False, peers: int = 0
    ) -> None:
        self.plan = plan = Plan.of(seed)
        self.world = World(seed)
        self.chance = self.world.chance
        self.judge = Judge(
            world=self.world, alone=plan.mode is Mode.SAFE or plan.kind is Kind.QUIET
        )
        self.ids = [PeerId(f"{number:016x}") for number in range(1, (peers or plan.peers) + 1)]
        self.network = Network(self.world, self.ids[0] if plan.star else None)
        kit = replace(kit or Kit(), open_copy=RealCopy if real else PlainCopy)
        kit = replace(kit, times=kit.times or plan.times)
        self.peers = [
            SimulatedPeer(me, world=self.world, network=self.network, judge=self.judge, kit=kit)
            for me in self.ids
        ]
        for peer in self.peers:
            self.network.add(peer)
            if plan.kind is Kind.SHARP:
                peer.print_s = (1.0, 5.0), (1.0, 5.0), (15.0, 40.0)
        self.jobs = [JobId(f"{number:012x}") for number in range(1, plan.jobs + 1)]
        self.copies = {job: self.chance.choice([1, 1, 1, 2, 4]) for job in self.jobs}
        self.accepted: dict[JobId, PeerId] = {}
        self.dead: SimulatedPeer | None = None

    def run(self) -> None:
        """Safety first, then liveness."""
        self._begin()
        self._rage()
        self._calm_down()
        self._judge_the_end()

    def contest(self) -> float:
        """Without a storm: how long idle printers that see a job together need until one has it."""
        for peer in self.peers:
            peer.boot()
        self.world.run_until(15.0)
        self._submit(self.jobs[0])
        while not self.judge.armed and self.world.now_s < 75.0:
            self.world.run_until(self.world.now_s + 0.1)
        return self.world.now_s - 15.0

    # The storm

    def _begin(self) -> None:
        first = self.peers[0]
        for peer in self.peers:
            peer.boot()
        if self.plan.mode is Mode.SAFE:
            sharp = self.plan.kind is Kind.SHARP
            voters = frozenset(self.ids) if sharp else self._some_voters()
            first.edit([mode_entry(Mode.SAFE), voters_entry(VoterLists(), voters)])
        # The first list is named while everybody is there, see docs/claims.md.
        self.world.run_until(15.0)
        # Where all sides of a partition are to want the same job, there must be jobs to want.
        soon_s = 20.0 if self.plan.kind is Kind.SHARP else STORM_S
        for job in self.jobs:
            self.world.later(self.chance.uniform(0.0, soon_s), lambda job=job: self._submit(job))  # type: ignore[misc]

    def _some_voters(self) -> frozenset[PeerId]:
        most = len(self.ids)
        count = self.chance.choice([most, most, max(most - 1, 2), 2, 1])
        return frozenset(self.chance.sample(self.ids, count))

    def _submit(self, job: JobId) -> None:
        up = [peer for peer in self.peers if peer.up and not peer.is_stopped]
        if not up:
            self.world.later(1.0, lambda: self._submit(job))
            return
        entries = job_entries(a_job(print_set(copies=self.copies[job]), job=job))
        peer = self.chance.choice(up)
        peer.edit(entries, lambda ok: self._submitted(peer, job, ok=ok))

    def _submitted(self, peer: SimulatedPeer, job: JobId, *, ok: bool) -> None:
        if ok:
            self.accepted[job] = peer.me
        else:
            self._submit(job)

    def _rage(self) -> None:
        end_s = self.world.now_s + STORM_S
        troubles = self._troubles()
        if self.plan.kind is not Kind.QUIET:
            self._turn_weather()
        while self.world.now_s < end_s:
            self.world.run_until(self.world.now_s + self.chance.uniform(0.2, 12.0))
            self.chance.choice(troubles)()

    def _troubles(self) -> list[Callable[[], None]]:
        match self.plan.kind:
            case Kind.QUIET:
                return self._quiet_troubles()
            case Kind.SHARP:
                return self._sharp_troubles()
            case Kind.WILD:
                return self._wild_troubles()

    def _quiet_troubles(self) -> list[Callable[[], None]]:
        """One after the other: peers that never met cannot know of each other's claims.

        For the same reason the hub of a star stays up: without it there is a partition.
        """
        return [self._flap, self._crash_one, self._set_clock]

    def _is_whole(self) -> bool:
        pairs = [(a, b) for a in self.peers for b in self.peers if a.me < b.me]
        star = self.network.star
        wanted = [(a, b) for a, b in pairs if star in {None, a.me, b.me}]
        return all(p.up and all(s.synced for s in p.sessions.values()) for p in self.peers) and all(
            b.me in a.greeted and a.me in b.greeted for a, b in wanted
        )

    def _flap(self) -> None:
        if self._is_whole():
            links = [link for peer in self.peers for link in peer.sessions]
            self.chance.choice(links).cut()

    def _crash_one(self) -> None:
        if self._is_whole():
            peer = self.chance.choice([p for p in self.peers if p.me != self.network.star])
            peer.crash()
            self.world.later(self.chance.uniform(0.3, 20.0), peer.boot)

    def _sharp_troubles(self) -> list[Callable[[], None]]:
        rare = [self._crash, self._power_cut, self._stop, self._mark_lost, self._mark_lost]
        often = [self._bridge] * 6 + [self._part] * 3
        return often + rare + [self._revote, self._revote] * self.plan.revotes

    def _wild_troubles(self) -> list[Callable[[], None]]:
        troubles = [
            self._part,
            self._part,
            self._bridge,
            self._bridge,
            self._bridge,
            self._one_way,
            self._break_link,
            self._crash,
            self._power_cut,
            self._stop,
            self._turn_weather,
            self._set_clock,
            self._mark_lost,
            self._mark_lost,
        ]
        return [*troubles, *([self._revote] if self.plan.revotes else [])]

    def _darken(self, lines: list[Pair], seconds: float) -> None:
        self.world.note(f"dark for {seconds:.1f} s: {' '.join(a[-2:] + b[-2:] for a, b in lines)}")
        self.network.darken(lines, seconds)

    def _part(self) -> None:
        side = self.chance.sample(self.ids, self.chance.randint(1, len(self.ids) - 1))
        cross = [(a, b) for a in self.ids for b in self.ids if (a in side) != (b in side)]
        self._darken(cross, self.chance.uniform(*self.chance.choice(DARK_S)))

    def _bridge(self) -> None:
        """Only one peer sees the others."""
        middle = self.chance.choice(self.ids)
        rim = [(a, b) for a in self.ids for b in self.ids if a != b and middle not in (a, b)]
        self._darken(rim, self.chance.uniform(*self.chance.choice(DARK_S)))

    def _one_way(self) -> None:
        a, b = self.chance.sample(self.ids, 2)
        self._darken([(a, b)], self.chance.uniform(*self.chance.choice(DARK_S)))

    def _break_link(self) -> None:
        links = [link for peer in self.peers if peer.up for link in peer.sessions]
        if links:
            self.chance.choice(links).cut()

    def _up(self) -> list[SimulatedPeer]:
        return [peer for peer in self.peers if peer.up]

    def _crash(self) -> None:
        if self._up():
            peer = self.chance.choice(self._up())
            peer.crash()
            self._boot_later(peer)

    def _power_cut(self) -> None:
        count = self.chance.choice([1, 1, 2, len(self.peers)])
        for peer in self.chance.sample(self.peers, count):
            was_up = peer.up
            self.world.note(f"{peer.me[-2:]} loses its power")
            peer.lose_power()
            if was_up:
                self._boot_later(peer)

    def _boot_later(self, peer: SimulatedPeer) -> None:
        self.world.later(self.chance.uniform(0.3, self.chance.choice([5.0, 40.0])), peer.boot)

    def _stop(self) -> None:
        awake = [peer for peer in self._up() if not peer.is_stopped]
        if awake:
            self.chance.choice(awake).stop(self.chance.uniform(1.0, 60.0))

    def _turn_weather(self) -> None:
        chance = self.chance
        if self.plan.kind is Kind.SHARP:
            self.world.weather = Weather(lag=0.3)
            return
        self.world.weather = Weather(
            loss=chance.choice([0.0, 0.0, 0.1, 0.3]),
            repeats=chance.choice([0.0, 0.1, 0.3]),
            disorder=chance.choice([0.0, 0.1, 0.3]),
            slow=chance.choice([0.02, 0.2]),
            lag=chance.choice([0.0, 0.1, 0.5]),
        )

    def _set_clock(self) -> None:
        self.chance.choice(self.peers).wall_offset_s += self.chance.uniform(-7200.0, 7200.0)

    def _revote(self) -> None:
        awake = [peer for peer in self._up() if not peer.is_stopped]
        if awake and self.plan.mode is Mode.SAFE:
            # People name those that are there.
            peer = self.chance.choice(awake)
            there = sorted({peer.me, *peer.greeted})
            voters = frozenset(self.chance.sample(there, self.chance.randint(1, len(there))))
            names = " ".join(sorted(each[-2:] for each in voters))
            self.world.note(f"{peer.me[-2:]}: a person names the voters {names}")
            peer.edit([voters_entry(peer.lists, voters)])

    def _mark_lost(self) -> None:
        """A person gives up on a printer that is not at its job, and has not been for a while."""
        awake = [peer for peer in self._up() if not peer.is_stopped]
        if not awake:
            return
        peer = self.chance.choice(awake)
        found = sorted(self._not_at_it(peer), key=lambda claim: claim.key)
        if not found:
            return
        claim = self.chance.choice(found)

        def looked() -> None:
            if not self.judge.is_heating(claim) and peer.up and not peer.is_stopped:
                peer.mark_lost(claim)

        self.world.later(LOOKED_AT_S, looked)

    def _not_at_it(self, peer: SimulatedPeer) -> list[Claim]:
        state = peer.state
        still_open = state.claims - state.ended - state.lost
        return [c for c in still_open if c.peer != peer.me and not self.judge.is_heating(c)]

    # The calm

    def _calm_down(self) -> None:
        self.world.note("calm")
        self.world.weather = Weather()
        self.network.heal()
        self._leave_one_dead()
        end_s = self.world.now_s + CALM_S
        while self.world.now_s < end_s and not self._is_done():
            self.world.run_until(self.world.now_s + LOOK_S)
            for peer in self.peers:
                peer.boot()
            self._clean_up()
        self.world.run_until(self.world.now_s + 2 * LOOK_S)

    def _leave_one_dead(self) -> None:
        """Now and then a machine never comes back: one that no list of voters depends on."""
        lists = frozenset(each for peer in self._up() for each in peer.lists.lists)
        down = [peer for peer in self.peers if not peer.up]
        if down and self.plan.kind is not Kind.QUIET and self.chance.random() < 0.5:
            peer = self.chance.choice(down)
            others = frozenset(self.ids) - {peer.me}
            known = bool(lists) or self.plan.mode is Mode.AVAILABLE
            spare = known and all(each.has_majority(others) for each in lists)
            if spare and peer.printer.heating is None:
                self.world.note(f"{peer.me[-2:]} never comes back")
                self.dead = peer
                peer.is_dead = True

    def _clean_up(self) -> None:
        """The person who looks after the printers gives up what the dead one had."""
        if self.dead:
            for peer in self._up()[:1]:
                for claim in self._not_at_it(peer):
                    if claim.peer == self.dead.me:
                        peer.mark_lost(claim)

    def _living(self) -> list[SimulatedPeer]:
        return [peer for peer in self.peers if peer is not self.dead]

    def _is_done(self) -> bool:
        return all(
            peer.up and not peer.is_stopped and self._all_printed(peer) for peer in self._living()
        )

    def _all_printed(self, peer: SimulatedPeer) -> bool:
        """All jobs that were accepted, but for those that a dead machine may have had alone."""
        dead = self.dead.me if self.dead else None
        wanted = {job for job, by in self.accepted.items() if by != dead}
        still_open = peer.state.claims - peer.state.ended - peer.state.lost
        complete = all(progress(job).complete for job in peer.state.jobs)
        return complete and not still_open and wanted <= {job.id for job in peer.state.jobs}

    def _judge_the_end(self) -> None:
        living = self._living()
        if not self._is_done():
            left = {p.me: [j.id for j in p.state.jobs if not progress(j).complete] for p in living}
            raise Starved(f"{left}; {[p.claims.held(p.now_s()) for p in living]}")
        contents = {json.dumps(peer.copy.content(), sort_keys=True) for peer in living}
        if len(contents) > 1:
            raise Diverged(f"{len(contents)} different documents")
        vectors = [parse_state_vector(peer.copy.state_vector()) for peer in living]
        if any(vector != vectors[0] for vector in vectors):
            raise Diverged("equal documents, different state vectors")
        for peer in living:
            self._judge_records(peer)
            if peer.claims.size > len(self.peers):
                raise Leaked(f"{peer.claims.size} things at {peer.me} when all is done")

    def _judge_records(self, peer: SimulatedPeer) -> None:
        records = {r.print_id for job in peer.state.jobs for r in job.records if r.result == "done"}
        finished = {i for i in self.judge.finished if not (self.dead and self.dead.me in i)}
        if not finished <= records or not records <= set(self.judge.finished):
            raise Lost(f"{sorted(finished ^ records)} at {peer.me}")
        counted = {i: self.judge.finished[i] for i in records}
        reported = sum(progress(job).doubles for job in peer.state.jobs)
        if reported != doubles_of(counted.values()):
            raise Lost(f"{reported} double prints are reported at {peer.me}")
        watched = (job for job in peer.state.jobs if job.id not in self.judge.given_up)
        if self.judge.alone and any(progress(job).doubles for job in watched):
            raise Lost(f"double prints at {peer.me}, one after the other")


def weather(seed: int, *, kit: Kit | None = None, real: bool = False) -> Storm:
    """The storm of a seed, over. What was broken says how to see it again."""
    storm = Storm(seed, kit=kit, real=real)
    try:
        storm.run()
    except Broken as error:
        again = f"python -m tests.simulation --seed {seed}" + (" --real" if real else "")
        error.add_note(f"again: {again}")
        raise
    return storm
