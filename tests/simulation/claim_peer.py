"""A peer of the storms: the real claims, sync sessions and reading of the document, around them a
disk that forgets what was not durable, a printer, and a worker as simple as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import Claims
from crdtqueue.core.claims.quorum import (
    Rules,
    VoterLists,
    read_voter_lists,
    statement_entry,
)
from crdtqueue.core.document.keys import (
    Entry,
    claim_entry,
    end_entry,
    lost_entry,
    record_entry,
    roster_entry,
)
from crdtqueue.core.document.model import (
    Job,
    QueueState,
    Result,
    RosterEntry,
    RunRecord,
)
from crdtqueue.core.document.progress import Copy as NextCopy
from crdtqueue.core.document.progress import next_copy
from crdtqueue.core.document.reader import DocumentReader
from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import (
    Json,
    decode,
    encode_json,
    encode_update,
)
from crdtqueue.core.sync.sync_session import SyncSession
from crdtqueue.core.sync.update_relay import (
    FORWARD_S,
    UpdateRelay,
)
from crdtqueue.core.yjs.lib0 import JsonValue
from tests.harness.samples import MK3S
from tests.simulation.claim_documents import Copy, PlainCopy
from tests.simulation.claim_judge import Fell, Judge, Leaked
from tests.simulation.claim_world import Link, Network, World

RETRY_S = (0.5, 5.0)
SIZE_MAX = 300
_UNRULY = ("ask", "grant", "deny", "arm", "armed", "release")


@dataclass(frozen=True, kw_only=True)
class Saved:
    """What the worker keeps."""

    held: Claim | None = None
    printing: RunRecord | None = None


@dataclass(kw_only=True)
class Disk:
    """What survives a crash. Writes are durable in their order, some time after they were made."""

    updates: list[bytes] = field(default_factory=list)
    promises: dict[JobId, tuple[Claim, bool]] = field(default_factory=dict)
    saved: Saved = Saved()
    incarnation: int = 0
    full: float = 0.003


@dataclass(kw_only=True)
class Printer:
    """It goes on while its peer is down, and stops when the power does."""

    heating: RunRecord | None = None
    results: dict[PrintId, Result] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Kit:
    """What a peer is made of; a mutant has another part."""

    machine: type[Claims] = Claims
    times: ce.ClaimTimes | None = None
    """None: those of the storm."""
    open_copy: Callable[[int], Copy] = PlainCopy
    fenced: bool = True
    """Whether each print has a claim of its own that is not older than it may be."""
    forgets: bool = False
    """Whether all that was stored for others is gone after a restart."""
    acknowledges_first: bool = False
    """Whether `Stored` is said before it is true."""
    wall_clock: bool = False
    """Whether time is what the wall clock says."""


class SimulatedPeer:
    """Call `boot`; then everything comes from the world."""

    def __init__(
        self, me: PeerId, *, world: World, network: Network, judge: Judge, kit: Kit
    ) -> None:
        chance = world.chance
        self.me = me
        self.world = world
        self.network = network
        self.judge = judge
        self.kit = kit
        self.disk = Disk()
        self.printer = Printer()
        self.up = False
        self.is_dead = False
        self.print_s: Sequence[tuple[float, float]] = ((0.5, 10.0), (10.0, 60.0))
        self.rate = chance.uniform(0.9, 1.1)
        self.offset_s = chance.uniform(-1e6, 1e6)
        self.wall_offset_s = chance.uniform(-1e6, 1e6)
        self._stopped: list[Callable[[], None]] | None = None

    # Life

    def boot(self) -> None:
        """Starts the process, unless it runs or the machine is dead."""
        if self.up or self.is_dead:
            return
        disk, world = self.disk, self.world
        self.up = True
        disk.incarnation += 1
        world.note(f"{self.me[-2:]} boots {disk.incarnation}")
        self.relay: UpdateRelay[Link] = UpdateRelay()
        self.copy = self.kit.open_copy(world.chance.randrange(1, 2**32))
        for update in disk.updates:
            self.copy.integrate(update)
        self.copy.take_updates()
        self.reader, self.fields = DocumentReader(), dict[str, JsonValue]()
        self.sessions: dict[Link, SyncSession] = {}
        self.greeted: dict[PeerId, Link] = {}
        self.avoid_s: dict[JobId, float] = {}
        self.copies: dict[JobId, tuple[Job, NextCopy | None]] = {}
        self.epochs: dict[JobId, int] = {}
        self.asking = False
        self.busy = False
        self.disk_free_s = world.now_s
        self._state: QueueState | None = None
        self._lists = VoterLists()
        self._fresh = True
        self.claims = self.kit.machine(
            me=self.me,
            incarnation=disk.incarnation,
            times=self.kit.times or ce.ClaimTimes(),
            promises=list(disk.promises.values()),
            now_s=self.now_s(),
        )
        if self.me not in self.state.roster:
            entry = RosterEntry(peer=self.me, name=self.me, profile=MK3S, addresses=())
            self.edit([roster_entry(entry)])
        self.tell(ce.SyncChanged(synced=True))
        self.keep_time()
        self.repeat(0.05, 1.0, self.work)
        self.repeat(1.9, 2.1, self.beat)

    def crash(self) -> None:
        """The process ends at once; the printer goes on."""
        self.world.note(f"{self.me[-2:]} crashes")
        self.up = False
        self._stopped = None
        self.copy.close()
        self.network.cut_all(self.me)

    def lose_power(self) -> None:
        """So does the printer."""
        heating = self.printer.heating
        if heating:
            self.printer.results[heating.print_id] = Result.ABORTED
            self.printer.heating = None
            self.judge.cools(self.me, claim_of(heating))
        if self.up:
            self.crash()

    def stop(self, seconds: float) -> None:
        """SIGSTOP, or a laptop's lid: nothing runs, and what comes waits."""
        self.world.note(f"{self.me[-2:]} is stopped for {seconds:.1f} s")
        life = self.disk.incarnation
        self._stopped = []
        self.world.later(seconds, lambda: self._cont(life))

    def _cont(self, life: int) -> None:
        if self.up and self.disk.incarnation == life:
            waiting, self._stopped = self._stopped or [], None
            self.world.note(f"{self.me[-2:]} goes on")
            for work in waiting:
                self.when_awake(work)

    @property
    def is_stopped(self) -> bool:
        return self._stopped is not None

    def when_awake(self, work: Callable[[], None]) -> None:
        """Does the work now, or when the process goes on."""
        if not self.up:
            return
        if self._stopped is None:
            work()
        else:
            self._stopped.append(work)

    def later(self, delay_s: float, work: Callable[[], None]) -> None:
        """Something in this life of the process."""
        life = self.disk.incarnation

        def then() -> None:
            if self.up and self.disk.incarnation == life:
                work()

        self.world.later(delay_s, lambda: self.when_awake(then))

    def repeat(self, low_s: float, high_s: float, work: Callable[[], None]) -> None:
        def again() -> None:
            work()
            self.repeat(low_s, high_s, work)

        self.later(self.world.chance.uniform(low_s, high_s), again)

    # Time

    def now_s(self) -> float:
        """This peer's clock."""
        if self.kit.wall_clock:
            return self.wall_s()
        return self.offset_s + self.rate * self.world.now_s

    def wall_s(self) -> float:
        """What the clock on the wall says; it jumps."""
        return self.wall_offset_s + self.world.now_s

    def keep_time(self) -> None:
        self.act(lambda: self.claims.tick(self.now_s()))
        wait_s = max(self.claims.next_deadline_s() - self.now_s(), 0.01) / self.rate
        self.later(wait_s, self.keep_time)

    # Links

    def linked(self, link: Link) -> None:
        """A link is there: both say hello and ask for what the other knows."""
        session = self.sessions[link] = SyncSession(self.copy)
        session.start()
        hello = m.Hello(peer=self.me, incarnation=self.disk.incarnation, name="x", port=1)
        link.send(self.me, encode_json(m.encode(hello)))
        self.flush(link)

    def cut(self, link: Link) -> None:
        """A link is gone."""
        if self.sessions.pop(link, None):
            if self.greeted.get(link.other(self.me)) is link:
                del self.greeted[link.other(self.me)]
            self.sync_changed()

    def frame(self, link: Link, frame: bytes) -> None:
        """A frame has come."""
        session = self.sessions.get(link)
        if session is None:
            return
        received = decode(frame)
        if isinstance(received, Json):
            self.message(link, m.decode(received.text))
            return
        before = session.synced
        session.receive(received)
        self.flush(link)
        self.changed(link)
        if session.synced != before:
            self.sync_changed()

    def message(self, link: Link, message: m.Message) -> None:
        peer = link.other(self.me)
        match message:
            case m.Hello():
                self.greeted[peer] = link
                self.sync_changed()
                self.tell(ce.PeerSeen(peer=peer))
            case _ if self.greeted.get(peer) is not link:
                return
            case m.Heartbeat(held=held):
                self.tell(ce.HeardOf(peer=peer, held=tuple(held)))
            case m.Ask() | m.Grant() | m.Deny() | m.Arm() | m.Armed() | m.Release():
                self.tell(ce.ClaimMessageReceived(peer=peer, message=message))

    def sync_changed(self) -> None:
        synced = all(self.sessions[link].synced for link in self.greeted.values())
        self.tell(ce.SyncChanged(synced=synced))

    def flush(self, link: Link) -> None:
        for frame in self.sessions[link].effects():
            link.send_document(self.me, frame)

    def beat(self) -> None:
        beat = m.Heartbeat(held=[*self.claims.heartbeat(self.now_s())])
        frame = encode_json(m.encode(beat))
        for link in self.greeted.values():
            link.send(self.me, frame)

    # The document and the disk

    def edit(self, entries: list[Entry], stored: Callable[[bool], None] | None = None) -> None:
        """Writes, and sends at once; `stored` is told when it is durable. A full disk is known
        before, and nothing is written."""
        if stored and self.world.chance.random() < self.disk.full:
            self.later(0.01, lambda: stored(False))
            return
        self.copy.write(entries)
        updates = self.changed(None)
        self.store(lambda: self.disk.updates.extend(updates), stored, may_fail=False)

    def changed(self, source: Link | None) -> list[bytes]:
        """Stores and passes on what is new; what is our own is stored by `edit`, and goes behind
        what waits to be passed on."""
        updates = self.copy.take_updates()
        if updates and source is None:
            self.pass_on()
        elif updates:
            self.later(FORWARD_S, self.pass_on)
        for update in updates:
            if source:
                self.relay.put(update, source)
            for link in () if source else self.sessions:
                link.send_document(self.me, encode_update(update), may_lag=True)
            if source and not self.kit.forgets:
                self.store(partial(self.disk.updates.append, update))
        if updates:
            self._state, self._fresh = None, True
            self.later(0.001, self.look)
        return updates

    def pass_on(self) -> None:
        """What others have changed goes to further peers."""
        for link, frame in self.relay.take([*self.sessions]):
            link.send_document(self.me, frame, may_lag=True)

    @property
    def state(self) -> QueueState:
        """What this peer's document says."""
        return self.read_document()

    def read_document(self) -> QueueState:
        if self._state is None:
            for root, key, value in self.copy.take_changes():
                self.reader.change(root, key, value)
                if root == "queue":
                    self.fields[key] = value
            self._state = self.reader.state()
            self._lists = read_voter_lists(self.fields)
        return self._state

    @property
    def lists(self) -> VoterLists:
        """The voters as this peer's document has them."""
        self.read_document()
        return self._lists

    def store(
        self,
        write: Callable[[], None],
        stored: Callable[[bool], None] | None = None,
        *,
        may_fail: bool = True,
    ) -> None:
        chance, world = self.world.chance, self.world
        self.disk_free_s = max(self.disk_free_s, world.now_s) + self.write_s()
        full = may_fail and stored is not None and chance.random() < self.disk.full
        if stored and self.kit.acknowledges_first:
            stored(True)

        def finish() -> None:
            if not full:
                write()
            if stored and not self.kit.acknowledges_first:
                stored(not full)

        self.later(self.disk_free_s - world.now_s, finish)

    def write_s(self) -> float:
        """How long a write takes; an SD card sometimes thinks for seconds."""
        chance = self.world.chance
        return chance.uniform(0.5, 4.0) if chance.random() < 0.03 else chance.uniform(0.001, 0.1)

    def read_records(self) -> None:
        """What the document says of claims must be known before anything is decided."""
        if not self._fresh:
            return
        self._fresh = False
        state = self.state
        rules = Rules(mode=state.settings.mode, lists=self.lists)
        event = ce.RecordsRead(
            claims=state.claims,
            over=state.ended | state.lost,
            others=frozenset(state.roster),
            rules=rules,
        )
        self.claims.receive(event, self.now_s())
        for claim in state.claims:
            if claim.epoch > self.epochs.get(claim.job, 0):
                self.epochs[claim.job] = claim.epoch
        for job, epoch in self.epochs.items():
            if self.claims._records.epoch(job) < epoch:
                raise Fell(f"{job} at {self.me}")

    # Claims

    def tell(self, event: ce.Event) -> None:
        self.act(lambda: self.claims.receive(event, self.now_s()))

    def act(self, change: Callable[[], None]) -> None:
        self.read_records()
        change()
        if self.claims.size > SIZE_MAX:
            raise Leaked(f"{self.claims.size} things at {self.me}")
        for effect in self.claims.effects():
            self.carry_out(effect)

    def carry_out(self, effect: ce.Effect) -> None:
        match effect:
            case ce.Tell(peer=peer, message=message):
                link = self.greeted.get(peer)
                self.world.note(f"{self.me[-2:]} to {peer[-2:]}: {_of(message)}")
                if link:
                    link.send(self.me, encode_json(m.encode(message)), unruly=True)
            case ce.StorePromise(claim=claim):
                put = self.disk.promises.__setitem__
                self.store(partial(put, claim.job, (claim, False)), partial(self.stored, effect))
            case ce.StoreArmed(claim=claim):
                self.store_armed(effect)
            case ce.DropPromise(claim=claim):
                self.store(partial(self.drop_promise, claim))
            case ce.StoreStart(claim=claim):
                self.edit([claim_entry(claim, at_s=self.wall_s())], partial(self.stored, effect))
            case ce.StateVoters(named=named):
                # An empty write is durable when everything before it is.
                entry = statement_entry(named, self.me)
                self.store(_nothing, lambda ok: self.edit([entry]) if ok else None)
            case ce.WriteEnd(claim=claim, reason=reason):
                self.edit([end_entry(claim, reason)])
            case ce.MayHeat(claim=claim):
                self.may_heat(claim)
            case ce.Missed(job=job):
                self.asking = False
                wait_s = self.world.chance.uniform(*RETRY_S)
                self.avoid_s[job] = self.world.now_s + wait_s
                self.later(wait_s, self.look)

    def store_armed(self, effect: ce.StoreArmed) -> None:
        claim = effect.claim
        if claim not in self.state.claims and not self.kit.forgets:
            self.edit([claim_entry(claim, at_s=self.wall_s())])
        put = self.disk.promises.__setitem__
        kept = _nothing if self.kit.forgets else partial(put, claim.job, (claim, True))
        self.store(kept, partial(self.stored, effect))

    def drop_promise(self, claim: Claim) -> None:
        if self.disk.promises.get(claim.job, (None, False))[0] == claim:
            del self.disk.promises[claim.job]

    def stored(self, effect: ce.Storing, ok: bool) -> None:
        self.tell(ce.PromiseStored(effect=effect) if ok else ce.PromiseNotStored(effect=effect))

    # The worker

    def look(self) -> None:
        self.work()

    def work(self) -> None:
        """One step: report, go on with the job that is held, or choose one."""
        self.read_records()
        if self.asking or self.busy:
            return
        saved = self.disk.saved
        if saved.printing:
            self.watch(saved.printing)
        elif saved.held:
            self.go_on(saved.held)
        else:
            self.end_strays()
            self.choose()

    def watch(self, printing: RunRecord) -> None:
        result = self.printer.results.get(printing.print_id)
        if result is None and self.printer.heating is None:
            self.save(replace(self.disk.saved, printing=None))  # It never began.
        elif result is not None:
            done = replace(printing, result=result)
            self.busy = True
            self.edit([record_entry(done)], self.recorded)

    def recorded(self, ok: bool) -> None:
        self.busy = False
        if ok:
            self.save(replace(self.disk.saved, printing=None))

    def save(self, saved: Saved, then: Callable[[], None] | None = None) -> None:
        self.busy = True

        def write() -> None:
            self.disk.saved = saved

        def stored(ok: bool) -> None:
            self.busy = False
            if ok and then:
                then()

        self.store(write, stored)

    def go_on(self, held: Claim) -> None:
        owner = self.claims.held_by(held.job, self.now_s())
        replaced = owner is not None and owner.peer != self.me
        if held in self.state.ended | self.state.lost or replaced or not self.next(held.job):
            self.end_strays()
            self.save(Saved())
        elif not self.kit.fenced:
            self.begin(held)
        elif self.avoid_s.get(held.job, 0.0) <= self.world.now_s:
            self.want(held.job)

    def end_strays(self) -> None:
        """Nobody can tell whether they were armed, or they are given back."""
        still_open = self.state.claims - self.state.ended
        mine = sorted((c for c in still_open if c.peer == self.me), key=lambda c: c.key)
        if mine:
            self.edit([end_entry(claim, "given up") for claim in mine])

    def choose(self) -> None:
        held = self.claims.held(self.now_s())
        for job in self.state.jobs:
            free = job.id not in held and self.avoid_s.get(job.id, 0.0) <= self.world.now_s
            if free and self.next(job.id):
                self.want(job.id)
                return

    def next(self, job: JobId) -> NextCopy | None:
        found = self.state.job(job)
        known = self.copies.get(job)
        if found and (known is None or known[0] is not found):
            known = self.copies[job] = found, next_copy(found, MK3S)
        return known[1] if found and known else None

    def want(self, job: JobId) -> None:
        self.asking = True
        self.tell(ce.Want(job=job))

    def may_heat(self, claim: Claim) -> None:
        self.world.note(f"{self.me[-2:]} may heat {claim.key}")
        self.judge.armed += 1
        self.asking = False
        self.busy = True
        # Most often the file is here and the bed is clear; now and then a person is waited for.
        chance = self.world.chance
        wait_s = chance.uniform(0.0, 45.0) if chance.random() < 0.25 else 0.0
        self.later(wait_s, partial(self.begin, claim))

    def begin(self, claim: Claim) -> None:
        self.busy = False
        copy = self.next(claim.job)
        printing = None
        if copy:
            taken = self.printer.results
            number = next(n for n in range(1, 999) if claim.print_id(n) not in taken)
            printing = RunRecord(
                print_id=claim.print_id(number),
                generation=0,
                run=copy.run,
                copy=copy.number,
                set=copy.set.id,
                profile=MK3S,
                result=Result.DONE,
                reason="",
                started_at_s=0.0,
                ended_at_s=0.0,
                bytes=1,
            )
        self.save(Saved(held=claim, printing=printing), partial(self.start, claim, printing))

    def start(self, claim: Claim, printing: RunRecord | None) -> None:
        """It is stored what is printed: now the printer may be told, if it is not too late."""
        if printing is None:
            return
        if self.kit.fenced and not self.claims.may_begin(claim, self.now_s()):
            self.world.note(f"{self.me[-2:]} is too late for {claim.key}")
            self.save(Saved(held=claim))
            return
        recorded = claim in self.durable_claims() and claim not in self.state.ended
        self.judge.heats(self.me, claim, printing.print_id, recorded=recorded)
        self.printer.heating = printing
        chance = self.world.chance
        print_s = chance.uniform(*chance.choice(self.print_s))
        self.world.later(print_s, partial(self.finish, printing))

    def durable_claims(self) -> Iterable[Claim]:
        """The start records on the disk."""
        copy = self.kit.open_copy(1)
        for update in self.disk.updates:
            copy.integrate(update)
        keys = copy.content().get("claims", {})
        copy.close()
        return {claim for key in keys if (claim := Claim.from_key(key))}

    def finish(self, printing: RunRecord) -> None:
        if self.printer.heating is printing:
            self.printer.heating = None
            self.printer.results[printing.print_id] = Result.DONE
            self.judge.prints(printing)
            self.judge.cools(self.me, claim_of(printing))

    # A person

    def mark_lost(self, claim: Claim) -> None:
        """A person has looked at the printer, which is not at it."""
        self.world.note(f"{self.me[-2:]}: a person marks {claim.key} lost")
        self.judge.lost_marks += 1
        self.judge.given_up.add(claim.job)
        self.edit([lost_entry(claim, peer=self.me, by="Ann", at_s=self.wall_s())])


def claim_of(printing: RunRecord) -> Claim:
    claim = Claim.from_key(printing.print_id.rpartition("/")[0])
    assert claim
    return claim


def _of(message: m.ClaimMessage) -> str:
    reason = f": {message.reason}" if isinstance(message, m.Deny) else ""
    return f"{message.kind} {message.claim.claim.key}{reason}"


def _nothing() -> None:
    pass
