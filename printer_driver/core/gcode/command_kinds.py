"""What a command does to a stream: whether it moves, waits, heats, or may safely run twice."""

import re
from enum import Enum

_CODE = re.compile(r"([GMT])\s*0*(\d+(?:\.\d+)?)")


class CommandKind(Enum):
    """How a command behaves while other lines are in flight."""

    MOVE = "move"  # acknowledged when it is planned
    HARMLESS = "harmless"  # sets a value; twice, or two lines early, changes nothing that matters
    QUICK = "quick"  # answered at once, but must run exactly once and in its place
    LONG = "long"  # may take any time; says `busy:` where the firmware has keepalives
    HEATING = "heating"  # as LONG, and reports temperatures meanwhile; M108 ends it


def _named(codes: str, kind: CommandKind) -> dict[str, CommandKind]:
    return dict.fromkeys(codes.split(), kind)


_KINDS = (
    _named("G0 G1 G2 G3 G5", CommandKind.MOVE)
    | _named(
        "M73 M104 M106 M107 M140 M141 M201 M203 M204 M205 M220 M221 M900", CommandKind.HARMLESS
    )
    | _named(
        "G17 G18 G19 G20 G21 G90 G91 G92 M17 M82 M83 M85 M105 M110 M113 M114 M115",
        CommandKind.QUICK,
    )
    | _named("M117 M154 M155 M486 M502 M862.1 M862.3 M907", CommandKind.QUICK)
    | _named("M109 M116 M190 M191 M303", CommandKind.HEATING)
)


def code_of(command: str) -> str:
    """The code, like `G1`, `M104` or `T0`, without leading zeros; empty if there is none (a
    Klipper macro)."""
    match = _CODE.match(command)
    return match[1] + match[2] if match else ""


def kind_of(command: str) -> CommandKind:
    """The kind of a command; an unknown one may take long."""
    if command.startswith(("G1 ", "G0 ")):
        return CommandKind.MOVE
    kind = _KINDS.get(code_of(command), CommandKind.LONG)
    if kind is CommandKind.HARMLESS and "T" in command:
        return CommandKind.QUICK  # the end of `M104 T1 S200`, run by itself, would change the tool
    return kind
