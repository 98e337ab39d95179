"""One peer of peerprint 0.1.0 for `claims_compare`, run by a Python that has it.

It takes the same lines of JSON as `claims_node`. A job is visible when peerprint's own callback
says so, and may be printed when `acquireJob` returns True.
"""

import json
import logging
import sys
import threading
import time
import uuid
from typing import Any

from peerprint.lan_queue import ChangeType, LANPrintQueueBase  # type: ignore[import-not-found]

lock = threading.Lock()


def say(**fields: object) -> None:
    """One line for the driver; all clocks of this machine are one."""
    with lock:
        print(json.dumps({**fields, "at_s": time.monotonic()}), flush=True)


def changed(kind: object, _before: object, after: Any) -> None:
    """Peerprint's callback."""
    if kind is ChangeType.JOB and after:
        say(kind="visible", job=after["id"])


def main(address: str) -> None:
    """Reads orders until there are no more."""
    queue = LANPrintQueueBase("workshop", address, changed, logging.getLogger())
    say(kind="ready", address=address)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "join":
            queue.connect([peer for peer in order["peers"] if peer != address])
        elif order["do"] == "submit":
            job = uuid.uuid4().hex[:12]
            say(kind="submits")
            queue.setJob(job, {"id": job})
            say(kind="submitted", job=job)
        elif order["do"] == "claim":
            kind = "claimed" if queue.acquireJob(order["job"]) else "missed"
            say(kind=kind, job=order["job"])
        elif order["do"] == "sights":
            say(kind="sights", count=len(order["all"]), ready=queue.is_ready())


if __name__ == "__main__":
    main(sys.argv[1])
