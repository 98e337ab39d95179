"""The own printer of the stand-in peer: what is asked is done to the state, in the plainest way."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request

from tests.harness.sample_state import Json
from tests.harness.stand_in_jobs import Refusal

Action = Callable[[Request], Awaitable[Any]]

WRONG_SCRIPT = "NOT G-CODE"
"""The one script that is refused."""
REFUSED = "The script cannot be run: line 1 is no g-code."


class Peer(Protocol):
    """Whose printer this is."""

    state: Json
    bodies: list[Any]


class PrinterRoutes:
    """The handlers; `scripts` are those that are set, by event."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.scripts: dict[str, str] = {}

    def table(self) -> list[tuple[str, str, Action]]:
        printer = "/api/printer"
        return [
            ("GET", printer + "/scripts", self._list),
            ("PUT", printer + "/scripts/{event}", self._set),
            ("DELETE", printer + "/scripts/{event}", self._remove),
            ("POST", printer + "/loaded", self._load),
            ("POST", printer + "/managing", self._manage),
            ("POST", printer + "/{verb}", self._steer),
        ]

    @property
    def _printer(self) -> Json:
        printer: Json = self._peer.state["printer"]
        return printer

    async def _body(self, request: Request) -> Any:
        self._peer.bodies.append(await request.json())
        return self._peer.bodies[-1]

    async def _list(self, _: Request) -> dict[str, str]:
        return self.scripts

    async def _set(self, request: Request) -> None:
        gcode = (await self._body(request))["gcode"]
        if gcode == WRONG_SCRIPT:
            raise Refusal(REFUSED, code="invalid")
        self.scripts[request.path_params["event"]] = gcode

    async def _remove(self, request: Request) -> None:
        del self.scripts[request.path_params["event"]]

    async def _load(self, request: Request) -> None:
        materials = (await self._body(request))["materials"]
        self._printer.update(
            loaded=materials or [], asks_for_material=materials is not None, missing={}
        )
        if self._printer["state"] == "waiting_for_material":
            self._printer.update(state="idle", text="Ready.")

    async def _manage(self, request: Request) -> None:
        self._printer["managing"] = (await request.json())["managing"]

    async def _steer(self, request: Request) -> None:
        verb = request.path_params["verb"]
        if verb == "bed-clear":
            self._printer.update(state="idle", bed_clear=True, text="Ready.")
            return
        states = {"pause": "paused", "resume": "printing", "cancel": "cancelling"}
        self._printer["state"] = states[verb]
