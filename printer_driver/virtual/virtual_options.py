"""`--port virtual:…`: a virtual printer described in one word.

`virtual:prusa,baud=115200,latency_ms=1,advanced_ok,at=60:unplug 3` — a dialect's name, switches,
and settings in any order, with commas between them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

from printer_driver.virtual.board import BoardSetup
from printer_driver.virtual.incidents import (
    Incident,
    parse_incident,
)
from printer_driver.virtual.noise import NoiseRates
from printer_driver.virtual.usb_wire import Wiring
from printer_driver.virtual.virtual_dialects import (
    DIALECTS,
    FirmwareSetup,
)

VIRTUAL = "virtual"


@dataclass(frozen=True, kw_only=True, slots=True)
class VirtualOptions:
    """A virtual printer and the seed of its faults."""

    board: BoardSetup = field(default_factory=BoardSetup)
    seed: int = 0
    link: Path | None = None
    """A path that leads to the port, also after it was unplugged and plugged in again."""


def is_virtual(port: str) -> bool:
    """Whether a port's name means a virtual printer."""
    return port == VIRTUAL or port.startswith(f"{VIRTUAL}:")


def _number(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not isfinite(value) or not least <= value <= most:
            raise ValueError(f"must be between {least:g} and {most:g}")
        return value

    return parse


def _whole(least: int, most: int) -> Callable[[str], int]:
    number = _number(least, most)
    return lambda text: int(number(text))


_RATE = _number(0, 1)
_SWITCHES = {"advanced_ok": True, "emergency_parser": True, "resets_on_dtr": True}
_SETTINGS: dict[str, Callable[[str], Any]] = {
    "baud": _whole(300, 4_000_000),
    "latency_ms": _number(0, 1000),
    "command_slots": _whole(1, 256),
    "rx_bytes": _whole(16, 1 << 20),
    "block_slots": _whole(3, 1024),
    "extrude_min_c": _number(0, 300),
    "residency_s": _number(0, 600),
    "boot_s": _number(0, 600),
    "flips_to_printer": _RATE,
    "drops_to_printer": _RATE,
    "flips_to_host": _RATE,
    "drops_to_host": _RATE,
    "lost_oks": _RATE,
    "doubled_oks": _RATE,
    "apart_bytes": _whole(0, 1 << 20),
    "seed": _whole(0, 1 << 53),
    "link": Path,
}
_OF_FIRMWARE = (
    "advanced_ok emergency_parser command_slots rx_bytes block_slots extrude_min_c residency_s "
    "boot_s"
)
_OF_NOISE = (
    "flips_to_printer drops_to_printer flips_to_host drops_to_host lost_oks doubled_oks apart_bytes"
)
OPTIONS_HELP = (
    f"a dialect ({', '.join(DIALECTS)}), switches ({', '.join(_SWITCHES)}), "
    f"settings ({', '.join(f'{name}=…' for name in _SETTINGS)}), at=SECONDS:INCIDENT"
)


def parse_virtual(port: str) -> VirtualOptions:
    """What `virtual` or `virtual:…` asks for. Raises `ValueError` with what to write instead."""
    given: dict[str, Any] = {}
    dialect = DIALECTS["marlin"]
    incidents = []
    for word in filter(None, port.removeprefix(VIRTUAL).removeprefix(":").split(",")):
        name, _, value = word.strip().partition("=")
        if word.strip() in DIALECTS:
            dialect = DIALECTS[word.strip()]
        elif name == "at":
            incidents.append(_moment(value))
        else:
            given[name] = _parse(name, value)
    return _assemble(given, dialect=dialect, incidents=tuple(incidents))


def _parse(name: str, value: str) -> Any:
    if name in _SWITCHES and not value:
        return True
    if name not in _SETTINGS:
        raise ValueError(f"{name!r} is no setting of a virtual printer; there are {OPTIONS_HELP}.")
    try:
        return _SETTINGS[name](value)
    except ValueError as error:
        raise ValueError(f"{name}={value} is wrong for a virtual printer: {error}.") from None


def _moment(text: str) -> tuple[float, Incident]:
    at, _, incident = text.partition(":")
    try:
        return _number(0, 1e9)(at), parse_incident(incident)
    except ValueError as error:
        raise ValueError(f"at={text}: {error}; write at=SECONDS:INCIDENT.") from None


def _assemble(given: dict[str, Any], **also: Any) -> VirtualOptions:
    def of(names: str) -> dict[str, Any]:
        return {name: given[name] for name in names.split() if name in given}

    latency_s = given.get("latency_ms", 0.0) / 1000
    board = BoardSetup(
        firmware=FirmwareSetup(dialect=also["dialect"], **of(_OF_FIRMWARE)),
        wiring=Wiring(baud=given.get("baud"), latency_s=latency_s),
        noise=NoiseRates(**of(_OF_NOISE)),
        incidents=also["incidents"],
        **of("resets_on_dtr"),
    )
    return VirtualOptions(board=board, **of("seed link"))
