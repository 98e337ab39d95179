"""Lists serial ports by their lasting names, and finds out which process holds one."""

import errno
import os
from itertools import islice
from pathlib import Path

AUTO = "auto"
"""In place of a port's name: the first port on which a printer answers."""
DEV = Path("/dev")
PROC = Path("/proc")
HOLDERS_SHOWN_MAX = 3

_BY_NAME = ("serial/by-id", "serial/by-path")
_PATTERNS = ("ttyUSB*", "ttyACM*")
_USUAL = "OctoPrint, Klipper, Pronterface, a slicer or ModemManager"


def candidates(dev: Path = DEV) -> list[str]:
    """The ports that may be printers, each once, under the name that outlives a replugging."""
    by_id = sorted((dev / "serial/by-id").glob("*"))
    plain = sorted(path for pattern in _PATTERNS for path in dev.glob(pattern))
    names: dict[Path, str] = {}
    for path in (*by_id, *plain):
        if path.exists():
            names.setdefault(path.resolve(), str(path))
    return list(names.values())


def lasting_name(name: str, dev: Path = DEV) -> str:
    """The name under which the same device comes back after a replugging.

    By its serial number, else by the socket it is plugged into; `name` itself if it has neither.
    Two boards without serial numbers share one name by id, which then means the last one.
    """
    device = Path(name).resolve()
    for folder in _BY_NAME:
        for link in sorted((dev / folder).glob("*")):
            if link.resolve() == device:
                return str(link)
    return name


def has_real_speed(name: str) -> bool:
    """Whether the baud rate is that of a wire, which it is not for native USB and pseudo-terminals.

    An adapter that calls itself ttyACM may have a wire behind it; that cannot be seen.
    """
    device = os.path.realpath(name)
    return not device.startswith("/dev/pts/") and not Path(device).name.startswith("ttyACM")


def holders(name: str, proc: Path = PROC) -> list[str]:
    """The processes that have the device open, as far as this user may see: `octoprint (process
    123)`."""
    device = os.path.realpath(name)
    others = (x for x in proc.glob("[0-9]*") if int(x.name) != os.getpid())
    found = (f"{_command(x)} (process {x.name})" for x in others if _has_open(x, device))
    return list(islice(found, HOLDERS_SHOWN_MAX))


def _has_open(process: Path, device: str) -> bool:
    try:
        return any(os.path.realpath(fd) == device for fd in (process / "fd").iterdir())
    except OSError:
        return False  # of another user, or just ended


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8", errors="replace").strip() or "a program"
    except OSError:
        return "a program"


def explain(name: str, error: OSError | ValueError) -> str:
    """Why the port could not be opened and what to do, in one sentence."""
    match error.errno if isinstance(error, OSError) else None:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return f"There is no port {name}; {ports_there()}"
        case errno.EACCES | errno.EPERM:
            return (
                f"You may not open {name}; add yourself to its group "
                "(`sudo usermod -aG dialout $USER`) and log in again."
            )
        case errno.EBUSY | errno.EAGAIN:
            known = ", ".join(holders(name))
            who = f"by {known}; stop it" if known else f"; stop what holds it ({_USUAL})"
            return f"The port {name} is in use{' ' if known else ''}{who}."
        case _:
            return f"The port {name} cannot be used as a serial port ({error}); {ports_there()}"


def ports_there(dev: Path = DEV) -> str:
    """Half a sentence for somebody who needs a port."""
    names = candidates(dev)
    if not names:
        return "no serial port is there, so switch the printer on and connect its USB cable."
    return f"use one of these: {', '.join(names)}."
