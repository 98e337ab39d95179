"""The values of a queue: settings, jobs, sets, run records, roster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crdtqueue.core.ids import Claim, JobId, PeerId, PrintId, Profile, SetId, Sha256
from crdtqueue.core.yjs.lib0 import JsonValue

COUNT_MAX = 999_999
NAME_CHARS_MAX = 200
NOTE_CHARS_MAX = 2_000
METADATA_CHARS_MAX = 4_000
SETS_PER_JOB_MAX = 200
MATERIALS_MAX = 16
VOTERS_MAX = 64


class Mode(StrEnum):
    """Who must agree before a printer may take a job."""

    AVAILABLE = "available"
    """Every peer in sight: prints go on with whoever is there."""
    SAFE = "safe"
    """A majority of the named voters: no print twice, whatever the network does."""


class Strategy(StrEnum):
    """The order in which a printer takes the jobs of a queue."""

    IN_ORDER = "in-order"
    LEAST_CHANGES = "least-changes"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueSettings:
    """The settings of a queue, the same for all its peers."""

    name: str = ""
    generation: int = 1
    strategy: Strategy = Strategy.IN_ORDER
    mode: Mode = Mode.AVAILABLE
    voter_fields: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the document says of voters, for `crdtqueue.core.claims.quorum` to read."""
    schema: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRef:
    """A g-code file: identified by its hash, shown by its name."""

    sha256: Sha256
    name: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintSet:
    """One file of a job, printed `copies` times in each run, on printers that it fits.

    `extras` are additional copies, by generation and run of the job (counted from 1). `materials`
    are the materials that each tool must be loaded with, empty where it does not matter. `metadata`
    is text of other programs about the file; it is kept and not interpreted.
    """

    id: SetId
    order: str
    file: FileRef
    copies: int
    profiles: frozenset[Profile]
    materials: tuple[str, ...] = ()
    extras: Mapping[tuple[int, int], int] = field(default_factory=dict)
    metadata: str = ""

    def wanted(self, generation: int, run: int) -> int:
        """Copies to be printed in this run."""
        return self.copies + self.extras.get((generation, run), 0)


class Result(StrEnum):
    """How a print ended."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"
    """Nobody can say how: the printer no longer knows of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord:
    """One print that ended. The peer of the printer writes it once; it never changes.

    `generation` is that of the job at the start of the print: after *print again* older prints do
    not count. `run` and `copy` (both from 1) name the copy that was printed, so that two prints of
    one copy are seen to be a double. The times are wall-clock seconds of the writer, for people to
    read, never compared.
    """

    print_id: PrintId
    generation: int
    run: int
    copy: int
    set: SetId
    profile: Profile
    result: Result
    reason: str
    started_at_s: float
    ended_at_s: float
    bytes: int
    filament_mm: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Somebody is editing a job. It is written again with the keystrokes, with another `beat`."""

    peer: PeerId
    by: str
    beat: int


class Deletion(StrEnum):
    """Whether, and when, a job is deleted."""

    NONE = "none"
    AFTER_COPY = "after-copy"
    """As soon as no printer has it; until then no further copy is begun."""
    NOW = "now"
    MOVED = "moved"
    """To another queue: gone from this one, and not to be brought back."""

    @property
    def is_gone(self) -> bool:
        """Whether nobody may print it any more."""
        return self in {Deletion.NOW, Deletion.MOVED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What a person has added, with the records of its prints.

    `forgiven` counts the failed prints of this generation that a person has looked at.
    """

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
    note: str = ""
    forgiven: int = 0
    draft: Draft | None = None
    deletion: Deletion = Deletion.NONE


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterEntry:
    """What a peer has written about itself."""

    peer: PeerId
    name: str
    profile: Profile | None
    addresses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueState:
    """The content of a queue's document, with the jobs in the order in which they are printed.

    `claims` are all start records; `ended` are the claims that have an end record, and `lost` those
    that a person has given up. `deleted` jobs are kept, because a print of one may still be
    running. `holders` says which peers have which file.
    """

    settings: QueueSettings = field(default_factory=QueueSettings)
    jobs: tuple[Job, ...] = ()
    deleted: tuple[Job, ...] = ()
    claims: frozenset[Claim] = frozenset()
    ended: frozenset[Claim] = frozenset()
    lost: frozenset[Claim] = frozenset()
    roster: dict[PeerId, RosterEntry] = field(default_factory=dict)
    holders: dict[Sha256, frozenset[PeerId]] = field(default_factory=dict)

    def job(self, job: JobId) -> Job | None:
        """The job of this id that is not deleted, or None."""
        return next((each for each in self.jobs if each.id == job), None)

    def open_claims(self, job: JobId) -> frozenset[Claim]:
        """The claims of `job` that no record ends and no person has given up."""
        over = self.ended | self.lost
        return frozenset(c for c in self.claims if c.job == job and c not in over)
