"""What the worker of `crdtqueue.core.worker.worker` is told, and what it wants done."""

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
    """Where in the cycle the printer is."""

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
    """Why nothing could be begun now. Of several reasons the first counts."""

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
    """What a person has decided about a printer.

    `retries` is how often it prints a job again that has failed, before a person has to look.
    """

    profile: Profile
    self_clearing: bool = False
    retries: int = RETRIES_MAX
    cooldown: Cooldown | None = None


class PrintPhase(StrEnum):
    """What the printer says of a print."""

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
    """One print of ours, from before its start until it is recorded. It survives restarts."""

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
        """What the printer knows this print by."""
        return self.claim.print_id(self.number)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerMemory:
    """What the worker keeps in the store.

    `held_claim` is the key of the armed claim that the printer works on, also between two copies;
    empty if there is none. Of `printing` and `script` at most one is at the printer; `todo` comes
    before the next print, and `prepared` is the job for whose next print the before-print script
    has run. `worked` is set once something was printed since the queues were last empty, `called`
    once a person was called to the printer since somebody last was there. `failed_jobs` are those
    whose prints have failed here one after the other, and `stopped_because` is why the printer
    takes no jobs although nobody has stopped it, as a sentence. `strange` is set once somebody else
    has printed something since we were to begin what is at the printer. `doubtful` are prints that
    the printer did not know of; requests that were on their way then may yet arrive. `last_begun`
    is what the printer was told to do last, print or script, until the bed is cleared or used by
    somebody else.
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
        """What the printer was told to do last, until that is over."""
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
    """One queue as the worker needs it: its document, who owns what, and why it cannot be asked.

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
    """The claim is armed: until `begin_until_s`, by the clock of `now_s`, one print may begin."""

    queue: QueueName
    claim: Claim
    begin_until_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class NotClaimed:
    """The job, or the further print of it, is not ours this time."""

    queue: QueueName
    job: JobId


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """The file is here, and its hash was verified."""

    sha256: Sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFetched:
    """No peer in sight could give the file."""

    sha256: Sha256
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PrinterSeen:
    """What the printer says. `problem` is empty while it is connected and fit to print.

    `print_id` and what follows are of the print that the printer is at, or was at last. `bed_c` is
    None where the printer does not tell.
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
    """The printer has not begun; it is tried again. `told` is whether it may begin nevertheless."""

    print_id: PrintId
    reason: str
    told: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintUnknown:
    """The printer answers, and has never heard of this print."""

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
    """A person lets the queue use this printer, or no longer."""

    managing: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MaterialsLoaded:
    """A person says what is loaded, by tool; None if they no longer want to be asked."""

    tools: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptsSet:
    """The scripts that there are from now on."""

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
    """Ask for the job in this queue, or for a further print of the one that is held; answered by
    `Claimed` or `NotClaimed`. `Claimed` ends the claim that is held."""

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
    """Have the file here; answered by `Fetched` or `NotFetched`."""

    queue: QueueName
    file: FileRef


@dataclass(frozen=True, kw_only=True, slots=True)
class SaveMemory:
    """Store this durably before any later effect is carried out."""

    saved: WorkerMemory


@dataclass(frozen=True, kw_only=True, slots=True)
class StartCopy:
    """Tell the printer to start, if its claim still allows it at that moment; answer with
    `StartDelayed` if not. The printer starts a print id once and for ever."""

    printing: CopyPrint


@dataclass(frozen=True, kw_only=True, slots=True)
class StartScript:
    """Tell the printer to run a script, as `Start` does."""

    script: ScriptRun


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteRunRecord:
    """Write the run record durably, unless it is there; answered by `Recorded`."""

    queue: QueueName
    record: RunRecord
    file: FileRef


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseJob:
    """Hold the job back until a person lets it go on."""

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
