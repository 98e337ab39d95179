"""The serial port: opened by pyserial, read and written without ever waiting."""

import errno
import fcntl
import os
import termios
from collections.abc import Callable

import serial
from serial.tools import list_ports

from printer_driver.errors import PortError

READ_BYTES = 4096
UNSENT_BYTES_MAX = 16 * 1024
"""More than any window; a port that takes nothing any more counts as lost."""


class Wire:
    """One port. Nothing is opened before `open`."""

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        self._baud = baud
        self._serial: serial.Serial | None = None
        self._unsent = bytearray()

    @property
    def is_open(self) -> bool:
        """The port is there."""
        return self._serial is not None

    @property
    def has_unsent(self) -> bool:
        """Bytes wait until the port takes more."""
        return bool(self._unsent)

    def fileno(self) -> int:
        """For a selector. Raises `PortError` when closed."""
        return int(self._port().fileno())

    def _port(self) -> serial.Serial:
        if self._serial is None:
            raise PortError(f"The port {self.name} is not open.")
        return self._serial

    def open(self) -> None:
        """Open and lock the port. Raises `PortError` with what to do."""
        try:
            port = serial.Serial(self.name, self._baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError) as error:
            raise PortError(explain(self.name, error)) from error
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
        _tell_silence_from_hangup(port.fileno())
        self._serial = port

    def close(self) -> None:
        """Let go of the port, whatever state it is in."""
        port, self._serial = self._serial, None
        self._unsent.clear()
        if port is not None:
            _ignore_os_error(port.close)

    def read(self) -> bytes:
        """What has arrived; empty when nothing has. Raises `PortError` when the port is gone."""
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
        """Send now what the port takes and keep the rest. Raises `PortError`."""
        self._unsent += data
        try:
            sent = os.write(self.fileno(), self._unsent) if self._unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._gone() from error
        del self._unsent[:sent]
        if len(self._unsent) > UNSENT_BYTES_MAX:
            raise PortError(f"The port {self.name} takes no more data; unplug and replug it.")

    def _gone(self) -> PortError:
        return PortError(f"The port {self.name} has gone; check the USB cable and the printer.")


def _tell_silence_from_hangup(fd: int) -> None:
    """pyserial sets VMIN 0, with which a read returns nothing for both."""
    attributes = termios.tcgetattr(fd)
    attributes[6][termios.VMIN] = 1
    termios.tcsetattr(fd, termios.TCSANOW, attributes)
    os.set_blocking(fd, False)


def _ignore_os_error(action: Callable[[], None]) -> None:
    try:
        action()
    except OSError:
        return  # a port that was pulled out cannot even be closed properly


def explain(name: str, error: OSError | ValueError) -> str:
    """Why the port could not be opened and what to do, in one sentence."""
    match error.errno if isinstance(error, OSError) else None:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return f"There is no port {name}; {_ports_there()}"
        case errno.EACCES | errno.EPERM:
            return (
                f"You may not open {name}; add yourself to its group "
                "(`sudo usermod -aG dialout $USER`) and log in again."
            )
        case errno.EBUSY | errno.EAGAIN:
            return f"The port {name} is in use; stop the other program that holds it."
        case _:
            return f"The port {name} cannot be used as a serial port ({error}); {_ports_there()}"


def _ports_there() -> str:
    names = sorted(port.device for port in list_ports.comports())
    if not names:
        return "no serial port is there, so switch the printer on and connect its USB cable."
    return f"use one of these: {', '.join(names)}."
