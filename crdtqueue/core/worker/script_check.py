"""Refuses commands that cannot work in a script, because they end or take over its execution.

A script is streamed like a print (`scripts.py`). Marlin's documentation describes the commands,
https://marlinfw.org/meta/gcode/; they are the same in RepRapFirmware.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from crdtqueue.core.errors import Invalid

_HALTS = "it halts the printer until somebody resets it, so the script never ends"
_PLANNED = "it drops moves that are planned, so nobody knows where the head is"
_WAITING = "it ends the wait of another command, and here nothing waits"
_FIRMWARE = "it restarts the printer, so the script never ends"
_CARD_FILE = "what follows would be written to the printer's card instead of being done"
_CARD_PRINT = "a print from the card is none of the queues', and would run into them"
_SPEED = "it changes the speed of the line, and the printer is not understood any more"

SENSELESS: Mapping[str, str] = MappingProxyType(
    {
        "M23": _CARD_PRINT,
        "M24": _CARD_PRINT,
        "M28": _CARD_FILE,
        "M32": _CARD_PRINT,
        "M108": _WAITING,
        "M112": _HALTS,
        "M410": _PLANNED,
        "M575": _SPEED,
        "M876": _WAITING,
        "M928": _CARD_FILE,
        "M997": _FIRMWARE,
        "M999": _FIRMWARE,
    }
)
"""Why a command is refused, by its code."""

_CODE = re.compile(r"(?:N\d+\s*)?([GMT])\s*0*(\d+)", re.IGNORECASE)


def check_commands(event: str, gcode: str) -> None:
    """Raises Invalid if a line of the script of this event has a command that makes no sense in it.

    As for the firmware, the first word of a line is its command, in either case, with or without
    leading zeros, and blanks within it are ignored.
    """
    for number, line in enumerate(gcode.removeprefix("\ufeff").splitlines(), start=1):
        found = _CODE.match(line.partition(";")[0].replace("\\", "").strip())
        code = f"{found[1].upper()}{found[2]}" if found else ""
        if code in SENSELESS:
            raise Invalid(
                f"The script {event} cannot have {code} (line {number}): {SENSELESS[code]}. Take it"
                " out.",
                code="script_command",
            )
