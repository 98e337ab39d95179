"""How the worker's memory changes at each step: the bed, the scripts that follow a print, and
whether the printer goes on; and the values that are made for a print."""

from dataclasses import replace

from crdtqueue.core.document.model import (
    Job,
    Result,
    RunRecord,
)
from crdtqueue.core.document.progress import (
    Copy,
    failures,
    why_nobody_may_take,
)
from crdtqueue.core.ids import Claim, JobId, Profile, QueueName, claim_of_print
from crdtqueue.core.worker.scripts import (
    CycleStep,
    ScriptRun,
    Scripts,
    with_script,
)
from crdtqueue.core.worker.strategy import Overtaken
from crdtqueue.core.worker.worker_events import (
    CopyPrint,
    QueueView,
    WorkerConfig,
    WorkerMemory,
)

FAILED_JOBS_MAX = 3
"""A printer on which the prints of so many jobs have failed one after the other is broken."""
DOUBTFUL_MAX = 8
"""So many requests to begin may be on their way to a printer that does not know of them yet."""
REASON_CHARS_MAX = 200
OVERTAKEN_QUEUES_MAX = 32

_BED_STEPS = {CycleStep.COOLDOWN, CycleStep.COOL, CycleStep.CLEAR_BED, CycleStep.WAITING}
_LOOK = "Look at the printer, then start managing it again:"
_CANCELLED = f"{_LOOK} the print was cancelled."
_BROKEN = _LOOK + " prints of {number} jobs have failed here one after the other, at last: {reason}"
_SCRIPT_FAILED = _LOOK + " the script {event} has not run to its end: {reason}"


def after_print(
    saved: WorkerMemory,
    result: Result,
    reason: str,
    *,
    moved: bool,
    config: WorkerConfig,
    scripts: Scripts,
) -> WorkerMemory:
    """The memory after the print in `saved` was recorded.

    `moved` says whether the printer had begun with it at all.
    """
    unused = not moved and not saved.strange
    clear = unused or (config.self_clearing and result is Result.DONE)
    failed = _failed_jobs(saved, result, moved=moved)
    after = replace(
        saved, printing=None, prepared=None, strange=False, bed_clear=clear, failed_jobs=failed
    )
    if moved and saved.managing and result is not Result.ABORTED:
        steps = with_script(scripts, *_steps(result, clear=clear, config=config))
        after = replace(after, todo=(*steps, *saved.todo))
    if result is Result.CANCELLED:
        return stopped(after, _CANCELLED, scripts)
    if len(failed) >= FAILED_JOBS_MAX:
        why = _BROKEN.format(number=len(failed), reason=reason[:REASON_CHARS_MAX])
        return stopped(after, why, scripts)
    return after


def _failed_jobs(saved: WorkerMemory, result: Result, *, moved: bool) -> tuple[JobId, ...]:
    if result is Result.DONE or saved.printing is None:
        return ()
    job = saved.printing.claim.job
    broke = moved and result in {Result.FAILED, Result.ABORTED}
    if not broke or job in saved.failed_jobs:
        return saved.failed_jobs
    return (*saved.failed_jobs, job)


def _steps(result: Result, *, clear: bool, config: WorkerConfig) -> list[CycleStep]:
    steps = [CycleStep.PRINT_DONE if result is Result.DONE else CycleStep.PRINT_FAILED]
    if config.cooldown and not clear:
        steps += [CycleStep.COOLDOWN, CycleStep.COOL]
    if result is Result.DONE and not clear:
        steps.append(CycleStep.CLEAR_BED)
    return steps


def is_tried_too_often(job: Job, retries: int) -> bool:
    """Whether a person has to look at a job that has failed here, and nothing else says so."""
    return not why_nobody_may_take(job) and failures(job) - job.forgiven > retries


def script_begun(saved: WorkerMemory, run: ScriptRun) -> WorkerMemory:
    """The memory when a script is about to run: it is removed from the steps."""
    todo = tuple(step for step in saved.todo if step is not run.step)
    return replace(saved, script=run, last_begun=run.print_id, strange=False, todo=todo)


def after_script(
    saved: WorkerMemory, run: ScriptRun, result: Result, reason: str, *, moved: bool
) -> WorkerMemory:
    """The memory after the script in `saved` is over.

    `moved` says whether the printer had begun with it at all. If not, what it reports about its bed
    belongs to the print before.
    """
    clears = run.step is CycleStep.CLEAR_BED and not saved.strange
    never_begun = not moved and saved.last_begun == run.print_id
    last_begun = run.after if never_begun else saved.last_begun
    saved = replace(saved, script=None, strange=False, last_begun=last_begun)
    if result is not Result.DONE:
        text = reason[:REASON_CHARS_MAX]
        why = _SCRIPT_FAILED.format(event=run.step.value, reason=text)
        return replace(saved, todo=(), managing=False, stopped_because=why)
    prepared = run.prepares or saved.prepared
    return replace(saved, bed_clear=saved.bed_clear or clears, prepared=prepared)


