"""A clock that goes on while the computer sleeps, unlike the monotonic one."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def boot_s() -> float:
    """Seconds since the computer was started; elsewhere than on Linux sleep does not count."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)
