"""Checks Yjs updates and state vectors before a CRDT library sees them.

The libraries abort the whole process on some malformed bytes, and y-py silently forgets an update
with a gap. So bytes from another machine are parsed here first. The result is either a summary,
which is enough to tell whether the update can be applied now, or `Hostile`.

Source: https://github.com/yjs/yjs, update encoding v1 (`readClientsStructRefs`, `readDeleteSet`,
`readStateVector`). Only what flat root maps of JSON values need is accepted: items that are JSON
(content kind 8) or deleted (kind 1), under a key of a known root map. The first byte of an item is
the kind in its low five bits, 0x80 left origin, 0x40 right origin, 0x20 key. Parent and key follow
only where there is no origin; otherwise the item inherits them from its origin. Items of maps never
have a right origin.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs.lib0 import (
    Reader,
    json_weight,
    write_var_uint,
)

UPDATE_BYTES_MAX: Final = 8 * 2**20
PARTS_MAX: Final = 500_000
"""The most items, and the most deleted ranges, in one update."""
STATE_VECTOR_BYTES_MAX: Final = 2**20
KEY_BYTES_MAX: Final = 256
ROOT_NAME_BYTES_MAX: Final = 64
VALUE_BYTES_MAX: Final = 64 * 2**10
"""The largest value under one key, by `json_weight`."""
CLIENT_MAX: Final = 2**32 - 1
"""y-py cuts larger client ids to 32 bits, and so mistakes one for another."""
CLOCK_MAX: Final = 2**31 - 1
"""The libraries count in 32 bits and do not check for overflow."""

_DELETED: Final = 1
_JSON: Final = 8
_ITEM_BYTES_MIN: Final = 4
_CLIENT_BYTES_MIN: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockRange:
    """The clocks `first_clock <= clock < end_clock` of one client."""

    client: int
    first_clock: int
    end_clock: int


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateSummary:
    """What an update contains, and what must be known before it can be integrated.

    `needs` maps a client to the clock up to which its origins and deleted ranges reach: all clocks
    below it must be in the document or in this update.
    """

    inserts: tuple[ClockRange, ...]
    deletes: tuple[ClockRange, ...]
    needs: Mapping[int, int]

    @property
    def is_empty(self) -> bool:
        """True if the update brings neither items nor deletions."""
        return not (self.inserts or self.deletes)


@dataclass(kw_only=True, slots=True)
class _Block:
    """One client's items in an update; `origins` are (own clock, origin's client and clock)."""

    client: int
    first_clock: int
    end_clock: int
    origins: list[tuple[int, int, int]]


def parse_update(update: bytes, roots: frozenset[str]) -> UpdateSummary:
    """Check an update (encoding v1) of a document with the root maps `roots`.

    Raises `Hostile` if a library could choke on it, or if it holds anything but JSON values under
    keys of those roots. An update that passes may still have a gap: see `has_gap`.
    """
    if len(update) > UPDATE_BYTES_MAX:
        raise Hostile(f"an update of {len(update)} bytes is over the {UPDATE_BYTES_MAX} allowed")
    reader = Reader(update)
    blocks = _read_blocks(reader, roots)
    deletes = _read_delete_set(reader)
    reader.expect_end()
    _refuse_circles(blocks)
    return _summary(blocks, deletes)


def has_gap(summary: UpdateSummary, state_vector: Mapping[int, int]) -> bool:
    """Tell whether a document at `state_vector` lacks something the update builds upon.

    Such an update must not be applied; ask the sender for what is missing instead.
    """
    known = dict(state_vector)
    for block in summary.inserts:
        ours = known.get(block.client, 0)
        if block.first_clock > ours:
            return True
        known[block.client] = max(ours, block.end_clock)
    return any(clock > known.get(client, 0) for client, clock in summary.needs.items())


def overlaps(summary: UpdateSummary, state_vector: Mapping[int, int]) -> bool:
    """Tell whether the update brings items again that a document at `state_vector` has."""
    return any(block.first_clock < state_vector.get(block.client, 0) for block in summary.inserts)


def without_known(update: bytes, roots: frozenset[str], state_vector: Mapping[int, int]) -> bytes:
    """Return `update`, which must have passed the check, without the items already known.

    The libraries take it on trust that an item they partly know is the same one, and corrupt
    their memory if it is not. A tombstone that is partly known is cut, as Yjs itself does for a
    peer with this state vector: the rest follows upon its known part.
    """
    reader = Reader(update)
    blocks = []
    for _ in range(reader.var_uint()):
        items, client = reader.var_uint(), reader.var_uint()
        blocks += _unknown_items(update, reader, roots, items, client, state_vector.get(client, 0))
    return b"".join((write_var_uint(len(blocks)), *blocks, reader.take(reader.remaining)))


def _unknown_items(
    update: bytes, reader: Reader, roots: frozenset[str], items: int, client: int, known: int
) -> list[bytes]:
    """Read one client's block and return it without the clocks below `known`, if any is left."""
    clock, cut, start = reader.var_uint(), b"", reader.position
    first_clock, left = clock, items
    for _ in range(items):
        before, clock = clock, clock + _read_item(reader, roots)[1]
        if before < known:
            first_clock, start, left = min(clock, known), reader.position, left - 1
        if before < known < clock:
            cut, left = _tombstone(client, known, clock - known), left + 1
    header = b"".join(map(write_var_uint, (left, client, first_clock)))
    return [header + cut + update[start : reader.position]] if left else []


