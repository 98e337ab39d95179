"""What kind of board the virtual firmware runs on: sizes, build options, dialect."""

from dataclasses import dataclass

from printer_driver.virtual.motion import BLOCK_SLOTS
from printer_driver.virtual.virtual_dialects import (
    MARLIN_2,
    Dialect,
)

BUFSIZE = 4
"""Command slots; the command being executed keeps its own."""
RX_BYTES = 1024
"""RX_BUFFER_SIZE; what comes in faster than it is read is lost. 128 on an AVR."""
BOOT_S = 1.0
"""From a reset to the banner, a bootloader's wait; nothing is heard meanwhile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """Marlin's names: BUFSIZE, RX_BUFFER_SIZE, BLOCK_BUFFER_SIZE, ADVANCED_OK, EMERGENCY_PARSER."""

    dialect: Dialect = MARLIN_2
    command_slots: int = BUFSIZE
    rx_bytes: int = RX_BYTES
    block_slots: int = BLOCK_SLOTS
    advanced_ok: bool = False
    emergency_parser: bool = False
    extrude_min_c: float | None = None
    """Colder than this no filament is fed (170 as Marlin comes); None: not checked."""
    residency_s: float = 0.0
    """How long M109 and M190 hold the temperature before they are done (10 as Marlin comes)."""
    boot_s: float = BOOT_S
