"""The states, events and effects of the worker in `worker.py`, and what it stores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from crdtqueue.core.document.model import (
    FileRef,
    QueueState,
    Result,
    RunRecord,
)
from crdtqueue.core.document.progress import FAILURES_MAX
from crdtqueue.core.ids import Claim, JobId, PrintId, Profile, QueueName, SetId, Sha256
from crdtqueue.core.worker.bed import (
    Clearing,
    Cooldown,
)
from crdtqueue.core.worker.materials import Loaded
from crdtqueue.core.worker.scripts import (
    CycleStep,
    ScriptRun,
    Scripts,
)
from crdtqueue.core.worker.strategy import Overtaken


class WorkerState(StrEnum):
    """The states of the cycle."""

    IDLE = "idle"
    CLAIMING = "claiming"
    HOLDING = "holding"
    FETCHING = "fetching"
    STARTING = "starting"
    RESUMING = "resuming"
    PRINTING = "printing"
    REPORTING = "reporting"


AT_REST = frozenset({WorkerState.IDLE, WorkerState.HOLDING})
AT_PRINTER = frozenset({WorkerState.STARTING, WorkerState.RESUMING, WorkerState.PRINTING})


class WaitReason(StrEnum):
    """Why nothing can begin now. Of several reasons the first one counts."""

    PRINTER = "offline"
    SOMEBODY_ELSE = "busy"
    """It prints something that is not of the queues."""
    SCRIPT = "script"
    COOLING = "cooling"
    BED = "waiting_for_bed"
    MANAGING = "stopped"
    MATERIAL = "waiting_for_material"


RETRIES_MAX = FAILURES_MAX - 1
"""No printer tries a job again more often than all of them together may."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerConfig:
    """What a person has set for a printer.

    `retries` is how often a failed job is printed again before a person has to look.
    """

    profile: Profile
    self_clearing: bool = False
    retries: int = RETRIES_MAX
    cooldown: Cooldown | None = None


class PrintPhase(StrEnum):
    """The phases of a print, as the printer reports them."""

    STARTING = "starting"
    PRINTING = "printing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


