"""Stops the printer at once, and finds out whether that worked.

M112 is sent again and again. The line that was half sent before it may be refused, and a refusal
empties the receive buffer of the firmware, M112 included. Firmware without an emergency parser
reads M112 only when a command slot is free. If the firmware has not confirmed the stop within a
second, the board is reset by DTR, which switches every heater off.
"""

import re
from dataclasses import dataclass
from enum import Enum

from printer_driver.core.replies import reply_parser as rp
from printer_driver.printer import Confirmation

STOP = b"\nM112\n"
REPEATS_S = (0.02, 0.1, 0.3, 0.6)
"""After the first."""
CONFIRM_S_MAX = 1.0
RESET_LOW_S = 0.25
BOOT_S_MAX = 6.0
"""From the reset to the first words: bootloaders wait, displays and cards are set up."""

_STOPPED = re.compile(
    rb"halted|kill(?:ed|\()|emergency stop|shutdown due to|state: shutdown|M112", re.IGNORECASE
)
"""Marlin, Prusa, RepRapFirmware and Smoothieware, Klipper."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteUrgently:
    """Write these bytes now, before everything that waits to be written."""

    data: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class SetDtr:
    """Raise or lower the port's DTR line; a falling edge resets most boards."""

    is_high: bool


class _Phase(Enum):
    STOPPING = "stopping"
    RESETTING = "resetting"  # DTR is low
    BOOTING = "booting"
    OVER = "over"


class EmergencyStop:
    """One stop, from the request to its confirmation; see `Dialect.halts_on`."""

    def __init__(self, now_s: float, *, halts_on: bytes = b"") -> None:
        self.confirmation: Confirmation | None = None
        self._stop = halts_on + STOP
        self._effects: list[WriteUrgently | SetDtr] = [WriteUrgently(data=self._stop)]
        self._reader = rp.LineReader()
        self._phase = _Phase.STOPPING
        self._repeats_s = [now_s + pause_s for pause_s in REPEATS_S]
        self._until_s = now_s + CONFIRM_S_MAX

    def effects(self) -> list[WriteUrgently | SetDtr]:
        """What is to be done since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    def next_deadline_s(self) -> float | None:
        """When `tick` is due; None once it is over."""
        if self._phase is _Phase.OVER:
            return None
        return min([self._until_s, *self._repeats_s[:1]])

    def lose_port(self) -> None:
        """The port is gone: the stop cannot be confirmed any more."""
        self._end(Confirmation.NONE)

    def _enter(self, phase: _Phase) -> None:
        """The only place where the phase changes."""
        self._phase = phase

    def receive(self, data: bytes, now_s: float) -> None:
        """Takes in bytes from the printer."""
        for line in self._reader.feed(data):
            if self._phase is _Phase.STOPPING and _says_stopped(line):
                self._end(Confirmation.BY_FIRMWARE)
            elif self._phase is _Phase.BOOTING and isinstance(
                rp.parse_reply(line), rp.Booted | rp.Banner
            ):
                self._end(Confirmation.BY_RESET)
        self.tick(now_s)

    def tick(self, now_s: float) -> None:
        """Repeat, then reset, then give up."""
        while self._repeats_s and now_s >= self._repeats_s[0]:
            del self._repeats_s[0]
            if self._phase is _Phase.STOPPING:
                self._effects.append(WriteUrgently(data=self._stop))
        if self._phase is _Phase.OVER or now_s < self._until_s:
            return
        match self._phase:
            case _Phase.STOPPING:
                self._until_s = now_s + RESET_LOW_S
                self._enter(_Phase.RESETTING)
                self._repeats_s.clear()
                self._effects.append(SetDtr(is_high=False))
            case _Phase.RESETTING:
                self._until_s = now_s + BOOT_S_MAX
                self._enter(_Phase.BOOTING)
                self._reader = rp.LineReader()
                self._effects.append(SetDtr(is_high=True))
            case _:
                self._end(Confirmation.NONE)

    def _end(self, confirmation: Confirmation) -> None:
        if self._phase is _Phase.RESETTING:
            self._effects.append(SetDtr(is_high=True))
        self.confirmation = confirmation
        self._enter(_Phase.OVER)


def _says_stopped(line: bytes) -> bool:
    """Whether a reply confirms the stop. A mere echo (`echo:Unknown command: "M112"`) means the
    opposite."""
    return b"nknown command" not in line and _STOPPED.search(line) is not None
