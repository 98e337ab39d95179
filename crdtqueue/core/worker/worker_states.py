"""Where a printer's cycle is, and what a printer that is at nothing waits for."""

from enum import StrEnum


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


class Wait(StrEnum):
    """Why nothing could be begun now. Of several reasons the first counts."""

    PRINTER = "offline"
    SOMEBODY_ELSE = "busy"
    """It prints something that is not of the queues."""
    SCRIPT = "script"
    COOLING = "cooling"
    BED = "waiting_for_bed"
    MANAGING = "stopped"
    MATERIAL = "waiting_for_material"
