"""Gets hold of the printer's port: by name or by search, at a given speed or one that is found."""

import contextlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from printer_driver.core.replies.baud_search import (
    BaudSearch,
    SetBaud,
    WriteProbe,
    beginning_with,
)
from printer_driver.errors import PortError
from printer_driver.port import ports
from printer_driver.port.wire import Wire

REOPEN_S = 1.0
AUTO_BAUD = 0
"""In place of a speed: find it."""
FOUND_BYTES_MAX = 4096

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """The port and the speed that worked last."""

    port: str = ""
    baud: int = 0
    asked: str = ""
    """By which name a person called it; AUTO for any."""


class PortKeeper:
    """Opens and reopens the port of one printer. Nothing is touched before `open`.

    `notes` is a file for what was found; the next start tries that first. `wants_printer` says
    whether to look for another port if nobody answers on this one.
    """

    def __init__(self, *, port: str, baud: int, notes: Path, dev: Path = ports.DEV) -> None:
        self._port = port
        self._baud = baud
        self._notes = notes
        self._dev = dev
        self._found = _Found()
        self._tried: list[str] = []
        self._search: BaudSearch | None = None
        self._reopen_at_s = 0.0
        self.wire = Wire(port, baud)
        self.problem = ""

    @property
    def is_ready(self) -> bool:
        """Whether the port is open and its speed is known."""
        return self.wire.is_open and self._search is None

    @property
    def is_searching(self) -> bool:
        """Whether the port is open and it is not known yet if a printer is behind it."""
        return self._search is not None

    @property
    def is_auto(self) -> bool:
        """Whether any port will do."""
        return self._port == ports.AUTO

    def next_deadline_s(self) -> float | None:
        """When `tick` is due; None while the port is there."""
        if self._search:
            return self._search.next_deadline_s()
        return None if self.wire.is_open else self._reopen_at_s

    def open(self, now_s: float) -> None:
        """Open the port, or the next one to try. Raises `PortError` with what to do."""
        self._reopen_at_s = now_s + REOPEN_S
        self._found = self._found if self._found.port else _recall(self._notes)
        error: PortError | None = None
        for name in self._names():
            try:
                self._open(name, now_s)
            except PortError as failed:
                error = error or failed
            else:
                return
        self.problem = str(error or PortError(f"There is {ports.ports_there(self._dev)}"))
        raise error or PortError(self.problem)

    def _names(self) -> list[str]:
        """The ports to try: the known device first, then those that were not tried in this
        round."""
        known = [self._found.port] if self._found.port else []
        if not self.is_auto:
            if known and self._is_meant(self._found):
                return known
            belongs = self._found.port and not Path(self._port).exists()
            return [*(known if belongs else []), self._port]
        there = ports.candidates(self._dev)
        wanted = [x for x in known if x in there] + [x for x in there if x not in known]
        fresh = [x for x in wanted if x not in self._tried]
        if not fresh:
            self._tried.clear()
        return fresh or wanted

    def _is_meant(self, found: _Found) -> bool:
        """Whether the known device is there and meant, although its short name may be another's
        now.

        Not if two ports share one name by id: that name belongs to the one that was plugged in
        last.
        """
        if found.asked != self._port or not Path(found.port).exists():
            return False
        by_id = self._dev / "serial/by-id"
        others = (Path(name).parent for name in ports.candidates(self._dev))
        return Path(found.port).parent != by_id or all(folder == by_id for folder in others)

    def _open(self, name: str, now_s: float) -> None:
        known_baud = self._found.baud
        self.wire = Wire(name, self._baud or known_baud or beginning_with(0)[0])
        self.wire.open()
        self._tried.append(name)
        if self._baud and not self.is_auto:
            self._settle(now_s)
            return
        bauds = (self._baud,) if self._baud else beginning_with(known_baud)
        self._search = BaudSearch(bauds, now_s)

    def _settle(self, _now_s: float) -> None:
        """This is the printer: remembers it under a lasting name."""
        self._search = None
        self.problem = ""
        self._tried.clear()
        name = ports.lasting_name(self.wire.name, self._dev)
        found = _Found(port=name, baud=self.wire.baud, asked=self._port)
        if found != self._found:
            self._found = found
            _log.info("the printer is on %s at %d baud", found.port, found.baud)
            _remember(self._notes, found)

    def close(self, now_s: float) -> None:
        """Closes the port; it is opened again after REOPEN_S."""
        self._search = None
        self.wire.close()
        self._reopen_at_s = now_s + REOPEN_S

    def is_open_due(self, now_s: float) -> bool:
        """Whether the port must be opened again."""
        return not self.wire.is_open and now_s >= self._reopen_at_s

    # --- while the speed is being found ------------------------------------------------------

    def receive(self, data: bytes, now_s: float) -> None:
        """Takes in bytes of the port during the search. Raises `PortError`."""
        if self._search:
            self._search.receive(data, now_s)
            self._go_on(self._search, now_s)

    def tick(self, now_s: float) -> None:
        """Try the next speed or port when that is due. Raises `PortError`."""
        if self._search:
            self._search.tick(now_s)
            self._go_on(self._search, now_s)

    def _go_on(self, search: BaudSearch, now_s: float) -> None:
        if search.found:
            self._settle(now_s)
            return
        if search.rounds:
            speed = f"{self._baud} baud" if self._baud else "any speed"
            self.problem = (
                f"No printer answers on {self.wire.name} at {speed}; "
                "check that it is on and that no other program holds it."
            )
            if self.is_auto:
                raise PortError(self.problem)
        for effect in search.effects():
            match effect:
                case SetBaud(baud=baud):
                    self.wire.set_baud(baud)
                case WriteProbe(data=data):
                    self.wire.write(data)


def _recall(path: Path) -> _Found:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        note: Any = json.loads(path.read_bytes()[:FOUND_BYTES_MAX])
        port, baud = str(note["port"]), int(note["baud"])
        return _Found(port=port, baud=baud, asked=str(note.get("asked", "")))
    return _Found()


def _remember(path: Path, found: _Found) -> None:
    try:
        path.write_text(json.dumps(asdict(found)), "utf-8")
    except OSError as error:
        _log.warning("the port that was found cannot be noted (%s)", error)