def begun(saved: WorkerMemory, printing: CopyPrint, scripts: Scripts) -> WorkerMemory:
    """The memory when a print is about to begin: the bed counts as used from now on."""
    return replace(
        saved,
        printing=printing,
        last_begun=printing.print_id,
        strange=False,
        bed_clear=False,
        worked=CycleStep.QUEUE_FINISHED in scripts,
        called=False,
        loaded=saved.loaded.used(printing.materials),
    )


def never_begun(saved: WorkerMemory, *, recorded: bool, told: bool) -> WorkerMemory:
    """The memory when the printer does not know the print in `saved`: the bed is as it was before.

    If the print is recorded, the printer has only forgotten it. If the printer was `told` to start,
    the request may still arrive.
    """
    clear = not saved.strange and not recorded
    doubtful = _doubtful(saved) if told and not recorded else saved.doubtful
    return replace(
        saved,
        printing=None,
        doubtful=doubtful,
        last_begun=None if clear else saved.last_begun,
        strange=False,
        bed_clear=clear,
    )


def _doubtful(saved: WorkerMemory) -> tuple[CopyPrint, ...]:
    known = (*saved.doubtful, saved.printing) if saved.printing else saved.doubtful
    return tuple(dict.fromkeys(known))[-DOUBTFUL_MAX:]


def begun_after_all(saved: WorkerMemory, doubtful: CopyPrint) -> WorkerMemory:
    """The memory when the printer has begun a print after all, by a request that was long on its
    way.

    The print that it should have begun meanwhile is now doubtful. The held claim stays.
    """
    others = tuple(each for each in _doubtful(saved) if each != doubtful)
    saved = replace(
        saved,
        printing=doubtful,
        doubtful=others,
        last_begun=doubtful.print_id,
        bed_clear=False,
        todo=_without_bed(saved),
    )
    if saved.held:
        return saved
    return replace(saved, held_queue=doubtful.queue, held_claim=doubtful.claim.key)


def stopped(saved: WorkerMemory, because: str, scripts: Scripts) -> WorkerMemory:
    """The memory when the printer stops taking jobs by itself."""
    if not saved.managing:
        return saved
    todo = (*saved.todo, *with_script(scripts, CycleStep.DEACTIVATED))
    return replace(saved, managing=False, stopped_because=because, failed_jobs=(), todo=todo)


def managed(saved: WorkerMemory, scripts: Scripts, *, managing: bool) -> WorkerMemory:
    """The memory when a person lets the printer take jobs, or stops that.

    A person who changes their mind before the script of it has run does not get it run at all. When
    a person takes the printer for themselves, the remaining steps are dropped.
    """
    if managing == saved.managing:
        return saved
    wanted, other = CycleStep.ACTIVATED, CycleStep.DEACTIVATED
    if not managing:
        wanted, other = other, wanted
    steps = with_script(scripts, wanted) if other not in saved.todo else ()
    return replace(saved, managing=managing, stopped_because="", failed_jobs=(), todo=steps)


def bed_cleared(saved: WorkerMemory) -> WorkerMemory:
    """The memory when somebody has cleared the bed."""
    todo = _without_bed(saved)
    return replace(saved, bed_clear=True, last_begun=None, called=False, todo=todo)


def used_by_somebody(saved: WorkerMemory) -> WorkerMemory:
    """The memory when a print that is not ours runs: no script may drive into that part."""
    under_way = saved.at_printer is not None
    return replace(
        saved, bed_clear=False, strange=under_way, last_begun=None, todo=_without_bed(saved)
    )


def _without_bed(saved: WorkerMemory) -> tuple[CycleStep, ...]:
    return tuple(step for step in saved.todo if step not in _BED_STEPS)


def materials_said(saved: WorkerMemory, tools: tuple[str, ...] | None) -> WorkerMemory:
    """The memory when a person says what is loaded, or does not want to be asked any more
    (None)."""
    known = saved.loaded
    loaded = replace(known, tools=known.tools if tools is None else tools, said=tools is not None)
    todo = tuple(step for step in saved.todo if step is not CycleStep.WAITING)
    return replace(saved, loaded=loaded, called=False, todo=todo)


def with_overtaken(
    saved: WorkerMemory, queue: QueueName, overtaken: Overtaken | None
) -> WorkerMemory:
    """The memory when a job of `queue` was taken that is not its first."""
    others = tuple(each for each in saved.overtaken if each.queue != queue)
    known = (*others, overtaken) if overtaken else others
    return replace(saved, overtaken=known[-OVERTAKEN_QUEUES_MAX:])


def printing_of(view: QueueView, job: Job, claim: Claim, copy: Copy, wall_s: float) -> CopyPrint:
    """The next print under `claim`; one that was never recorded keeps its number."""
    return CopyPrint(
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
    printing: CopyPrint,
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


def is_recorded(printing: CopyPrint, view: QueueView | None) -> bool:
    """Whether the record of the print exists, or cannot be looked for."""
    jobs = (*view.state.jobs, *view.state.deleted) if view else ()
    known = {record.print_id for job in jobs for record in job.records}
    return view is None or printing.print_id in known


def _last_number(job: Job, claim: Claim) -> int:
    """The number of the last print recorded under `claim`; 0 if there is none."""
    prints = [claim_of_print(record.print_id) for record in job.records]
    return max((each[1] for each in prints if each and each[0] == claim), default=0)
