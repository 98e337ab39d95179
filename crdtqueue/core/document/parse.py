"""Reads single values of the document tolerantly: anything may stand under any key.

A value that makes no sense is replaced by its default. Where a default could cause an unwanted
print, it is the one that prints less.
"""

from collections.abc import Mapping
from typing import TypeAlias

from crdtqueue.core.document.fractional_index import KEY_CHARS_MAX
from crdtqueue.core.document.model import (
    COUNT_MAX,
    MATERIALS_MAX,
    METADATA_CHARS_MAX,
    NAME_CHARS_MAX,
    NOTE_CHARS_MAX,
    Deletion,
    Draft,
    FileRef,
    Job,
    Mode,
    PrintSet,
    QueueSettings,
    Result,
    RosterEntry,
    RunRecord,
    Strategy,
)
from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import (
    PEER_ID_CHARS,
    SET_ID_CHARS,
    JobId,
    PeerId,
    PrintId,
    Profile,
    SetId,
    Sha256,
    is_count,
    is_id,
    is_sha256,
)
from crdtqueue.core.yjs.lib0 import JsonValue

SECONDS_MAX = 253_402_300_799
"""The end of the year 9999, the last that calendars here can show."""

FILAMENT_MM_MAX = 1e9

Fields: TypeAlias = Mapping[str, JsonValue]


def read_settings(fields: Fields) -> QueueSettings:
    """The settings of the queue. An unknown mode is taken for *safe*."""
    return QueueSettings(
        name=_text(fields.get("name"), ""),
        generation=_count(fields.get("generation"), 1),
        strategy=_strategy(fields.get("strategy")),
        mode=_mode(fields.get("mode")),
        voter_fields={k: value for k, value in fields.items() if k.startswith("voters/")},
        schema=_count(fields.get("schema"), 1),
    )


def _mode(value: JsonValue) -> Mode:
    return Mode.AVAILABLE if value is None or value == Mode.AVAILABLE.value else Mode.SAFE


def _strategy(value: JsonValue) -> Strategy:
    return next((each for each in Strategy if each.value == value), Strategy.IN_ORDER)


_RESULTS = frozenset(each.value for each in Result)


def is_peer(value: JsonValue) -> bool:
    """Whether `value` is the id of a peer."""
    return is_id(value, PEER_ID_CHARS)


def read_job(
    job: JobId,
    fields: Fields,
    *,
    sets: tuple[PrintSet, ...],
    records: tuple[RunRecord, ...],
    draft: Draft | None,
    deletion: Deletion,
) -> Job:
    """A job from its fields, its sets and its records."""
    return Job(
        id=job,
        name=_text(fields.get("name"), "unnamed"),
        order=_order(fields.get("order")),
        runs=_count(fields.get("runs"), 1),
        generation=_count(fields.get("generation"), 0),
        paused=fields.get("paused") is True,
        created_by=_text(fields.get("by"), ""),
        created_at_s=_seconds(fields.get("at")),
        sets=sets,
        records=records,
        note=_text(fields.get("note"), "", most=NOTE_CHARS_MAX),
        forgiven=_count(fields.get("forgiven"), 0),
        draft=draft,
        deletion=deletion,
    )


def read_draft(value: JsonValue) -> Draft | None:
    """Who is editing a job."""
    if not isinstance(value, dict) or not is_peer(value.get("peer")):
        return None
    peer = PeerId(str(value["peer"]))
    return Draft(
        peer=peer, by=_text(value.get("by"), peer), beat=_count(value.get("beat"), 0, most=2**53)
    )


def read_set(set_id: SetId, fields: Fields) -> PrintSet | None:
    """A set; None if it is removed, or has no valid file."""
    file = _file(fields.get("file"))
    if file is None or fields.get("removed") is True:
        return None
    return PrintSet(
        id=set_id,
        order=_order(fields.get("order")),
        file=file,
        copies=_count(fields.get("copies"), 1),
        profiles=_profiles(fields.get("profiles")),
        materials=_materials(fields.get("materials")),
        extras=_extras(fields),
        metadata=_text(fields.get("metadata"), "", most=METADATA_CHARS_MAX),
    )


def _file(value: JsonValue) -> FileRef | None:
    if not isinstance(value, dict) or not is_sha256(value.get("sha256")):
        return None
    return FileRef(
        sha256=Sha256(str(value["sha256"])),
        name=_text(value.get("name"), "unnamed.gcode"),
        size_bytes=_count(value.get("size"), 0, most=2**53),
    )


def _materials(value: JsonValue) -> tuple[str, ...]:
    named = value[:MATERIALS_MAX] if isinstance(value, list) else []
    return tuple(_text(each, "") for each in named)


def _extras(fields: Fields) -> dict[tuple[int, int], int]:
    found = {}
    for field, value in fields.items():
        match field.split("."):
            case ["extra", generation, run] if is_count(generation) and is_count(run):
                found[int(generation), int(run)] = _count(value, 0)
    return found


def read_record(print_id: PrintId, value: JsonValue) -> RunRecord | None:
    """A run record; None if its result or set makes no sense."""
    if not isinstance(value, dict):
        return None
    result, set_id = value.get("result"), value.get("set")
    if not isinstance(result, str) or result not in _RESULTS or not is_id(set_id, SET_ID_CHARS):
        return None
    return RunRecord(
        print_id=print_id,
        generation=_count(value.get("generation"), 0),
        run=_count(value.get("run"), 1),
        copy=_count(value.get("copy"), 1),
        set=SetId(str(set_id)),
        profile=Profile(_text(value.get("profile"), "")),
        result=Result(result),
        reason=_text(value.get("reason"), ""),
        started_at_s=_seconds(value.get("started")),
        ended_at_s=_seconds(value.get("ended")),
        bytes=_count(value.get("bytes"), 0, most=2**53),
        filament_mm=_number(value.get("filament"), most=FILAMENT_MM_MAX),
    )


def read_roster_entry(peer: PeerId, value: JsonValue) -> RosterEntry | None:
    """What a peer has written about itself; None if that makes no sense."""
    if not isinstance(value, dict):
        return None
    profiles = _profiles([value.get("profile")])
    addresses = value.get("addresses")
    return RosterEntry(
        peer=peer,
        name=_text(value.get("name"), peer),
        profile=next(iter(profiles), None),
        addresses=tuple(a for a in addresses[:8] if isinstance(a, str) and len(a) < 300)
        if isinstance(addresses, list)
        else (),
    )


def _profiles(value: JsonValue) -> frozenset[Profile]:
    found = set()
    for text in value[:64] if isinstance(value, list) else []:
        if isinstance(text, str):
            try:
                found.add(parse_profile(text))
            except Invalid:
                continue
    return frozenset(found)


def _text(value: JsonValue, default: str, *, most: int = NAME_CHARS_MAX) -> str:
    return value[:most] if isinstance(value, str) else default


def _order(value: JsonValue) -> str:
    """A complete fractional index key: a part of one would be another place."""
    return value if isinstance(value, str) and len(value) <= KEY_CHARS_MAX else ""


def _count(value: JsonValue, default: int, *, most: int = COUNT_MAX) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return int(value) if whole else default  # type: ignore[arg-type]  # `whole` says it is an int


def _seconds(value: JsonValue) -> float:
    return _number(value, most=SECONDS_MAX)


def _number(value: JsonValue, *, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value <= most else 0.0
