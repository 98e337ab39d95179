"""The clocks of this machine."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def now_s() -> float:
    """Seconds that only go forward, and on Linux go on while the machine sleeps.

    A lease must run out during a suspend, too.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def wall_s() -> float:
    """Seconds since 1970 as this machine believes: for people to read, never to compare."""
    return time.time()
