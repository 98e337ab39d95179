"""What the tests of the document share: reading entries, and values as anybody may write them."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from crdtqueue.core.document.keys import (
    ROOTS,
    Entry,
)
from crdtqueue.core.document.model import QueueState
from crdtqueue.core.document.reader import read_queue
from crdtqueue.core.yjs.lib0 import JsonValue

NUMBERS = st.integers() | st.floats() | st.integers(2**60, 10**400)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=4,
)


def read(entries: Iterable[Entry]) -> QueueState:
    """What a document with these entries says; of two under one key the later holds."""
    roots: dict[str, dict[str, JsonValue]] = {root: {} for root in ROOTS}
    for root, key, value in entries:
        roots[root][key] = value
    return read_queue(roots)
