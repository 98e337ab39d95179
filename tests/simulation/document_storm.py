"""Storms over several replicas of one queue: edits and prints everywhere, links that come and go.

    python -m tests.simulation.document_storm FIRST [COUNT] [FOLDER]

runs `COUNT` storms from seed `FIRST` on and prints what happened; with `FOLDER`, in which npm `yjs`
is or will be installed, replicas of stock Yjs take part. Replicas talk through the real
`SyncSession`. All chance comes from the seed, so a failing seed fails again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from crdtqueue.core.ids import PeerId
from crdtqueue.core.sync.frames import (
    Update,
    decode,
    encode_update,
)
from crdtqueue.core.sync.sync_session import SyncSession
from crdtqueue.core.yjs.update_parser import parse_state_vector
from tests.interop.yjs_replica import Yjs, install, running
from tests.simulation.document_edits import FILES, PEOPLE, PROFILES, Hand
from tests.simulation.document_prints import PRINTERS
from tests.simulation.document_replicas import BACKENDS, Ours, Replica, Theirs
from tests.simulation.document_truth import Truth

STEPS = 160
EDITS = PEOPLE | PRINTERS


@dataclass(kw_only=True, eq=False)
class Node:
    """A peer: its replica, and who it is."""

    me: PeerId
    replica: Replica
    client: int
    incarnation: int = 1
    ends: list[End] = field(default_factory=list)


@dataclass(kw_only=True, eq=False)
class End:
    """One node's end of a link that is up, with what is on its way to it."""

    node: Node
    session: SyncSession
    inbox: deque[bytes] = field(default_factory=deque)
    other: End | None = None

    def flush(self) -> None:
        """Puts what the session has to say on its way."""
        assert self.other
        self.other.inbox.extend(self.session.effects())


