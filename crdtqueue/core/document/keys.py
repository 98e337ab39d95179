"""The queue as a document: every key, and what is written under it.

Flat root maps of JSON values, one key for each fact that people edit independently or that one
peer alone writes. `docs/document.md` says how a conflict over each of them ends;
`crdtqueue.core.document.reader` reads them.

    queue   field                         name, generation, strategy, mode, schema
            voters/n/digest               a list of voters, write-once; see `claims/quorum.py`
            voters/n/digest/peer          that `peer` goes by that list, by that peer
    jobs    job/field                     name, runs, order, generation, paused, forgiven, deleted,
                                          note, draft, by, at
    sets    job/set/field                 file, copies, profiles, order, materials, metadata,
                                          removed, extra.generation.run
    claims  job/epoch/peer/incarnation    start record, by the claimant or a voter that arms it
    ends    job/epoch/peer/incarnation    how that claim ended, write-once, by the claimant
    lost    job/epoch/peer/incarnation/by that a person at peer `by` has given that claim up
    runs    job/epoch/peer/incarnation/n  run record, write-once, by the claimant
    peers   peer                          name, profile, addresses, by that peer
    files   sha256/peer                   true while that peer holds the file, by that peer
    more    anything                      for later versions; carried along, never read
"""

from typing import TypeAlias

from crdtqueue.core.document.model import (
    Deletion,
    Draft,
    Job,
    Mode,
    PrintSet,
    RosterEntry,
    RunRecord,
    Strategy,
)
from crdtqueue.core.ids import Claim, JobId, PeerId, SetId, Sha256
from crdtqueue.core.yjs.lib0 import JsonValue

Entry: TypeAlias = tuple[str, str, JsonValue]
"""A write: root, key, value."""

ROOTS = frozenset(
    {"queue", "jobs", "sets", "claims", "ends", "lost", "runs", "peers", "files", "more"}
)

SCHEMA = 1
"""The version of these keys. A document that names a later one is shown, but nothing of it is
claimed: what is not understood might be a reason not to print."""


def job_entries(job: Job) -> list[Entry]:
    """The entries that add `job`, with its sets and without its records."""
    fields: dict[str, JsonValue] = {
        "name": job.name,
        "runs": job.runs,
        "order": job.order,
        "by": job.created_by,
        "at": job.created_at_s,
    }
    if job.note:
        fields["note"] = job.note
    if job.paused:
        fields["paused"] = True
    drafts = [draft_entry(job.id, job.draft)] if job.draft else []
    return [
        *(("jobs", f"{job.id}/{name}", value) for name, value in fields.items()),
        *drafts,
        *(entry for each in job.sets for entry in set_entries(job.id, each)),
    ]


def set_entries(job: JobId, each: PrintSet) -> list[Entry]:
    """The entries that add a set to a job."""
    file = each.file
    fields: dict[str, JsonValue] = {
        "file": {"sha256": file.sha256, "name": file.name, "size": file.size_bytes},
        "copies": each.copies,
        "profiles": [*sorted(each.profiles)],
        "order": each.order,
    }
    if each.materials:
        fields["materials"] = [*each.materials]
    if each.metadata:
        fields["metadata"] = each.metadata
    for (generation, run), copies in each.extras.items():
        fields[f"extra.{generation}.{run}"] = copies
    return [("sets", f"{job}/{each.id}/{name}", value) for name, value in fields.items()]


# Edits of a job -----------------------------------------------------------------------------------


def name_entry(job: JobId, name: str) -> Entry:
    """The name of the job."""
    return "jobs", f"{job}/name", name


def note_entry(job: JobId, note: str) -> Entry:
    """What people should know about the job."""
    return "jobs", f"{job}/note", note


def runs_entry(job: JobId, runs: int) -> Entry:
    """How often the whole job is printed."""
    return "jobs", f"{job}/runs", runs


def order_entry(job: JobId, order: str) -> Entry:
    """The job's place in the queue, a key of `crdtqueue.core.document.fractional_index`."""
    return "jobs", f"{job}/order", order


def generation_entry(job: JobId, generation: int) -> Entry:
    """Print again: records of earlier generations do not count any more."""
    return "jobs", f"{job}/generation", generation


