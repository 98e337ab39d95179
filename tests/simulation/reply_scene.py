"""What a storm of replies is made of: where, when and how the hostile source speaks; the file."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from printer_driver.printer import Connection, PrinterStatus, PrintState
from printer_driver.virtual.board import BoardSetup
from printer_driver.virtual.usb_wire import Wiring
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
)
from tests.simulation.hostile_replies import Malice


class Place(Enum):
    """Where the hostile bytes come from."""

    BESIDE = "beside the board"
    WITHIN = "within its answers"
    INSTEAD = "instead of it"


class Moment(Enum):
    """What the host is at while they come."""

    GREETING = "greeting"
    PRINTING = "printing"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    READY = "ready"


_MOMENTS = {
    PrintState.PAUSED: Moment.PAUSED,
    PrintState.CANCELLING: Moment.CANCELLING,
}


def moment_of(status: PrinterStatus, *, is_printing: bool) -> Moment:
    """What the host is at."""
    if status.print and is_printing:
        return _MOMENTS.get(status.print.state, Moment.PRINTING)
    return Moment.READY if status.connection is Connection.READY else Moment.GREETING


@dataclass(frozen=True, kw_only=True, slots=True)
class Storm:
    """One run; everything follows from the seed."""

    seed: int
    place: Place
    moments: frozenset[Moment]
    malice: Malice
    every_s: float
    """Between two bursts, on average."""
    lasts_s: float
    board: BoardSetup
    parks: bool

    def __str__(self) -> str:
        firmware, moments = self.board.firmware, sorted(x.value for x in self.moments)
        return (
            f"{self.malice} {self.place.value} every {self.every_s:g} s for {self.lasts_s:.0f} s "
            f"while {', '.join(moments)}; {firmware.dialect.name}, {self.board.wiring}, "
            f"RX {firmware.rx_bytes}, advanced_ok={firmware.advanced_ok}, "
            f"emergency_parser={firmware.emergency_parser}, parks={self.parks}"
        )


def storm_of(seed: int) -> Storm:
    """The storm of a seed."""
    chance = random.Random(seed)
    names = sorted(DIALECTS)
    dialect = DIALECTS["marlin" if chance.random() < 0.5 else chance.choice(names)]
    baud, rx_bytes = chance.choice((115200, 115200, 250000, None)), chance.choice((128, 1024))
    if not dialect.checks_lines:
        baud, rx_bytes = None, 1024  # as they are only ever connected: nothing is lost
    firmware = FirmwareSetup(
        dialect=dialect,
        advanced_ok=chance.random() < 0.3,
        emergency_parser=chance.random() < 0.3,
        rx_bytes=rx_bytes,
    )
    moments = chance.sample(sorted(Moment, key=lambda x: x.value), k=chance.randrange(1, 6))
    return Storm(
        seed=seed,
        place=chance.choice((Place.BESIDE, Place.WITHIN, Place.INSTEAD)),
        moments=frozenset(moments),
        malice=Malice(
            forges=chance.random() < 0.3,
            stops=chance.random() < 0.5,
            floods=chance.random() < 0.05,
        ),
        every_s=chance.choice((0.02, 0.2, 0.2, 1.0, 5.0)),
        lasts_s=chance.uniform(5, 60),
        board=BoardSetup(firmware=firmware, wiring=Wiring(baud=baud, latency_s=0.001)),
        parks=chance.random() < 0.5,
    )


def a_file(chance: random.Random) -> Iterator[bytes]:
    """A small file, warm and relative or absolute."""
    yield from (b"M140 S60\n", b"M104 S200\n")
    if chance.random() < 0.5:
        yield from (b"M190 S60\n", b"M109 S200\n")
    is_relative = chance.random() < 0.5
    yield from (b"G90\n", b"M83\n" if is_relative else b"M82\n", b"G92 X0 Y0 Z0 E0\n")
    for number in range(chance.randrange(50, 600)):
        e = 0.02 if is_relative else 0.02 * number
        yield b"G1 X%d Y%d E%.2f F3000\n" % (number % 19, number % 7, e)
    yield from (b"M104 S0\n", b"M140 S0\n", b"M107\n")
