"""What a person sees of the printer beyond its connection and its print."""

from dataclasses import replace

from printer_driver.core.replies.reported_state import Prompt
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import PrinterStatus, Question


def shown(streamer: Streamer, now_s: float) -> PrinterStatus:
    """The streamer's status, with the last fault's kind and the firmware's question."""
    faults = streamer.voice.faults
    return replace(
        streamer.status(now_s),
        fault=faults[-1].kind.value if faults else "",
        question=_question(streamer.prompt),
    )


def _question(prompt: Prompt | None) -> Question | None:
    """Only when the firmware has said all of it."""
    if prompt is None or not prompt.is_shown:
        return None
    return Question(text=prompt.text, choices=prompt.choices)
