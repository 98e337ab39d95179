"""Real peers on loopback sockets, with a printer that lives in memory."""

import asyncio
import contextlib
import secrets
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from blockbuster import blockbuster_ctx
from websockets.asyncio.client import ClientConnection, connect

from crdtqueue.adapters.crdt.facade import EMPTY_UPDATE
from crdtqueue.adapters.links import Address, _Dialled
from crdtqueue.adapters.printer_process import SerialPrinter
from crdtqueue.adapters.store import Store
from crdtqueue.api.models import NewJob, NewSet
from crdtqueue.api.operations import Operations
from crdtqueue.core.claims.claim_events import ClaimTimes, MayHeat, No
from crdtqueue.core.document.profiles import parse_profile
from crdtqueue.core.ids import JobId, PeerId, QueueName, Sha256
from crdtqueue.core.sync import messages as m
from crdtqueue.core.sync.frames import (
    Frame,
    Json,
    SyncStep1,
    decode,
    encode_json,
    encode_sync_step_2,
)
from crdtqueue.core.sync.messages import PrinterSummary, WantPiece
from crdtqueue.core.worker.bed import Cooldown
from crdtqueue.core.worker.scripts import CycleStep
from crdtqueue.core.worker.worker_events import WorkerConfig
from crdtqueue.peer.changes import Changes
from crdtqueue.peer.config import PeerConfig, PrinterConfig
from crdtqueue.peer.lan_queue import LanQueue, room_of
from crdtqueue.peer.peer import Peer
from crdtqueue.peer.peer_link import PeerLink
from crdtqueue.peer.queue_listener import QueueListener
from printer_driver.errors import NotPrinting, PrinterUnavailable, PrintRefused
from printer_driver.printer import (
    Connection,
    Printer,
    PrinterStatus,
    PrintReport,
    PrintState,
    Temperature,
    always,
    check_in_time,
)
from tests.harness.patience import HANG_S

GCODE = b"; printer_model = MK3S\nG28 ; home\nG1 X10 Y10 F3000\nM104 S0\n"
TIMES = ClaimTimes(heartbeat_s=0.1, answer_s=2.0, cold_start_hold_s=0.0)
HOST = "127.0.0.1"


@dataclass(kw_only=True)
class MemoryPrinter:
    """A printer that prints when it is told to `finish`, and, with a source around it, is watched.

    It keeps `printer_driver.printer.Printer`'s promises: a print id is started once and for ever.
    """

    auto: bool = False
    connection: Connection = Connection.READY
    problem: str = ""
    refusal: str = ""
    is_unreachable: bool = False
    starts: list[str] = field(default_factory=list)
    printed: list[bytes] = field(default_factory=list)
    reports: dict[str, PrintReport] = field(default_factory=dict)
    current: PrintReport | None = None
    changes: Changes = field(default_factory=Changes)
    temperatures: tuple[Temperature, ...] = (Temperature(name="T0", actual_c=21.5, target_c=0.0),)
    bed_cleared_after: str | None = None

    async def status(self) -> PrinterStatus:
        if self.is_unreachable:
            raise PrinterUnavailable("The printer process does not answer.")
        return PrinterStatus(
            connection=self.connection,
            problem=self.problem,
            print=self.current,
            temperatures=self.temperatures,
            bed_cleared_after=self.bed_cleared_after,
        )

    async def start(
        self,
        print_id: str,
        path: Path,
        sha256: str,
        *,
        name: str = "",
        may_begin: Callable[[], bool] = always,
    ) -> PrintReport:
        assert len(sha256) == 64
        if print_id in self.reports:
            return self.reports[print_id]
        check_in_time(may_begin)
        if self.is_unreachable:
            raise PrinterUnavailable("The printer process does not answer.")
        if self.refusal:
            raise PrintRefused(self.refusal)
        gcode = await asyncio.to_thread(path.read_bytes)
        self.starts.append(print_id)
        self.printed.append(gcode)
        self.bed_cleared_after = None
        report = PrintReport(print_id=print_id, state=PrintState.PRINTING, bytes_total=100)
        self._show(report)
        if self.auto:
            asyncio.get_running_loop().call_soon(self.finish)
        return report

    def finish(
        self, state: PrintState = PrintState.DONE, reason: str = "", *, bed_cleared: bool = False
    ) -> None:
        """The print is over; with `bed_cleared` its last lines have said so."""
        assert self.current
        self.bed_cleared_after = self.current.print_id if bed_cleared else None
        over = replace(self.current, state=state, reason=reason, bed_cleared=bed_cleared)
        self._show(replace(over, bytes_done=100))

    async def pause(self, print_id: str) -> None:
        self._show(replace(self._running(print_id), state=PrintState.PAUSED))

    async def resume(self, print_id: str) -> None:
        self._show(replace(self._running(print_id), state=PrintState.PRINTING))

    async def cancel(self, print_id: str) -> None:
        self._running(print_id)
        self.finish(PrintState.CANCELLED, "Cancelled.")

    async def report(self, print_id: str) -> PrintReport | None:
        return self.reports.get(print_id)

    async def watch(self) -> AsyncIterator[PrinterStatus]:
        with self.changes.watch() as changed:
            while True:
                changed.clear()
                yield await self.status()
                await changed.wait()

    async def quit(self, *, force: bool = False) -> None:
        pass

    async def close(self) -> None:
        pass

    def _running(self, print_id: str) -> PrintReport:
        report = self.reports.get(print_id)
        if report is None or report.state.is_final:
            raise NotPrinting("The print is over.")
        return report

    def _show(self, report: PrintReport) -> None:
        self.reports[report.print_id] = self.current = report
        self.changes.notify()


