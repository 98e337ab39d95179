"""Runs the claims of one queue: connects the state machine with document, store and links."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from crdtqueue.adapters.store import Store
from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.claims import Claims
from crdtqueue.core.claims.quorum import (
    Rules,
    VoterList,
    read_voter_lists,
    statement_entry,
)
from crdtqueue.core.document.keys import (
    claim_entry,
    end_entry,
)
from crdtqueue.core.document.model import (
    QueueSettings,
    QueueState,
)
from crdtqueue.core.errors import Unavailable
from crdtqueue.core.ids import Claim, JobId, PeerId, QueueName
from crdtqueue.core.sync.messages import ClaimMessage, Deny
from crdtqueue.peer.queue_listener import QueueListener
from crdtqueue.peer.replica import Replica
from printer_driver import clock

_Written: TypeAlias = ce.Storing | ce.DropPromise | ce.WriteEnd | ce.StateVoters

log = logging.getLogger(__name__)


class ClaimsRunner:
    """Call `open`, keep `run` running, and tell it what happens.

    `listener` hears whether a job that was asked for is ours; `tell` sends a message to a peer.
    """

    def __init__(
        self,
        name: QueueName,
        *,
        replica: Replica,
        store: Store,
        listener: QueueListener,
        tell: Callable[[PeerId, ClaimMessage], None],
    ) -> None:
        self.wanted: JobId | None = None
        """The job that was asked for, until there is an answer."""
        self._name = name
        self._replica = replica
        self._store = store
        self._listener = listener
        self._tell = tell
        self._claims: Claims | None = None
        self._unread = True
        self._wake = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._waiting: list[_Written] = []

    @property
    def claims(self) -> Claims:
        """The claims. Raises Unavailable before `open`."""
        if self._claims is None:
            raise Unavailable(f"The queue {self._name} is not open yet.")
        return self._claims

    async def open(self, me: PeerId, incarnation: int, times: ce.ClaimTimes) -> None:
        """Reads the promises from the store."""
        self._claims = Claims(
            me=me,
            incarnation=incarnation,
            times=times,
            promises=await self._store.promises(self._name),
            now_s=clock.now_s(),
        )
        self.receive(ce.SyncChanged(synced=True))

    async def run(self) -> None:
        """Stores what must be stored, and calls the claims when their time comes, until
        cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            self._store_waiting()
            try:
                await self._keep_time()
            finally:
                self._tasks = None

    def want(self, job: JobId) -> None:
        """Asks for a job; the listener hears the answer."""
        self.wanted = job
        self.receive(ce.Want(job=job))

    def may_begin(self, claim: Claim) -> bool:
        """Whether a print may begin under this claim of ours now; if not, `want` the job again."""
        return self.claims.may_begin(claim, clock.now_s())

    def is_owner(self, claim: Claim) -> bool:
        """Whether this claim owns its job, by all that has been heard until now."""
        self.catch_up()
        return self.claims.held_by(claim.job, clock.now_s()) == claim

    async def end(self, claim: Claim, reason: str) -> None:
        """Ends a claim of ours, durably."""
        await self._replica.edit([end_entry(claim, reason)])

    def give_up(self) -> None:
        """The queue is closed: a job that was asked for is missed."""
        if self.wanted:
            self._listener.missed(self._name, self.wanted, ce.No.UNSYNCED)

    def receive(self, event: ce.Event) -> None:
        """Tells the claims what happened."""
        self._log_event(event)
        self._read_records()
        self.claims.receive(event, clock.now_s())
        self._carry_out()
        self._wake.set()

    def _log_event(self, event: ce.Event) -> None:
        if not log.isEnabledFor(logging.DEBUG):
            return
        match event:
            case ce.ClaimMessageReceived(peer=peer, message=message):
                said = f": {message.reason}" if isinstance(message, Deny) else ""
                text = f"{message.kind} from {peer} for {message.claim.claim.key}{said}"
            case ce.Want(job=job):
                text = f"job {job} is asked for"
            case ce.SyncChanged(synced=synced):
                text = "in sync" if synced else "not in sync"
            case ce.PeerSeen(peer=peer) | ce.PeerGone(peer=peer):
                text = f"{type(event).__name__}: {peer}"
            case ce.PromiseStored(effect=effect) | ce.PromiseNotStored(effect=effect):
                text = f"{type(event).__name__}: {type(effect).__name__} {effect.claim.key}"
            case _:
                return  # heartbeats and reads of the document: many, and nothing new in them
        log.debug("%s: %s", self._name, text)

    def _log_effect(self, effect: ce.Effect) -> None:
        match effect:
            case ce.Tell(peer=peer, message=message):
                said = f": {message.reason}" if isinstance(message, Deny) else ""
                log.debug(
                    "%s: %s to %s for %s%s",
                    self._name,
                    message.kind,
                    peer,
                    message.claim.claim.key,
                    said,
                )
            case ce.Missed(job=job, reason=reason):
                log.debug("%s: job %s is not ours: %s", self._name, job, reason.value)
            case ce.MayHeat(claim=claim):
                log.debug("%s: claim %s is armed, the printer may heat", self._name, claim.key)
            case ce.StateVoters(named=named):
                log.debug("%s: states that it goes by the voters %s", self._name, named.id)
            case _:
                log.debug("%s: %s %s", self._name, type(effect).__name__, effect.claim.key)

    def catch_up(self) -> None:
        """Takes in what has happened until now, also while this machine slept."""
        self._read_records()
        self.claims.tick(clock.now_s())
        self._carry_out()

    def document_changed(self) -> None:
        """The document has changed since it was last read."""
        self._unread = True
        self._wake.set()

    def _read_records(self) -> None:
        """Tells the claims what the document says, before they decide anything."""
        if self._unread:
            self._unread = False
            event = records_of(self._replica.state)
            self.claims.receive(event, clock.now_s())

    def _carry_out(self) -> None:
        for effect in self.claims.effects():
            if log.isEnabledFor(logging.DEBUG):
                self._log_effect(effect)
            match effect:
                case ce.Tell(peer=peer, message=message):
                    self._tell(peer, message)
                case ce.MayHeat():
                    self.wanted = None
                    self._listener.claimed(self._name, effect)
                case ce.Missed(job=job, reason=reason):
                    self.wanted = None
                    self._listener.missed(self._name, job, reason)
                case _:
                    self._waiting.append(effect)
        self._store_waiting()

    def _store_waiting(self) -> None:
        """Stores the waiting promises, while `run` is running.

        The tasks begin in this order, and each has changed the document before it first waits.
        """
        if self._tasks:
            waiting, self._waiting = self._waiting, []
            for effect in waiting:
                self._tasks.create_task(self._store_effect(effect), name="promise")

    async def _store_effect(self, effect: _Written) -> None:
        try:
            await self._write(effect)
        except Unavailable as error:
            log.error("%s", error)  # noqa: TRY400  # a full disk, not a defect
            if isinstance(effect, ce.Storing):
                self.receive(ce.PromiseNotStored(effect=effect))
        else:
            if isinstance(effect, ce.Storing):
                self.receive(ce.PromiseStored(effect=effect))

    async def _write(self, effect: _Written) -> None:
        match effect:
            case ce.StorePromise(claim=claim):
                await self._store.put_promise(self._name, claim, armed=False)
            case ce.StoreArmed(claim=claim):
                promised = self._store.put_promise(self._name, claim, armed=True)
                try:
                    await self._have_record(claim)
                finally:
                    await promised
            case ce.StoreStart(claim=claim):
                await self._replica.edit([claim_entry(claim, at_s=clock.wall_s())])
            case ce.DropPromise(claim=claim):
                await self._store.drop_promise(self._name, claim)
            case ce.WriteEnd(claim=claim, reason=reason):
                await self._replica.edit([end_entry(claim, reason)])
            case ce.StateVoters(named=named):
                await self._state(named)

    async def _have_record(self, claim: Claim) -> None:
        """Makes sure that the start record is in the document, by its owner or by us, and
        durable."""
        if claim in self._replica.state.claims:
            await self._replica.durable()
        else:
            await self._replica.edit([claim_entry(claim, at_s=clock.wall_s())])

    async def _state(self, named: VoterList) -> None:
        """Writes the statement once its reasons are durable: they must survive us before others
        read it."""
        await self._replica.durable()
        await self._replica.edit([statement_entry(named, self.claims.me)])

    async def _keep_time(self) -> None:
        while True:
            self._wake.clear()
            now_s = clock.now_s()
            self.catch_up()
            wait_s = max(self.claims.next_deadline_s() - now_s, 0.01)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()


def records_of(state: QueueState) -> ce.RecordsRead:
    """The records of a document, as an event for the claims."""
    return ce.RecordsRead(
        claims=state.claims,
        over=state.ended | state.lost,
        others=frozenset(state.roster),
        rules=rules_of(state.settings),
    )


def rules_of(settings: QueueSettings) -> Rules:
    """Whose grants a claim of a queue needs."""
    return Rules(mode=settings.mode, lists=read_voter_lists(settings.voter_fields))
