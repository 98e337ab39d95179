"""Exports jobs as `.gjob` archives, the format of Continuous Print, and imports them."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crdtqueue.adapters.gjob_archive import (
    read_gjob,
    write_gjob,
)
from crdtqueue.api.jobs import check_room, find_job, new_job_id, place_before
from crdtqueue.core.document import keys as d
from crdtqueue.core.document.fractional_index import keys_between
from crdtqueue.core.document.model import (
    Draft,
    Job,
    PrintSet,
)
from crdtqueue.core.document.progress import (
    progress,
    set_progress,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.gjob.gjob import (
    Gjob,
    GjobSet,
    archive_name,
)
from crdtqueue.core.ids import SET_ID_CHARS, JobId, SetId
from crdtqueue.peer.peer import Peer
from printer_driver import clock

ARCHIVE_BYTES_MAX = 2 * 1024**3


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """An archive on disk, and the file name to offer for it."""

    path: Path
    name: str


class Archives:
    """The archives of a running peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    @asynccontextmanager
    async def exported(self, queue_name: str, job: str) -> AsyncIterator[Archive]:
        """A job with its files, as long as the context lasts.

        Raises NotFound, or Unavailable if a file of it is not here or the disk is full.
        """
        _, found = find_job(self._peer, queue_name, job)
        async with self._peer.files.scratch() as path:
            await write_gjob(path, gjob_of_job(found), self._peer.files)
            yield Archive(path=path, name=archive_name(found.name))

    async def take_in(self, queue_name: str, chunks: AsyncIterator[bytes]) -> JobId:
        """Adds the job of an archive at the end of a queue, with nothing printed.

        Raises Invalid if it is not one, Refused or Unavailable; then nothing of it stays.
        """
        queue = self._peer.queue(queue_name)
        check_room(queue)
        async with self._peer.files.scratch() as path:
            await self._peer.files.write_scratch(path, chunks, bytes_max=ARCHIVE_BYTES_MAX)
            gjob = await read_gjob(path, self._peer.files)
        if not gjob.sets:
            raise Invalid(f"{gjob.name} has no files. Add a job of files instead.")
        job = self._job_of(gjob, place_before(queue.state.jobs, None))
        held = {d.holder_entry(each.file.sha256, self._peer.me.peer) for each in job.sets}
        await queue.edit([*sorted(held), *d.job_entries(job)])
        return job.id

    def _job_of(self, gjob: Gjob, order: str) -> Job:
        me = self._peer.me
        draft = Draft(peer=me.peer, by=me.name, beat=secrets.randbits(31)) if gjob.draft else None
        keys = keys_between(None, None, len(gjob.sets), 0)
        return Job(
            id=new_job_id(),
            name=gjob.name,
            order=order,
            runs=gjob.runs,
            generation=0,
            paused=False,
            created_by=me.name,
            created_at_s=clock.wall_s(),
            sets=tuple(_set_of(each, key) for each, key in zip(gjob.sets, keys, strict=True)),
            note=gjob.note,
            draft=draft,
        )


def gjob_of_job(job: Job) -> Gjob:
    """A job as an archive says it. What remains of a set is of the present run."""
    far, sets = progress(job), set_progress(job)
    return Gjob(
        name=job.name,
        runs=job.runs,
        remaining=0 if far.complete else max(job.runs - far.run + 1, 0),
        created_at_s=job.created_at_s,
        draft=job.draft is not None,
        sets=tuple(
            GjobSet(
                file=each.file,
                copies=each.copies,
                remaining=max(sets[each.id].run_wanted - sets[each.id].run_done, 0),
                completed=sets[each.id].run_done,
                profiles=each.profiles,
                materials=each.materials,
                metadata=each.metadata,
            )
            for each in job.sets
        ),
        note=job.note,
    )


def _set_of(each: GjobSet, order: str) -> PrintSet:
    return PrintSet(
        id=SetId(secrets.token_hex(SET_ID_CHARS // 2)),
        order=order,
        file=each.file,
        copies=each.copies,
        profiles=each.profiles,
        materials=each.materials,
        metadata=each.metadata,
    )
