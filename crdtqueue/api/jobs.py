"""The operations on jobs: add, edit, order, move, delete, restore.

Each edit writes one key for each fact, so that the edits of two people both take effect. Each
operation returns once it is durable on this peer.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace

from crdtqueue.api.job_view import names
from crdtqueue.api.models import JobEdit, NewJob, NewSet, SetEdit
from crdtqueue.core.claims.mark_lost import (
    OwnerPresence,
    why_not_lost,
)
from crdtqueue.core.document import keys as d
from crdtqueue.core.document.fractional_index import keys_between
from crdtqueue.core.document.model import (
    SETS_PER_JOB_MAX,
    Deletion,
    Draft,
    FileRef,
    Job,
    PrintSet,
)
from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.document.progress import (
    failures,
    progress,
    set_progress,
)
from crdtqueue.core.errors import Invalid, NotFound, Refused
from crdtqueue.core.ids import (
    JOB_ID_CHARS,
    SET_ID_CHARS,
    Claim,
    JobId,
    Profile,
    SetId,
    Sha256,
)
from crdtqueue.core.yjs.update_parser import UPDATE_BYTES_MAX
from crdtqueue.peer.lan_queue import LanQueue
from crdtqueue.peer.peer import Peer
from printer_driver import clock

JOBS_PER_QUEUE_MAX = 10_000
DOCUMENT_BYTES_MAX = UPDATE_BYTES_MAX * 3 // 4
"""A peer that joins gets the document as one update; the rest is for what becomes of the jobs."""


class Jobs:
    """The jobs of a running peer's queues.

    Every method raises NotFound for a queue, job or set that is not there, and Unavailable if the
    disk does not take the change.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    # New ones

    async def add(self, queue_name: str, new: NewJob) -> JobId:
        """Adds a job at the end of a queue. Raises Invalid or Refused."""
        queue = self._peer.queue(queue_name)
        check_room(queue)
        job = Job(
            id=new_job_id(),
            name=new.name,
            order=place_before(queue.state.jobs, None),
            runs=new.runs,
            generation=0,
            paused=False,
            created_by=self._peer.me.name,
            created_at_s=clock.wall_s(),
            sets=await self._sets(new.sets, after=None),
            note=new.note,
            draft=self._draft() if new.draft else None,
        )
        await queue.edit([*self._holds(job.sets), *d.job_entries(job)])
        return job.id

    async def duplicate(self, queue_name: str, job: str) -> JobId:
        """Adds the same job again, right behind it, with nothing printed yet."""
        queue, found = self.find(queue_name, job)
        check_room(queue)
        following = _following(queue.state.jobs, found)
        copy = replace(
            found,
            id=new_job_id(),
            order=place_before(queue.state.jobs, following),
            created_by=self._peer.me.name,
            created_at_s=clock.wall_s(),
            sets=tuple(replace(each, extras={}) for each in found.sets),
            draft=None,
        )
        await queue.edit(d.job_entries(copy))
        return copy.id

    async def _sets(self, sets: Sequence[NewSet], after: str | None) -> tuple[PrintSet, ...]:
        keys = keys_between(after, None, len(sets), secrets.randbits(32) if after else 0)
        return tuple([await self._set(new, key) for new, key in zip(sets, keys, strict=True)])

    async def _set(self, new: NewSet, key: str) -> PrintSet:
        sha256 = Sha256(new.sha256)
        size_bytes = await self._peer.files.size_bytes(sha256)
        if size_bytes is None:
            raise Invalid(f"The file {new.name} is not here. Upload it first.", code="no_file")
        return PrintSet(
            id=SetId(secrets.token_hex(SET_ID_CHARS // 2)),
            order=key,
            file=FileRef(sha256=sha256, name=new.name, size_bytes=size_bytes),
            copies=new.copies,
            profiles=_profiles(new.profiles),
            materials=tuple(new.materials),
            metadata=new.metadata,
        )

    def _holds(self, sets: Iterable[PrintSet]) -> list[d.Entry]:
        held = {d.holder_entry(each.file.sha256, self._peer.me.peer) for each in sets}
        return [*sorted(held)]

    # Edits

    async def edit(self, queue_name: str, job: str, edit: JobEdit) -> None:
        """Gives a job another name, note or number of runs; fewer runs only stop later ones."""
        queue, found = self.find(queue_name, job)
        entries = [
            *([d.name_entry(found.id, edit.name)] if edit.name is not None else []),
            *([d.runs_entry(found.id, edit.runs)] if edit.runs is not None else []),
            *([d.note_entry(found.id, edit.note)] if edit.note is not None else []),
        ]
        await queue.edit([*entries, *self._beat(found)])

    async def pause(self, queue_name: str, job: str, *, paused: bool) -> None:
        """Pauses a job, or resumes it, also after too many failed prints.

        A copy that is being printed goes on.
        """
        queue, found = self.find(queue_name, job)
        entries = [d.paused_entry(found.id, paused=paused)]
        if not paused and failures(found) > found.forgiven:
            entries.append(d.forgiven_entry(found.id, failures(found)))
        await queue.edit(entries)

    async def print_again(self, queue_name: str, job: str) -> None:
        """Prints the whole job again; what was printed stays in the history."""
        queue, found = self.find(queue_name, job)
        entries = [d.generation_entry(found.id, found.generation + 1)]
        if found.forgiven:
            entries.append(d.forgiven_entry(found.id, 0))
        await queue.edit(entries)

    async def begin_draft(self, queue_name: str, job: str) -> None:
        """Keeps a job from being printed because somebody edits it here; again with the keystrokes.

        Raises Refused while somebody edits it elsewhere.
        """
        queue, found = self.find(queue_name, job)
        other = found.draft is not None and found.draft.peer != self._peer.me.peer
        if found.draft and other:
            raise Refused(
                f"{found.name} is being edited on {found.draft.by}. Wait, or end that edit first.",
                code="in_edit",
            )
        await queue.edit([d.draft_entry(found.id, self._draft())])

    async def end_draft(self, queue_name: str, job: str) -> None:
        """Lets the job go on, whoever was editing it."""
        queue, found = self.find(queue_name, job)
        if found.draft:
            await queue.edit([d.draft_entry(found.id, None)])

    def _draft(self) -> Draft:
        return Draft(peer=self._peer.me.peer, by=self._peer.me.name, beat=secrets.randbits(31))

    def _beat(self, job: Job) -> list[d.Entry]:
        """An edit is a keystroke too."""
        ours = job.draft is not None and job.draft.peer == self._peer.me.peer
        return [d.draft_entry(job.id, self._draft())] if ours else []

    # Sets

    async def add_sets(self, queue_name: str, job: str, sets: Sequence[NewSet]) -> list[SetId]:
        """Adds sets at the end of a job, as a block. Raises Invalid or Refused."""
        queue, found = self.find(queue_name, job)
        if len(found.sets) + len(sets) > SETS_PER_JOB_MAX:
            raise Refused(f"A job has at most {SETS_PER_JOB_MAX} files. Make another job.")
        last = found.sets[-1].order if found.sets else None
        added = await self._sets(sets, after=last)
        entries = [entry for each in added for entry in d.set_entries(found.id, each)]
        await queue.edit([*self._holds(added), *entries, *self._beat(found)])
        return [each.id for each in added]

    async def edit_set(self, queue_name: str, job: str, set_id: str, edit: SetEdit) -> None:
        """Changes counts, profiles or materials; fewer copies only stop later ones."""
        queue, found = self.find(queue_name, job)
        each = _find_set(found, set_id)
        entries: list[d.Entry] = []
        if edit.copies is not None:
            entries.append(d.copies_entry(found.id, each.id, edit.copies))
        if edit.extra is not None:
            now = {"generation": found.generation, "run": progress(found).run}
            entries.append(d.extra_entry(found.id, each.id, copies=edit.extra, **now))
        if edit.profiles is not None:
            changed = replace(each, profiles=_profiles(edit.profiles))
            entries.append(d.profiles_entry(found.id, changed))
        if edit.materials is not None:
            entries.append(d.materials_entry(found.id, each.id, tuple(edit.materials)))
        await queue.edit([*entries, *self._beat(found)])

    async def remove_set(self, queue_name: str, job: str, set_id: str) -> None:
        """Takes a set out of a job. A copy that is being printed goes on."""
        queue, found = self.find(queue_name, job)
        each = _find_set(found, set_id)
        if len(found.sets) == 1:
            raise Refused(f"{each.file.name} is all that {found.name} has. Delete the job instead.")
        await queue.edit([d.removed_entry(found.id, each.id), *self._beat(found)])

    async def place_set(self, queue_name: str, job: str, set_id: str, before: str | None) -> None:
        """Puts a set ahead of another one of the job, or at its end."""
        queue, found = self.find(queue_name, job)
        each = _find_set(found, set_id)
        target = _find_set(found, before) if before is not None else None
        others = [other for other in found.sets if other.id != each.id]
        if target is each:
            return
        order = place_before(others, target)
        await queue.edit([d.set_order_entry(found.id, each.id, order), *self._beat(found)])

    # Order and queues

    async def place(self, queue_name: str, job: str, before: str | None) -> None:
        """Puts a job ahead of another one, or at the end of its queue."""
        queue, found = self.find(queue_name, job)
        target = self.find(queue_name, before)[1] if before is not None else None
        if target is found:
            return
        others = [other for other in queue.state.jobs if other.id != found.id]
        await queue.edit([d.order_entry(found.id, place_before(others, target))])

    async def move(self, queue_name: str, job: str, to: str, before: str | None = None) -> None:
        """Moves what is left of a job that nobody is printing to another queue.

        Two documents change, one after the other: in between the job is paused in the first, so
        that a power cut leaves it there twice at worst, and never printed twice. Whole runs that
        are printed stay behind. Raises Refused if somebody has it or a run is half done.
        """
        source, found = self.find(queue_name, job)
        target = self._peer.queue(to)
        if target is source:
            await self.place(queue_name, job, before)
            return
        ahead_of = self.find(to, before)[1] if before is not None else None
        runs_left = self._runs_left(source, found)
        check_room(target)
        await source.edit([d.paused_entry(found.id, paused=True)])
        here = [e for e in self._holds(found.sets) if await self._is_here(e[1])]
        # With its old id it would be taken for deleted where it was before.
        moved = replace(
            found,
            id=new_job_id(),
            order=place_before(target.state.jobs, ahead_of),
            runs=runs_left,
            sets=tuple(replace(each, extras={}) for each in found.sets),
            draft=None,
        )
        await target.edit([*here, *d.job_entries(moved)])
        await source.edit(_gone(found, runs_left))

    def _runs_left(self, queue: LanQueue, job: Job) -> int:
        claim = queue.claims.held_by(job.id, clock.now_s())
        if claim:
            owner = names(queue).get(claim.peer, claim.peer)
            raise Refused(f"{owner} has {job.name}. Move it when the copy is done.")
        if any(each.run_done for each in set_progress(job).values()):
            raise Refused(
                f"A run of {job.name} is printed in part. Let that run be finished, then move"
                " the others."
            )
        return job.runs - progress(job).run + 1 if job.records else job.runs

    async def _is_here(self, file_key: str) -> bool:
        sha256 = Sha256(file_key.partition("/")[0])
        return await self._peer.files.size_bytes(sha256) is not None

    # Away, and back

    async def delete(self, queue_name: str, job: str, *, after_copy: bool = False) -> None:
        """Deletes a job; with `after_copy` as soon as nobody prints it any more.

        Raises Refused with the code "job_is_claimed" while somebody prints it.
        """
        queue, found = self.find(queue_name, job)
        claim = queue.claims.held_by(found.id, clock.now_s())
        if claim is None:
            await queue.edit([d.deleted_entry(found.id)])
        elif after_copy:
            await queue.edit([d.deleted_entry(found.id, Deletion.AFTER_COPY)])
        else:
            raise _claimed(queue, found, claim)

    async def mark_lost(self, queue_name: str, job: str) -> None:
        """A person says that the printer that has the job will not finish it: another may begin.

        Written down with who said so and when. Raises Refused if nobody has the job, if its printer
        can be asked to cancel, or may be about to begin (`why_not_lost`).
        """
        queue, found = self.find(queue_name, job)
        now_s, me = clock.now_s(), self._peer.me
        claim = queue.claims.held_by(found.id, now_s)
        if claim is None:
            raise Refused(f"No printer has {found.name}. Look at the list again.")
        self._check_lost(queue, found, claim, now_s)
        lost = queue.claims.open_of_owner(claim)
        at_s = clock.wall_s()
        await queue.edit([d.lost_entry(c, peer=me.peer, by=me.name, at_s=at_s) for c in lost])

    def _check_lost(self, queue: LanQueue, job: Job, claim: Claim, now_s: float) -> None:
        where = OwnerPresence.IN_SIGHT if queue.links.to(claim.peer) else OwnerPresence.AWAY
        if claim.peer == self._peer.me.peer:
            where = OwnerPresence.HERE
        why_not = why_not_lost(
            names(queue).get(claim.peer, claim.peer),
            job.name,
            where,
            silent_s=queue.claims.silent_s(claim, now_s),
            after_s=self._peer.config.times.mark_lost_after_s,
        )
        if why_not:
            code = "heard_lately" if where is OwnerPresence.AWAY else "in_sight"
            raise Refused(why_not, code=code)

    async def restore(self, queue_name: str, job: str) -> None:
        """Brings a deleted job back, with all that was printed of it."""
        queue = self._peer.queue(queue_name)
        state = queue.state
        found = next((each for each in (*state.deleted, *state.jobs) if each.id == job), None)
        if found is None or found.deletion is Deletion.MOVED:
            raise _no_job(queue, job)
        check_room(queue)
        await queue.edit([d.deleted_entry(found.id, Deletion.NONE)])

    def find(self, queue_name: str, job: str) -> tuple[LanQueue, Job]:
        """The queue and the job."""
        return find_job(self._peer, queue_name, job)


def find_job(peer: Peer, queue_name: str, job: str) -> tuple[LanQueue, Job]:
    """The queue and the job. Raises NotFound."""
    queue = peer.queue(queue_name)
    found = queue.state.job(JobId(job))
    if found is None:
        raise _no_job(queue, job)
    return queue, found


def check_room(queue: LanQueue) -> None:
    """Raises Refused if the queue can take no further job."""
    if len(queue.state.jobs) >= JOBS_PER_QUEUE_MAX:
        raise Refused(f"A queue has at most {JOBS_PER_QUEUE_MAX} jobs. Delete some first.")
    if queue.replica.size_bytes() > DOCUMENT_BYTES_MAX:
        raise Refused(
            f"{queue.name} has taken in all the jobs that it can. Make a new queue for more.",
            code="queue_full",
        )


def new_job_id() -> JobId:
    """An id that no job has."""
    return JobId(secrets.token_hex(JOB_ID_CHARS // 2))


def place_before(others: Sequence[Job | PrintSet], target: Job | PrintSet | None) -> str:
    """The order key of something new ahead of `target`; behind all `others` if it is None."""
    index = next((n for n, each in enumerate(others) if each is target), len(others))
    before = others[index - 1].order if index else None
    return keys_between(before, target.order if target else None, 1, secrets.randbits(32))[0]


def _following(jobs: Sequence[Job], job: Job) -> Job | None:
    index = next(n for n, each in enumerate(jobs) if each is job)
    return jobs[index + 1] if index + 1 < len(jobs) else None


def _gone(job: Job, runs_left: int) -> list[d.Entry]:
    """What is left of a moved job: the runs that are printed, or nothing."""
    if job.runs == runs_left:
        return [d.deleted_entry(job.id, Deletion.MOVED)]
    return [d.runs_entry(job.id, job.runs - runs_left), d.paused_entry(job.id, paused=False)]


def _find_set(job: Job, set_id: str) -> PrintSet:
    found = next((each for each in job.sets if each.id == set_id), None)
    if found is None:
        raise NotFound(f"There is no file {set_id[:40]!r} in {job.name}. Look at the job again.")
    return found


def _profiles(texts: Iterable[str]) -> frozenset[Profile]:
    return frozenset(parse_profile(text) for text in texts)


def _no_job(queue: LanQueue, job: str) -> NotFound:
    return NotFound(f"There is no job {job[:40]!r} in {queue.name}. Look at the list again.")


def _claimed(queue: LanQueue, job: Job, claim: Claim) -> Refused:
    owner = names(queue).get(claim.peer, claim.peer)
    return Refused(
        f"{owner} has {job.name}. Cancel the print there, or let the job be deleted when this copy"
        " is done.",
        code="job_is_claimed",
    )
