"""Firmware families, and how each differs from Marlin, as a table.

A family is recognised by the answer to M115. What a firmware says of itself (`Cap:` lines, the form
of its `ok`) goes before this table. The rows come from the sources of the firmwares; docs/gcode.md
names file and function.
"""

from dataclasses import dataclass
from enum import StrEnum

BUFSIZE = 4
"""Command slots of Marlin's default configuration."""
RX_BYTES = 128
"""RX_BUFFER_SIZE of Marlin on AVR, and the least there is."""


class Family(StrEnum):
    """The families of firmware."""

    MARLIN = "marlin"
    MARLIN_1 = "marlin_1"
    PRUSA = "prusa"
    PRUSA_BUDDY = "prusa_buddy"
    REPRAPFIRMWARE = "reprapfirmware"
    KLIPPER = "klipper"
    REPETIER = "repetier"
    SMOOTHIE = "smoothie"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """What the driver may expect of a firmware, and use."""

    family: Family
    names: tuple[str, ...]
    """What FIRMWARE_NAME contains, in lower case."""
    bufsize: int = BUFSIZE
    rx_bytes: int = RX_BYTES
    has_emergency_parser: bool = False
    """M108 and M112 act on arrival, also when all buffers are full."""
    breaks_waits: bool = True
    """M108 ends a heating wait."""
    stops_moves: bool = True
    """M410 throws the planned moves away."""
    bare_ok_after_resend: bool = True
    keepalive_s: float | None = 2.0
    """Between two `busy:`; None where there are none."""
    sets_keepalive: bool = True
    """M113 changes that."""
    answers_empty_lines: bool = False
    acknowledges_receipt: bool = False
    """`ok` says that a line has arrived, not that it is executed or planned."""
    halts_on: bytes = b""
    """Sent in front of M112 where that has to wait for its turn."""
    stops_when_alone: bool = False
    """M85 has it halt, heaters off, when nothing has moved for a time."""
    reports_temperatures: bool = False
    """M155 works; Marlin says so itself (`Cap:AUTOREPORT_TEMP`)."""
    g90_sets_extruder: bool = False
    """G90 and G91 change the extruder's mode too."""
    takes_compact_lines: bool = False
    """Words need no blanks between them, and leaving them out saves time on a wire."""
    way_out: str = "Switch it off and on."
    """How a person brings it back after it has stopped itself."""


DIALECTS = (
    Dialect(
        # A pseudo-terminal: nothing is lost or checked. M112 jumps the queue while fewer than 20
        # lines wait.
        family=Family.KLIPPER,
        names=("klipper",),
        bufsize=9,
        rx_bytes=1024,
        has_emergency_parser=True,
        breaks_waits=False,
        stops_moves=False,
        bare_ok_after_resend=False,
        keepalive_s=None,
        sets_keepalive=False,
        way_out="Find the cause, then send FIRMWARE_RESTART.",
        answers_empty_lines=True,
    ),
    Dialect(
        # Over USB, which loses nothing: a line that does not fit its checksum is dropped without a
        # word, its number is not looked at. Newer versions search what comes for M112 and M108,
        # but take nothing in while fewer than 128 of 256 bytes are free.
        family=Family.REPRAPFIRMWARE,
        names=("reprapfirmware", "duet"),
        stops_moves=False,
        bare_ok_after_resend=False,
        keepalive_s=None,
        sets_keepalive=False,
        reports_temperatures=False,
        way_out="Find the cause, then send M999 or switch it off and on.",
    ),
    Dialect(
        # Acknowledges on receipt, numbers its `ok`, repeats `wait` when it is idle.
        family=Family.REPETIER,
        names=("repetier",),
        stops_moves=False,
        sets_keepalive=False,
        takes_compact_lines=True,
        way_out="Find the cause, then send M999 or switch it off and on.",
        stops_when_alone=True,
        acknowledges_receipt=True,
    ),
    Dialect(
        # `rs N57` without an `ok`; USB with flow control. M112 waits for its turn, only the byte
        # Ctrl-X acts on arrival; M108 and M410 are ignored.
        family=Family.SMOOTHIE,
        names=("smoothie",),
        rx_bytes=256,
        breaks_waits=False,
        stops_moves=False,
        bare_ok_after_resend=False,
        g90_sets_extruder=True,
        keepalive_s=None,
        sets_keepalive=False,
        way_out="Find the cause, then send M999.",
        answers_empty_lines=True,
        halts_on=b"\x18",
    ),
    Dialect(
        family=Family.PRUSA_BUDDY,  # Marlin 2 underneath
        names=("prusa-firmware-buddy",),
        g90_sets_extruder=True,
        takes_compact_lines=True,
    ),
    Dialect(
        family=Family.PRUSA,
        names=("prusa",),
        rx_bytes=RX_BYTES - 1,  # a full buffer is thrown away (`Full RX Buffer`)
        breaks_waits=False,
        stops_moves=False,
        takes_compact_lines=True,
        stops_when_alone=True,
    ),
    Dialect(
        family=Family.MARLIN_1,
        names=("marlin 1.", "marlin v1", "marlin bugfix-1", "sprinter"),
        takes_compact_lines=True,
        stops_when_alone=True,
    ),
    Dialect(
        family=Family.MARLIN,
        names=("marlin",),
        g90_sets_extruder=True,
        takes_compact_lines=True,
        stops_when_alone=True,
    ),
)
UNKNOWN = Dialect(family=Family.UNKNOWN, names=(), sets_keepalive=False, keepalive_s=None)


def recognise(firmware: str) -> Dialect:
    """The dialect for what FIRMWARE_NAME says."""
    lowered = firmware.lower()
    for dialect in DIALECTS:
        if any(name in lowered for name in dialect.names):
            return dialect
    return UNKNOWN
