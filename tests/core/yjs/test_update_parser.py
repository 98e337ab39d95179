from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs import update_parser as yu
from crdtqueue.core.yjs.lib0 import (
    JsonValue,
    write_json_value,
    write_var_string,
    write_var_uint,
)
from crdtqueue.core.yjs.update_parser import ClockRange

ROOTS = frozenset({"jobs", "runs"})
NO_DELETES = b"\x00"


def item(
    value: JsonValue = 1,
    *,
    root: str = "jobs",
    key: str = "k",
    origin: tuple[int, int] | None = None,
) -> bytes:
    content = b"\x01" + write_json_value(value)
    if origin is not None:
        return b"\xa8" + write_var_uint(origin[0]) + write_var_uint(origin[1]) + content
    return b"\x28\x01" + write_var_string(root) + write_var_string(key) + content


def tombstone(length: int, *, key: str = "k") -> bytes:
    return b"\x21\x01" + write_var_string("jobs") + write_var_string(key) + write_var_uint(length)


def block(client: int, clock: int, *items: bytes) -> bytes:
    numbers = (len(items), client, clock)
    return b"".join(map(write_var_uint, numbers)) + b"".join(items)


def delete_set(*deleted: tuple[int, int, int]) -> bytes:
    numbers = [n for client, clock, length in deleted for n in (client, 1, clock, length)]
    return b"".join(map(write_var_uint, [len(deleted), *numbers]))


def update(*blocks: bytes, deletes: bytes = NO_DELETES) -> bytes:
    return write_var_uint(len(blocks)) + b"".join(blocks) + deletes


def parse(data: bytes) -> yu.UpdateSummary:
    return yu.parse_update(data, ROOTS)


def test_the_summary_names_what_is_brought_and_what_is_needed() -> None:
    summary = parse(
        update(
            block(9, 3, item(), item(origin=(7, 11)), tombstone(4)),
            block(5, 0, item(origin=(9, 3))),
            deletes=delete_set((7, 2, 20), (9, 0, 2)),
        )
    )
    assert summary.inserts == (
        ClockRange(client=9, first_clock=3, end_clock=9),
        ClockRange(client=5, first_clock=0, end_clock=1),
    )
    assert summary.deletes == (
        ClockRange(client=7, first_clock=2, end_clock=22),
        ClockRange(client=9, first_clock=0, end_clock=2),
    )
    assert dict(summary.needs) == {7: 22, 9: 4}
    assert not summary.is_empty


def test_the_empty_update_is_empty_and_has_no_gap() -> None:
    summary = parse(b"\x00\x00")
    assert summary.is_empty
    assert not yu.has_gap(summary, {})


@pytest.mark.parametrize(
    ("data", "state_vector", "gap"),
    [
        (update(block(1, 0, item())), {}, False),
        (update(block(1, 0, item())), {1: 5}, False),
        (update(block(1, 3, item())), {1: 3}, False),
        (update(block(1, 3, item())), {1: 2}, True),
        (update(block(1, 3, item())), {2: 9}, True),
        (update(block(1, 0, item(origin=(2, 4)))), {2: 5}, False),
        (update(block(1, 0, item(origin=(2, 4)))), {2: 4}, True),
        (update(block(1, 0, item(origin=(2, 0))), block(2, 0, item())), {}, False),
        (update(block(2, 0, item()), block(1, 0, item(origin=(2, 1)))), {}, True),
        (update(deletes=delete_set((3, 4, 2))), {3: 6}, False),
        (update(deletes=delete_set((3, 4, 2))), {3: 5}, True),
        (update(block(3, 4, item(), item()), deletes=delete_set((3, 4, 2))), {3: 4}, False),
        (update(block(3, 4, item(), item()), deletes=delete_set((3, 4, 2))), {3: 3}, True),
    ],
)
def test_a_gap_is_whatever_neither_the_document_nor_the_update_has(
    data: bytes, state_vector: dict[int, int], gap: bool
) -> None:
    assert yu.has_gap(parse(data), state_vector) is gap


