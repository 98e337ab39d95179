"""The serial port, opened by pyserial, read and written without waiting."""

import contextlib
import fcntl
import os
import termios
from collections.abc import Callable

import serial

from printer_driver.errors import PortError
from printer_driver.port.ports import explain

READ_BYTES = 4096
UNSENT_BYTES_MAX = 16 * 1024
"""More than any window; a port that takes nothing any more counts as lost."""
_RESET_LINES = (termios.TIOCM_DTR | termios.TIOCM_RTS).to_bytes(4, "little")


class Wire:
    """One port. Nothing is opened before `open`."""

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        self.baud = baud
        self._serial: serial.Serial | None = None
        self._fd = -1
        self._unsent = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether the port is open."""
        return self._serial is not None

    @property
    def has_unsent(self) -> bool:
        """Whether bytes wait until the port takes more."""
        return bool(self._unsent)

    def fileno(self) -> int:
        """For a selector. Raises `PortError` when closed."""
        return self._fd if self._fd >= 0 else int(self._port().fileno())

    def _port(self) -> serial.Serial:
        if self._serial is None:
            raise PortError(f"The port {self.name} is not open.")
        return self._serial

    def open(self) -> None:
        """Open and lock the port. Raises `PortError` with what to do."""
        try:
            port = serial.Serial(self.name, self.baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise PortError(explain(self.name, error)) from error
        try:
            fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
            _prepare(port.fileno())
            _answer_at_once(port)
        except (OSError, termios.error) as error:
            _ignore_os_error(port.close)
            raise PortError(f"The port {self.name} has gone again ({error}).") from error
        self._serial, self._fd = port, port.fileno()

    def set_baud(self, baud: int) -> None:
        """Change the speed while open, which does not reset the board. Raises `PortError`."""
        port = self._port()
        try:
            port.baudrate = baud
            _prepare(port.fileno())
        except (OSError, ValueError, termios.error) as error:
            raise PortError(f"The port {self.name} cannot do {baud} baud ({error}).") from error
        self.baud = baud

    def set_dtr(self, *, is_high: bool) -> None:
        """Raise or lower DTR and RTS; lowering resets most boards. Raises `PortError`.

        Where there are no such lines (a pseudo-terminal), speed 0 says the same: hang up.
        """
        fd = self.fileno()
        try:
            fcntl.ioctl(fd, termios.TIOCMBIS if is_high else termios.TIOCMBIC, _RESET_LINES)
        except OSError:
            self._hang_up(is_over=is_high)

    def _hang_up(self, *, is_over: bool) -> None:
        if is_over:
            self.set_baud(self.baud)
            return
        try:
            attributes = termios.tcgetattr(self.fileno())
            attributes[4] = attributes[5] = termios.B0
            termios.tcsetattr(self.fileno(), termios.TCSANOW, attributes)
        except termios.error as error:
            raise self._gone() from error

    def close(self) -> None:
        """Closes the port, whatever state it is in."""
        port, self._serial, self._fd = self._serial, None, -1
        self._unsent.clear()
        if port is not None:
            # A pseudo-terminal that somebody else holds open keeps the mark.
            _ignore_os_error(lambda: fcntl.ioctl(port.fileno(), termios.TIOCNXCL))
            _ignore_os_error(port.close)

    def read(self) -> bytes:
        """The bytes that have arrived; empty if none have. Raises `PortError` if the port is
        gone."""
        try:
            data = os.read(self.fileno(), READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone() from error
        if not data:
            raise self._gone()
        return data

    def write(self, data: bytes) -> None:
        """Sends now what the port takes, and keeps the rest. Raises `PortError`."""
        waiting = self._unsent + data if self._unsent else data
        try:
            sent = os.write(self.fileno(), waiting) if waiting else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._gone() from error
        if not self._unsent and sent == len(data):
            return
        self._unsent = bytearray(waiting[sent:])
        if len(self._unsent) > UNSENT_BYTES_MAX:
            raise PortError(f"The port {self.name} takes no more data; unplug and replug it.")

    def write_urgently(self, data: bytes) -> None:
        """Sends these bytes instead of those that wait, here and in the kernel, which are lost.

        Raises `PortError`.
        """
        self._unsent.clear()
        try:
            termios.tcflush(self.fileno(), termios.TCOFLUSH)
        except termios.error as error:
            raise self._gone() from error
        self.write(data)

    def _gone(self) -> PortError:
        return PortError(f"The port {self.name} has gone; check the USB cable and the printer.")


def _prepare(fd: int) -> None:
    """Sets what pyserial leaves otherwise.

    VMIN 1: with 0 a read returns nothing for silence and for a hangup alike. No HUPCL: otherwise
    the end of this process lowers DTR, and the next start raises it and resets the board.
    """
    attributes = termios.tcgetattr(fd)
    attributes[2] &= ~termios.HUPCL
    attributes[6][termios.VMIN] = 1
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
    os.set_blocking(fd, False)


def _answer_at_once(port: serial.Serial) -> None:
    """FTDI's adapters collect what arrives for 16 ms, which halves the speed of a print; the kernel
    may be told not to (ASYNC_LOW_LATENCY), by any user. Other adapters know nothing of it.
    """
    with contextlib.suppress(OSError, ValueError, NotImplementedError):
        port.set_low_latency_mode(True)


def _ignore_os_error(action: Callable[[], object]) -> None:
    try:
        action()
    except OSError:
        return  # a port that was pulled out cannot even be closed properly
