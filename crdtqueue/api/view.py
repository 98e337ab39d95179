"""The peer's state as the page, the command line and other programs see it: plain JSON."""

import socket
from typing import Any

from crdtqueue import __version__
from crdtqueue.adapters import clock
from crdtqueue.adapters.links import Address
from crdtqueue.core.explain import JobState, Printer, explain
from crdtqueue.core.ids import Claim, PeerId
from crdtqueue.core.messages import PrinterNews
from crdtqueue.core.model import Job, PrintSet, RosterEntry
from crdtqueue.core.progress import done_by_set, progress
from crdtqueue.core.replication import is_safe_to_leave
from crdtqueue.peer.lan_queue import LanQueue
from crdtqueue.peer.peer import Membership, Peer

Json = dict[str, Any]


def state_of(peer: Peer) -> Json:
    """Everything that a page shows."""
    return {
        "peer": {
            "id": peer.me.peer,
            "name": peer.me.name,
            "version": __version__,
            "address": str(Address(host=_host(peer), port=peer.me.port)),
            "problems": problems(peer),
        },
        "printer": _own_printer(peer),
        "queues": [_queue(peer, membership) for membership in peer.memberships.values()],
    }


def problems(peer: Peer) -> list[str]:
    """What a person should look at, as sentences."""
    found = []
    for name, membership in peer.memberships.items():
        queue = membership.queue
        texts = [queue.problem, queue.replica.problem]
        texts += membership.finder.sentences()
        found += [f"{name}: {text}" for text in texts if text]
    return found


def names(queue: LanQueue) -> dict[PeerId, str]:
    """What the peers of a queue are called."""
    return {queue.me.peer: queue.me.name} | {e.peer: e.name for e in queue.state.roster.values()}


def _host(peer: Peer) -> str:
    known = [host for queue in peer.queues.values() for host in queue.own_hosts]
    given = peer.config.listen.host
    everywhere = given in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound
    return known[0] if known else socket.gethostname() if everywhere else given


def _own_printer(peer: Peer) -> Json | None:
    news = peer.news()
    if news is None or peer.operator is None or peer.me.profile is None:
        return None
    held = peer.operator.worker.held
    return _printer(peer.me.name, peer.me.profile, news) | {"queue": held[0] if held else None}


def _printer(name: str, profile: str, news: PrinterNews) -> Json:
    return {
        "name": name,
        "profile": profile,
        "state": news.state,
        "text": news.text,
        "managing": news.managing,
        "bed_clear": news.bed_clear,
        "job_id": news.job,
        "file_name": news.file_name,
        "progress": news.progress,
        "elapsed_s": news.elapsed_s,
        "temperatures": [
            {"name": name, "actual_c": actual_c, "target_c": target_c}
            for name, actual_c, target_c in news.temperatures
        ],
        "queue": None,
    }


def _queue(peer: Peer, membership: Membership) -> Json:
    queue = membership.queue
    news = _news(peer, queue)
    printers = [
        Printer(peer=e.peer, name=e.name, profile=e.profile, news=news.get(e.peer))
        for e in _roster(queue)
        if e.profile
    ]
    held = queue.claims.held(clock.now_s())
    return {
        "name": queue.name,
        "mode": "available",
        "open": not queue.is_local,
        "local": queue.is_local,
        "synced": queue.synced,
        "peers": [_peer(queue, entry, news) for entry in _roster(queue)],
        "jobs": [_job(queue, job, held.get(job.id), printers) for job in queue.state.jobs],
    }


def _roster(queue: LanQueue) -> list[RosterEntry]:
    me = RosterEntry(peer=queue.me.peer, name=queue.me.name, profile=queue.me.profile, addresses=())
    roster = {me.peer: me, **queue.state.roster}
    return sorted(roster.values(), key=lambda entry: (entry.name, entry.peer))


def _news(peer: Peer, queue: LanQueue) -> dict[PeerId, PrinterNews]:
    """What every printer in sight is doing."""
    linked = {session.peer for session in queue.sessions}
    news = {p: r.printer for p, r in queue.remotes.items() if p in linked and r.printer}
    own = peer.news()
    return news | ({queue.me.peer: own} if own else {})


def _peer(queue: LanQueue, entry: RosterEntry, news: dict[PeerId, PrinterNews]) -> Json:
    remote = queue.remotes.get(entry.peer)
    own = entry.peer == queue.me.peer
    its = news.get(entry.peer)
    return {
        "id": entry.peer,
        "name": entry.name,
        "profile": entry.profile,
        "self": own,
        "online": own or queue.session_of(entry.peer) is not None,
        "heard_s": round(clock.now_s() - remote.heard_s, 1) if remote and not own else None,
        "address": entry.addresses[0] if entry.addresses else None,
        "printer": _printer(entry.name, entry.profile, its) if its and entry.profile else None,
    }


def _job(queue: LanQueue, job: Job, claim: Claim | None, printers: list[Printer]) -> Json:
    silent_s = queue.claims.silent_s(claim, clock.now_s()) if claim else 0.0
    state, why = explain(job, claim, silent_s, printers)
    far = progress(job)
    return {
        "id": job.id,
        "name": job.name,
        "runs": job.runs,
        "copies_done": far.done,
        "copies_total": far.total,
        "state": state.value,
        "why": why,
        "paused": job.paused,
        "printing_by": _printing_by(queue, job, state, claim, printers),
        "created_by": job.created_by,
        "created_at_s": job.created_at_s,
        "safe_to_leave": is_safe_to_leave(queue.state, job),
        "sets": [_set(job, each) for each in job.sets],
    }


def _printing_by(
    queue: LanQueue, job: Job, state: JobState, claim: Claim | None, printers: list[Printer]
) -> Json | None:
    if claim is None or state not in {JobState.PRINTING, JobState.PAUSED}:
        return None
    news = next((p.news for p in printers if p.peer == claim.peer), None)
    its = news if news and news.job == job.id else None
    return {
        "peer": claim.peer,
        "name": names(queue).get(claim.peer, claim.peer),
        "progress": its.progress if its else None,
        "file_name": its.file_name if its else None,
    }


def _set(job: Job, each: PrintSet) -> Json:
    return {
        "id": each.id,
        "file": {
            "sha256": each.file.sha256,
            "name": each.file.name,
            "size_bytes": each.file.size_bytes,
        },
        "copies": each.copies,
        "profiles": sorted(each.profiles),
        "done": done_by_set(job)[each.id],
        "total": each.copies * job.runs,
    }
