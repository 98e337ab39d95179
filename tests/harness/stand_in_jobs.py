"""The jobs of the stand-in peer: what is asked is done to the state, in the plainest way."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any, Protocol

from starlette.requests import Request

from tests.harness.sample_state import (
    Json,
    draft,
    job,
    print_set,
)

Action = Callable[[Request], Awaitable[Any]]


class Refusal(Exception):
    """An error of the API."""

    def __init__(self, message: str, *, code: str = "refused") -> None:
        super().__init__(message)
        self.code = code


class Peer(Protocol):
    """Whose jobs these are."""

    bodies: list[Any]
    history: list[Json]

    def queue(self, name: str) -> Json: ...


class JobRoutes:
    """The handlers. A job whose `draft` is not `self` is being edited elsewhere."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._number = 100

    def table(self) -> list[tuple[str, str, Action]]:
        queue = "/api/queues/{queue}"
        each = queue + "/jobs/{id}"
        return [
            ("POST", queue + "/jobs", self._add),
            ("POST", queue + "/gjob", self._import),
            ("PATCH", each, self._edit),
            ("DELETE", each, self._delete),
            ("PUT", each + "/draft", self._begin_draft),
            ("DELETE", each + "/draft", self._end_draft),
            ("POST", each + "/sets", self._add_sets),
            ("PATCH", each + "/sets/{set}", self._edit_set),
            ("DELETE", each + "/sets/{set}", self._remove_set),
            ("POST", each + "/sets/{set}/place", self._place_set),
            ("POST", each + "/{verb}", self._act),
            ("POST", "/api/history/print-again", self._again),
        ]

    def _queue(self, request: Request) -> Json:
        return self._peer.queue(request.path_params["queue"])

    def _job(self, request: Request) -> Json:
        jobs = self._queue(request)["jobs"]
        found: Json = next(j for j in jobs if j["id"] == request.path_params["id"])
        return found

    def _set(self, request: Request) -> Json:
        sets = self._job(request)["sets"]
        found: Json = next(s for s in sets if s["id"] == request.path_params["set"])
        return found

    async def _body(self, request: Request) -> Any:
        self._peer.bodies.append(await request.json())
        return self._peer.bodies[-1]

    def _append(self, queue: Json, name: str, **fields: Any) -> Json:
        self._number += 1
        queue["jobs"].append(job(self._number, name, **fields))
        return {"id": queue["jobs"][-1]["id"]}

    async def _add(self, request: Request) -> Json:
        new = await self._body(request)
        held = draft() if new["draft"] else None
        sets = [_made(each) for each in new["sets"]]
        return self._append(
            self._queue(request), new["name"], runs=new["runs"], sets=sets, draft=held
        )

    async def _import(self, request: Request) -> Json:
        self._peer.bodies.append(await request.body())
        return self._append(self._queue(request), request.query_params["name"])

    async def _again(self, request: Request) -> Json:
        wanted = await self._body(request)
        entry = next(e for e in self._peer.history if e["print_id"] == wanted["print_id"])
        return self._append(self._peer.queue(wanted["queue"]), entry["job_name"])

    async def _edit(self, request: Request) -> None:
        fields = await self._body(request)
        if fields.get("name") == "":
            raise Refusal("name: String should have at least 1 character.", code="invalid")
        self._job(request).update(fields)

    async def _delete(self, request: Request) -> None:
        queue, found = self._queue(request), self._job(request)
        printing = found["printing_by"]
        if printing and "after_copy" in request.query_params:
            found["deleting"] = True
        elif printing:
            raise Refusal(f"{printing['name']} has {found['name']}.", code="job_is_claimed")
        else:
            queue["jobs"].remove(found)
            queue["deleted"].append(found)

    async def _begin_draft(self, request: Request) -> None:
        found = self._job(request)
        if found["draft"] and not found["draft"]["self"]:
            other = found["draft"]["by"]
            raise Refusal(f"{found['name']} is being edited on {other}.", code="in_edit")
        found["draft"] = draft()

    async def _end_draft(self, request: Request) -> None:
        self._job(request)["draft"] = None

    async def _add_sets(self, request: Request) -> None:
        new = (await self._body(request))["sets"]
        self._job(request)["sets"] += [_made(each) for each in new]

    async def _edit_set(self, request: Request) -> None:
        self._set(request).update(await self._body(request))

    async def _remove_set(self, request: Request) -> None:
        self._job(request)["sets"].remove(self._set(request))

    async def _place_set(self, request: Request) -> None:
        before = (await self._body(request))["before"]
        _place(self._job(request)["sets"], self._set(request), before)

    async def _act(self, request: Request) -> Any:
        verb = request.path_params["verb"]
        return await getattr(self, f"_{verb}")(request)

    async def _pause(self, request: Request) -> None:
        self._job(request).update(state="paused", paused=True)

    async def _resume(self, request: Request) -> None:
        self._job(request).update(state="waiting", paused=False)

    async def _lost(self, request: Request) -> None:
        self._job(request).update(state="waiting", printing_by=None)

    async def _print_again(self, request: Request) -> None:
        self._job(request).update(copies_done=0, state="waiting")

    async def _duplicate(self, request: Request) -> None:
        copy = deepcopy(self._job(request))
        self._queue(request)["jobs"].append(copy | {"id": copy["id"] + "-copy"})

    async def _restore(self, request: Request) -> None:
        queue, wanted = self._queue(request), request.path_params["id"]
        for gone in [each for each in queue["deleted"] if each["id"] == wanted]:
            queue["deleted"].remove(gone)
            queue["jobs"].append(gone)
        self._job(request)["deleting"] = False

    async def _place(self, request: Request) -> None:
        before = (await self._body(request))["before"]
        _place(self._queue(request)["jobs"], self._job(request), before)

    async def _move(self, request: Request) -> None:
        wanted = await self._body(request)
        found = self._job(request)
        self._queue(request)["jobs"].remove(found)
        _place(self._peer.queue(wanted["to"])["jobs"], found, wanted["before"])


def _made(new: Json) -> Json:
    return print_set(new["name"], new["profiles"][0], copies=new["copies"])


def _place(items: list[Json], moved: Json, before: str | None) -> None:
    if moved in items:
        items.remove(moved)
    index = next((n for n, each in enumerate(items) if each["id"] == before), len(items))
    items.insert(index, moved)
