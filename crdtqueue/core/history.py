"""The history: one entry for every print that ended. It outlives the job.

Each peer of a queue keeps its own, made from the run records of the document. An entry stays once
it is written; a later look at the same record only fills in what was not known then.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from crdtqueue.core.document.model import (
    Job,
    QueueState,
    Result,
    RosterEntry,
    RunRecord,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.ids import JobId, PeerId, PrintId, QueueName, claim_of_print

HISTORY_ROWS_MAX: Final = 100_000
"""The longest history of one peer; what ended first is forgotten first."""
PAGE_ROWS_MAX: Final = 200
FILTER_CHARS_MAX: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One print that ended. Unknown texts are empty, unknown numbers are 0.

    The times are wall-clock seconds of the peer that printed. `bytes` and `filament_mm` are the
    part that was printed. `double` marks a print of a copy that another printer had already made.
    """

    print_id: PrintId
    queue: QueueName
    job_id: JobId
    job_name: str
    file_name: str
    sha256: str
    peer: PeerId
    printer_name: str
    profile: str
    result: Result
    reason: str
    started_at_s: float
    ended_at_s: float
    bytes: int
    filament_mm: float
    generation: int
    run: int
    double: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryFilter:
    """Which entries are wanted: those that match all fields that are not empty.

    `printer` and `job` are a whole name or id; `text` is a part of any text shown. Case does not
    matter. `from_s` <= end of the print < `until_s`, in wall-clock seconds.
    """

    printer: str = ""
    job: str = ""
    queue: str = ""
    result: Result | None = None
    from_s: float | None = None
    until_s: float | None = None
    text: str = ""

    def __post_init__(self) -> None:
        """Raises Invalid."""
        for text in (self.printer, self.job, self.queue, self.text):
            if len(text) > FILTER_CHARS_MAX:
                raise Invalid(f"Filter by at most {FILTER_CHARS_MAX} characters.")
        for time_s in (self.from_s, self.until_s):
            if time_s is not None and not math.isfinite(time_s):
                raise Invalid("A date to filter by must be a number of seconds.")


def queue_entries(queue: QueueName, state: QueueState) -> list[HistoryEntry]:
    """The entries of all that was ever printed from a queue, deleted jobs included."""
    return [
        entry
        for job in (*state.jobs, *state.deleted)
        for entry in job_entries(queue, job, state.roster)
    ]


def job_entries(
    queue: QueueName, job: Job, roster: Mapping[PeerId, RosterEntry]
) -> list[HistoryEntry]:
    """The entries of one job's records."""
    doubles = _doubles(job.records)
    found = []
    for record in job.records:
        if named := claim_of_print(record.print_id):
            by = roster.get(named[0].peer)
            is_double = record.print_id in doubles
            found.append(
                entry_of(queue, job, record, printer_name=by.name if by else "", double=is_double)
            )
    return found


def entry_of(
    queue: QueueName, job: Job, record: RunRecord, *, printer_name: str, double: bool = False
) -> HistoryEntry:
    """The history entry of one record, whose print id must be one of ours."""
    named = claim_of_print(record.print_id)
    if named is None:
        raise ValueError(f"{record.print_id!r} is not a print id")
    file = next((each.file for each in job.sets if each.id == record.set), None)
    return HistoryEntry(
        print_id=record.print_id,
        queue=queue,
        job_id=job.id,
        job_name=job.name,
        file_name=file.name if file else "",
        sha256=file.sha256 if file else "",
        peer=named[0].peer,
        printer_name=printer_name,
        profile=record.profile,
        result=record.result,
        reason=record.reason,
        started_at_s=record.started_at_s,
        ended_at_s=record.ended_at_s,
        bytes=record.bytes,
        filament_mm=record.filament_mm,
        generation=record.generation,
        run=record.run,
        double=double,
    )


def _doubles(records: Iterable[RunRecord]) -> set[PrintId]:
    """All finished prints of a copy except the first.

    The first by print id, not by time: so which ones are doubles never depends on who looks when.
    """
    prints: defaultdict[tuple[object, ...], list[PrintId]] = defaultdict(list)
    for each in records:
        if each.result is Result.DONE:
            prints[each.generation, each.run, each.set, each.copy].append(each.print_id)
    return {second for ids in prints.values() for second in sorted(ids)[1:]}
