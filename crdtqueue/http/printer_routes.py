"""The routes of the printer's settings."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from crdtqueue.api.models import NewScript, Spools, read
from crdtqueue.api.printer_settings import PrinterSettings
from crdtqueue.http.guard import (
    Handler,
    body,
)


class PrinterRoutes:
    """The handlers."""

    def __init__(self, settings: PrinterSettings) -> None:
        self._settings = settings

    async def scripts(self, _: Request) -> Response:
        """The g-code of each event that has any."""
        return JSONResponse(self._settings.scripts())

    async def set_script(self, request: Request) -> Response:
        """G-code for an event."""
        new = read(NewScript, await body(request))
        await self._settings.set_script(request.path_params["event"], new)
        return Response(status_code=204)

    async def remove_script(self, request: Request) -> Response:
        """No g-code for an event."""
        await self._settings.remove_script(request.path_params["event"])
        return Response(status_code=204)

    async def set_loaded(self, request: Request) -> Response:
        """What is loaded in the printer."""
        self._settings.set_loaded(read(Spools, await body(request)))
        return Response(status_code=204)

    def table(self) -> list[tuple[str, str, Handler]]:
        """Method, path and handler of every route."""
        return [
            ("GET", "/printer/scripts", self.scripts),
            ("PUT", "/printer/scripts/{event}", self.set_script),
            ("DELETE", "/printer/scripts/{event}", self.remove_script),
            ("POST", "/printer/loaded", self.set_loaded),
        ]
