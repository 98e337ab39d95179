"""Loads a document from stored updates, in whatever order they are stored.

The store keeps updates in the order of integration, so one pass is almost always enough. In a
damaged store an update may be missing: then every update that does not depend on it is still
loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs.update_parser import (
    UpdateSummary,
    has_gap,
    overlaps,
    parse_update,
    without_known,
)

_Checked: TypeAlias = tuple[bytes, UpdateSummary]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unloaded:
    """The updates that were not loaded: `bad` are malformed, `waiting` depend on missing ones."""

    bad: list[bytes]
    waiting: list[bytes]


def load_updates(
    updates: Iterable[bytes],
    roots: frozenset[str],
    known: dict[int, int],
    integrate: Callable[[bytes], None],
) -> Unloaded:
    """Check updates and pass them to `integrate`, each once nothing before it is missing.

    `known` is the state vector of the document, and is kept up to date.
    """
    bad: list[bytes] = []
    waiting = _pass(_checked(updates, roots, bad), roots, known, integrate)
    while waiting:
        later = _pass(waiting, roots, known, integrate)
        if len(later) == len(waiting):
            break
        waiting = later
    return Unloaded(bad=bad, waiting=[update for update, _ in waiting])


def _checked(
    updates: Iterable[bytes], roots: frozenset[str], bad: list[bytes]
) -> Iterator[_Checked]:
    for update in updates:
        try:
            yield update, parse_update(update, roots)
        except Hostile:
            bad.append(update)


def _pass(
    updates: Iterable[_Checked],
    roots: frozenset[str],
    known: dict[int, int],
    integrate: Callable[[bytes], None],
) -> list[_Checked]:
    """Integrate what can be, and return the rest."""
    later = []
    for update, summary in updates:
        if has_gap(summary, known):
            later.append((update, summary))
        elif not summary.is_empty:
            is_partly_known = overlaps(summary, known)
            integrate(without_known(update, roots, known) if is_partly_known else update)
            for block in summary.inserts:
                known[block.client] = max(known.get(block.client, 0), block.end_clock)
    return later
