"""Time, chance and a network that does its worst, all from one seed."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from crdtqueue.core.ids import PeerId

NOTES_SHOWN = 400
KEEPALIVE_S = (15.0, 40.0)
"""After so long without an answer an end of a link takes it for dead."""
REDIAL_S = (0.2, 5.0)


class Host(Protocol):
    """Whoever has a network address."""

    me: PeerId
    up: bool

    def when_awake(self, work: Callable[[], None]) -> None:
        """Does the work now, or when the process goes on."""

    def linked(self, link: Link) -> None:
        """A link is there."""

    def cut(self, link: Link) -> None:
        """A link is gone."""

    def frame(self, link: Link, frame: bytes) -> None:
        """A frame has come."""


@dataclass(kw_only=True)
class Weather:
    """How bad the network is, as shares of what is sent.

    Claim messages may be lost, come twice, or out of their order. The document's frames come in
    their order or not at all, but may lag behind: the protocol must not depend on what a link of
    ours happens to deliver first.
    """

    loss: float = 0.0
    repeats: float = 0.0
    disorder: float = 0.0
    slow: float = 0.02
    lag: float = 0.0


class World:
    """Virtual time. What happens at all happens through `later`."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now_s = 0.0
        self.weather = Weather()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0
        self._notes: deque[str] = deque(maxlen=NOTES_SHOWN)
        self._digest = hashlib.sha256()

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (self.now_s + delay_s, self._order, work))

    def run_until(self, end_s: float) -> None:
        while self._queue and self._queue[0][0] <= end_s:
            self.now_s, _, work = heapq.heappop(self._queue)
            work()
        self.now_s = max(self.now_s, end_s)

    def note(self, text: str) -> None:
        """Adds a line to the trace."""
        line = f"{self.now_s:9.3f} {text}"
        self._notes.append(line)
        self._digest.update(line.encode())

    @property
    def notes(self) -> str:
        """The end of the trace."""
        return "\n".join(self._notes)

    @property
    def trace(self) -> str:
        """What tells this course of events from any other."""
        return self._digest.hexdigest()

    def latency_s(self) -> float:
        slow = self.chance.random() < self.weather.slow
        return self.chance.uniform(0.5, 3.0) if slow else self.chance.uniform(0.001, 0.05)


@dataclass(kw_only=True)
class _Line:
    """One direction of a link: frames arrive in order, as TCP has it, or wait while it is dark."""

    source: Host
    target: Host
    free_s: float = 0.0
    document_free_s: float = 0.0
    waiting: list[bytes] = field(default_factory=list)


class Link:
    """One connection between two processes."""

    def __init__(self, network: Network, one: Host, two: Host) -> None:
        self._network = network
        self._lines = {
            one.me: _Line(source=one, target=two),
            two.me: _Line(source=two, target=one),
        }
        self.is_cut = False

    @property
    def ends(self) -> tuple[Host, Host]:
        one, two = (line.source for line in self._lines.values())
        return one, two

    def other(self, me: PeerId) -> PeerId:
        return self._lines[me].target.me

    def send(self, me: PeerId, frame: bytes, *, unruly: bool = False) -> None:
        """Sends a frame; an unruly one is at the mercy of the weather."""
        line, world = self._lines[me], self._network.world
        weather = world.weather
        if unruly and world.chance.random() < weather.loss:
            return
        if unruly and world.chance.random() < weather.repeats:
            world.later(world.chance.uniform(0.1, 20.0), lambda: self._arrive(line, frame))
        if unruly and world.chance.random() < weather.disorder:
            world.later(world.chance.uniform(0.0, 5.0), lambda: self._arrive(line, frame))
            return
        line.free_s = max(line.free_s, world.now_s + world.latency_s())
        world.later(line.free_s - world.now_s, lambda: self._arrive(line, frame))

    def send_document(self, me: PeerId, frame: bytes, *, may_lag: bool = False) -> None:
        """Sends a frame of the document."""
        line, world = self._lines[me], self._network.world
        lags = may_lag and world.chance.random() < world.weather.lag
        due_s = world.now_s + world.latency_s() + (world.chance.uniform(1.0, 30.0) if lags else 0.0)
        line.document_free_s = max(line.document_free_s, due_s)
        world.later(line.document_free_s - world.now_s, lambda: self._arrive(line, frame))

    def _arrive(self, line: _Line, frame: bytes) -> None:
        if self.is_cut:
            return
        if line.waiting or self._network.is_dark(line.source.me, line.target.me):
            line.waiting.append(frame)
            return
        line.target.when_awake(lambda: self._hand_over(line, frame))

    def _hand_over(self, line: _Line, frame: bytes) -> None:
        if not self.is_cut:
            line.target.frame(self, frame)

    def lit(self, source: PeerId) -> None:
        """A dark line is light again: what was sent meanwhile arrives."""
        line = self._lines[source]
        waiting, line.waiting = line.waiting, []
        for frame in waiting:
            self._arrive(line, frame)

    def cut(self) -> None:
        """Both ends take the link for dead, each in its own time."""
        if self.is_cut:
            return
        self.is_cut = True
        for end in self.ends:
            delay_s = self._network.world.chance.uniform(0.0, 2.0)
            self._network.world.later(delay_s, lambda end=end: self._tell(end))  # type: ignore[misc]

    def _tell(self, end: Host) -> None:
        if end.up:
            end.when_awake(lambda: end.cut(self))


