"""Which members a `.gjob` archive may have: their names, kinds and sizes.

Continuous Print unpacks the ZIP into a folder as it is. So every name in it must be valid on every
file system, and no two names may be the same on any of them.
"""

import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from crdtqueue.core.document.model import (
    NAME_CHARS_MAX,
    SETS_PER_JOB_MAX,
    FileRef,
)
from crdtqueue.core.errors import Invalid

MANIFEST_NAME = "manifest.json"
MANIFEST_BYTES_MAX = 1024**2
MEMBERS_MAX = SETS_PER_JOB_MAX + 1
UNPACKED_BYTES_MAX = 4 * 1024**3
RATIO_MAX = 200
"""Unpacked to packed. G-code packs to a fifth; only a bomb comes near deflate's limit of 1,032."""
RATIO_FREE_BYTES = 1024**2
"""So small a file may have any ratio: it harms nobody."""
NAME_BYTES_MAX = 180
"""Of a name that we write, in UTF-8: it must be read again when a number has been added to it."""
SUFFIX_CHARS_MAX = 16

STORED = 0
DEFLATED = 8

_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of writing, so that a name reads as another one."""
_DRIVE = re.compile(r"[A-Za-z]:")
_UNPORTABLE = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One entry of the archive's table of contents, which need not be true.

    `mode` is the Unix file mode, 0 where the archive has none. `method` is the ZIP number of the
    compression.
    """

    name: str
    size_bytes: int
    packed_bytes: int
    mode: int = 0
    method: int = DEFLATED
    encrypted: bool = False


def printable_name(name: str) -> str:
    """A name from outside, as a message may quote it."""
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def is_plain(text: str) -> bool:
    """Whether `text` has no control characters and none that make it read as another one."""
    return not any(
        unicodedata.category(each) in _FORBIDDEN_CATEGORIES or each in _TURNING for each in text
    )


def check_name(name: str) -> None:
    """Raises Invalid, with the reason, if `name` cannot be that of a file at the top level."""
    if not name.strip():
        raise Invalid("A file in the .gjob has no name. Export the job again.")
    if len(name) > NAME_CHARS_MAX:
        raise Invalid(
            f"The name {printable_name(name)} in the .gjob is longer than {NAME_CHARS_MAX}"
            " characters. Give the file a shorter one."
        )
    if not is_plain(name):
        raise Invalid(
            f"The name {printable_name(name)} in the .gjob has control characters. Rename it."
        )
    if name.startswith(("/", "\\")) or _DRIVE.match(name) or "/" in name or "\\" in name:
        raise Invalid(
            f"{printable_name(name)} in the .gjob is a path. All files must be at its top level,"
            " with no folder or drive before their names."
        )
    if name in {".", ".."}:
        raise Invalid(
            f"{printable_name(name)} in the .gjob is no name of a file. Export the job again."
        )


def same_name(name: str) -> str:
    """Equal for names that are one name on some file system: by case or by Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def check_members(members: Sequence[Member], *, archive_bytes: int, file_bytes_max: int) -> None:
    """Raises Invalid, with the reason, if the table of contents promises what we do not unpack."""
    if len(members) > MEMBERS_MAX:
        raise Invalid(
            f"The .gjob has {len(members)} files; {MEMBERS_MAX} are the most. Split the job."
        )
    for each in members:
        check_name(each.name)
        _check_kind(each)
        _check_size(each, file_bytes_max)
    _check_distinct(members)
    if sum(each.packed_bytes for each in members) > archive_bytes:
        raise Invalid("The files in the .gjob overlap. It is damaged or a trick: export it again.")
    if sum(each.size_bytes for each in members) > UNPACKED_BYTES_MAX:
        raise Invalid(
            f"The .gjob unpacks to more than {UNPACKED_BYTES_MAX // 1024**3} GB. Split the job."
        )


def _check_kind(member: Member) -> None:
    name = printable_name(member.name)
    if stat.S_IFMT(member.mode) not in {0, stat.S_IFREG}:
        raise Invalid(
            f"{name} in the .gjob is a link or a device, not a file. Pack the file itself."
        )
    if member.encrypted:
        raise Invalid(f"{name} in the .gjob is encrypted. Pack it without a password.")
    if member.method not in {STORED, DEFLATED}:
        raise Invalid(
            f"{name} in the .gjob is compressed in a way (ZIP method {member.method}) that is not"
            " read here. Pack it with deflate, as every ZIP program does by default."
        )


def _check_size(member: Member, file_bytes_max: int) -> None:
    name = printable_name(member.name)
    most = MANIFEST_BYTES_MAX if member.name == MANIFEST_NAME else file_bytes_max
    if member.size_bytes > most:
        raise Invalid(f"{name} in the .gjob is larger than {most // 1024**2} MB.")
    free = member.size_bytes <= RATIO_FREE_BYTES
    if not free and member.size_bytes > RATIO_MAX * member.packed_bytes:
        raise Invalid(
            f"{name} in the .gjob would unpack to more than {RATIO_MAX} times its size, which no"
            " g-code does. It looks like a bomb and is not unpacked."
        )


def _check_distinct(members: Sequence[Member]) -> None:
    counts = Counter(same_name(each.name) for each in members)
    twice = next((each.name for each in members if counts[same_name(each.name)] > 1), None)
    if twice is not None:
        raise Invalid(
            f"The name {printable_name(twice)} is twice in the .gjob (capitals and accents do not"
            " make names differ). Rename one of the files."
        )


def check_complete(members: Collection[str], paths: Collection[str]) -> None:
    """Raises Invalid unless the files in the archive are those that the manifest names."""
    missing = next((path for path in paths if path not in members), None)
    if missing is not None:
        raise Invalid(
            f"The manifest names {printable_name(missing)}, which is not in the .gjob. Export the"
            " job again."
        )
    extra = next((m for m in members if m not in paths and m != MANIFEST_NAME), None)
    if extra is not None:
        raise Invalid(
            f"{printable_name(extra)} is in the .gjob, but no set of the manifest names it."
            " Remove it."
        )


def distinct_names(files: Iterable[FileRef]) -> dict[FileRef, str]:
    """A name in the archive for each file, its own if it can be.

    Two different files of one name are kept apart: the second is `part (2).gcode`.
    """
    names: dict[FileRef, str] = {}
    taken = {same_name(MANIFEST_NAME)}
    for file in files:
        if file not in names:
            names[file] = _free_name(portable_name(file.name), taken)
            taken.add(same_name(names[file]))
    return names


def _free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or with the first number that makes it one that is not taken."""
    path, number, free = PurePosixPath(name), 1, name
    while same_name(free) in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free


def portable_name(name: str) -> str:
    """`name`, changed where a file system of some machine would not take it."""
    plain = "".join(each if is_plain(each) else "_" for each in name)
    portable = _UNPORTABLE.sub("_", plain).strip().rstrip(". ") or "unnamed"
    if _DEVICE.match(portable):
        portable = f"_{portable}"
    suffix = PurePosixPath(portable).suffix
    if len(suffix) > SUFFIX_CHARS_MAX:
        suffix = ""
    room = NAME_BYTES_MAX - len(suffix.encode())
    stem = portable.removesuffix(suffix).encode()[:room].decode(errors="ignore")
    return stem.rstrip(". ") + suffix
