"""The printer's end of a pseudo-terminal, as far as the kernel lets it behave like a serial port.

Linux shows the settings of the host at this end: its speed, whether it holds the port open, and
whether DTR falls when it closes the port (HUPCL). Speed 0 is DTR low, as on a real port
(termios(3), B0).
"""

import contextlib
import errno
import fcntl
import os
import select
import struct
import termios
import tty
from enum import Enum
from pathlib import Path

READ_BYTES = 4096
UNREAD_BYTES_MAX = 64 * 1024
"""Replies that nobody reads are lost beyond this, as on a real UART."""
_TCGETS2 = 0x802C542A
_TERMIOS2_BYTES = 44
_SPEED_OFFSET = 40
_GARBLED = bytes((byte * 37 + 11) & 0x7F | 0x80 for byte in range(256))


class Dtr(Enum):
    """The line that resets most boards when it rises."""

    LOW = "low"
    HIGH = "high"


class VirtualPort:
    """`link` is a path that leads to the port while it is plugged in; without one its own name is
    used."""

    def __init__(self, *, baud: int | None, link: Path | None = None) -> None:
        self._baud = baud
        self._link = link
        self._master: int | None = None
        self._own_name = ""
        self._is_held = False
        self._unread = bytearray()
        self.dtr = Dtr.LOW

    @property
    def name(self) -> str:
        """Where the host finds it."""
        return str(self._link or self._own_name)

    @property
    def is_plugged(self) -> bool:
        """Whether there is a port."""
        return self._master is not None

    @property
    def master(self) -> int | None:
        """To wait for; None while no host holds the port, which `look` finds out."""
        return self._master if self._is_held else None

    @property
    def has_unread(self) -> bool:
        """Whether replies wait for the host."""
        return bool(self._unread)

    def plug(self) -> None:
        """Make the port. Raises `OSError`."""
        master, slave = os.openpty()
        try:
            tty.setraw(slave)
            attributes = termios.tcgetattr(slave)
            attributes[2] |= termios.HUPCL
            termios.tcsetattr(slave, termios.TCSANOW, attributes)
            self._own_name = os.ttyname(slave)
        finally:
            os.close(slave)
        os.set_blocking(master, False)
        self._master = master
        if self._link:
            self._link.unlink(missing_ok=True)
            self._link.symlink_to(self._own_name)

    def unplug(self) -> None:
        """The host's end breaks; its name is gone."""
        master, self._master = self._master, None
        self._is_held, self.dtr = False, Dtr.LOW
        self._unread.clear()
        if self._link:
            self._link.unlink(missing_ok=True)
        if master is not None:
            os.close(master)

    def look(self) -> bool:
        """See what the host does with the port; whether DTR has risen since the last look."""
        before = self.dtr
        if self._master is not None:
            self._look(self._master)
        return before is Dtr.LOW and self.dtr is Dtr.HIGH

    def _look(self, master: int) -> None:
        poll = select.poll()
        poll.register(master, 0)
        is_held = not poll.poll(0)
        if is_held:
            self.dtr = Dtr.HIGH if self._speed(master) else Dtr.LOW
        elif self._is_held and termios.tcgetattr(master)[2] & termios.HUPCL:
            self.dtr = Dtr.LOW
        if not is_held:
            self._unread.clear()
        self._is_held = is_held

    def _speed(self, master: int) -> int:
        given = bytearray(_TERMIOS2_BYTES)
        fcntl.ioctl(master, _TCGETS2, given)
        return int(struct.unpack_from("I", given, _SPEED_OFFSET)[0])

    def read(self) -> bytes:
        """What the host has written; at another speed than the printer's it is garbage."""
        if self._master is None:
            return b""
        try:
            data = os.read(self._master, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: the host has just let go
                raise
            return b""
        return self._as_heard(data, self._master) if data else b""

    def _as_heard(self, data: bytes, master: int) -> bytes:
        is_in_tune = self._baud is None or self._speed(master) == self._baud
        return data if is_in_tune else data.translate(_GARBLED)

    def write(self, data: bytes) -> None:
        """For the host, as far as it takes it; nobody hears it while nobody holds the port."""
        if self._master is None or not self._is_held:
            return
        if data:
            self._unread += self._as_heard(data, self._master)
            del self._unread[UNREAD_BYTES_MAX:]
        with contextlib.suppress(BlockingIOError):
            while self._unread:
                del self._unread[: os.write(self._master, self._unread)]
