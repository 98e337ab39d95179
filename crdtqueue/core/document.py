"""The queue as a document: every key, what is in it, and the tolerant reading of it.

Flat root maps of JSON values, one key for each fact that people edit independently or that one peer
alone writes. What a peer of another version or a hostile one has put in is read as far as it makes
sense and otherwise passed over; nothing here is ever written back because it was not understood.

    jobs    job/field                     name, runs, order, generation, paused, deleted, by, at
    sets    job/set/field                 file, copies, profiles, order
    claims  job/epoch/peer/incarnation    start record, write-once, by the claimant
    ends    job/epoch/peer/incarnation    how that claim ended, write-once, by the claimant
    runs    job/epoch/peer/incarnation/n  run record, write-once, by the claimant
    peers   peer                          name, profile, addresses, by that peer
    files   sha256/peer                   true while that peer holds the file, by that peer
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import (
    JOB_ID_CHARS,
    PEER_ID_CHARS,
    SET_ID_CHARS,
    Claim,
    JobId,
    PeerId,
    PrintId,
    Profile,
    SetId,
    Sha256,
    claim_of_print,
    is_id,
    is_sha256,
)
from crdtqueue.core.lib0 import JsonValue
from crdtqueue.core.model import (
    COUNT_MAX,
    NAME_CHARS_MAX,
    FileRef,
    Job,
    PrintSet,
    QueueState,
    Result,
    RosterEntry,
    RunRecord,
)
from crdtqueue.core.order import KEY_CHARS_MAX, sort_rank
from crdtqueue.core.profile import parse_profile

Root: TypeAlias = Mapping[str, JsonValue]
Entry: TypeAlias = tuple[str, str, JsonValue]
"""A write: root, key, value."""

SECONDS_MAX = 253_402_300_799
"""The end of the year 9999, the last that calendars here can show."""

ROOTS = frozenset({"jobs", "sets", "claims", "ends", "runs", "peers", "files"})


def read_queue(roots: Mapping[str, Root]) -> QueueState:
    """What the document says, with everything that makes no sense left out."""
    jobs, deleted = _jobs(roots)
    return QueueState(
        jobs=jobs,
        deleted=deleted,
        claims=_claims(roots.get("claims", {})),
        ended=_claims(roots.get("ends", {})),
        roster=_roster(roots.get("peers", {})),
        holders=_holders(roots.get("files", {})),
    )


def _jobs(roots: Mapping[str, Root]) -> tuple[tuple[Job, ...], tuple[Job, ...]]:
    fields = _grouped(roots.get("jobs", {}))
    sets = _sets(roots.get("sets", {}))
    records = _records(roots.get("runs", {}))
    alive: list[Job] = []
    deleted: list[Job] = []
    for key, values in fields.items():
        if is_id(key, JOB_ID_CHARS) and isinstance(values.get("name"), str):
            job = _job(JobId(key), values, sets.get(key, ()), records.get(key, ()))
            (deleted if values.get("deleted") is True else alive).append(job)
    return _ordered(alive), _ordered(deleted)


def _ordered(jobs: list[Job]) -> tuple[Job, ...]:
    return tuple(sorted(jobs, key=lambda job: sort_rank(job.order, job.id)))


def _job(
    job: JobId, values: Root, sets: tuple[PrintSet, ...], records: tuple[RunRecord, ...]
) -> Job:
    return Job(
        id=job,
        name=_text(values.get("name"), "unnamed"),
        order=_order(values.get("order")),
        runs=_count(values.get("runs"), 1),
        generation=_count(values.get("generation"), 0),
        paused=values.get("paused") is True,
        created_by=_text(values.get("by"), ""),
        created_at_s=_seconds(values.get("at")),
        sets=sets,
        records=records,
    )


def _sets(root: Root) -> dict[str, tuple[PrintSet, ...]]:
    found: defaultdict[str, list[PrintSet]] = defaultdict(list)
    for key, values in _grouped(root).items():
        job, _, set_id = key.partition("/")
        file = _file(values.get("file"))
        if file and is_id(set_id, SET_ID_CHARS):
            found[job].append(
                PrintSet(
                    id=SetId(set_id),
                    order=_order(values.get("order")),
                    file=file,
                    copies=_count(values.get("copies"), 1),
                    profiles=_profiles(values.get("profiles")),
                )
            )
    return {
        job: tuple(sorted(s, key=lambda each: sort_rank(each.order, each.id)))
        for job, s in found.items()
    }


def _records(root: Root) -> dict[str, tuple[RunRecord, ...]]:
    found: defaultdict[str, list[RunRecord]] = defaultdict(list)
    for key, value in root.items():
        named = claim_of_print(key)
        if named and isinstance(value, dict) and (record := _record(PrintId(key), value)):
            found[named[0].job].append(record)
    return {job: tuple(sorted(r, key=lambda each: each.print_id)) for job, r in found.items()}


def _record(print_id: PrintId, value: Root) -> RunRecord | None:
    result, set_id = value.get("result"), value.get("set")
    if not isinstance(result, str) or result not in set(Result) or not is_id(set_id, SET_ID_CHARS):
        return None
    return RunRecord(
        print_id=print_id,
        generation=_count(value.get("generation"), 0),
        set=SetId(str(set_id)),
        profile=Profile(_text(value.get("profile"), "")),
        result=Result(result),
        reason=_text(value.get("reason"), ""),
        started_at_s=_seconds(value.get("started")),
        ended_at_s=_seconds(value.get("ended")),
        bytes=_count(value.get("bytes"), 0, most=2**53),
    )


def _claims(root: Root) -> frozenset[Claim]:
    return frozenset(claim for key in root if (claim := Claim.from_key(key)))


def _roster(root: Root) -> dict[PeerId, RosterEntry]:
    roster = {}
    for key, value in root.items():
        if is_id(key, PEER_ID_CHARS) and isinstance(value, dict):
            profiles = _profiles([value.get("profile")])
            addresses = value.get("addresses")
            roster[PeerId(key)] = RosterEntry(
                peer=PeerId(key),
                name=_text(value.get("name"), key),
                profile=next(iter(profiles), None),
                addresses=tuple(a for a in addresses[:8] if isinstance(a, str) and len(a) < 300)
                if isinstance(addresses, list)
                else (),
            )
    return roster


def _holders(root: Root) -> dict[Sha256, frozenset[PeerId]]:
    found: defaultdict[Sha256, set[PeerId]] = defaultdict(set)
    for key, value in root.items():
        sha256, _, peer = key.partition("/")
        if value is True and is_sha256(sha256) and is_id(peer, PEER_ID_CHARS):
            found[Sha256(sha256)].add(PeerId(peer))
    return {sha256: frozenset(peers) for sha256, peers in found.items()}


def _grouped(root: Root) -> dict[str, dict[str, JsonValue]]:
    groups: defaultdict[str, dict[str, JsonValue]] = defaultdict(dict)
    for key, value in root.items():
        group, _, name = key.rpartition("/")
        groups[group][name] = value
    return groups


def _file(value: JsonValue) -> FileRef | None:
    if not isinstance(value, dict) or not is_sha256(value.get("sha256")):
        return None
    return FileRef(
        sha256=Sha256(str(value["sha256"])),
        name=_text(value.get("name"), "unnamed.gcode"),
        size_bytes=_count(value.get("size"), 0, most=2**53),
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


def _text(value: JsonValue, default: str) -> str:
    return value[:NAME_CHARS_MAX] if isinstance(value, str) else default


def _order(value: JsonValue) -> str:
    """A key of `crdtqueue.core.order`, whole: a part of one would be another place."""
    return value if isinstance(value, str) and len(value) <= KEY_CHARS_MAX else ""


def _count(value: JsonValue, default: int, *, most: int = COUNT_MAX) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
    return int(value) if whole else default  # type: ignore[arg-type]  # `whole` says it is an int


def _seconds(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value <= SECONDS_MAX else 0.0


def job_entries(job: Job) -> list[Entry]:
    """The writes that add `job`, with its sets and without its records."""
    fields: dict[str, JsonValue] = {
        "name": job.name,
        "runs": job.runs,
        "order": job.order,
        "by": job.created_by,
        "at": job.created_at_s,
    }
    return [("jobs", f"{job.id}/{name}", value) for name, value in fields.items()] + [
        entry for each in job.sets for entry in _set_entries(job.id, each)
    ]


def _set_entries(job: JobId, each: PrintSet) -> list[Entry]:
    file = each.file
    fields: dict[str, JsonValue] = {
        "file": {"sha256": file.sha256, "name": file.name, "size": file.size_bytes},
        "copies": each.copies,
        "profiles": [*sorted(each.profiles)],
        "order": each.order,
    }
    return [("sets", f"{job}/{each.id}/{name}", value) for name, value in fields.items()]


def paused_entry(job: JobId, *, paused: bool) -> Entry:
    """The write that holds a job back, or lets it go on."""
    return "jobs", f"{job}/paused", paused


def deleted_entry(job: JobId) -> Entry:
    """The write that deletes a job. A mark and not a removal, so that an edit made meanwhile
    elsewhere cannot bring half a job back."""
    return "jobs", f"{job}/deleted", True


def claim_entry(claim: Claim, *, at_s: float) -> Entry:
    """The start record of a claim."""
    return "claims", claim.key, {"at": at_s}


def end_entry(claim: Claim, reason: str) -> Entry:
    """The end record of a claim."""
    return "ends", claim.key, {"reason": reason}


def record_entry(record: RunRecord) -> Entry:
    """The run record of a finished print."""
    return (
        "runs",
        record.print_id,
        {
            "generation": record.generation,
            "set": record.set,
            "profile": record.profile,
            "result": record.result.value,
            "reason": record.reason,
            "started": record.started_at_s,
            "ended": record.ended_at_s,
            "bytes": record.bytes,
        },
    )


def roster_entry(entry: RosterEntry) -> Entry:
    """What a peer says of itself."""
    value: JsonValue = {
        "name": entry.name,
        "profile": entry.profile,
        "addresses": [*entry.addresses],
    }
    return "peers", entry.peer, value


def holder_entry(sha256: Sha256, peer: PeerId) -> Entry:
    """That `peer` holds the file."""
    return "files", f"{sha256}/{peer}", True
