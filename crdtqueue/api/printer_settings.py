"""The settings of this peer's printer: its scripts, and the loaded materials."""

from crdtqueue.api.models import NewScript, Spools
from crdtqueue.core.errors import NotFound, Refused
from crdtqueue.core.worker.script_check import check_commands
from crdtqueue.core.worker.worker_events import MaterialsLoaded
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.script_store import event_named
from crdtqueue.peer.worker_runner import WorkerRunner


class PrinterSettings:
    """The settings of the printer of a running peer. Every method raises Refused if there is no
    printer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer

    def scripts(self) -> dict[str, str]:
        """The g-code of each event that has any."""
        return {step.value: text for step, text in self._runner().script_store.texts.items()}

    async def set_script(self, event: str, new: NewScript) -> None:
        """Runs this g-code on an event from now on, durably. Raises Invalid."""
        step = event_named(event)
        check_commands(step, new.gcode)
        await self._runner().set_script(step, new.gcode)

    async def remove_script(self, event: str) -> None:
        """Runs nothing on an event any more, durably. Raises Invalid or NotFound."""
        step, runner = event_named(event), self._runner()
        if step not in runner.script_store.texts:
            raise NotFound(f"There is no script {step.value} here. 'crdtqueue script' lists them.")
        await runner.set_script(step, None)

    def set_loaded(self, spools: Spools) -> None:
        """A person says what is loaded, and is asked from now on; None: no longer."""
        tools = None if spools.materials is None else tuple(spools.materials)
        self._runner().post(MaterialsLoaded(tools=tools))

    def _runner(self) -> WorkerRunner:
        if self._peer.runner is None:
            raise Refused("This peer has no printer. Use the page of the printer's own peer.")
        return self._peer.runner
