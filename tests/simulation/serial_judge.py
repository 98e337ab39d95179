"""Whether what a storm left is the file, or was stopped, cooled and reported."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from printer_driver.core.gcode.command_kinds import (
    CommandKind,
    kind_of,
)
from printer_driver.core.gcode.gcode_lines import (
    FileCommand,
    commands_of,
    compact,
)
from printer_driver.printer import PrintReport, PrintState
from tests.simulation.executed_commands import PlannedMove

if TYPE_CHECKING:
    from tests.simulation.serial_storm import Outcome, Storm

GCODE = Path(__file__).parents[1] / "data" / "gcode"
ABSOLUTE = "absolute extrusion"
"""In place of a file's name."""
STANDSTILL_S_MAX = 2.0
PAUSING_S_MAX = 5.0
"""Also of resuming: several lines, one after the other, each of which may be lost."""
CUT_MOVES_MAX = 4
"""Of a cancelled print: M410 throws away what waits for room in the planner."""
CANCELLING_S_MAX = 10.0
FILAMENT_MM_MAX = 0.06
PLACE_MM_MAX = 0.011
"""M114 has two decimals, and the way back from the park is taken from it."""


def file_commands(name: str) -> Iterator[FileCommand]:
    """The commands of a file of tests/data/gcode, or of ABSOLUTE."""
    if name == ABSOLUTE:
        yield from commands_of(_absolute())
        return
    with (GCODE / name).open("rb") as file:
        yield from commands_of(file.readlines())


def _absolute() -> Iterator[bytes]:
    """Layers with absolute extrusion that begins anew with each; the speed is told once."""
    yield from (b"M140 S50\n", b"M104 S200\n", b"G90\n", b"M82\n", b"G92 X0 Y0 Z0 E0\n")
    yield from (b"M190 S50\n", b"M109 S200\n")
    for layer in range(8):
        yield b"G1 Z%.2f F600\n" % (0.3 + 0.3 * layer)
        for step in range(60):
            x, y, e = step % 20 * 1.5 + layer, step * 7 % 13 * 1.1, 0.02 * (step + 1)
            speed = b"" if step else b" F3000"
            yield b"G1 X%.3f Y%.3f E%.5f%s\n" % (x, y, e, speed)
        yield b"G92 E0\n"
    yield from (b"M104 S0\n", b"M140 S0\n", b"M107\n")


def complaint(storm: "Storm", outcome: "Outcome", calm: "Outcome") -> str:
    """What is wrong with the outcome, empty for nothing; `calm`: the same file without noise."""
    report = outcome.report
    assert report is not None
    if report.state is PrintState.DONE:
        wrong = _wrong_print(storm, outcome, calm, report)
    else:
        wrong = _wrong_end(storm, outcome, report)
    return wrong or _wrong_moves(outcome, calm) or _wrong_times(outcome)


def _wrong_print(storm: "Storm", outcome: "Outcome", calm: "Outcome", report: PrintReport) -> str:
    wanted, printed = _wanted(storm), _printed(storm, outcome)
    if printed != wanted:
        return f"what was executed is not the file: {_first_difference(printed, wanted)}"
    if report.lines_done != len(wanted):
        return f"{report.lines_done} of {len(wanted)} lines are reported"
    if abs(outcome.filament_mm - calm.filament_mm) > FILAMENT_MM_MAX:
        by_mm = outcome.filament_mm - calm.filament_mm
        return f"{by_mm:+.3f} mm of filament; {outcome.strays_executed}"
    return ""


def _wrong_end(storm: "Storm", outcome: "Outcome", report: PrintReport) -> str:
    wanted, printed = _wanted(storm), _printed(storm, outcome)
    if not report.reason or not _is_beginning(printed, wanted, storm.cancels * CUT_MOVES_MAX):
        return f"stopped: {report}; {_first_difference(printed, wanted)}"
    if report.state is PrintState.CANCELLED and not storm.cancels:
        return "nobody has cancelled it"
    return "it never rests and cools down" if outcome.rest_s is None else ""


def _is_beginning(printed: list[str], wanted: list[str], cut_max: int) -> bool:
    ahead = iter(wanted)
    cut = 0
    for command in printed:
        passed = list(itertools.takewhile(lambda x, this=command: x != this, ahead))  # type: ignore[misc]
        cut += len(passed)
        if any(kind_of(x) is not CommandKind.MOVE for x in passed):
            return False
    return len(printed) + cut <= len(wanted) and cut <= cut_max


def _wrong_moves(outcome: "Outcome", calm: "Outcome") -> str:
    """Place by place; hence X, Y and E add up. A piece of a line that ran moves begins only."""
    may_stray = bool(outcome.strays_executed)
    for move, ideal in zip(outcome.moves, calm.moves, strict=False):
        pairs = [*zip(move.end[:3], ideal.end[:3], strict=True)]
        if not may_stray:
            pairs += [*zip(move.begin[:3], ideal.begin[:3], strict=True)]
            pairs.append((_fed_mm(move), _fed_mm(ideal)))
            pairs.append((move.feedrate_mm_s, ideal.feedrate_mm_s))
        if any(abs(is_mm - should_mm) > PLACE_MM_MAX for is_mm, should_mm in pairs):
            return f"{move}, not {ideal}"
    return ""


def _fed_mm(move: PlannedMove) -> float:
    return move.end[3] - move.begin[3]


def _wrong_times(outcome: "Outcome") -> str:
    if outcome.standstill_s > STANDSTILL_S_MAX:
        return f"it stood still for {outcome.standstill_s:.2f} s"
    if outcome.pausing_s > PAUSING_S_MAX:
        return f"it took {outcome.pausing_s:.2f} s to pause"
    if outcome.resuming_s > PAUSING_S_MAX:
        return f"it took {outcome.resuming_s:.2f} s to resume"
    if outcome.cancelling_s > CANCELLING_S_MAX:
        return f"it took {outcome.cancelling_s:.2f} s to cancel"
    return ""


def _wanted(storm: "Storm") -> list[str]:
    wanted = [command.text for command in file_commands(storm.file)]
    return [compact(x) for x in wanted] if storm.compacts else wanted


def _printed(storm: "Storm", outcome: "Outcome") -> list[str]:
    return [compact(x) for x in outcome.printed] if storm.compacts else outcome.printed


def _first_difference(printed: list[str], wanted: list[str]) -> str:
    pairs = itertools.zip_longest(printed, wanted)
    at, pair = next(((i, x) for i, x in enumerate(pairs) if x[0] != x[1]), (0, ("", "")))
    return f"line {at}: {pair[0]!r}, not {pair[1]!r}"
