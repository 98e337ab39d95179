"""Decides when the peer process is started, ended and given up on. Pure: no process, clock or
thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from octoprint_crdtqueue.peer_client import PeerAddress

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""How long to wait after the first, second, … failure in a row; after all of them it gives up."""
HEALTHY_S = 120.0
"""A process that ran for so long has not failed in a row with the one before."""


class ServiceState(Enum):
    """The states of the peer process."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    WAITING = "waiting"
    """It failed, and is started again in a while."""
    FAILED = "failed"
    """It failed too often; a person has to start it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartPeer:
    """A person or OctoPrint wants the process to run. With `anew` a running one ends first."""

    anew: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StopPeer:
    """The process must end and not be started again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Announced:
    """The process answers at `peer`."""

    run: int
    peer: PeerAddress


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The process has ended, or could not be started; `reason` is a sentence for people."""

    run: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """Start a process."""

    run: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Terminate:
    """Ask the process to end."""

    run: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Kill:
    """End the process by force."""

    run: int


Event: TypeAlias = StartPeer | StopPeer | Announced | Ended
Effect: TypeAlias = Launch | Terminate | Kill


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceStatus:
    """What the tab shows about the process."""

    state: ServiceState = ServiceState.STOPPED
    problem: str = ""
    """Why the last process ended, if it was not meant to."""
    peer: PeerAddress | None = None
    """Where it answers; None unless it runs."""


class Supervision:
    """Decides what happens to the peer process. Each start is a run with its own number."""

    def __init__(self) -> None:
        self.status = ServiceStatus()
        self._run = 0
        self._wanted = False
        self._failures = 0
        self._since_s = 0.0
        self._deadline_s: float | None = None
        self._overdue = False
        self._effects: list[Effect] = []

    def receive(self, event: Event, now_s: float) -> None:
        """Takes in what happened. An event of an earlier run changes nothing."""
        match event:
            case StartPeer():
                self._on_start(event, now_s)
            case StopPeer():
                self._on_stop(now_s)
            case Announced(run=run, peer=peer) if run == self._run:
                self._on_announced(peer, now_s)
            case Ended(run=run, reason=reason) if run == self._run:
                self._on_ended(reason, now_s)
            case Announced() | Ended():
                pass

    def tick(self, now_s: float) -> None:
        """Does what is due."""
        if self._deadline_s is None or now_s < self._deadline_s:
            return
        if self.status.state is ServiceState.WAITING:
            self._launch(now_s)
        elif self.status.state in {ServiceState.STARTING, ServiceState.STOPPING}:
            self._overdue = self.status.state is ServiceState.STARTING
            self._deadline_s = None
            self._effects.append(Kill(run=self._run))

    def effects(self) -> Sequence[Effect]:
        """What must be done now; asked for once."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` has something to do."""
        return self._deadline_s

    def _on_start(self, event: StartPeer, now_s: float) -> None:
        self._wanted = True
        self._failures = 0
        if self.status.state in {ServiceState.STARTING, ServiceState.RUNNING}:
            if event.anew:
                self._terminate(now_s)
        elif self.status.state is not ServiceState.STOPPING:
            self._launch(now_s)

    def _on_stop(self, now_s: float) -> None:
        self._wanted = False
        if self.status.state in {ServiceState.STARTING, ServiceState.RUNNING}:
            self._terminate(now_s)
        elif self.status.state is not ServiceState.STOPPING:
            self._become(ServiceState.STOPPED)

    def _on_announced(self, peer: PeerAddress, now_s: float) -> None:
        if self.status.state is ServiceState.STARTING:
            self._since_s = now_s
            self._become(ServiceState.RUNNING, peer=peer)

    def _on_ended(self, reason: str, now_s: float) -> None:
        if self.status.state is ServiceState.STOPPING:
            if self._wanted:
                self._launch(now_s)
            else:
                self._become(ServiceState.STOPPED)
            return
        if self._overdue:
            reason = f"It did not start within {START_TIMEOUT_S:.0f} s."
        self._failed(reason, now_s)

    def _failed(self, reason: str, now_s: float) -> None:
        if self.status.state is ServiceState.RUNNING and now_s - self._since_s >= HEALTHY_S:
            self._failures = 0
        self._failures += 1
        if self._failures > len(BACK_OFF_S):
            self._become(ServiceState.FAILED, problem=reason)
            return
        due_s = now_s + BACK_OFF_S[self._failures - 1]
        self._become(ServiceState.WAITING, problem=reason, deadline_s=due_s)

    def _launch(self, now_s: float) -> None:
        self._run += 1
        self._overdue = False
        problem, due_s = self.status.problem, now_s + START_TIMEOUT_S
        self._become(ServiceState.STARTING, problem=problem, deadline_s=due_s)
        self._effects.append(Launch(run=self._run))

    def _terminate(self, now_s: float) -> None:
        self._become(ServiceState.STOPPING, deadline_s=now_s + STOP_TIMEOUT_S)
        self._effects.append(Terminate(run=self._run))

    def _become(
        self,
        state: ServiceState,
        *,
        problem: str = "",
        peer: PeerAddress | None = None,
        deadline_s: float | None = None,
    ) -> None:
        self.status = ServiceStatus(state=state, problem=problem, peer=peer)
        self._deadline_s = deadline_s
