"""The words of the queue: job, set, run record, claim record, roster, as plain values."""

from dataclasses import dataclass, field
from enum import StrEnum

from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId, Profile, SetId, Sha256

COUNT_MAX = 999_999
NAME_CHARS_MAX = 200
SETS_PER_JOB_MAX = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRef:
    """A g-code file: known by its hash, shown by its name."""

    sha256: Sha256
    name: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintSet:
    """One file of a job, to be printed `copies` times in each run, on printers that fit."""

    id: SetId
    order: str
    file: FileRef
    copies: int
    profiles: frozenset[Profile]


class Result(StrEnum):
    """How a print ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One finished print: written once by the printer's peer, never changed.

    `generation` is the job's at the start, so that a reset leaves old prints uncounted. The times
    are wall-clock seconds of the writer, for people to read and never compared.
    """

    print_id: PrintId
    generation: int
    set: SetId
    profile: Profile
    result: Result
    reason: str
    started_at_s: float
    ended_at_s: float
    bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a person submitted, with the records of what was printed of it."""

    id: JobId
    name: str
    order: str
    runs: int
    generation: int
    paused: bool
    created_by: str
    created_at_s: float
    sets: tuple[PrintSet, ...]
    records: tuple[RunRecord, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterEntry:
    """What a peer says of itself in the document."""

    peer: PeerId
    name: str
    profile: Profile | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """One queue's document as of now, in the order in which it is printed.

    `claims` are all start records, `ended` those of them that have an end record. `deleted` jobs
    are kept, because a print of one may still be running. `holders` says who has which file.
    """

    jobs: tuple[Job, ...] = ()
    deleted: tuple[Job, ...] = ()
    claims: frozenset[Claim] = frozenset()
    ended: frozenset[Claim] = frozenset()
    roster: dict[PeerId, RosterEntry] = field(default_factory=dict)
    holders: dict[Sha256, frozenset[PeerId]] = field(default_factory=dict)

    def job(self, job: JobId) -> Job | None:
        """The job of this id that is not deleted, or None."""
        return next((each for each in self.jobs if each.id == job), None)

    def open_claims(self, job: JobId) -> frozenset[Claim]:
        """The claims of `job` that no record ends."""
        return frozenset(c for c in self.claims if c.job == job and c not in self.ended)
