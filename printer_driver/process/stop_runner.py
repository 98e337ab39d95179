"""Carries out an emergency stop on the port, and tells everybody who asked how it ended."""

from collections.abc import Callable

from printer_driver.core.streaming.emergency_stop import (
    STOP,
    EmergencyStop,
    SetDtr,
    WriteUrgently,
)
from printer_driver.port.attached_port import AttachedPort
from printer_driver.printer import Confirmation

StopAnswer = Callable[[Confirmation], None]


class StopRunner:
    """At most one stop at a time. Whoever asks during a stop gets the same answer."""

    def __init__(self, port: AttachedPort) -> None:
        self._port = port
        self._stop: EmergencyStop | None = None
        self._answers: list[StopAnswer] = []
        self._last: Confirmation | None = None

    def begin(
        self, answer: StopAnswer, now_s: float, *, is_halted: bool, halts_on: bytes = b""
    ) -> bool:
        """Writes M112 before this returns; False when a stop is under way or has just ended.

        `is_halted`: the firmware has not restarted since. It says so only once, and its silence
        after that must not be taken for a failure.
        """
        if is_halted and self._last is Confirmation.BY_FIRMWARE:
            self._port.write_urgently(STOP, now_s)
            answer(self._last)
            return False
        self._answers.append(answer)
        if self._stop:
            return False
        self._stop = EmergencyStop(now_s, halts_on=halts_on)
        self._carry_out(self._stop, now_s)
        return True

    def next_deadline_s(self) -> float | None:
        """When `tick` is due."""
        return self._stop.next_deadline_s() if self._stop else None

    def tick(self, now_s: float) -> None:
        """Repeats, resets, or answers, when that is due."""
        if self._stop:
            self._stop.tick(now_s)
            self._carry_out(self._stop, now_s)

    def received(self, data: bytes, now_s: float) -> None:
        """Takes in bytes from the printer; the answer comes with the next `tick`."""
        if self._stop:
            self._stop.receive(data, now_s)

    def port_lost(self) -> None:
        """The port is gone: the stop cannot be confirmed any more."""
        if self._stop:
            self._stop.lose_port()

    def _carry_out(self, stop: EmergencyStop, now_s: float) -> None:
        for effect in stop.effects():
            match effect:
                case WriteUrgently(data=data):
                    self._port.write_urgently(data, now_s)
                case SetDtr(is_high=is_high):
                    self._port.set_dtr(is_high=is_high)
        if stop.confirmation is not None:
            self._stop, self._last = None, stop.confirmation
            answers, self._answers = self._answers, []
            for answer in answers:
                answer(stop.confirmation)
