"""The log of a peer: which areas are logged, how much, and never so much that it harms.

`--log-level`, or the environment variable CRDTQUEUE_LOG, is a level for everything, a level for
single areas, or both: `DEBUG`, `claims=DEBUG`, `WARNING,claims=DEBUG,links=INFO`.
"""

import logging
import sys
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from crdtqueue.core.errors import Invalid

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
AREAS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "links": (
            "crdtqueue.adapters.links",
            "crdtqueue.peer.admission",
            "crdtqueue.peer.peer_link",
        ),
        "sync": ("crdtqueue.peer.replica",),
        "claims": ("crdtqueue.peer.claims_runner",),
        "worker": ("crdtqueue.peer.worker_runner", "crdtqueue.peer.worker_store"),
        "files": ("crdtqueue.peer.file_fetcher",),
        "store": ("crdtqueue.adapters.store", "crdtqueue.peer.history_keeper"),
        "http": ("crdtqueue.http.access_log",),
    }
)
"""The loggers of each area."""
DEBUG_LINES_MAX: Final = 200
"""DEBUG lines of one logger in a second; further ones are counted and left out."""


class LineBudget(logging.Filter):
    """Leaves DEBUG lines out that are too many in one second, and says how many they were."""

    def __init__(self) -> None:
        super().__init__()
        self._second: dict[str, tuple[int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; called by the handler."""
        if record.levelno > logging.DEBUG:
            return True
        now = int(time.monotonic())
        second, count = self._second.get(record.name, (now, 0))
        if second != now:
            if count > DEBUG_LINES_MAX:
                record.msg = f"({count - DEBUG_LINES_MAX} lines left out) {record.msg}"
            count = 0
        self._second[record.name] = now, count + 1
        return count < DEBUG_LINES_MAX


def parse_levels(text: str) -> dict[str, int]:
    """The level of each named area, and of everything under the empty name. Raises Invalid."""
    levels: dict[str, int] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        area, is_area, level = part.rpartition("=")
        if is_area and area not in AREAS:
            raise Invalid(f"There is no log area {area[:40]!r}. There are: {', '.join(AREAS)}.")
        if level.upper() not in LEVELS:
            raise Invalid(f"{level[:40]!r} is no log level. There are: {', '.join(LEVELS)}.")
        levels[area] = logging.getLevelNamesMapping()[level.upper()]
    return levels


def set_up_logging(text: str) -> None:
    """Logs to standard error as `text` says; INFO for what it does not name. Raises Invalid."""
    levels = parse_levels(text)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LineBudget())
    is_debugging = any(level <= logging.DEBUG for level in levels.values())
    time_of_day = "%(asctime)s " if is_debugging else ""
    handler.setFormatter(logging.Formatter(f"{time_of_day}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("crdtqueue").setLevel(levels.pop("", logging.INFO))
    for area, level in levels.items():
        for name in AREAS[area]:
            logging.getLogger(name).setLevel(level)
    logging.getLogger("websockets").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
