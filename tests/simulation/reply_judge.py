"""What must hold of a `Streamer` at every moment, whatever it has heard."""

from collections import deque
from math import isfinite
from sys import getsizeof
from types import FunctionType, GeneratorType, MethodType, ModuleType

from printer_driver.core.replies.faults import TEXT_CHARS_MAX
from printer_driver.core.replies.reply_parser import REPLY_BYTES_MAX
from printer_driver.core.replies.reported_state import (
    CAPABILITIES_MAX,
    CHOICES_MAX,
    FAULTS_MAX,
    TEMPERATURES_MAX,
)
from printer_driver.core.streaming import stream_events as ev
from printer_driver.core.streaming.idle_commands import MANUAL_COMMANDS_MAX
from printer_driver.core.streaming.line_sender import HISTORY_LINES_MAX
from printer_driver.core.streaming.streamer import Streamer
from printer_driver.printer import Connection, PrintState

IN_FLIGHT_MAX = 64
SCRIPT_MAX = 64
FAR_S_MAX = 2500.0
"""How far ahead a deadline may be: ten minutes of silence, and what doubling makes of them."""
FOOTPRINT_BYTES_MAX = 512 * 1024
EFFECTS_AT_ONCE = 8
EFFECTS_PER_LINE = 4
OUTGOING_AT_ONCE = 4096
OUTGOING_PER_LINE = 256
_OPAQUE = (type, ModuleType, FunctionType, MethodType, GeneratorType)


def check(streamer: Streamer, now_s: float) -> None:
    """Raises `AssertionError` for what is not defined or not bounded."""
    _check_state(streamer, now_s)
    _check_deadline(streamer, now_s)
    _check_sizes(streamer)


def _check_state(streamer: Streamer, now_s: float) -> None:
    status = streamer.status(now_s)
    assert status.connection in Connection
    if status.connection in (Connection.HALTED, Connection.OFFLINE):
        assert status.problem, "no word about what is wrong"
    report = status.print
    if report:
        assert report.state in PrintState
        assert report.lines_done >= 0
        assert report.elapsed_s >= 0
        if report.state is PrintState.FAILED:
            assert report.reason, "a print failed without a reason"
    is_going = report is not None and report.state not in OVER
    assert streamer.is_printing == is_going, report


OVER = (PrintState.DONE, PrintState.FAILED, PrintState.CANCELLED)


def _check_deadline(streamer: Streamer, now_s: float) -> None:
    due_s = streamer.next_deadline_s()
    connection = streamer.status(now_s).connection
    if due_s is None:
        assert connection in (Connection.HALTED, Connection.OFFLINE), f"{connection} for ever"
        return
    assert isfinite(due_s), due_s
    assert due_s < now_s + FAR_S_MAX, f"the next thing happens in {due_s - now_s:.0f} s"


def _check_sizes(streamer: Streamer) -> None:
    link, reported = streamer._lines, streamer._reported
    sizes = {
        "in flight": (len(link._in_flight), IN_FLIGHT_MAX),
        "history": (len(link._history), HISTORY_LINES_MAX + 1),
        "outgoing": (len(link._outgoing), 0),
        "fresh": (len(link._fresh), 0),
        "effects": (len(streamer._effects), 0),
        "half a line": (len(streamer._reader._partial), REPLY_BYTES_MAX),
        "temperatures": (len(reported.temperatures), TEMPERATURES_MAX),
        "abilities": (len(reported.capabilities), CAPABILITIES_MAX),
        "faults": (len(reported.faults), FAULTS_MAX),
        "name": (len(reported.firmware), TEXT_CHARS_MAX),
        "notification": (len(reported.notification), TEXT_CHARS_MAX),
        "choices": (len(reported.prompt.choices) if reported.prompt else 0, CHOICES_MAX),
        "manual": (len(streamer._idle_commands._manual), MANUAL_COMMANDS_MAX),
        "greeting": (len(streamer._handshake._script), SCRIPT_MAX),
        "script": (len(streamer._feeder.job._script) if streamer._feeder else 0, SCRIPT_MAX),
    }
    for name, (size, size_max) in sizes.items():
        assert size <= size_max, f"{name}: {size} of {size_max}"
    assert link._bytes_in_flight == sum(len(line.data) for line in link._in_flight)
    assert link._alone_in_flight == sum(not line.follows for line in link._in_flight)


def check_effects(effects: list[ev.Effect], heard_lines: int) -> None:
    """What comes out is in proportion to what went in."""
    count_max = EFFECTS_AT_ONCE + EFFECTS_PER_LINE * heard_lines
    assert len(effects) <= count_max, f"{len(effects)} effects of {heard_lines} lines"
    sent_bytes = sum(len(x.data) for x in effects if isinstance(x, ev.Send))
    bytes_max = OUTGOING_AT_ONCE + OUTGOING_PER_LINE * heard_lines
    assert sent_bytes <= bytes_max, f"{sent_bytes} bytes for {heard_lines} lines"


def footprint_bytes(root: object) -> int:
    """All that `root` holds on to, but no generators: a file is not read ahead."""
    seen: set[int] = set()
    ahead, total = deque([root]), 0
    while ahead:
        each = ahead.popleft()
        if id(each) in seen or isinstance(each, _OPAQUE):
            continue
        seen.add(id(each))
        total += getsizeof(each)
        ahead.extend(_parts(each))
    return total


def _parts(each: object) -> list[object]:
    if isinstance(each, dict):
        return [*each.keys(), *each.values()]
    if isinstance(each, list | tuple | set | frozenset | deque):
        return list(each)
    slots = [name for kind in type(each).__mro__ for name in getattr(kind, "__slots__", ())]
    parts = [getattr(each, name) for name in slots if hasattr(each, name)]
    return [*parts, *getattr(each, "__dict__", {}).values()]