RESULTS = {
    PrintPhase.DONE: Result.DONE,
    PrintPhase.FAILED: Result.FAILED,
    PrintPhase.CANCELLED: Result.CANCELLED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyPrint:
    """The print of one copy, from before its start until it is recorded. It is stored."""

    queue: QueueName
    claim: Claim
    number: int
    generation: int
    run: int
    copy: int
    set: SetId
    file: FileRef
    started_at_s: float
    materials: tuple[str, ...] = ()

    @property
    def print_id(self) -> PrintId:
        """The print id that the printer gets."""
        return self.claim.print_id(self.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerMemory:
    """What the worker stores, so that a restart changes nothing.

    `held_claim` is the key of the armed claim that the printer works on, also between two copies;
    empty if there is none. At most one of `printing` and `script` is at the printer. `todo` are the
    steps before the next print; `prepared` is the job for whose next print the before-print script
    has run. `worked` is set once something was printed since the queues were last empty; `called`
    once a person was called to the printer and has not been there since. `failed_jobs` are the jobs
    whose prints have failed here one after the other. `stopped_because` is a sentence: why the
    printer takes no jobs although no person has stopped it. `strange` is set when somebody else has
    used the printer since we were about to begin what is at the printer. `doubtful` are prints that
    the printer did not know; start requests for them may still arrive. `last_begun` is what the
    printer was last told to do, print or script, until the bed is cleared or used by somebody else.
    """

    printing: CopyPrint | None = None
    script: ScriptRun | None = None
    todo: tuple[CycleStep, ...] = ()
    prepared: JobId | None = None
    strange: bool = False
    doubtful: tuple[CopyPrint, ...] = ()
    last_begun: PrintId | None = None
    bed_clear: bool = True
    managing: bool = True
    stopped_because: str = ""
    worked: bool = False
    called: bool = False
    held_queue: QueueName | None = None
    held_claim: str = ""
    loaded: Loaded = field(default_factory=Loaded)
    overtaken: tuple[Overtaken, ...] = ()
    failed_jobs: tuple[JobId, ...] = ()

    @property
    def at_printer(self) -> PrintId | None:
        """The print or script that the printer was told to do last, until it is over."""
        under_way = self.printing or self.script
        return under_way.print_id if under_way else None

    @property
    def held(self) -> tuple[QueueName, Claim] | None:
        """The queue and claim that are held."""
        claim = Claim.from_key(self.held_claim)
        return (self.held_queue, claim) if claim and self.held_queue else None


# Events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueView:
    """One queue as the worker needs it: its document, the owners of its jobs, and why it cannot be
    asked.

    `holds_back` is a sentence, empty if jobs may be asked for.
    """

    name: QueueName
    state: QueueState
    held: Mapping[JobId, Claim]
    holds_back: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueuesRead:
    """The queues, in the order in which the worker walks them."""

    queues: tuple[QueueView, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """The claim is armed: one print may begin until `begin_until_s`, on the clock of `now_s`."""

    queue: QueueName
    claim: Claim
    begin_until_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class NotClaimed:
    """This peer did not get the job, or the further print of it."""

    queue: QueueName
    job: JobId


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """The file is here, and its hash is verified."""

    sha256: Sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFetched:
    """No peer in sight could give the file."""

    sha256: Sha256
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterSeen:
    """A report of the printer. `problem` is empty while the printer is connected and ready to
    print.

    `print_id` and the fields behind it belong to the present print, or to the last one. `bed_c` is
    None if the printer does not tell it.
    """

    problem: str = ""
    print_id: PrintId | None = None
    phase: PrintPhase | None = None
    reason: str = ""
    bytes: int = 0
    bed_c: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StartRefused:
    """The printer will never print this (wrong file, no g-code); nothing has moved."""

    print_id: PrintId
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StartDelayed:
    """The printer has not begun; the start is tried again. `told` means that it may begin all the
    same."""

    print_id: PrintId
    reason: str
    told: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintUnknown:
    """The printer answers, and does not know this print."""

    print_id: PrintId


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """The run record is durable, and in the last `QueuesRead`."""

    print_id: PrintId


@dataclass(frozen=True, kw_only=True, slots=True)
class BedCleared:
    """The bed is clear."""

    source: Clearing = Clearing.PERSON


@dataclass(frozen=True, kw_only=True, slots=True)
class Manage:
    """A person lets the queues use this printer, or stops that."""

    managing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MaterialsLoaded:
    """A person says what is loaded, by tool; None if prints must not wait for material any more."""

    tools: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptsSet:
    """The scripts from now on."""

    scripts: Scripts


Event: TypeAlias = (
    QueuesRead
    | Claimed
    | NotClaimed
    | Fetched
    | NotFetched
    | PrinterSeen
    | StartRefused
    | StartDelayed
    | PrintUnknown
    | Recorded
    | BedCleared
    | Manage
    | MaterialsLoaded
    | ScriptsSet
)

# Effects ------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class AskForJob:
    """Ask for a job of this queue, or for a further print of the job that is held.

    Answered by `Claimed` or `NotClaimed`. `Claimed` ends the claim that is held.
    """

    queue: QueueName
    job: JobId


@dataclass(frozen=True, kw_only=True, slots=True)
class EndClaim:
    """Write the end record of our claim."""

    queue: QueueName
    claim: Claim
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchFile:
    """Fetch the file; answered by `Fetched` or `NotFetched`."""

    queue: QueueName
    file: FileRef


@dataclass(frozen=True, kw_only=True, slots=True)
class SaveMemory:
    """Store this durably before any later effect is carried out."""

    saved: WorkerMemory


@dataclass(frozen=True, kw_only=True, slots=True)
class StartCopy:
    """Tell the printer to start, if its claim still allows that at this moment; if not, answer with
    `StartDelayed`. The printer never starts a print id twice."""

    printing: CopyPrint


@dataclass(frozen=True, kw_only=True, slots=True)
class StartScript:
    """Tell the printer to run a script, as with `StartCopy`."""

    script: ScriptRun


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteRunRecord:
    """Write the run record durably, unless it is there; answered by `Recorded`."""

    queue: QueueName
    record: RunRecord
    file: FileRef


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseJob:
    """Pause the job until a person resumes it."""

    queue: QueueName
    job: JobId


Effect: TypeAlias = (
    AskForJob
    | EndClaim
    | FetchFile
    | SaveMemory
    | StartCopy
    | StartScript
    | WriteRunRecord
    | PauseJob
)
