"""What a slicer wrote about a g-code file into its comments."""

import re

from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import Profile
from crdtqueue.core.profile import parse_profile

HEAD_BYTES = 64 * 1024
TAIL_BYTES = 256 * 1024
"""Where slicers put their settings; PrusaSlicer's block at the end has about 20 kB."""

# Blanks but no line ends in them: over many empty lines the search would take quadratic time.
_MODEL = re.compile(rb"^[ \t]*;[ \t]*printer_model[ \t]*=([^\r\n]+)", re.MULTILINE)
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


def profile_in(text: bytes) -> Profile | None:
    """The printer model that PrusaSlicer and its kin name, from the head or tail of a file."""
    found = _MODEL.search(text)
    if not found:
        return None
    try:
        return parse_profile(found[1].decode("utf-8", "replace"))
    except Invalid:
        return None
