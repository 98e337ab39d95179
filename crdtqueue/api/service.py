"""The operations: each checks what a person asks, does it durably, and says what happened."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Literal

from crdtqueue.adapters import clock
from crdtqueue.adapters.files import Upload
from crdtqueue.api.models import NewJob, NewQueue, NewSet
from crdtqueue.api.view import names
from crdtqueue.core.document import deleted_entry, holder_entry, job_entries, paused_entry
from crdtqueue.core.errors import Invalid, NotFound, Refused, Unavailable
from crdtqueue.core.ids import JOB_ID_CHARS, SET_ID_CHARS, JobId, QueueName, SetId, Sha256
from crdtqueue.core.model import NAME_CHARS_MAX, FileRef, Job, PrintSet
from crdtqueue.core.order import keys_between
from crdtqueue.core.profile import parse_profile
from crdtqueue.core.worker_events import BedCleared, Manage
from crdtqueue.core.yupdate import UPDATE_BYTES_MAX
from crdtqueue.peer.lan_queue import LanQueue
from crdtqueue.peer.operator import Operator
from crdtqueue.peer.peer import Peer
from printer_driver.errors import NotPrinting, PrinterError
from printer_driver.printer import PrintId

JOBS_PER_QUEUE_MAX = 10_000
DOCUMENT_BYTES_MAX = UPDATE_BYTES_MAX * 3 // 4
"""A peer that joins gets the document as one update; the rest is for what becomes of the jobs."""


class Service:
    """What can be done with a running peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    # Files and jobs

    async def upload(self, name: str, chunks: AsyncIterator[bytes]) -> Upload:
        """Takes in a g-code file. Raises Invalid or Unavailable."""
        clean = name.replace("\\", "/").rpartition("/")[2].strip()
        if not clean or len(clean) > NAME_CHARS_MAX or not clean.isprintable():
            raise Invalid(f"Give the file a name of 1 to {NAME_CHARS_MAX} printable characters.")
        upload = await self._peer.files.receive(clean, chunks)
        if upload.file.sha256 in await self._peer.fetching.make_room():
            raise Unavailable(
                f"There is no room for {clean}: the files of the jobs take all that crdtqueue may"
                " use. Delete jobs that are done, then add it again.",
                code="disk",
            )
        return upload

    async def add_job(self, queue_name: str, new: NewJob) -> JobId:
        """Adds a job at the end of a queue; returns once it is durable here."""
        queue = self._peer.queue(queue_name)
        check_room(queue)
        job = Job(
            id=new_job_id(),
            name=new.name,
            order=last_place(queue),
            runs=new.runs,
            generation=0,
            paused=False,
            created_by=self._peer.me.name,
            created_at_s=clock.wall_s(),
            sets=await self._sets(new.sets),
        )
        held = {holder_entry(each.file.sha256, self._peer.me.peer) for each in job.sets}
        await queue.edit([*sorted(held), *job_entries(job)])
        return job.id

    async def _sets(self, sets: list[NewSet]) -> tuple[PrintSet, ...]:
        keys = keys_between(None, None, len(sets), 0)
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
            profiles=frozenset(parse_profile(text) for text in new.profiles),
        )

    async def delete_job(self, queue_name: str, job: str) -> None:
        """Deletes a job. Raises NotFound, or Refused while somebody prints it."""
        queue, found = self._job(queue_name, job)
        claim = queue.claims.held_by(found.id, clock.now_s())
        if claim:
            owner = names(queue).get(claim.peer, claim.peer)
            raise Refused(
                f"{owner} has {found.name}. Cancel the print there, or wait until it is done;"
                " then delete the job.",
                code="job_is_claimed",
            )
        await queue.edit([deleted_entry(found.id)])

    async def pause_job(self, queue_name: str, job: str, *, paused: bool) -> None:
        """Holds a job back, or lets it go on. A copy that is being printed goes on."""
        queue, found = self._job(queue_name, job)
        await queue.edit([paused_entry(found.id, paused=paused)])

    async def move_job(self, queue_name: str, job: str, to: str) -> None:
        """Moves a job that nobody has begun to the end of another queue.

        Two documents change, one after the other: in between the job is held back in the first, so
        that a power cut leaves it there twice at worst, and never printed twice.
        Raises NotFound, or Refused if somebody has it or copies of it are printed.
        """
        source, found = self._job(queue_name, job)
        target = self._peer.queue(to)
        if target is source:
            return
        self._check_movable(source, found)
        check_room(target)
        await source.edit([paused_entry(found.id, paused=True)])
        files = {holder_entry(each.file.sha256, self._peer.me.peer) for each in found.sets}
        here = [entry for entry in sorted(files) if await self._is_here(entry[1])]
        # With its old id it would be taken for deleted where it was before.
        moved = replace(found, id=new_job_id(), order=last_place(target))
        held_back = [paused_entry(moved.id, paused=True)] if found.paused else []
        await target.edit([*here, *job_entries(moved), *held_back])
        await source.edit([deleted_entry(found.id)])

    def _check_movable(self, queue: LanQueue, job: Job) -> None:
        claim = queue.claims.held_by(job.id, clock.now_s())
        if claim:
            owner = names(queue).get(claim.peer, claim.peer)
            raise Refused(f"{owner} has {job.name}. Wait until it is done, then add it again.")
        if job.records:
            raise Refused(
                f"{job.name} has been printed in part. Add what is missing to the other queue."
            )

    async def _is_here(self, file_key: str) -> bool:
        sha256 = Sha256(file_key.partition("/")[0])
        return await self._peer.files.size_bytes(sha256) is not None

    def _job(self, queue_name: str, job: str) -> tuple[LanQueue, Job]:
        queue = self._peer.queue(queue_name)
        found = queue.state.job(JobId(job))
        if found is None:
            raise NotFound(f"There is no job {job[:40]!r} in {queue.name}. Look at the list again.")
        return queue, found

    # Queues

    async def add_queue(self, new: NewQueue) -> QueueName:
        """Makes or joins a LAN queue; returns its name. Raises Invalid or Refused."""
        return (await self._peer.add_queue(new.name, new.peers)).name

    async def leave_queue(self, queue_name: str) -> None:
        """Leaves a LAN queue. Raises NotFound or Refused."""
        await self._peer.leave_queue(queue_name)

    # This peer's printer

    def clear_bed(self) -> None:
        """A person says that the bed is clear. Raises Refused while something is printed."""
        operator = self._operator()
        if operator.worker.saved.printing:
            raise Refused("The printer is printing. Confirm the bed when the print is over.")
        operator.post(BedCleared())

    def manage(self, *, managing: bool) -> None:
        """Lets the queues use the printer, or no longer. A running print goes on."""
        self._operator().post(Manage(managing=managing))

    async def pause_print(self) -> None:
        """Pauses the print of ours. Raises Refused if there is none."""
        await self._tell_printer("pause")

    async def resume_print(self) -> None:
        """Goes on with a paused print. Raises Refused if there is none."""
        await self._tell_printer("resume")

    async def cancel_print(self) -> None:
        """Gives the print up: the job is held back, and the printer takes no other by itself."""
        await self._tell_printer("cancel")

    async def _tell_printer(self, what: Literal["pause", "resume", "cancel"]) -> None:
        operator = self._operator()
        printing, printer = operator.worker.saved.printing, operator.source.printer
        if printing is None:
            raise Refused("The printer prints nothing of the queues now.")
        tell = {"pause": printer.pause, "resume": printer.resume, "cancel": printer.cancel}[what]
        try:
            await tell(PrintId(printing.print_id))
        except NotPrinting as error:
            raise Refused(str(error)) from error
        except PrinterError as error:
            raise Unavailable(str(error)) from error

    def _operator(self) -> Operator:
        if self._peer.operator is None:
            raise Refused("This peer has no printer. Use the page of the printer's own peer.")
        return self._peer.operator


def check_room(queue: LanQueue) -> None:
    """Raises Refused if the queue can take no further job."""
    if len(queue.state.jobs) >= JOBS_PER_QUEUE_MAX:
        raise Refused(f"A queue has at most {JOBS_PER_QUEUE_MAX} jobs. Delete some first.")
    if len(queue.replica.diff(b"\0")) > DOCUMENT_BYTES_MAX:
        raise Refused(
            f"{queue.name} has taken in all the jobs that it can. Make a new queue for more.",
            code="queue_full",
        )


def new_job_id() -> JobId:
    """An id that no job has."""
    return JobId(secrets.token_hex(JOB_ID_CHARS // 2))


def last_place(queue: LanQueue) -> str:
    """The order key of a job behind all others."""
    last = queue.state.jobs[-1].order if queue.state.jobs else None
    return keys_between(last, None, 1, secrets.randbits(32))[0]
