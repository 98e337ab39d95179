"""What a slicer has written about a g-code file into its comments."""

import re

from crdtqueue.core.document.model import MATERIALS_MAX
from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import Profile

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 256 * 1024
"""Where slicers put their settings; PrusaSlicer's block at the end has about 20 kB."""

FILAMENT_MM_MAX = 1e8
MATERIAL_CHARS_MAX = 40

# Blanks but no line ends in them: over many empty lines the search would take quadratic time.
_MODEL = re.compile(rb"^[ \t]*;[ \t]*printer_model[ \t]*=([^\r\n]+)", re.MULTILINE)
_FILAMENT = re.compile(rb"^[ \t]*;[ \t]*filament used \[mm\][ \t]*=([0-9., \t]+)", re.MULTILINE)
_FILAMENT_CURA = re.compile(rb"^;Filament used:[ \t]*([0-9.]+(?:m,[ \t]*[0-9.]+)*)m", re.MULTILINE)
_MATERIALS = re.compile(rb"^[ \t]*;[ \t]*filament_type[ \t]*=([^\r\n]+)", re.MULTILINE)
_COMMAND = re.compile(rb"^[ \t]*(?:N\d+[ \t]*)?[GMT]\d+\b", re.MULTILINE)


def check_gcode(name: str, head: bytes) -> None:
    """Raises Invalid if the beginning of the file (`HEAD_BYTES`) cannot be g-code."""
    if not head.strip():
        raise Invalid(f"{name} is empty. Slice the part again and add the new file.")
    if b"\0" in head or not _COMMAND.search(head):
        raise Invalid(
            f"{name} is not g-code: it has no G or M commands. Add the .gcode file that the slicer"
            " made, not the model."
        )


def filament_mm_in(text: bytes) -> float:
    """The filament of all tools that PrusaSlicer's or Cura's comment names; 0 if there is none."""
    prusa, cura = _FILAMENT.search(text), _FILAMENT_CURA.search(text)
    if prusa:
        return _sum(prusa[1].split(b","))
    return _sum(cura[1].split(b"m,")) * 1000 if cura else 0.0


def _sum(numbers: list[bytes]) -> float:
    try:
        total = sum(float(each) for each in numbers)
    except ValueError:
        return 0.0
    return total if total <= FILAMENT_MM_MAX else 0.0


def materials_in(text: bytes) -> tuple[str, ...]:
    """The material of each tool that PrusaSlicer's comment names, like `PLA`."""
    found = _MATERIALS.search(text)
    if not found:
        return ()
    named = found[1].decode("utf-8", "replace").split(";")[:MATERIALS_MAX]
    return tuple(each.strip()[:MATERIAL_CHARS_MAX] for each in named)


def profile_in(text: bytes) -> Profile | None:
    """The printer model that PrusaSlicer and its kin name, from the head or tail of a file."""
    found = _MODEL.search(text)
    if not found:
        return None
    try:
        return parse_profile(found[1].decode("utf-8", "replace"))
    except Invalid:
        return None