HOSTILE = {
    "nothing": b"",
    "no delete set": b"\x00",
    "trailing byte": b"\x00\x00\x00",
    "count in two bytes": b"\x80\x00\x00",
    "more clients than bytes": b"\xff\xff\xff\xff\x0f\x00",
    "more items than bytes": b"\x01\xff\xff\xff\xff\x0f\x01\x00" + item() + NO_DELETES,
    "more values than bytes": update(block(1, 0, b"\x28\x01\x04jobs\x01k\xff\x7f\x7e")),
    "two values": update(block(1, 0, b"\x28\x01\x04jobs\x01k\x02\x7e\x7e")),
    "client without items": update(block(1, 0), deletes=b"\x00\x00\x00"),
    "client twice": update(block(1, 0, item()), block(1, 1, item())),
    "client over 32 bits": update(block(2**32, 0, item())),
    "clock over 31 bits": update(block(1, 2**31 - 1, item())),
    "tombstone over 31 bits": update(block(1, 5, tombstone(2**31 - 5))),
    "empty tombstone": update(block(1, 0, tombstone(0))),
    "no values": update(block(1, 0, b"\x28\x01\x04jobs\x01k\x00")),
    "unknown root": update(block(1, 0, item(root="files"))),
    "key too long": update(block(1, 0, item(key="k" * 257))),
    "empty key": update(block(1, 0, item(key=""))),
    "no key": update(block(1, 0, b"\x08\x01\x04jobs\x01\x7e")),
    "parent is an item": update(block(1, 0, b"\x28\x00\x01\x00\x01k\x01\x7e")),
    "right origin": update(block(1, 0, b"\xe8\x02\x00\x02\x01\x01\x7e")),
    "only a right origin": update(block(1, 0, b"\x68\x02\x00\x01\x7e")),
    "origin is itself": update(block(1, 4, item(origin=(1, 4)))),
    "origin comes later": update(block(1, 4, item(origin=(1, 9)))),
    "origins in a circle": update(
        block(2, 0, item(origin=(1, 0))), block(1, 0, item(origin=(2, 0)))
    ),
    "circle behind good items": update(
        block(3, 0, item(), item(origin=(2, 1))),
        block(2, 0, item(), item(origin=(1, 1))),
        block(1, 0, item(origin=(3, 0)), item(origin=(3, 1))),
    ),
    "undefined": update(block(1, 0, b"\x28\x01\x04jobs\x01k\x01\x7f")),
    "value too deep": update(block(1, 0, item(7).replace(b"\x7d\x07", b"\x75\x01" * 17 + b"\x7e"))),
    "value too large": update(block(1, 0, item("x" * yu.VALUE_BYTES_MAX))),
    "value too large in another library": update(block(1, 0, item([1] * 8000))),
    "deleted range is empty": update(deletes=delete_set((1, 0, 0))),
    "deleted range over 31 bits": update(deletes=delete_set((1, 2**31 - 1, 1))),
    "deleting client twice": update(deletes=delete_set((1, 0, 1), (1, 2, 1))),
    "deleting client without ranges": b"\x00\x01\x01\x00\x00",
    "too many deleted ranges": (
        b"\x00\x02"
        + (b"\x01\x02" + b"\x00\x01" * 2)
        + (b"\x02" + write_var_uint(yu.PARTS_MAX - 1) + b"\x00\x01" * (yu.PARTS_MAX - 1))
    ),
    "too many items": update(
        block(1, 0, tombstone(1)),
        block(2, 0, *([tombstone(1)] + [b"\xa1\x02\x00\x01"] * (yu.PARTS_MAX - 1))),
    ),
    "update too large": bytes(yu.UPDATE_BYTES_MAX + 1),
}
KINDS = [kind for kind in range(32) if kind not in {1, 8}]


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_breaks_the_rules_is_refused(data: bytes) -> None:
    with pytest.raises(Hostile):
        parse(data)


@pytest.mark.parametrize("kind", KINDS)
def test_other_content_kinds_are_refused(kind: int) -> None:
    with pytest.raises(Hostile):
        parse(update(block(1, 0, bytes((0x20 | kind,)) + item()[1:])))


def test_what_is_just_within_the_limits_passes() -> None:
    parse(update(block(2**32 - 1, 2**31 - 2, item())))
    parse(update(block(1, 0, item(key="k" * 256))))
    parse(update(block(1, 0, item("x" * (yu.VALUE_BYTES_MAX - 6)))))
    parse(update(block(1, 0, item().replace(b"\x7d\x01", b"\x75\x01" * 16 + b"\x7e"))))


