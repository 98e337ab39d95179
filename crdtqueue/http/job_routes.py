"""The routes of jobs and their sets."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

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
from crdtqueue.http.bodies import Handler, body


class JobRoutes:
    """The handlers. Those that change something answer 204 once it is durable."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

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

    async def pause(self, request: Request) -> Response:
        """Holds a job back."""
        await self._jobs.pause(*_job(request), paused=True)
        return _DONE

    async def resume(self, request: Request) -> Response:
        """Lets a job go on."""
        await self._jobs.pause(*_job(request), paused=False)
        return _DONE

    async def reset(self, request: Request) -> Response:
        """Prints the whole job again."""
        await self._jobs.reset(*_job(request))
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
            ("POST", f"{job}/pause", self.pause),
            ("POST", f"{job}/resume", self.resume),
            ("POST", f"{job}/reset", self.reset),
            ("POST", f"{job}/duplicate", self.duplicate),
            ("POST", f"{job}/place", self.place),
            ("POST", f"{job}/move", self.move),
            ("PUT", f"{job}/draft", self.begin_draft),
            ("DELETE", f"{job}/draft", self.end_draft),
            ("POST", sets, self.add_sets),
            ("PATCH", each, self.edit_set),
            ("DELETE", each, self.remove_set),
            ("POST", f"{each}/place", self.place_set),
        ]


_DONE = Response(status_code=204)


def _job(request: Request) -> tuple[str, str]:
    return request.path_params["queue"], request.path_params["job"]


def _set(request: Request) -> tuple[str, str, str]:
    return (*_job(request), request.path_params["set"])
