"""The complete virtual printer without I/O: firmware, wire and faults.

`receive` takes what the host writes. `effects` returns what the host can read, and the commands
that were executed. Times are those of the printer.
"""

from dataclasses import dataclass, field
from math import inf

from printer_driver.virtual.firmware import (
    Executed,
    Firmware,
    Say,
)
from printer_driver.virtual.firmware_machine import Condition
from printer_driver.virtual.incidents import (
    Incident,
    IncidentKind,
)
from printer_driver.virtual.noise import (
    Chance,
    Noise,
    NoiseRates,
)
from printer_driver.virtual.usb_wire import (
    VirtualWire,
    Wiring,
)
from printer_driver.virtual.virtual_dialects import FirmwareSetup


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardSetup:
    """The options of a virtual printer."""

    firmware: FirmwareSetup = field(default_factory=FirmwareSetup)
    wiring: Wiring = field(default_factory=Wiring)
    noise: NoiseRates = field(default_factory=NoiseRates)
    resets_on_dtr: bool = False
    """Opening the port after DTR was low resets the board, as on most AVR boards."""
    incidents: tuple[tuple[float, Incident], ...] = ()
    """What happens when."""


class Board:
    """A state machine like `Firmware`. `chance` returns random numbers for the noise."""

    def __init__(self, setup: BoardSetup, chance: Chance) -> None:
        self._setup = setup
        self._firmware = Firmware(setup=setup.firmware)
        self._wire = VirtualWire(setup.wiring)
        self._noise = Noise(setup.noise, chance)
        self._ahead = sorted(setup.incidents, key=lambda x: x[0], reverse=True)
        self._plug_at_s = inf
        self._now_s = 0.0
        self._effects: list[Say | Executed] = []
        self.is_plugged = True
        self.is_over = False
        self._collect()

    @property
    def condition(self) -> Condition:
        """The machine now."""
        return self._firmware.condition

    @property
    def pending_bytes(self) -> int:
        """What the host has written and the firmware has not received."""
        return self._wire.pending_bytes

    def effects(self) -> list[Say | Executed]:
        """What came to the host and was executed since the last call, in order."""
        effects, self._effects = self._effects, []
        return effects

    def receive(self, data: bytes, now_s: float) -> None:
        """Bytes from the host."""
        self.tick(now_s)
        if self.is_plugged and data:
            self._wire.from_host(data, now_s)
            self.tick(now_s)

    def dtr_rises(self, now_s: float) -> None:
        """The host has opened the port after DTR was low."""
        if self._setup.resets_on_dtr:
            self.cause(Incident(kind=IncidentKind.RESET), now_s)

    def tick(self, now_s: float) -> None:
        """Let everything happen that happens until `now_s`, in its order."""
        while (due_s := self._due_s()) <= now_s:
            self._now_s = max(self._now_s, due_s)
            self._step()
        self._now_s = max(self._now_s, now_s)
        self._firmware.tick(self._now_s)

    def next_deadline_s(self) -> float | None:
        """When something happens without further input."""
        due_s = self._due_s()
        return None if due_s == inf else due_s

    def _due_s(self) -> float:
        firmware_s = self._firmware.next_deadline_s()
        return min(
            inf if firmware_s is None else firmware_s,
            self._wire.next_deadline_s(self._firmware.room_bytes),
            self._ahead[-1][0] if self._ahead else inf,
            self._plug_at_s,
        )

    def _step(self) -> None:
        now_s = self._now_s
        while self._ahead and self._ahead[-1][0] <= now_s:
            self.cause(self._ahead.pop()[1], now_s)
        if self._plug_at_s <= now_s:
            self.cause(Incident(kind=IncidentKind.PLUG), now_s)
        arrived = self._wire.at_printer(now_s, self._firmware.room_bytes)
        self._firmware.receive(self._noise.to_printer(arrived), now_s)
        self._collect()
        if heard := self._wire.at_host(now_s):
            self._effects.append(Say(data=heard))

    def _collect(self) -> None:
        for effect in self._firmware.effects():
            if isinstance(effect, Executed):
                self._effects.append(effect)
            elif self.is_plugged:
                self._wire.from_printer(self._noise.to_host(effect.data), self._now_s)

    def cause(self, incident: Incident, now_s: float) -> None:
        """Let something happen."""
        self._now_s = max(self._now_s, now_s)
        match incident.kind:
            case IncidentKind.RESET:
                self._firmware.reset(now_s)
            case IncidentKind.HANG:
                self._firmware.hang(incident.seconds, now_s)
            case IncidentKind.SAY:
                self._firmware.say(incident.text, now_s)
            case IncidentKind.HEATER:
                self._firmware.break_heater(incident.heater, incident.fault, now_s)
            case IncidentKind.UNPLUG:
                self.is_plugged = False
                self._wire.clear()
                self._plug_at_s = now_s + incident.seconds
            case IncidentKind.PLUG:
                self.is_plugged, self._plug_at_s = True, inf
            case IncidentKind.STOP:
                self.is_over = True
        self._collect()
