"""Conversion between jobs and the manifest of Continuous Print's `.gjob` archives.

A `.gjob` is a ZIP of the files of a job and a `manifest.json`: the fields of the job and its sets,
each with the `path` of its file. Form and meaning are those of Continuous Print 2
(`storage/database.py` as_dict and load_dict; PeerPrint's `filesharing.py` pack_job):

- `count` and `remaining` of the job are runs, of a set copies in the present run. A set may have
  more copies remaining than its count, a job may not.
- No profile means every printer. A material of "" or null means any.
- `metadata` is JSON as text. Fields of one installation (`id`, `rank`, `sd`) mean nothing here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from crdtqueue.core.document.model import (
    METADATA_CHARS_MAX,
    FileRef,
)
from crdtqueue.core.document.profiles import (
    ANY,
    parse_profile,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.gjob.gjob_manifest import (
    Manifest,
    ManifestSet,
)
from crdtqueue.core.gjob.gjob_members import (
    MANIFEST_BYTES_MAX,
    check_name,
    distinct_names,
    portable_name,
    printable_name,
)
from crdtqueue.core.ids import Profile

FORMAT_VERSION = "0.1.0"
"""PeerPrint's, of which this is the format. Continuous Print writes it and never reads it."""
SPELLINGS = "crdtqueue_profiles"
"""Where in a set's metadata the profiles stand as Continuous Print spells them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GjobSet:
    """One file of the job. `remaining` and `completed` are copies of the present run.

    No `profiles` means that the archive does not say which printers the file fits.
    """

    file: FileRef
    copies: int
    remaining: int
    completed: int
    profiles: frozenset[Profile]
    materials: tuple[str, ...] = ()
    metadata: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gjob:
    """A job that is imported or exported.

    `remaining` of its `runs` are not complete yet, the present one included. `created_at_s` is
    wall-clock seconds, 0 if unknown.
    """

    name: str
    runs: int
    remaining: int
    created_at_s: float
    draft: bool
    sets: tuple[GjobSet, ...]
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredMember:
    """A file of the archive that is now in the file store, and the printer it was sliced for."""

    file: FileRef
    sliced_for: Profile | None


def gjob_of(manifest: Manifest, stored: Mapping[str, StoredMember]) -> Gjob:
    """The job that `manifest` describes; `stored` has the file for each of its paths.

    A set without profiles gets the one that its file was sliced for.
    """
    return Gjob(
        name=manifest.name.strip() or "untitled",
        runs=manifest.count,
        remaining=manifest.count if manifest.remaining is None else manifest.remaining,
        created_at_s=manifest.created or 0.0,
        draft=manifest.draft,
        sets=tuple(_set_of(each, stored[each.path]) for each in manifest.sets),
        note=manifest.crdtqueue.note,
    )


def _set_of(each: ManifestSet, stored: StoredMember) -> GjobSet:
    named = tuple(name for name in each.profiles or () if name)
    profiles = _agreed(each, _parsed(named))
    if not profiles and stored.sliced_for:
        profiles = frozenset({stored.sliced_for})
    name = each.crdtqueue.name if each.crdtqueue else each.path
    return GjobSet(
        file=replace(stored.file, name=name),
        copies=each.count,
        remaining=each.count if each.remaining is None else each.remaining,
        completed=each.completed,
        profiles=profiles,
        materials=tuple(material or "" for material in each.materials or ()),
        metadata=_with_spellings(each.metadata or "", named),
    )


def _parsed(names: tuple[str | None, ...]) -> frozenset[Profile]:
    return frozenset(parse_profile(name) for name in names if name)


def _agreed(each: ManifestSet, profiles: frozenset[Profile]) -> frozenset[Profile]:
    """Our own word on the profiles, as long as nobody has edited Continuous Print's since."""
    ours = _parsed(tuple(each.crdtqueue.profiles)) if each.crdtqueue else profiles
    return ours if _restricting(ours) == profiles else profiles


def _restricting(profiles: frozenset[Profile]) -> frozenset[Profile]:
    """The profiles that Continuous Print is told: none if the set may be printed by any printer."""
    return frozenset() if ANY in profiles else profiles


def build_manifest(job: Gjob) -> tuple[bytes, dict[str, FileRef]]:
    """`manifest.json` for `job`, and the file to put under each path that it names.

    Raises Invalid if the job is larger than an archive may be.
    """
    names = distinct_names(each.file for each in job.sets)
    manifest = {
        "name": job.name,
        "count": job.runs,
        "draft": job.draft,
        "sets": [_set_entry(each, names[each.file], rank) for rank, each in enumerate(job.sets)],
        "created": int(job.created_at_s),
        "remaining": job.remaining,
        "version": FORMAT_VERSION,
        "crdtqueue": {"note": job.note},
    }
    # Continuous Print opens it in the encoding of its machine: only ASCII is safe.
    data = json.dumps(manifest, ensure_ascii=True, allow_nan=False).encode("ascii")
    if len(data) > MANIFEST_BYTES_MAX:
        raise Invalid(f"{printable_name(job.name)} has too many sets for a .gjob. Split the job.")
    return data, {path: file for file, path in names.items()}


def _set_entry(each: GjobSet, path: str, rank: int) -> dict[str, object]:
    spelled, metadata = _without_spellings(each.metadata)
    restricting = sorted(_restricting(each.profiles))
    return {
        "path": path,
        "count": each.copies,
        "metadata": metadata or None,
        "materials": list(each.materials),
        "profiles": [spelled.get(profile, profile) for profile in restricting],
        "id": rank,
        "rank": rank,
        "sd": False,
        "remaining": each.remaining,
        "completed": each.completed,
        "crdtqueue": {"name": _original(each.file.name, path), "profiles": sorted(each.profiles)},
    }


def _original(name: str, path: str) -> str:
    """The name that the file gets back; one that no file can have stays changed."""
    try:
        check_name(name)
    except Invalid:
        return path
    return name


# Continuous Print compares profiles with their capitals, crdtqueue without. A job that goes there
# and back keeps them in its metadata.


def _with_spellings(metadata: str, names: tuple[str, ...]) -> str:
    """`metadata` with the names in it, if one of them is spelled otherwise than its profile."""
    known = _object(metadata or "{}")
    if known is None or all(parse_profile(name) == name for name in names):
        return metadata
    spellings = sorted(names, key=parse_profile)
    with_names = json.dumps(known | {SPELLINGS: spellings}, ensure_ascii=False)
    return with_names if len(with_names) <= METADATA_CHARS_MAX else metadata


def _without_spellings(metadata: str) -> tuple[dict[Profile, str], str]:
    """The spelling of each profile, and the metadata without them."""
    known = _object(metadata)
    names = known.pop(SPELLINGS, None) if known else None
    if known is None or not isinstance(names, list):
        return {}, metadata
    spelled = {}
    for name in names:
        try:
            spelled[parse_profile(str(name))] = str(name)
        except Invalid:
            continue
    return spelled, json.dumps(known, ensure_ascii=False) if known else ""


def _object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def archive_name(job_name: str) -> str:
    """The file name under which a job is exported."""
    return portable_name(f"{job_name.strip() or 'untitled'}.gjob")
