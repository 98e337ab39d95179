"""The clocks of this machine, for the printer process and for the peer."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def now_s() -> float:
    """Seconds since an arbitrary start. They never go back; setting the date changes nothing.

    On Linux they go on while the machine sleeps: a lease must run out during a suspend, too.
    Elsewhere sleep does not count.
    """
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def wall_s() -> float:
    """Seconds since 1970, as this machine believes: for people to read, never to compare."""
    return time.time()
