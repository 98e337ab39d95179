"""The hooks by which OctoPrint reports lines and events of the printer. They never wait."""

from typing import Any

from octoprint.events import Events
from octoprint.plugin import EventHandlerPlugin

from octoprint_crdtqueue.bed_messenger import BedMessenger
from octoprint_crdtqueue.bed_report import (
    Event,
    FilamentLaid,
    PeerAnswered,
    PrintBegan,
    PrintOver,
    lays_filament,
    said_to,
    says_bed_is_clear,
)
from octoprint_crdtqueue.peer_client import PeerUnavailable
from octoprint_crdtqueue.peer_service import (
    NOT_RUNNING,
    PeerService,
)

_PRINTS: dict[str, Event] = {
    Events.PRINT_STARTED: PrintBegan(),
    Events.PRINT_DONE: PrintOver(done=True),
    Events.PRINT_FAILED: PrintOver(done=False),
    Events.PRINT_CANCELLED: PrintOver(done=False),
}


class PrinterEvents(EventHandlerPlugin):  # type: ignore[misc]  # OctoPrint has no types
    """The hooks. Whoever mixes this in sets `service`."""

    service: PeerService | None

    def __init__(self) -> None:
        super().__init__()
        self._bed = BedMessenger(self._tell)

    def _tell(self, work: Any) -> PeerAnswered:
        if self.service is None:
            raise PeerUnavailable(NOT_RUNNING)
        answered: PeerAnswered = self.service.ask(work)
        return answered

    def on_event(self, event: str, _: object) -> None:
        """What becomes of prints."""
        if event in _PRINTS:
            self._bed.post(_PRINTS[event])

    def hear_action(self, comm: Any, *_: object, name: str = "", **__: object) -> None:
        """Hook: an `// action:` command of the printer."""
        if says_bed_is_clear(name):
            self._bed.post(said_to(comm))

    def see_sent(self, _comm: object, _phase: str, command: str, *_: object, **__: object) -> None:
        """Hook: a line has gone to the printer."""
        if self._bed.is_said_in_print and lays_filament(command):
            self._bed.post(FilamentLaid())