def paused_entry(job: JobId, *, paused: bool) -> Entry:
    """Pauses a job, or resumes it."""
    return "jobs", f"{job}/paused", paused


def forgiven_entry(job: JobId, failures: int) -> Entry:
    """A person has looked at so many failed prints of this generation: try again."""
    return "jobs", f"{job}/forgiven", failures


def draft_entry(job: JobId, draft: Draft | None) -> Entry:
    """Marks the job as being edited; None ends that."""
    value: JsonValue = None
    if draft:
        value = {"peer": draft.peer, "by": draft.by, "beat": draft.beat}
    return "jobs", f"{job}/draft", value


def deleted_entry(job: JobId, deletion: Deletion = Deletion.NOW) -> Entry:
    """Deletes a job, or restores it. It is a mark and not a removal: so an edit made meanwhile
    elsewhere cannot bring half a job back, and a person can restore all of it."""
    values: dict[Deletion, JsonValue] = {Deletion.NONE: False, Deletion.NOW: True}
    return "jobs", f"{job}/deleted", values.get(deletion, deletion.value)


# Edits of a set -----------------------------------------------------------------------------------


def copies_entry(job: JobId, each: SetId, copies: int) -> Entry:
    """How often the set is printed in each run."""
    return "sets", f"{job}/{each}/copies", copies


def extra_entry(job: JobId, each: SetId, *, generation: int, run: int, copies: int) -> Entry:
    """How many more copies of the set are printed in one run."""
    return "sets", f"{job}/{each}/extra.{generation}.{run}", copies


def profiles_entry(job: JobId, each: PrintSet) -> Entry:
    """The kinds of printer that the file of the set is for."""
    return "sets", f"{job}/{each.id}/profiles", [*sorted(each.profiles)]


def materials_entry(job: JobId, each: SetId, materials: tuple[str, ...]) -> Entry:
    """What each tool must be loaded with."""
    return "sets", f"{job}/{each}/materials", [*materials]


def set_order_entry(job: JobId, each: SetId, order: str) -> Entry:
    """The set's place in the job."""
    return "sets", f"{job}/{each}/order", order


def removed_entry(job: JobId, each: SetId) -> Entry:
    """Removes a set from a job; it is a mark, as in `deleted_entry`."""
    return "sets", f"{job}/{each}/removed", True


# The queue as a whole -----------------------------------------------------------------------------


def strategy_entry(strategy: Strategy) -> Entry:
    """Which job a printer takes first."""
    return "queue", "strategy", strategy.value


def mode_entry(mode: Mode) -> Entry:
    """Who must agree before a printer may take a job."""
    return "queue", "mode", mode.value


# Write-once records -------------------------------------------------------------------------------


def claim_entry(claim: Claim, *, at_s: float) -> Entry:
    """The start record of a claim."""
    return "claims", claim.key, {"at": at_s}


def end_entry(claim: Claim, reason: str) -> Entry:
    """The end record of a claim."""
    return "ends", claim.key, {"reason": reason}


def lost_entry(claim: Claim, *, peer: PeerId, by: str, at_s: float) -> Entry:
    """Says that a person at this peer has given up a claim whose owner does not answer."""
    return "lost", f"{claim.key}/{peer}", {"by": by, "at": at_s}


def record_entry(record: RunRecord) -> Entry:
    """The run record of a finished print."""
    return (
        "runs",
        record.print_id,
        {
            "generation": record.generation,
            "run": record.run,
            "copy": record.copy,
            "set": record.set,
            "profile": record.profile,
            "result": record.result.value,
            "reason": record.reason,
            "started": record.started_at_s,
            "ended": record.ended_at_s,
            "bytes": record.bytes,
            "filament": record.filament_mm,
        },
    )


# What each peer says of itself --------------------------------------------------------------------


def roster_entry(entry: RosterEntry) -> Entry:
    """What a peer writes about itself."""
    value: JsonValue = {
        "name": entry.name,
        "profile": entry.profile,
        "addresses": [*entry.addresses],
    }
    return "peers", entry.peer, value


def holder_entry(sha256: Sha256, peer: PeerId) -> Entry:
    """Says that `peer` has the file."""
    return "files", f"{sha256}/{peer}", True