class Network:
    """Who can reach whom, and the links there are."""

    def __init__(self, world: World, star: PeerId | None) -> None:
        self.world = world
        self.star = star
        self._hosts: dict[PeerId, Host] = {}
        self._links: dict[frozenset[PeerId], Link] = {}
        self._dark: dict[tuple[PeerId, PeerId], int] = {}

    def add(self, host: Host) -> None:
        """Adds a host; all but those on the rim of a star are to be linked."""
        for other in self._hosts.values():
            if self.star in {None, host.me, other.me}:
                self._redial(frozenset({host.me, other.me}))
        self._hosts[host.me] = host

    def is_dark(self, source: PeerId, target: PeerId) -> bool:
        return self._dark.get((source, target), 0) > 0

    def link_of(self, one: PeerId, two: PeerId) -> Link | None:
        link = self._links.get(frozenset({one, two}))
        return link if link and not link.is_cut else None

    def darken(self, lines: Iterable[tuple[PeerId, PeerId]], seconds: float) -> None:
        """Lets nothing pass on these lines for a while."""
        chosen = list(lines)
        for line in chosen:
            self._dark[line] = self._dark.get(line, 0) + 1
            link = self.link_of(*line)
            if link:
                wait_s = self.world.chance.uniform(*KEEPALIVE_S)
                self.world.later(wait_s, lambda li=line, ln=link: self._give_up(li, ln))  # type: ignore[misc]
        self.world.later(seconds, lambda: self._lighten(chosen))

    def _give_up(self, line: tuple[PeerId, PeerId], link: Link) -> None:
        if self.is_dark(*line):
            link.cut()

    def _lighten(self, lines: list[tuple[PeerId, PeerId]]) -> None:
        for line in lines:
            self._dark[line] = max(self._dark.get(line, 0) - 1, 0)
            link = self.link_of(*line)
            if link and not self.is_dark(*line):
                link.lit(line[0])

    def heal(self) -> None:
        """Everybody can reach everybody."""
        dark = [line for line, count in self._dark.items() if count]
        self._dark.clear()
        for line in dark:
            link = self.link_of(*line)
            if link:
                link.lit(line[0])

    def cut_all(self, host: PeerId) -> None:
        """A process is gone, and its links with it: soon, so that its last words may arrive."""
        for pair, link in self._links.items():
            if host in pair and not link.is_cut:
                self.world.later(self.world.chance.uniform(0.0, 3.0), link.cut)

    def _redial(self, pair: frozenset[PeerId]) -> None:
        wait_s = self.world.chance.uniform(*REDIAL_S)
        self.world.later(wait_s, lambda: self._dial(pair))

    def _dial(self, pair: frozenset[PeerId]) -> None:
        one, two = (self._hosts[each] for each in sorted(pair))
        dark = self.is_dark(one.me, two.me) or self.is_dark(two.me, one.me)
        if self.link_of(one.me, two.me) is None and one.up and two.up and not dark:
            link = self._links[pair] = Link(self, one, two)
            for end in (one, two):
                end.when_awake(lambda end=end: None if link.is_cut else end.linked(link))  # type: ignore[misc]
        self._redial(pair)
