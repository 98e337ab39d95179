"""What the rest of the driver is told about the printer: its status, and whether its heaters are
off."""

from dataclasses import replace
from enum import Enum

from printer_driver.core.replies.reported_state import Prompt
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Connection, PrinterStatus, Question


def status_of(streamer: Streamer, now_s: float) -> PrinterStatus:
    """The streamer's status, with the last fault's kind and the firmware's question."""
    faults = streamer.reported.faults
    return replace(
        streamer.status(now_s),
        fault=faults[-1].kind.value if faults else "",
        question=_question(streamer.prompt),
    )


def _question(prompt: Prompt | None) -> Question | None:
    """The question of the firmware, once it has said all of it."""
    if prompt is None or not prompt.is_shown:
        return None
    return Question(text=prompt.text, choices=prompt.choices)


class Heat(Enum):
    """What is known of the heaters while nothing is printed."""

    UNKNOWN = "unknown"  # no port, still being greeted, or a print answers for them
    OWED = "owed"  # they must be switched off, and are not known to be
    OFF = "off"  # the firmware itself reports a target of zero for every heater


def heat_of(streamer: Streamer, now_s: float) -> Heat:
    """What is known of the heaters."""
    if streamer.is_printing:
        return Heat.UNKNOWN
    status = streamer.status(now_s)
    is_halted = status.connection is Connection.HALTED
    if streamer.owes_cooling or (is_halted and streamer.must_cool):
        return Heat.OWED
    told_c = [heater.target_c for heater in status.temperatures if heater.is_target_told]
    is_sure = is_halted or (status.connection is Connection.READY and not status.problem)
    return Heat.OFF if is_sure and told_c and not any(told_c) else Heat.UNKNOWN
