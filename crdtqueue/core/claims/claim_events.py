"""The events and effects of the claim protocol in `claims.py`."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from crdtqueue.core.claims.mark_lost import MARK_LOST_AFTER_S
from crdtqueue.core.claims.quorum import (
    Rules,
    VoterList,
)
from crdtqueue.core.ids import Claim, JobId, PeerId
from crdtqueue.core.sync.messages import (
    ClaimMessage,
    HeldClaim,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimTimes:
    """The time-outs of the protocol, in seconds of this machine's clock."""

    heartbeat_s: float = 2.0
    out_of_sight_s: float = 8.0
    answer_s: float = 4.0
    unarmed_lapse_s: float = 16.0
    takeover_s: float = 30 * 60.0
    cold_start_hold_s: float = 60.0
    begin_within_s: float = 8.0
    """How long after asking for a claim a print may begin under it."""
    mark_lost_after_s: float = MARK_LOST_AFTER_S
    """How long its owner must have been silent before a person may end a claim."""


class No(StrEnum):
    """The reasons for which a claim is not granted."""

    HELD = "another printer has it"
    PROMISED = "it is promised to another printer"
    OUTRANKED = "another printer asked at the same moment"
    STALE = "it was claimed meanwhile"
    UNSYNCED = "the queue is not in sync yet"
    NO_ANSWER = "a peer in sight did not answer"
    NO_MAJORITY = "no majority of the queue's voters is in sight"
    DISK = "a disk is full"
    COLD_START = "just started, and no other peer is in sight yet"
    OUTDATED = "the queue has records of a later start of this peer"
    BUSY = "another claim is under way"
    EXHAUSTED = "it was claimed as often as can be counted; delete it and add it again"


# Events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Want:
    """The worker wants this job, or a further print of the job that it holds."""

    job: JobId


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerSeen:
    """A peer said hello, or sent any other message."""

    peer: PeerId


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerGone:
    """A peer said that it stops. A link that only closes is not this event."""

    peer: PeerId


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimMessageReceived:
    """A peer sent a claim message."""

    peer: PeerId
    message: ClaimMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class HeardOf:
    """A heartbeat named these open claims."""

    peer: PeerId
    held: tuple[HeldClaim, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsRead:
    """The claim records of the document, after every change of it.

    `over` holds the claims that have an end record or were marked lost; `others` is the roster.
    """

    claims: frozenset[Claim]
    over: frozenset[Claim]
    others: frozenset[PeerId]
    rules: Rules


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncChanged:
    """Whether the document is in sync with every peer in sight."""

    synced: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PromiseStored:
    """The `StorePromise`, `StoreStart` or `StoreArmed` effect for this claim is durable."""

    effect: "Storing"


@dataclass(frozen=True, kw_only=True, slots=True)
class PromiseNotStored:
    """That effect could not be made durable."""

    effect: "Storing"


Event: TypeAlias = (
    Want
    | PeerSeen
    | PeerGone
    | ClaimMessageReceived
    | HeardOf
    | RecordsRead
    | SyncChanged
    | PromiseStored
    | PromiseNotStored
)

# Effects ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Tell:
    """Send this message to this peer."""

    peer: PeerId
    message: ClaimMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class StorePromise:
    """Store the promise durably, then report `PromiseStored`."""

    claim: Claim


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreStart:
    """Write our start record into the document durably, then report `PromiseStored`."""

    claim: Claim


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreArmed:
    """Store durably that another peer's claim is armed, and its start record in the document unless
    it is there; then report `PromiseStored`. The record is written before anything is awaited."""

    claim: Claim


@dataclass(frozen=True, kw_only=True, slots=True)
class DropPromise:
    """The stored promise to this claim is no longer needed and may be deleted at any time."""

    claim: Claim


@dataclass(frozen=True, kw_only=True, slots=True)
class StateVoters:
    """Make the whole document durable, then write our `statement_entry` for this voter list."""

    named: VoterList


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteEnd:
    """Write the end record of our claim."""

    claim: Claim
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MayHeat:
    """The claim is armed: this peer owns the job, and may begin one print of it until
    `begin_until_s`; see `Claims.may_begin`."""

    claim: Claim
    begin_until_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """This peer did not get the job, or the further print of it."""

    job: JobId
    reason: No


Storing: TypeAlias = StorePromise | StoreStart | StoreArmed
"""The effects that are answered by `Stored` or `NotStored`."""

Effect: TypeAlias = Tell | Storing | DropPromise | StateVoters | WriteEnd | MayHeat | Missed
