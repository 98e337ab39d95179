"""Whether this peer may ask for jobs of a queue; if not, why not, as a sentence for people."""

from crdtqueue.core.claims import claim_events as ce
from crdtqueue.core.claims.quorum import VoterList
from crdtqueue.core.ids import JobId, PeerId, QueueName
from crdtqueue.peer.claims_runner import ClaimsRunner
from crdtqueue.peer.queue_links import QueueLinks
from crdtqueue.peer.replica import Replica
from printer_driver import clock

OUTDATED = (
    "{queue} has records of a later start of this peer: its store was put back from a backup, or"
    " copied. Stop crdtqueue, delete the file store.sqlite3 in its folder, and join the queue anew."
)


class ClaimReadiness:
    """What keeps this peer from claiming, looked up afresh at every question."""

    def __init__(
        self,
        name: QueueName,
        me: PeerId,
        *,
        replica: Replica,
        links: QueueLinks,
        claims: ClaimsRunner,
    ) -> None:
        self._name = name
        self._me = me
        self._replica = replica
        self._links = links
        self._runner = claims

    @property
    def holds_back(self) -> str:
        """Why no job of this queue is asked for, as a sentence; empty if jobs are."""
        claims = self._runner.claims
        if self._replica.problem:
            return self._replica.problem
        if duplicate := self._links.holds_back:
            return duplicate
        if claims.is_outdated:
            return OUTDATED.format(queue=self._name)
        if not self._links.synced:
            return f"Brings {self._name} in sync with the other peers first."
        if short := claims.short_of():
            return self._short_of(short)
        if claims.is_cold(clock.now_s()):
            return f"Just started: waits up to a minute for the other peers of {self._name}."
        return ""

    def _short_of(self, voters: VoterList) -> str:
        name = self._name
        if not voters.peers:
            return f"{name} is in safe mode and has no voters. Name them, best three or more."
        seen = self._runner.claims.in_sight() | {self._me}
        absent = ", ".join(sorted(self._name_of(peer) for peer in voters.peers - seen))
        return (
            f"{name} is in safe mode, and only {len(voters.peers & seen)} of its"
            f" {len(voters.peers)} voters are in sight. Switch on {absent}, or name other voters."
        )

    def _name_of(self, peer: PeerId) -> str:
        entry = self._replica.state.roster.get(peer)
        return entry.name if entry else f"a peer unknown here ({peer})"

    def obstacle(self, job: JobId) -> str:
        """Why this peer cannot ask for one job, though it can for others; empty if it can."""
        no = self._runner.claims.why_not(job, clock.now_s())
        return f"Cannot be taken: {no.value}." if no is ce.No.EXHAUSTED else ""
