"""The operations of a peer. Each checks the request, carries it out durably, and returns the
result."""

from collections.abc import AsyncIterator
from typing import Literal

from crdtqueue.adapters.file_store import Upload
from crdtqueue.api.archives import Archives
from crdtqueue.api.jobs import Jobs
from crdtqueue.api.models import NewQueue, QueueEdit
from crdtqueue.api.print_history import PrintHistory
from crdtqueue.api.printer_settings import PrinterSettings
from crdtqueue.core.claims.quorum import voters_entry
from crdtqueue.core.document.keys import (
    Entry,
    mode_entry,
    strategy_entry,
)
from crdtqueue.core.document.model import NAME_CHARS_MAX
from crdtqueue.core.errors import Invalid, Refused, Unavailable
from crdtqueue.core.ids import PeerId, QueueName
from crdtqueue.core.worker.worker_events import (
    BedCleared,
    Manage,
)
from crdtqueue.peer.claims_runner import rules_of
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.worker_runner import WorkerRunner
from printer_driver.errors import NotPrinting, PrinterError, PrintRefused


class Operations:
    """The operations of a running peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.jobs = Jobs(peer)
        self.archives = Archives(peer)
        self.history = PrintHistory(peer, self.jobs)
        self.printer = PrinterSettings(peer)

    # Files

    async def upload(self, name: str, chunks: AsyncIterator[bytes]) -> Upload:
        """Takes in a g-code file. Raises Invalid or Unavailable."""
        clean = name.replace("\\", "/").rpartition("/")[2].strip()
        if not clean or len(clean) > NAME_CHARS_MAX or not clean.isprintable():
            raise Invalid(f"Give the file a name of 1 to {NAME_CHARS_MAX} printable characters.")
        upload = await self._peer.files.receive(clean, chunks)
        if upload.file.sha256 in await self._peer.file_fetcher.make_room():
            raise Unavailable(
                f"There is no room for {clean}: the files of the jobs take all that crdtqueue may"
                " use. Delete jobs that are done, then add it again.",
                code="disk",
            )
        return upload

    # Queues

    async def add_queue(self, new: NewQueue) -> QueueName:
        """Makes or joins a LAN queue; returns its name. Raises Invalid or Refused."""
        return (await self._peer.add_queue(new.name, new.peers)).name

    async def leave_queue(self, queue_name: str) -> None:
        """Leaves a LAN queue. Raises NotFound or Refused."""
        await self._peer.leave_queue(queue_name)

    async def edit_queue(self, queue_name: str, edit: QueueEdit) -> None:
        """Changes a queue's settings, for all its peers. Raises Invalid or NotFound."""
        queue = self._peer.queue(queue_name)
        entries: list[Entry] = []
        if edit.strategy is not None:
            entries.append(strategy_entry(edit.strategy))
        if edit.mode is not None:
            entries.append(mode_entry(edit.mode))
        if edit.voters is not None:
            known = {queue.me.peer, *queue.state.roster}
            strangers = [voter for voter in edit.voters if voter not in known]
            if strangers:
                raise Invalid(f"{queue.name} has no peer {strangers[0][:40]!r}. Look at the list.")
            if not edit.voters:
                raise Invalid("Name at least one voter, best three or more that are mostly on.")
            lists = rules_of(queue.state.settings).lists
            named = frozenset(PeerId(voter) for voter in edit.voters)
            if lists.current is None or lists.current.peers != named:
                entries.append(voters_entry(lists, named))
        await queue.edit(entries)

    # This peer

    async def accept_damage(self) -> None:
        """A person has read what the store has lost, and lets this peer claim jobs again."""
        await self._peer.accept_damage()

    # This peer's printer

    def clear_bed(self) -> None:
        """A person says that the bed is clear. Raises Refused while something is printed."""
        runner = self._runner()
        if not runner.worker.may_clear_bed:
            raise Refused("The printer is printing. Confirm the bed when the print is over.")
        runner.post(BedCleared())

    def manage(self, *, managing: bool) -> None:
        """Lets the queues use the printer, or no longer. A running print goes on."""
        self._runner().post(Manage(managing=managing))

    async def restart_printer(self) -> None:
        """Restarts the printer process between two prints. Raises Refused in mid-print."""
        runner = self._runner()
        if runner.worker.saved.at_printer is not None:
            raise Refused("The printer is printing. Restart it when the print is over.")
        try:
            await runner.source.restart()
        except PrintRefused as error:
            raise Refused(str(error)) from error
        except PrinterError as error:
            raise Unavailable(str(error)) from error

    async def pause_print(self) -> None:
        """Pauses the print of ours. Raises Refused if there is none."""
        await self._tell_printer("pause")

    async def resume_print(self) -> None:
        """Goes on with a paused print. Raises Refused if there is none."""
        await self._tell_printer("resume")

    async def cancel_print(self) -> None:
        """Gives the print up: the job is paused, and the printer takes no other by itself."""
        await self._tell_printer("cancel")

    async def _tell_printer(self, what: Literal["pause", "resume", "cancel"]) -> None:
        runner = self._runner()
        print_id, printer = runner.worker.saved.at_printer, runner.source.printer
        if print_id is None:
            raise Refused("The printer prints nothing of the queues now.")
        tell = {"pause": printer.pause, "resume": printer.resume, "cancel": printer.cancel}[what]
        try:
            await tell(print_id)
        except NotPrinting as error:
            raise Refused(str(error)) from error
        except PrinterError as error:
            raise Unavailable(str(error)) from error

    def _runner(self) -> WorkerRunner:
        if self._peer.runner is None:
            raise Refused("This peer has no printer. Use the page of the printer's own peer.")
        return self._peer.runner
