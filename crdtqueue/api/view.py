"""The state of a peer as plain JSON, for the page, the command line and other programs."""

import json
import socket

from crdtqueue import __version__
from crdtqueue.adapters.links import Address
from crdtqueue.api.job_view import JobViews
from crdtqueue.api.state_text import (
    Json,
    StateText,
    nested,
    state_text,
)
from crdtqueue.core.document.model import (
    Deletion,
    RosterEntry,
)
from crdtqueue.core.durations import Span
from crdtqueue.core.explain import PrinterInSight
from crdtqueue.core.ids import PeerId, QueueName
from crdtqueue.core.sync.messages import PrinterSummary
from crdtqueue.peer.claims_runner import rules_of
from crdtqueue.peer.lan_queue import LanQueue
from crdtqueue.peer.peer import Membership, Peer
from printer_driver import clock

DELETED_SHOWN_MAX = 50
"""So many deleted jobs can be brought back from a page, the latest."""


class View:
    """The state of one peer. Keep one object: it caches what has not changed."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._jobs: dict[QueueName, JobViews] = {}

    def state(self) -> Json:
        """Everything that a page shows."""
        return dict(json.loads(self.snapshot().text))

    def snapshot(self) -> StateText:
        """`state` as JSON text."""
        peer, now_s = self._peer, clock.now_s()
        head: Json = {
            "peer": {
                "id": peer.me.peer,
                "name": peer.me.name,
                "version": __version__,
                "address": str(Address(host=_host(peer), port=peer.me.port)),
                "problems": problems(peer),
                "store_damaged": bool(peer.store.damage),
            },
            "printer": _own_printer(peer),
        }
        queues = [self._queue(membership, now_s) for membership in peer.memberships.values()]
        return nested(state_text(head, now_s), "queues", queues)

    def _queue(self, membership: Membership, now_s: float) -> StateText:
        queue = membership.queue
        summary = _summary(self._peer, queue)
        printers = tuple(
            PrinterInSight(
                peer=e.peer,
                name=e.name,
                profile=e.profile,
                summary=summary.get(e.peer),
                holds_back=queue.holds_back if e.peer == queue.me.peer else "",
                own=e.peer == queue.me.peer,
            )
            for e in _roster(queue)
            if e.profile
        )
        views = self._jobs.setdefault(queue.name, JobViews())
        jobs = views.texts(queue, membership.drafts.drafts, printers, now_s)
        return nested(state_text(_queue_head(queue, summary, now_s), now_s), "jobs", jobs)


def problems(peer: Peer) -> list[str]:
    """What a person should look at, as sentences."""
    damage = peer.store.damage
    found = [damage] if damage else []
    for name, membership in peer.memberships.items():
        queue = membership.queue
        texts = [queue.links.problem]
        texts += [queue.replica.problem] if queue.replica.problem != damage else []
        texts += membership.finder.sentences()
        found += [f"{name}: {text}" for text in texts if text]
    return found


def _host(peer: Peer) -> str:
    known = [host for queue in peer.queues.values() for host in queue.links.own_hosts]
    given = peer.config.listen.host
    everywhere = given in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound
    return known[0] if known else socket.gethostname() if everywhere else given


def _own_printer(peer: Peer) -> Json | None:
    summary = peer.summary()
    if summary is None or peer.runner is None or peer.me.profile is None:
        return None
    worker = peer.runner.worker
    return _printer(peer.me.name, peer.me.profile, summary) | {
        "queue": worker.held[0] if worker.held else None,
        "loaded": list(worker.saved.loaded.tools),
        "asks_for_material": worker.saved.loaded.said,
        "missing": {str(tool): material for tool, material in worker.missing.items()},
        "scripts": [step.value for step in peer.runner.script_store.texts],
    }


def _printer(name: str, profile: str, summary: PrinterSummary) -> Json:
    return {
        "name": name,
        "profile": profile,
        "state": summary.state,
        "text": summary.text,
        "managing": summary.managing,
        "bed_clear": summary.bed_clear,
        "job_id": summary.job,
        "file_name": summary.file_name,
        "progress": summary.progress,
        "elapsed_s": summary.elapsed_s,
        "temperatures": [
            {"name": name, "actual_c": actual_c, "target_c": target_c}
            for name, actual_c, target_c in summary.temperatures
        ],
        "queue": None,
    }


def _queue_head(queue: LanQueue, summary: dict[PeerId, PrinterSummary], now_s: float) -> Json:
    state, settings = queue.state, queue.state.settings
    lists = rules_of(settings).lists
    current = lists.current
    return {
        "name": queue.name,
        "mode": settings.mode.value,
        "voters": sorted(current.peers) if current else [],
        "voters_before": sorted(lists.voters - (current.peers if current else frozenset())),
        "strategy": settings.strategy.value,
        "open": not queue.is_local,
        "local": queue.is_local,
        "synced": queue.links.synced,
        "peers": [_peer(queue, entry, summary, now_s) for entry in _roster(queue)],
        "deleted": [
            {"id": job.id, "name": job.name, "created_at_s": job.created_at_s}
            for job in sorted(state.deleted, key=lambda job: -job.created_at_s)[:DELETED_SHOWN_MAX]
            if job.deletion is Deletion.NOW
        ],
    }


def _roster(queue: LanQueue) -> list[RosterEntry]:
    me = RosterEntry(peer=queue.me.peer, name=queue.me.name, profile=queue.me.profile, addresses=())
    roster = {me.peer: me, **queue.state.roster}
    return sorted(roster.values(), key=lambda entry: (entry.name, entry.peer))


def _summary(peer: Peer, queue: LanQueue) -> dict[PeerId, PrinterSummary]:
    """What every printer in sight is doing."""
    linked = {link.peer for link in queue.links.all}
    summary = {p: r.printer for p, r in queue.links.remotes.items() if p in linked and r.printer}
    own = peer.summary()
    return summary | ({queue.me.peer: own} if own else {})


def _peer(
    queue: LanQueue, entry: RosterEntry, summary: dict[PeerId, PrinterSummary], now_s: float
) -> Json:
    remote = queue.links.remotes.get(entry.peer)
    own = entry.peer == queue.me.peer
    online = own or queue.links.to(entry.peer) is not None
    its = summary.get(entry.peer)
    return {
        "id": entry.peer,
        "name": entry.name,
        "profile": entry.profile,
        "self": own,
        "online": online,
        "heard_s": Span(seconds=now_s - remote.heard_s) if remote and not online else None,
        "address": entry.addresses[0] if entry.addresses else None,
        "printer": _printer(entry.name, entry.profile, its) if its and entry.profile else None,
    }
