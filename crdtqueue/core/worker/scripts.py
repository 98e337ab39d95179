"""The g-code that a printer runs on events.

A script is run as a print of its own, with an id that is never used again. So it runs once,
whatever is restarted, over every kind of connection. It belongs to no job and has no run record.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from crdtqueue.core.document.model import FileRef
from crdtqueue.core.ids import JobId, PrintId

SCRIPT_BYTES_MAX = 16 * 1024
_PREFIX = "script/"


class CycleStep(StrEnum):
    """What a printer does between two prints: it runs the script of an event, or cools down."""

    ACTIVATED = "activated"
    BEFORE_PRINT = "before-print"
    PRINT_DONE = "print-done"
    PRINT_FAILED = "print-failed"
    """Also when somebody has cancelled it."""
    COOLDOWN = "cooldown"
    """The bed is to cool down."""
    COOL = "cool"
    """No script: the wait until the bed is cool."""
    CLEAR_BED = "clear-bed"
    """Takes the part off: when this script has run to its end, the bed is clear."""
    WAITING = "waiting"
    """A person is waited for, at the bed or with material."""
    QUEUE_FINISHED = "queue-finished"
    DEACTIVATED = "deactivated"


SCRIPT_STEPS: tuple[CycleStep, ...] = tuple(
    step for step in CycleStep if step is not CycleStep.COOL
)

Scripts: TypeAlias = Mapping[CycleStep, FileRef]
"""The script of each event that has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptRun:
    """One run of a script, from before its start until it is over. It is stored.

    A before-print script prepares the next print of the job `prepares`. `after` is the print that
    the printer was told to do before, as long as that may matter.
    """

    step: CycleStep
    print_id: PrintId
    file: FileRef
    prepares: JobId | None = None
    after: PrintId | None = None


def script_id(instance: str, number: int) -> PrintId:
    """The id of the `number`th script that the process `instance` (random) has begun."""
    return PrintId(f"{_PREFIX}{instance}/{number}")


def with_script(scripts: Scripts, *steps: CycleStep) -> tuple[CycleStep, ...]:
    """Those of `steps` that have a script, or need none."""
    return tuple(step for step in steps if step is CycleStep.COOL or step in scripts)
