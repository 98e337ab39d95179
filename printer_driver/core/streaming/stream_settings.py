"""The settings of a person for one printer."""

from dataclasses import dataclass, field

from printer_driver.core.gcode.gcode_lines import normalised_command

NOT_ALONE = "M85 S0"
"""The firmware need not switch itself off any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Park:
    """Where the head waits during a pause, in mm. The way there does not touch the part."""

    x: float
    y: float
    lift: float = 5.0
    retract: float = 1.0
    feedrate_mm_per_min: float = 6000.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamSettings:
    """The settings; every default suits an unknown printer."""

    bufsize: int | None = None
    """The firmware's BUFSIZE, where it is known and its dialect says less."""
    rx_bytes: int | None = None
    compacts: bool = False
    """Leave out blanks and zeros where the dialect takes such lines."""
    ignored: frozenset[str] = field(default_factory=frozenset)
    """Commands of files that are not sent: whole lines, as `normalised_command` writes them."""
    cancel_script: tuple[str, ...] = ("M107", "M84")
    """After the heaters are off; M84 waits for the moves that are planned."""
    park: Park | None = None
    alone_s: int = 0
    """Firmware that is told nothing to move for so long in mid-print switches itself off (M85),
    where its dialect can; 0: it does not."""


def ignored_lines(lines: list[str]) -> frozenset[str]:
    """The lines for `StreamSettings.ignored` in what a person wrote, without empty ones and
    comments."""
    return frozenset(filter(None, map(normalised_command, lines)))