class MemorySource:
    """Keeps a `MemoryPrinter` at hand, as `PrinterProcess` does a real one."""

    def __init__(self, printer: MemoryPrinter) -> None:
        self.printer: Printer = printer

    async def watch(self) -> AsyncIterator[PrinterStatus | str]:
        while True:
            try:
                async for status in self.printer.watch():
                    yield status
            except PrinterUnavailable as error:
                yield str(error)
                await asyncio.sleep(0.01)

    async def restart(self) -> None:
        raise PrintRefused("It is in memory only.")


def no_blocking() -> AbstractContextManager[object]:
    """Inside, a blocking call of ours on an event loop is an error.

    Several peers of one test share the watch: nested, it would be taken away with the first.
    """
    return contextlib.nullcontext() if _WATCH.get() else _watched()


_WATCH: ContextVar[bool] = ContextVar("blocking calls are errors", default=False)


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    token = _WATCH.set(True)
    try:
        with blockbuster_ctx(scanned_modules=["crdtqueue", "printer_driver"]):
            yield
    finally:
        _WATCH.reset(token)


@asynccontextmanager
async def running(
    folder: Path,
    *,
    name: str = "a",
    queue: str = "",
    peers: list[str] | None = None,
    printer: MemoryPrinter | None = None,
    profile: str = "MK3S",
    self_clearing: bool = True,
    cooldown: Cooldown | None = None,
    scripts: Mapping[CycleStep, str | None] | None = None,
    times: ClaimTimes = TIMES,
) -> AsyncIterator[Peer]:
    """A peer, and its address in `peer.config.listen`. It takes part in `queue` if given."""
    listener = socket.create_server((HOST, 0))
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    place = SerialPrinter(port="memory")
    config = PeerConfig(
        folder=folder,
        name=name,
        listen=Address(host=HOST, port=listener.getsockname()[1]),
        http=Address(host=HOST, port=7421),
        printer=PrinterConfig(
            place=place,
            worker=WorkerConfig(
                profile=parse_profile(profile), self_clearing=self_clearing, cooldown=cooldown
            ),
            scripts=scripts or {},
        )
        if printer
        else None,
        times=times,
    )
    peer = Peer(config, lambda _place, _folder: MemorySource(printer or MemoryPrinter()))
    with listener, no_blocking():
        async with peer.running(listener):
            if queue and queue not in peer.memberships:
                await peer.add_queue(queue, peers or [])
            yield peer


async def until(peer: Peer, condition: Callable[[], object]) -> None:
    """Returns once `condition` is so. It is looked at after every change of the peer."""
    async with asyncio.timeout(HANG_S):
        with peer.changes.watch() as changed:
            while not condition():
                changed.clear()
                await changed.wait()


async def until_linked(*peers: Peer, queue: str = "workshop") -> None:
    """Returns once each of the peers has exactly one link to every other, in sync."""
    for peer in peers:
        others = sorted(each.me.peer for each in peers if each is not peer)
        await until(peer, partial(_is_linked, peer.queue(queue), others))


def _is_linked(queue: LanQueue, others: list[PeerId]) -> bool:
    return queue.links.synced and sorted(s.peer or "" for s in queue.links.all) == others


def fill_disk(store: Store) -> None:
    """Lets the store's file grow no more, as a full disk does, until `free_disk`."""
    assert store._database
    assert store._thread
    # In the store's own thread, so that it is at no write of its own meanwhile.
    store._thread.submit(_fill, store._database).result()