def test_an_inherited_key_needs_no_flag() -> None:
    """`Y.mergeUpdates` leaves the flag out of items that have an origin."""
    parse(update(block(1, 4, b"\x88\x01\x03\x01\x7e")))


def test_long_chains_across_clients_are_no_circle() -> None:
    clients = range(1, 200)
    chain = [item()] + [item(origin=(clients[-1], clock)) for clock in range(20)]
    blocks = [block(1, 0, *chain)]
    blocks += [
        block(client, 0, *(item(origin=(client - 1, clock)) for clock in range(21)))
        for client in clients[1:]
    ]
    assert not yu.has_gap(parse(update(*blocks)), {})
    assert not yu.has_gap(parse(update(*reversed(blocks))), {})


def test_every_truncation_and_every_changed_byte_is_refused_or_parsed() -> None:
    data = update(
        block(9, 3, item([1, {"a": "é"}]), item(origin=(7, 11)), tombstone(4)),
        block(5, 0, item(origin=(9, 3))),
        deletes=delete_set((7, 2, 20)),
    )
    for end in range(len(data)):
        with pytest.raises(Hostile):
            parse(data[:end])
    for position in range(len(data)):
        for byte in range(256):
            changed = data[:position] + bytes((byte,)) + data[position + 1 :]
            try:
                parse(changed)
            except Hostile:
                continue


@given(st.binary(max_size=80))
def test_random_bytes_are_refused_or_parsed(data: bytes) -> None:
    for check in (parse, yu.parse_state_vector):
        try:
            check(data)
        except Hostile:
            continue


@pytest.mark.parametrize(
    ("known", "rest"),
    [
        ({}, [block(9, 3, item(), tombstone(4), item(origin=(9, 7)))]),
        ({9: 3}, [block(9, 3, item(), tombstone(4), item(origin=(9, 7)))]),
        ({9: 4}, [block(9, 4, tombstone(4), item(origin=(9, 7)))]),
        ({9: 6}, [block(9, 6, b"\xa1\x09\x05\x02", item(origin=(9, 7)))]),
        ({9: 8}, [block(9, 8, item(origin=(9, 7)))]),
        ({9: 9}, []),
        ({9: 50}, []),
    ],
)
def test_what_is_known_is_cut_off(known: dict[int, int], rest: list[bytes]) -> None:
    other, deletes = block(5, 0, item(key="other")), delete_set((9, 3, 2))
    whole = block(9, 3, item(), tombstone(4), item(origin=(9, 7)))
    data = update(whole, other, deletes=deletes)
    assert yu.overlaps(parse(data), known) is (known.get(9, 0) > 3)
    cut = yu.without_known(data, ROOTS, known)
    assert cut == update(*rest, other, deletes=deletes)
    assert not yu.overlaps(parse(cut), known)


@given(st.dictionaries(st.integers(0, yu.CLIENT_MAX), st.integers(0, yu.CLOCK_MAX)))
def test_state_vectors_round_trip(clocks: dict[int, int]) -> None:
    assert yu.parse_state_vector(yu.encode_state_vector(clocks)) == clocks


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x01\x05",
        b"\x00\x00",
        b"\xff\xff\xff\xff\x0f",
        b"\x02\x01\x01\x01\x02",  # client twice
        b"\x01\x80\x80\x80\x80\x10\x01",  # client over 32 bits
        b"\x01\x01\x80\x80\x80\x80\x08",  # clock over 31 bits
        bytes(yu.STATE_VECTOR_BYTES_MAX + 1),
    ],
    ids=range(9),
)
def test_malformed_state_vectors_are_refused(data: bytes) -> None:
    with pytest.raises(Hostile):
        yu.parse_state_vector(data)


def test_the_full_state_of_a_large_queue_is_checked_in_well_under_a_second() -> None:
    fields = [item(f"value {n} " + "x" * 60, key=f"job-{n // 12}/field-{n}") for n in range(12_000)]
    data = update(block(1, 0, *fields[:6000]), block(2, 0, *fields[6000:]))
    assert len(data) > 1_000_000
    started = time.process_time()
    parse(data)
    assert time.process_time() - started < 1


def test_many_small_values_in_one_update_cost_no_more() -> None:
    fields = [item([[]] * 50, key=str(n)) for n in range(5000)]
    started = time.process_time()
    parse(update(block(1, 0, *fields)))
    assert time.process_time() - started < 2
