"""The port in the main loop: reads, writes and logs; reopens the port when it is lost."""

import logging
import selectors
import time
from typing import Protocol

from printer_driver.errors import PortError
from printer_driver.port import ports
from printer_driver.port.port_keeper import PortKeeper
from printer_driver.port.serial_log import SerialLog

_log = logging.getLogger(__name__)


class PortUser(Protocol):
    """The listener of a port."""

    def port_ready(self, now_s: float) -> None:
        """The port of the printer is open and its speed is known."""

    def port_lost(self, reason: str, now_s: float) -> None:
        """The port was ready and is gone."""

    def port_absent(self, reason: str, now_s: float) -> None:
        """The port could not be opened again; the next attempt comes by itself."""

    def received(self, data: bytes, now_s: float) -> None:
        """Bytes from the printer."""


class AttachedPort:
    """Nothing is opened before `open`. A broken port becomes an event, never an exception."""

    def __init__(
        self,
        *,
        keeper: PortKeeper,
        selector: selectors.BaseSelector,
        serial_log: SerialLog,
        user: PortUser,
    ) -> None:
        self._keeper = keeper
        self._selector = selector
        self._serial_log = serial_log
        self._user = user
        self._awaits_writing = False

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written, though perhaps not to the printer yet."""
        return self._keeper.wire.is_open

    @property
    def is_ready(self) -> bool:
        """Whether the port leads to the printer."""
        return self._keeper.is_ready

    @property
    def wire_baud(self) -> int:
        """Bits per second of a wire that really has this speed; otherwise 0."""
        wire = self._keeper.wire
        return wire.baud if ports.has_real_speed(wire.name) else 0

    @property
    def problem(self) -> str:
        """Why it is not ready, as a sentence for a person; may be empty."""
        if self._keeper.is_searching:
            return self._keeper.problem or "The printer's speed is being found out."
        return self._keeper.problem

    def open(self, now_s: float) -> None:
        """Opens the port for the first time. Raises `PortError`."""
        self._keeper.open(now_s)
        self._attach(now_s)

    def _attach(self, now_s: float) -> None:
        self._selector.register(self._keeper.wire, selectors.EVENT_READ, self._serve)
        self._awaits_writing = False
        self._serial_log.note("#", f"open {self._keeper.wire.name}".encode(), now_s)
        if self._keeper.is_ready:
            self._user.port_ready(now_s)

    def close(self) -> None:
        """Closes the port for good."""
        self._keeper.wire.close()

    def next_deadline_s(self) -> float | None:
        """When `tick` is due."""
        return self._keeper.next_deadline_s()

    def tick(self, now_s: float) -> None:
        """Opens the port again, or continues the search for its speed, when that is due."""
        if self._keeper.is_open_due(now_s):
            self._reopen(now_s)
        if self._keeper.is_searching:
            try:
                self._keeper.tick(now_s)
            except PortError as error:
                self._lose(error, now_s)
            self._note_found(now_s)

    def _reopen(self, now_s: float) -> None:
        try:
            self._keeper.open(now_s)
        except PortError as error:
            self._user.port_absent(str(error), now_s)
        else:
            _log.info("the port %s is back", self._keeper.wire.name)
            self._attach(now_s)

    def _note_found(self, now_s: float) -> None:
        if self._keeper.is_ready:
            self._user.port_ready(now_s)

    def _serve(self, mask: int) -> None:
        """The selector says that the port can be read or written."""
        now_s = time.monotonic()
        if mask & selectors.EVENT_WRITE:
            self.write(b"", now_s)
        if not mask & selectors.EVENT_READ or not self.is_open:
            return
        try:
            if data := self._keeper.wire.read():
                self._receive(data, now_s)
        except PortError as error:
            self._lose(error, now_s)

    def _receive(self, data: bytes, now_s: float) -> None:
        self._serial_log.note("<", data, now_s)
        self._user.received(data, now_s)
        if self._keeper.is_searching:
            self._keeper.receive(data, now_s)
            self._note_found(now_s)

    def write(self, data: bytes, now_s: float) -> None:
        """Sends these bytes behind those that still wait; does nothing without a port."""
        if not self.is_open:
            return
        if data:
            self._serial_log.note(">", data, now_s)
        try:
            self._keeper.wire.write(data)
            self._want_to_write()
        except PortError as error:
            self._lose(error, now_s)

    def write_urgently(self, data: bytes, now_s: float) -> None:
        """Sends these bytes instead of those that wait, which are lost."""
        try:
            self._keeper.wire.write_urgently(data)
            self._want_to_write()
        except PortError as error:
            self._lose(error, now_s)
        self._serial_log.note(">", data, now_s)

    def set_dtr(self, *, is_high: bool) -> None:
        """Sets DTR. Lowering it resets most boards; some ports cannot do it."""
        try:
            self._keeper.wire.set_dtr(is_high=is_high)
        except PortError as error:
            _log.warning("the printer cannot be reset by DTR: %s", error)

    def _want_to_write(self) -> None:
        has_unsent = self._keeper.wire.has_unsent
        if has_unsent is self._awaits_writing:
            return
        self._awaits_writing = has_unsent
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if has_unsent else 0)
        self._selector.modify(self._keeper.wire, wanted, self._serve)

    def _lose(self, error: PortError, now_s: float) -> None:
        if not self.is_open:
            return
        _log.warning("%s", error)
        self._serial_log.note("#", str(error).encode(), now_s)
        was_ready = self._keeper.is_ready
        self._selector.unregister(self._keeper.wire)
        self._keeper.close(now_s)
        if was_ready:
            self._user.port_lost(str(error), now_s)
