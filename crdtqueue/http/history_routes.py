"""The routes of the history."""

import math

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from crdtqueue.api.models import PrintAgain, read
from crdtqueue.api.print_history import PrintHistory
from crdtqueue.core.document.model import Result
from crdtqueue.core.errors import Invalid
from crdtqueue.core.history import PAGE_ROWS_MAX, HistoryFilter
from crdtqueue.http.guard import (
    Handler,
    body,
)


class HistoryRoutes:
    """The handlers."""

    def __init__(self, history: PrintHistory) -> None:
        self._history = history

    async def page(self, request: Request) -> Response:
        """One page of the history; `after` of its answer asks for the next."""
        after = request.query_params.get("after", "")
        limit = _number(request, "limit")
        rows = PAGE_ROWS_MAX if limit is None else int(limit)
        return JSONResponse(await self._history.page(_wanted(request), after=after, limit=rows))

    async def printers(self, _: Request) -> Response:
        """The names that can be filtered by."""
        return JSONResponse({"printers": await self._history.printers()})

    async def csv(self, request: Request) -> Response:
        """The history for a spreadsheet."""
        lines = self._history.csv(_wanted(request))
        return StreamingResponse(lines, media_type="text/csv", headers=_as_file("history.csv"))

    async def json(self, request: Request) -> Response:
        """The history for a program."""
        pieces = self._history.json(_wanted(request))
        headers = _as_file("history.json")
        return StreamingResponse(pieces, media_type="application/json", headers=headers)

    async def print_again(self, request: Request) -> Response:
        """A new job of the file of an earlier print."""
        asked = read(PrintAgain, await body(request))
        job = await self._history.print_again(asked.print_id, asked.queue)
        return JSONResponse({"id": job}, status_code=201)

    def table(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every route."""
        return [
            ("GET", "/history", self.page),
            ("GET", "/history/printers", self.printers),
            ("GET", "/history.csv", self.csv),
            ("GET", "/history.json", self.json),
            ("POST", "/history/print-again", self.print_again),
        ]


def _wanted(request: Request) -> HistoryFilter:
    asked = request.query_params
    result = asked.get("result", "")
    if result and result not in set(Result):
        raise Invalid(f"A print is {', '.join(Result)}; none is {result[:40]!r}.")
    return HistoryFilter(
        printer=asked.get("printer", ""),
        job=asked.get("job", ""),
        queue=asked.get("queue", ""),
        result=Result(result) if result else None,
        from_s=_number(request, "from_s"),
        until_s=_number(request, "to_s"),
        text=asked.get("text", ""),
    )


def _number(request: Request, name: str) -> float | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(f"{name} must be a number, not {text[:40]!r}.")
    return number


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