def _tombstone(client: int, clock: int, length: int) -> bytes:
    """Return a deleted item that follows upon the client's own item before `clock`."""
    return b"\xa1" + b"".join(map(write_var_uint, (client, clock - 1, length)))


def parse_state_vector(data: bytes) -> dict[int, int]:
    """Check a state vector and return it as client to next clock. Raises `Hostile`."""
    if len(data) > STATE_VECTOR_BYTES_MAX:
        raise Hostile(f"a state vector of {len(data)} bytes is over {STATE_VECTOR_BYTES_MAX}")
    reader = Reader(data)
    pairs = [
        (reader.var_uint(CLIENT_MAX), reader.var_uint(CLOCK_MAX)) for _ in range(reader.count(2))
    ]
    reader.expect_end()
    _refuse_repeats([client for client, _ in pairs])
    return dict(pairs)


def encode_state_vector(clocks: Mapping[int, int]) -> bytes:
    """Return client to next clock as a state vector, highest client first as Yjs writes it."""
    pairs = sorted(clocks.items(), reverse=True)
    body = b"".join(write_var_uint(client) + write_var_uint(clock) for client, clock in pairs)
    return write_var_uint(len(pairs)) + body


def _read_blocks(reader: Reader, roots: frozenset[str]) -> list[_Block]:
    blocks: list[_Block] = []
    items_left = PARTS_MAX
    for _ in range(reader.count(_CLIENT_BYTES_MIN)):
        items = reader.count(_ITEM_BYTES_MIN, items_left)
        items_left -= items
        blocks.append(_read_block(reader, roots, items))
    _refuse_repeats([block.client for block in blocks])
    return blocks


def _read_block(reader: Reader, roots: frozenset[str], items: int) -> _Block:
    client = reader.var_uint(CLIENT_MAX)
    clock = first_clock = reader.var_uint(CLOCK_MAX)
    if items == 0:
        raise Hostile("an update names a client without items")
    origins: list[tuple[int, int, int]] = []
    for _ in range(items):
        origin, length = _read_item(reader, roots)
        if origin is not None and origin[0] != client:
            origins.append((clock, *origin))
        elif origin is not None and origin[1] >= clock:
            raise Hostile("an item builds upon itself")
        clock = _advance(clock, length)
    return _Block(client=client, first_clock=first_clock, end_clock=clock, origins=origins)


def _read_item(reader: Reader, roots: frozenset[str]) -> tuple[tuple[int, int] | None, int]:
    """Read one item and return its origin, if any, and how many clocks it spans."""
    origin = None
    info = reader.byte()
    if info & 0x40:
        raise Hostile("an item has a right origin: only maps are known here")
    if info & 0x80:
        origin = (reader.var_uint(CLIENT_MAX), reader.var_uint(CLOCK_MAX - 1))
    else:
        _read_parent(reader, info, roots)
    return origin, _read_content(reader, info & 0x1F)


def _read_parent(reader: Reader, info: int, roots: frozenset[str]) -> None:
    if reader.var_uint() != 1:
        raise Hostile("an item's parent is not a root map")
    root = reader.var_string(ROOT_NAME_BYTES_MAX)
    if root not in roots:
        raise Hostile(f"no root map is called {root!r}")
    if not info & 0x20:
        raise Hostile("an item of a root map has no key")
    if not reader.var_string(KEY_BYTES_MAX):
        raise Hostile("a key is empty")


