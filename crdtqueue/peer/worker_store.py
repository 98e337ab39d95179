"""Stores the memory of the worker."""

import logging

from pydantic import TypeAdapter, ValidationError

from crdtqueue.adapters.store import Store
from crdtqueue.core.worker.worker_events import WorkerMemory

_KEY = "worker"
_SAVED: TypeAdapter[WorkerMemory] = TypeAdapter(WorkerMemory)

UNREADABLE = WorkerMemory(
    bed_clear=False,
    managing=False,
    stopped_because="What this printer was doing cannot be read; another version has stored it."
    " Look at the printer and clear its bed, then start managing it.",
)
"""Nothing is begun, and what is being printed is waited for like a print of somebody else."""

log = logging.getLogger(__name__)


async def save(store: Store, saved: WorkerMemory) -> None:
    """Stores the memory. Raises Unavailable."""
    await store.set_meta(_KEY, _SAVED.dump_json(saved).decode())


async def load(store: Store) -> WorkerMemory:
    """What `save` stored last; `UNREADABLE` if that makes no sense."""
    text = await store.meta(_KEY)
    if text is None:
        return WorkerMemory()
    try:
        return _SAVED.validate_json(text)
    except ValidationError as error:
        log.warning("What the printer was doing cannot be read: %s", error)
        return UNREADABLE