class World:
    """The nodes, the links between them, chance, and the truth."""

    def __init__(self, seed: int, yjs: Yjs | None, ours: type[Ours]) -> None:
        self.ours = ours
        self.chance = random.Random(seed)
        self.truth = Truth()
        self.counts: Counter[str] = Counter(storms=1)
        self.trace = hashlib.sha256()
        self.nodes = [self._node(number, yjs) for number in range(self.chance.randint(3, 5))]

    def _node(self, number: int, yjs: Yjs | None) -> Node:
        client = self._client_id()
        with_yjs = yjs if number and self.chance.random() < 0.5 else None
        replica: Replica
        if with_yjs:
            replica = Theirs(with_yjs, client)
        else:
            replica = self.ours(self.chance.choice(BACKENDS), client)
        self.counts[type(replica).__name__] += 1
        return Node(me=PeerId(f"{number:016x}"), replica=replica, client=client)

    def _client_id(self) -> int:
        return self.chance.getrandbits(32)

    def close(self) -> None:
        """Lets go of the documents."""
        for node in self.nodes:
            node.replica.close()

    # Steps

    def run(self) -> None:
        """A storm, then calm; then everything must be right."""
        for _ in range(STEPS):
            self._step()
        for one, other in combinations(self.nodes, 2):
            if not self._link(one, other):
                self._connect(one, other)
        while any(end.inbox for node in self.nodes for end in node.ends):
            self._deliver()
        self._check()

    def _step(self) -> None:
        roll = self.chance.random()
        if roll < 0.40:
            self._edit(self.chance.choice(self.nodes))
        elif roll < 0.90:
            self._deliver()
        elif roll < 0.98:
            self._toggle(*self.chance.sample(self.nodes, 2))
        else:
            self._restart(self.chance.choice(self.nodes))

    def _edit(self, node: Node) -> None:
        hand = Hand(
            chance=self.chance,
            state=node.replica.state(),
            me=node.me,
            profile=PROFILES[int(node.me, 16) % len(PROFILES)],
            incarnation=node.incarnation,
        )
        edit = self.chance.choices([*EDITS], [*EDITS.values()])[0]
        entries = edit(hand)
        if not entries:
            return
        before = parse_state_vector(node.replica.state_vector())
        node.replica.write(entries)
        after = parse_state_vector(node.replica.state_vector())
        self.truth.wrote(entries, node.client, before, after)
        self._happened(node, edit.__name__, json.dumps(entries))
        if self.chance.random() < 0.05:
            self._drop_file(node)

    def _drop_file(self, node: Node) -> None:
        """A peer that no longer has a file takes its mark away."""
        key = f"{self.chance.choice(FILES)}/{node.me}"
        if key in node.replica.content()["files"]:
            node.replica.delete("files", key)
            self.truth.deleted.add(("files", key))
            self._happened(node, "drop_file", key)

    def _happened(self, node: Node, what: str, detail: str, source: End | None = None) -> None:
        """Spreads what is new at a node, and checks what it reads there."""
        self.counts[what] += 1
        self.trace.update(f"{node.me} {what} {detail}\n".encode())
        updates = node.replica.take_updates()
        for end in node.ends:
            if end is not source and end.other:
                end.other.inbox.extend(map(encode_update, updates))
        if updates:
            node.replica.check()

    # Links

    def _deliver(self) -> None:
        ends = [end for node in self.nodes for end in node.ends if end.inbox]
        if not ends:
            return
        end = self.chance.choice(ends)
        frame = self._taken(end.inbox)
        before = end.session.synced
        end.session.receive(decode(frame))
        what = "gap" if before and not end.session.synced else "deliver"
        self._happened(end.node, what, type(decode(frame)).__name__, source=end)
        end.flush()

    def _taken(self, inbox: deque[bytes]) -> bytes:
        """The next frame; an update may also come again later, or ahead of its turn."""
        roll = self.chance.random()
        late = inbox[1] if len(inbox) > 1 else b""
        if roll < 0.1 and late and isinstance(decode(late), Update):
            del inbox[1]
            return late
        frame = inbox.popleft()
        if roll > 0.9 and isinstance(decode(frame), Update):
            inbox.append(frame)
        return frame

    def _link(self, one: Node, other: Node) -> End | None:
        return next((end for end in one.ends if end.other and end.other.node is other), None)

    def _toggle(self, one: Node, other: Node) -> None:
        end = self._link(one, other)
        if end:
            self._cut(end)
        else:
            self._connect(one, other)

    def _connect(self, one: Node, other: Node) -> None:
        here, there = (End(node=n, session=SyncSession(n.replica)) for n in (one, other))
        here.other, there.other = there, here
        for end in (here, there):
            end.node.ends.append(end)
            end.session.start()
            end.flush()
        self.counts["connect"] += 1

    def _cut(self, end: End) -> None:
        assert end.other
        end.node.ends.remove(end)
        end.other.node.ends.remove(end.other)
        self.counts["cut"] += 1

    def _restart(self, node: Node) -> None:
        for end in [*node.ends]:
            self._cut(end)
        node.client, node.incarnation = self._client_id(), node.incarnation + 1
        node.replica.restart(node.client)
        self._happened(node, "restart", "")

    # The end

    def _check(self) -> None:
        contents = [json.dumps(node.replica.content(), sort_keys=True) for node in self.nodes]
        assert len(set(contents)) == 1, "the replicas differ"
        vectors = [parse_state_vector(node.replica.state_vector()) for node in self.nodes]
        assert all(vector == vectors[0] for vector in vectors), "the state vectors differ"
        for node in self.nodes:
            node.replica.check()
        states = [node.replica.state() for node in self.nodes]
        assert all(state == states[0] for state in states), "the readings differ"
        assert len({tuple(job.id for job in state.jobs) for state in states}) == 1
        self.truth.check(self.nodes[0].replica.content(), states[0])
        self.counts["jobs"] += len(states[0].jobs) + len(states[0].deleted)
        self.counts["records"] += sum(r == "runs" for r, _ in self.truth.writes)
        self.trace.update(contents[0].encode())


def storm(seed: int, yjs: Yjs | None = None, ours: type[Ours] = Ours) -> tuple[str, Counter[str]]:
    """One storm; returns what must be the same each time, and what happened how often.

    An error names the command that repeats it.
    """
    world = World(seed, yjs, ours)
    try:
        world.run()
    except BaseException as error:
        folder = " FOLDER" if yjs else ""
        error.add_note(f"repeat: python -m tests.simulation.document_storm {seed} 1{folder}")
        raise
    finally:
        world.close()
    return world.trace.hexdigest(), world.counts


def main(first: str, count: str = "1", folder: str = "") -> None:
    """The command line."""
    totals: Counter[str] = Counter()
    trace = hashlib.sha256()
    with contextlib.ExitStack() as stack:
        yjs = stack.enter_context(running(install(Path(folder)))) if folder else None
        for seed in range(int(first), int(first) + int(count)):
            digest, counts = storm(seed, yjs)
            trace.update(digest.encode())
            totals += counts
    print(trace.hexdigest())
    print(json.dumps(dict(sorted(totals.items())), indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
