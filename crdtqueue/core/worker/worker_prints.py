"""The values that the worker makes of a job, a claim and a print."""

from crdtqueue.core.document.model import (
    Job,
    Result,
    RunRecord,
)
from crdtqueue.core.document.progress import Copy
from crdtqueue.core.ids import Claim, Profile, claim_of_print
from crdtqueue.core.worker.worker_events import (
    Printing,
    QueueView,
)


def printing_of(view: QueueView, job: Job, claim: Claim, copy: Copy, wall_s: float) -> Printing:
    """The next print under `claim`; one that was never recorded keeps its number."""
    return Printing(
        queue=view.name,
        claim=claim,
        number=_last_number(job, claim) + 1,
        generation=job.generation,
        run=copy.run,
        copy=copy.number,
        set=copy.set.id,
        file=copy.set.file,
        started_at_s=wall_s,
        materials=copy.set.materials,
    )


def record_of(
    printing: Printing,
    result: Result,
    reason: str,
    profile: Profile,
    bytes_done: int,
    wall_s: float,
) -> RunRecord:
    """The record of a print that is over."""
    return RunRecord(
        print_id=printing.print_id,
        generation=printing.generation,
        run=printing.run,
        copy=printing.copy,
        set=printing.set,
        profile=profile,
        result=result,
        reason=reason,
        started_at_s=printing.started_at_s,
        ended_at_s=wall_s,
        bytes=bytes_done,
    )


def is_recorded(printing: Printing, view: QueueView | None) -> bool:
    """Whether its record is there, or cannot be looked for."""
    jobs = (*view.state.jobs, *view.state.deleted) if view else ()
    known = {record.print_id for job in jobs for record in job.records}
    return view is None or printing.print_id in known


def _last_number(job: Job, claim: Claim) -> int:
    """The number of the last print recorded under `claim`; 0 if there is none."""
    prints = [claim_of_print(record.print_id) for record in job.records]
    return max((each[1] for each in prints if each and each[0] == claim), default=0)
