"""What the serial benchmarks print."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from printer_driver.core.gcode.gcode_lines import commands_of
from printer_driver.virtual.motion import (
    Motion,
    words,
)
from printer_driver.virtual.planner import Place

DENSE_S = 30.0
"""Length of the excerpt, in the printer's time."""


def standstill(path: Path, lines: int) -> Path:
    """Moves of usual length to where the head already is: the wire alone takes time."""
    with path.open("w") as file:
        file.write("G90\nM82\nG92 X110.123 Y97.456 E12.34567\n")
        file.writelines("G1 X110.123 Y97.456 E12.34567\n" for _ in range(lines))
    return path


def large(path: Path, size_bytes: int) -> Path:
    """As a slicer writes it, with some comments."""
    layer = "".join(
        f"G1 X{100 + i % 97 / 7:.3f} Y{100 + i % 89 / 7:.3f} E{i / 1000:.5f} ; infill\n"
        for i in range(20_000)
    ).encode()
    with path.open("wb") as file:
        file.write(b"G90\nM82\n")
        while file.tell() < size_bytes:
            file.write(b"; next layer\nG92 E0\n" + layer)
    return path


def _lines(source: Path) -> Iterator[bytes]:
    with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as file:
        yield from file


@dataclass(frozen=True, kw_only=True, slots=True)
class _Step:
    """One command of a print, when its turn comes, and the machine before it."""

    at_s: float
    command: str
    position: Place
    feedrate_mm_per_min: float


def densest(source: Path, path: Path) -> Path:
    """The excerpt of a real file that asks for the most lines per second, without heating."""
    steps = _steps(source)
    begin, best, first = 0, 0, 0
    for index, step in enumerate(steps):
        while steps[begin].at_s < step.at_s - DENSE_S:
            begin += 1
        if index - begin > best:
            best, first = index - begin, begin
    x, y, z, e = steps[first].position
    with path.open("w") as file:
        file.write(f"G90\nM83\nG92 X{x:.3f} Y{y:.3f} Z{z:.3f} E{e:.5f}\n")
        file.write(f"G1 F{steps[first].feedrate_mm_per_min:g}\n")
        file.writelines(f"{step.command}\n" for step in steps[first : first + best])
    return path


def hurried(source: Path, path: Path, per_cent: int) -> Path:
    """The same at another speed, as a person sets it on the printer's panel."""
    path.write_text(f"M220 S{per_cent}\n{source.read_text()}")
    return path


def demand_lines_per_s(path: Path) -> float:
    """What the motion of a file asks for."""
    steps = _steps(path)
    return len(steps) / steps[-1].at_s


def _steps(source: Path) -> list[_Step]:
    motion, now_s, feedrate = Motion(), 0.0, 1500.0
    steps: list[_Step] = []
    for text in (command.text for command in commands_of(_lines(source))):
        code = text.partition(" ")[0]
        if code in ("G90", "G91", "M82", "M83"):
            motion.set_mode(code)
        if code not in ("G0", "G1", "G92", "M204", "M220"):
            continue
        while motion.is_full:
            now_s = motion.next_end_s
            motion.advance(now_s)
        steps.append(
            _Step(at_s=now_s, command=text, position=motion.position, feedrate_mm_per_min=feedrate)
        )
        feedrate = words(text).get("F", feedrate)
        if code == "G92":
            motion.set_position(text)
        elif code in ("M204", "M220"):
            motion.set_limits(code, text)
        else:
            motion.plan(text, now_s)
    return steps