def _read_content(reader: Reader, kind: int) -> int:
    """Read an item's content and return how many clocks it spans."""
    if kind == _DELETED:
        length = reader.var_uint(CLOCK_MAX)
    elif kind == _JSON:
        length = reader.var_uint()
        # A map item has one value. Libraries that must split one with more corrupt their memory.
        if length > 1:
            raise Hostile("an item has more than one value")
        _read_value(reader)
    else:
        raise Hostile(f"content of kind {kind} is not allowed in this document")
    if length == 0:
        raise Hostile("an item has no content")
    return length


def _read_value(reader: Reader) -> None:
    before = reader.remaining
    value = reader.json_value()
    # Any form of a value takes at least a fifth of its weight: most need no weighing.
    if (before - reader.remaining) * 5 > VALUE_BYTES_MAX and json_weight(value) > VALUE_BYTES_MAX:
        raise Hostile(f"a value is over the {VALUE_BYTES_MAX} bytes allowed under one key")


def _read_delete_set(reader: Reader) -> tuple[ClockRange, ...]:
    clients: list[int] = []
    ranges: list[ClockRange] = []
    for _ in range(reader.count(_CLIENT_BYTES_MIN)):
        clients.append(reader.var_uint(CLIENT_MAX))
        ranges += _read_deleted(reader, clients[-1], PARTS_MAX - len(ranges))
    _refuse_repeats(clients)
    return tuple(ranges)


def _read_deleted(reader: Reader, client: int, ranges_max: int) -> list[ClockRange]:
    ranges = []
    for _ in range(reader.count(2, ranges_max)):
        first, length = reader.var_uint(CLOCK_MAX), reader.var_uint(CLOCK_MAX)
        if length == 0:
            raise Hostile("a deleted range is empty")
        end = _advance(first, length)
        ranges.append(ClockRange(client=client, first_clock=first, end_clock=end))
    if not ranges:
        raise Hostile("a delete set names a client without ranges")
    return ranges


def _advance(clock: int, length: int) -> int:
    if clock + length > CLOCK_MAX:
        raise Hostile("a clock is over 31 bits")
    return clock + length


def _refuse_repeats(clients: Sequence[int]) -> None:
    if len(set(clients)) != len(clients):
        raise Hostile("one client is listed twice")


def _refuse_circles(blocks: Sequence[_Block]) -> None:
    """Raise if no order exists in which every item comes after its origin.

    Blocks advance side by side as far as their origins allow. `waiting` maps a client to a heap of
    (the clock that must be passed, the block that waits for it).
    """
    by_client = {block.client: block for block in blocks}
    reached = {block.client: block.first_clock for block in blocks}
    steps = {block.client: 0 for block in blocks}
    waiting: dict[int, list[tuple[int, int]]] = {block.client: [] for block in blocks}
    ready = list(by_client)
    while ready:
        block = by_client[ready.pop()]
        reached[block.client] = block.end_clock
        for step in range(steps[block.client], len(block.origins)):
            own_clock, client, clock = block.origins[step]
            if client in reached and reached[client] <= clock < by_client[client].end_clock:
                heapq.heappush(waiting[client], (clock, block.client))
                reached[block.client], steps[block.client] = own_clock, step
                break
        queue = waiting[block.client]
        while queue and queue[0][0] < reached[block.client]:
            ready.append(heapq.heappop(queue)[1])
    if any(waiting.values()):
        raise Hostile("the items of an update build upon each other in a circle")


def _summary(blocks: Sequence[_Block], deletes: tuple[ClockRange, ...]) -> UpdateSummary:
    needs: dict[int, int] = {}
    for block in blocks:
        for _, client, clock in block.origins:
            needs[client] = max(needs.get(client, 0), clock + 1)
    for deleted in deletes:
        needs[deleted.client] = max(needs.get(deleted.client, 0), deleted.end_clock)
    inserts = tuple(
        ClockRange(client=b.client, first_clock=b.first_clock, end_clock=b.end_clock)
        for b in blocks
    )
    return UpdateSummary(inserts=inserts, deletes=deletes, needs=needs)
