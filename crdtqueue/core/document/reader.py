"""Reads the document of a queue, key by key as it changes.

Entries of other versions, or of a hostile peer, are read as far as they make sense and otherwise
ignored. Nothing is ever written back because it was not understood.

A change costs only what it touches: a job is built again only if one of its keys has changed.
Unchanged objects stay the same objects, so others can cache by identity.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import TypeAlias

from crdtqueue.core.document.fractional_index import sort_rank
from crdtqueue.core.document.model import (
    Deletion,
    Job,
    PrintSet,
    QueueState,
    RosterEntry,
    RunRecord,
)
from crdtqueue.core.document.parse import (
    read_draft,
    read_job,
    read_record,
    read_roster_entry,
    read_set,
    read_settings,
)
from crdtqueue.core.ids import (
    JOB_ID_CHARS,
    PEER_ID_CHARS,
    SET_ID_CHARS,
    Claim,
    JobId,
    PeerId,
    PrintId,
    SetId,
    Sha256,
    claim_of_print,
    is_id,
    is_sha256,
)
from crdtqueue.core.yjs.lib0 import JsonValue

Root: TypeAlias = Mapping[str, JsonValue]
Fields: TypeAlias = dict[str, JsonValue]


def read_queue(roots: Mapping[str, Root]) -> QueueState:
    """What a whole document says, with everything that makes no sense left out."""
    reading = DocumentReader()
    for root, entries in roots.items():
        for key, value in entries.items():
            reading.change(root, key, value)
    return reading.state()


class DocumentReader:
    """The content of a document. Call `change` for each key that changes, then `state`."""

    def __init__(self) -> None:
        self._settings: Fields = {}
        self._fields: defaultdict[JobId, Fields] = defaultdict(dict)
        self._sets: defaultdict[JobId, defaultdict[SetId, Fields]]
        self._sets = defaultdict(lambda: defaultdict(dict))
        self._records: defaultdict[JobId, dict[PrintId, RunRecord]] = defaultdict(dict)
        self._open: defaultdict[JobId, set[Claim]] = defaultdict(set)
        self._claims: set[Claim] = set()
        self._ended: set[Claim] = set()
        self._lost: defaultdict[Claim, set[PeerId]] = defaultdict(set)
        self._roster: dict[PeerId, RosterEntry] = {}
        self._holders: defaultdict[Sha256, set[PeerId]] = defaultdict(set)
        self._holders_read: dict[Sha256, frozenset[PeerId]] | None = None
        self._jobs: dict[JobId, tuple[tuple[bool, str, str], Job]] = {}
        self._touched: set[JobId] = set()
        self._state: QueueState | None = None

    def change(self, root: str, key: str, value: JsonValue) -> None:
        """Takes in the value of a key; None if the key no longer exists."""
        self._state = None
        match root:
            case "queue":
                _put(self._settings, key, value)
            case "jobs":
                self._change_job(key, value)
            case "sets":
                self._change_set(key, value)
            case "runs":
                self._change_record(PrintId(key), value)
            case "claims" | "ends":
                self._change_claim(root, key, value)
            case "lost":
                self._change_lost(key, value)
            case "peers" if is_id(key, PEER_ID_CHARS):
                self._change_peer(PeerId(key), value)
            case "files":
                self._change_holder(key, value)

    def state(self) -> QueueState:
        """What the document says."""
        if self._state is None:
            self._state = self._read()
        return self._state

    def _change_job(self, key: str, value: JsonValue) -> None:
        job, _, field = key.rpartition("/")
        if is_id(job, JOB_ID_CHARS):
            _put(self._fields[JobId(job)], field, value)
            self._touched.add(JobId(job))

    def _change_set(self, key: str, value: JsonValue) -> None:
        match key.split("/"):
            case [job, set_id, field] if is_id(job, JOB_ID_CHARS) and is_id(set_id, SET_ID_CHARS):
                _put(self._sets[JobId(job)][SetId(set_id)], field, value)
                self._touched.add(JobId(job))

    def _change_record(self, print_id: PrintId, value: JsonValue) -> None:
        named = claim_of_print(print_id)
        if named is None:
            return
        job = named[0].job
        record = read_record(print_id, value)
        if record:
            self._records[job][print_id] = record
        else:
            self._records[job].pop(print_id, None)
        self._touched.add(job)

    def _change_claim(self, root: str, key: str, value: JsonValue) -> None:
        claim = Claim.from_key(key)
        if claim is None:
            return
        known = self._claims if root == "claims" else self._ended
        if value is None:
            known.discard(claim)
        else:
            known.add(claim)
        self._look_again(claim)

    def _change_lost(self, key: str, value: JsonValue) -> None:
        text, _, peer = key.rpartition("/")
        claim = Claim.from_key(text)
        if claim is None or not is_id(peer, PEER_ID_CHARS):
            return
        if value is None:
            self._lost[claim].discard(PeerId(peer))
        else:
            self._lost[claim].add(PeerId(peer))
        self._look_again(claim)

    def _look_again(self, claim: Claim) -> None:
        over = claim in self._ended or self._lost.get(claim)
        if claim in self._claims and not over:
            self._open[claim.job].add(claim)
        else:
            self._open[claim.job].discard(claim)
        self._touched.add(claim.job)

    def _change_peer(self, peer: PeerId, value: JsonValue) -> None:
        entry = read_roster_entry(peer, value)
        if entry:
            self._roster[peer] = entry
        else:
            self._roster.pop(peer, None)

    def _change_holder(self, key: str, value: JsonValue) -> None:
        sha256, _, peer = key.partition("/")
        if not is_sha256(sha256) or not is_id(peer, PEER_ID_CHARS):
            return
        self._holders_read = None
        if value is True:
            self._holders[Sha256(sha256)].add(PeerId(peer))
        else:
            self._holders[Sha256(sha256)].discard(PeerId(peer))

    def _read(self) -> QueueState:
        for job in self._touched:
            self._read_job(job)
        self._touched.clear()
        ranked = sorted(self._jobs.values(), key=lambda each: each[0])
        return QueueState(
            settings=read_settings(self._settings),
            jobs=tuple(job for _, job in ranked if not job.deletion.is_gone),
            deleted=tuple(job for _, job in ranked if job.deletion.is_gone),
            claims=frozenset(self._claims),
            ended=frozenset(self._ended),
            lost=frozenset(claim for claim, by in self._lost.items() if by),
            roster=dict(self._roster),
            holders=self._read_holders(),
        )

    def _read_holders(self) -> dict[Sha256, frozenset[PeerId]]:
        if self._holders_read is None:
            held = self._holders.items()
            self._holders_read = {sha256: frozenset(peers) for sha256, peers in held if peers}
        return self._holders_read

    def _read_job(self, job: JobId) -> None:
        fields = self._fields.get(job, {})
        if not isinstance(fields.get("name"), str):
            self._jobs.pop(job, None)
            return
        read = read_job(
            job,
            fields,
            sets=self._read_sets(job),
            records=tuple(r for _, r in sorted(self._records.get(job, {}).items())),
            draft=read_draft(fields.get("draft")),
            deletion=self._deletion(job, fields.get("deleted")),
        )
        self._jobs[job] = sort_rank(read.order, job), read

    def _read_sets(self, job: JobId) -> tuple[PrintSet, ...]:
        read = (read_set(set_id, fields) for set_id, fields in self._sets.get(job, {}).items())
        sets = (each for each in read if each)
        return tuple(sorted(sets, key=lambda each: sort_rank(each.order, each.id)))

    def _deletion(self, job: JobId, value: JsonValue) -> Deletion:
        """A job that is deleted after its running copy is gone once no claim of it is open."""
        if value is True:
            return Deletion.NOW
        if value == Deletion.MOVED.value:
            return Deletion.MOVED
        if value == Deletion.AFTER_COPY.value:
            return Deletion.AFTER_COPY if self._open.get(job) else Deletion.NOW
        return Deletion.NONE


def _put(fields: Fields, field: str, value: JsonValue) -> None:
    """Every reader treats a missing field and one that is null in the same way."""
    if value is None:
        fields.pop(field, None)
    else:
        fields[field] = value
