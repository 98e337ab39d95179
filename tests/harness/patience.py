"""How long tests wait for what must happen.

A limit ends a test whose subject hangs, and says nothing about how fast the machine is.
"""

from collections.abc import Iterator

HANG_S = 120.0
"""For one thing that must happen; nothing takes so long, on however busy a machine."""
LOOK_S = 0.05


def looks(limit_s: float, every_s: float = LOOK_S) -> Iterator[None]:
    """As many looks as fit into `limit_s` while looking takes no time.

    On a busy machine each look takes longer, and so they last longer.
    """
    yield from (None for _ in range(round(limit_s / every_s)))
