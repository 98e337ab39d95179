"""The routes of jobs and their sets."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

from anyio import open_file
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from crdtqueue.api.archives import Archives
from crdtqueue.api.jobs import Jobs
from crdtqueue.api.models import (
    JobEdit,
    Move,
    NewJob,
    NewSets,
    Place,
    SetEdit,
    read,
)
from crdtqueue.http.guard import (
    Handler,
    body,
)


class JobRoutes:
    """The handlers. Those that change something answer 204 once it is durable."""

    def __init__(self, jobs: Jobs, archives: Archives) -> None:
        self._jobs = jobs
        self._archives = archives

    async def add(self, request: Request) -> Response:
        """A new job of uploaded files."""
        new = read(NewJob, await body(request))
        job = await self._jobs.add(request.path_params["queue"], new)
        return JSONResponse({"id": job}, status_code=201)

    async def edit(self, request: Request) -> Response:
        """Another name, note or number of runs."""
        await self._jobs.edit(*_job(request), read(JobEdit, await body(request)))
        return _DONE

    async def delete(self, request: Request) -> Response:
        """Away with a job; with `?after_copy=true` once nobody prints it."""
        after_copy = request.query_params.get("after_copy") == "true"
        await self._jobs.delete(*_job(request), after_copy=after_copy)
        return _DONE

    async def restore(self, request: Request) -> Response:
        """Brings a deleted job back."""
        await self._jobs.restore(*_job(request))
        return _DONE

    async def mark_lost(self, request: Request) -> Response:
        """The printer that has the job will not finish it."""
        await self._jobs.mark_lost(*_job(request))
        return _DONE

    async def pause(self, request: Request) -> Response:
        """Holds a job back."""
        await self._jobs.pause(*_job(request), paused=True)
        return _DONE

    async def resume(self, request: Request) -> Response:
        """Lets a job go on."""
        await self._jobs.pause(*_job(request), paused=False)
        return _DONE

    async def print_again(self, request: Request) -> Response:
        """Prints the whole job again."""
        await self._jobs.print_again(*_job(request))
        return _DONE

    async def duplicate(self, request: Request) -> Response:
        """The same job again."""
        job = await self._jobs.duplicate(*_job(request))
        return JSONResponse({"id": job}, status_code=201)

    async def place(self, request: Request) -> Response:
        """Another place in the queue."""
        await self._jobs.place(*_job(request), read(Place, await body(request)).before)
        return _DONE

    async def move(self, request: Request) -> Response:
        """Another queue."""
        move = read(Move, await body(request))
        await self._jobs.move(*_job(request), move.to, move.before)
        return _DONE

    async def begin_draft(self, request: Request) -> Response:
        """Somebody edits the job, or goes on editing it."""
        await self._jobs.begin_draft(*_job(request))
        return _DONE

    async def end_draft(self, request: Request) -> Response:
        """The edit is over."""
        await self._jobs.end_draft(*_job(request))
        return _DONE

    async def export(self, request: Request) -> Response:
        """The job with its files as a `.gjob` archive."""
        kept = AsyncExitStack()
        archive = await kept.enter_async_context(self._archives.exported(*_job(request)))
        name = quote(archive.name, safe="")
        headers = {"Content-Disposition": f"attachment; filename*=utf-8''{name}"}
        return StreamingResponse(
            _sent(archive.path, kept), media_type="application/zip", headers=headers
        )

    async def take_in(self, request: Request) -> Response:
        """The job of a `.gjob` archive, as the raw body."""
        queue = request.path_params["queue"]
        job = await self._archives.take_in(queue, request.stream())
        return JSONResponse({"id": job}, status_code=201)

    async def add_sets(self, request: Request) -> Response:
        """More files for a job."""
        sets = read(NewSets, await body(request)).sets
        added = await self._jobs.add_sets(*_job(request), sets)
        return JSONResponse({"ids": added}, status_code=201)

    async def edit_set(self, request: Request) -> Response:
        """Other counts, profiles or materials."""
        await self._jobs.edit_set(*_set(request), read(SetEdit, await body(request)))
        return _DONE

    async def remove_set(self, request: Request) -> Response:
        """Takes a file out of a job."""
        await self._jobs.remove_set(*_set(request))
        return _DONE

    async def place_set(self, request: Request) -> Response:
        """Another place in the job."""
        await self._jobs.place_set(*_set(request), read(Place, await body(request)).before)
        return _DONE

    def table(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every route."""
        jobs, job = "/queues/{queue}/jobs", "/queues/{queue}/jobs/{job}"
        sets, each = f"{job}/sets", f"{job}/sets/{{set}}"
        return [
            ("POST", jobs, self.add),
            ("PATCH", job, self.edit),
            ("DELETE", job, self.delete),
            ("POST", f"{job}/restore", self.restore),
            ("POST", f"{job}/lost", self.mark_lost),
            ("POST", f"{job}/pause", self.pause),
            ("POST", f"{job}/resume", self.resume),
            ("POST", f"{job}/print-again", self.print_again),
            ("POST", f"{job}/duplicate", self.duplicate),
            ("POST", f"{job}/place", self.place),
            ("POST", f"{job}/move", self.move),
            ("PUT", f"{job}/draft", self.begin_draft),
            ("DELETE", f"{job}/draft", self.end_draft),
            ("GET", f"{job}/gjob", self.export),
            ("POST", "/queues/{queue}/gjob", self.take_in),
            ("POST", sets, self.add_sets),
            ("PATCH", each, self.edit_set),
            ("DELETE", each, self.remove_set),
            ("POST", f"{each}/place", self.place_set),
        ]


PIECE_BYTES = 256 * 1024


async def _sent(path: Path, kept: AsyncExitStack) -> AsyncIterator[bytes]:
    """The bytes of a passing file, which goes when they are sent or nobody wants them any more."""
    async with kept, await open_file(path, "rb") as file:
        while piece := await file.read(PIECE_BYTES):
            yield piece


_DONE = Response(status_code=204)


def _job(request: Request) -> tuple[str, str]:
    return request.path_params["queue"], request.path_params["job"]


def _set(request: Request) -> tuple[str, str, str]:
    return (*_job(request), request.path_params["set"])