def _fill(database: sqlite3.Connection) -> None:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages}")
    for sql in (
        "INSERT INTO meta (key, value) VALUES (hex(randomblob(8)), '')",
        "INSERT INTO updates (queue, data) VALUES ('filler', '')",
        "INSERT INTO promises (queue, job, claim, armed) VALUES ('', hex(randomblob(8)), '', 0)",
    ):
        with contextlib.suppress(sqlite3.OperationalError):
            while True:
                database.execute(sql)
                database.commit()


def free_disk(store: Store) -> None:
    """There is room again."""
    assert store._database
    store._database.execute("PRAGMA max_page_count = 1000000")


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    """An upload's body."""
    for part in parts:
        yield part


async def add_job(
    peer: Peer,
    queue: str = "workshop",
    *,
    gcode: bytes = GCODE,
    copies: int = 1,
    profile: str = "",
    materials: list[str] | None = None,
) -> JobId:
    """Uploads a file and adds a job of it."""
    service = Operations(peer)
    file = (await service.upload("part.gcode", chunks(gcode))).file
    new = NewSet(
        sha256=file.sha256,
        name=file.name,
        copies=copies,
        profiles=[profile or "MK3S"],
        materials=materials or [],
    )
    return await service.jobs.add(queue, NewJob(name="part", sets=[new]))


def done(peer: Peer, job: JobId, queue: str = "workshop") -> int:
    """How many finished copies of a job this peer knows of."""
    found = peer.queue(queue).state.job(job)
    return len([r for r in found.records if r.result.value == "done"]) if found else 0


class Stranger:
    """Whatever else may come over a link: it says what a test wants it to.

    While it listens, it answers sync steps as an empty document would, if `syncs`.
    """

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.syncs = True
        self.id = PeerId(secrets.token_hex(8))

    def hello(self, **changes: object) -> m.Hello:
        """A hello that is in order, but for `changes`."""
        fields = {"peer": self.id, "incarnation": 1, "name": "stranger", "port": 7699} | changes
        return m.Hello.model_validate(fields)

    async def say(self, message: m.Message) -> None:
        """Sends one of the peers' messages."""
        await self.websocket.send(encode_json(m.encode(message)))

    async def hear(self, kind: type[m._Message]) -> m.Message:
        """The next message of this kind."""
        while True:
            frame = await self.frame()
            if isinstance(frame, Json) and isinstance(message := m.decode(frame.text), kind):
                return message

    async def frame(self) -> Frame:
        """The next frame."""
        async with asyncio.timeout(HANG_S):
            data = await self.websocket.recv()
        assert isinstance(data, bytes)
        frame = decode(data)
        if self.syncs and isinstance(frame, SyncStep1):
            await self.websocket.send(encode_sync_step_2(EMPTY_UPDATE))
        return frame

    async def closed(self) -> tuple[int | None, str | None]:
        """How the peer closed the link."""
        async with asyncio.timeout(HANG_S):
            await self.websocket.wait_closed()
        return self.websocket.close_code, self.websocket.close_reason


@asynccontextmanager
async def stranger(peer: Peer, queue: str = "workshop") -> AsyncIterator[Stranger]:
    """A link to a peer, of something that is none."""
    room = room_of(peer.queue(queue).name)
    async with connect(
        f"ws://{peer.config.listen}/{room}",
        proxy=None,
        compression=None,
        close_timeout=1,
        create_connection=_Dialled,
    ) as websocket:
        yield Stranger(websocket)


class Eavesdropper:
    """Hears which jobs the claims of one queue have got and missed, in the place of the peer."""

    def __init__(
        self,
        listener: QueueListener,
        *,
        claimed: Callable[[MayHeat], object] = lambda _: None,
        missed: Callable[[JobId, No], object] = lambda *_: None,
    ) -> None:
        self._listener = listener
        self._claimed = claimed
        self._missed = missed

    def claimed(self, queue: QueueName, armed: MayHeat) -> None:
        self._claimed(armed)

    def missed(self, queue: QueueName, job: JobId, reason: No) -> None:
        self._missed(job, reason)

    def queue_changed(self) -> None:
        self._listener.queue_changed()

    def piece_wanted(self, queue: QueueName, link: PeerLink, want: WantPiece) -> None:
        self._listener.piece_wanted(queue, link, want)

    def piece_received(
        self, link: PeerLink, sha256: Sha256, offset: int, data: bytes | None
    ) -> None:
        self._listener.piece_received(link, sha256, offset, data)

    def summary(self) -> PrinterSummary | None:
        return self._listener.summary()
