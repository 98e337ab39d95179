"""Fewer bytes for the same values: a line of 30 bytes takes 2.6 ms at 115200 baud.

Only moves, the bulk of every file, are shortened, and only when they are nothing but words of a
letter and a plain number. The blank before E stays: without it `X10E5` reads as an exponent in
parsers that use `strtod`.
"""

import re

_PLAIN_MOVE = re.compile(r"G[0-3](?: +[A-Z]-?(?:\d+\.?\d*|\.\d+))+")
_FRACTION_TAIL = re.compile(r"(\d*)\.(\d*?)0*(?=[A-Z ]|$)")
_LEADING_ZERO = re.compile(r"(?<=[A-Z-])0+(?=\.\d)")


def compact(command: str) -> str:
    """The same command without blanks and zeros that say nothing; others are returned as is."""
    if not _PLAIN_MOVE.fullmatch(command):
        return command
    short = command.replace(" ", "").replace("E", " E")
    if "0" in short:
        short = _LEADING_ZERO.sub("", _FRACTION_TAIL.sub(_without_tail, short))
    return short


def _without_tail(match: re.Match[str]) -> str:
    whole, fraction = match.groups()
    return f"{whole}.{fraction}" if fraction else whole or "0"
