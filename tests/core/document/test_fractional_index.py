from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.document.fractional_index import (
    DIGITS,
    KEY_CHARS_MAX,
    is_key,
    key_between,
    keys_between,
    sort_rank,
)
from crdtqueue.core.errors import Invalid

JITTERS = st.integers(0, 2**32 - 1)
KEYS = st.text(DIGITS, min_size=1, max_size=12).filter(is_key)
WORST_JITTERS = [0, 2**32 - 1, 8191, 8192]


def is_between(key: str, before: str | None, after: str | None) -> bool:
    return is_key(key) and (before is None or before < key) and (after is None or key < after)


@given(KEYS, KEYS, JITTERS)
def test_a_key_lies_strictly_between_any_two(one: str, other: str, jitter: int) -> None:
    before, after = sorted((one, other))
    if before == after:
        return
    assert is_between(key_between(before, after, jitter), before, after)
    assert is_between(key_between(after, None, jitter), after, None)
    assert is_between(key_between(None, before, jitter), None, before)


@given(KEYS, KEYS, st.integers(0, 300), JITTERS)
def test_a_block_is_ascending_and_lies_between(
    one: str, other: str, count: int, jitter: int
) -> None:
    before, after = sorted((one, other))
    for low, high in [(before, None), (None, after), (None, None), (before, after)]:
        if low is not None and low == high:
            continue
        keys = keys_between(low, high, count, jitter)
        assert len(keys) == count
        assert keys == sorted(set(keys))
        assert all(is_between(key, low, high) for key in keys)


@given(st.lists(st.tuples(st.integers(0, 2**16), JITTERS), max_size=60))
def test_inserting_anywhere_keeps_the_order(inserts: list[tuple[int, int]]) -> None:
    keys: list[str] = []
    for position, jitter in inserts:
        at = position % (len(keys) + 1)
        before = keys[at - 1] if at else None
        after = keys[at] if at < len(keys) else None
        keys.insert(at, key_between(before, after, jitter))
    assert keys == sorted(set(keys))


def test_a_thousand_appends_and_prepends_stay_at_four_characters() -> None:
    chance = random.Random(1)
    last, first = None, None
    for _ in range(1000):
        last = key_between(last, None, chance.getrandbits(32))
        assert len(last) <= 4
    for _ in range(500):
        first = key_between(None, first or last, chance.getrandbits(32))
        assert len(first) <= 4


@pytest.mark.long
def test_a_hundred_thousand_appends_grow_slowly() -> None:
    last = None
    for _ in range(100_000):
        following = key_between(last, None, 8191)
        assert last is None or last < following
        last = following
    assert last is not None
    assert len(last) <= 64


@pytest.mark.long
@pytest.mark.parametrize("jitter", WORST_JITTERS)
@pytest.mark.parametrize("moving", ["before", "after", "both"])
def test_a_thousand_inserts_at_one_place_stay_under_200(jitter: int, moving: str) -> None:
    before, after = "K", "L"
    for turn in range(1000):
        key = key_between(before, after, jitter)
        assert is_between(key, before, after)
        assert len(key) <= 200
        if moving == "before" or (moving == "both" and turn % 2):
            before = key
        else:
            after = key


@pytest.mark.parametrize(
    ("before", "after"), [(None, None), ("K", None), (None, "K"), ("K", "L"), ("K", "K")]
)
def test_concurrent_inserts_hardly_ever_collide(before: str | None, after: str | None) -> None:
    chance = random.Random(2)
    pairs = 2000
    collisions = sum(
        key_between(before, after, chance.getrandbits(32))
        == key_between(before, after, chance.getrandbits(32))
        for _ in range(pairs)
    )
    assert collisions <= 3


@given(JITTERS, JITTERS, st.integers(2, 40), st.integers(2, 40))
def test_concurrent_blocks_do_not_interleave(
    one: int, other: int, one_count: int, other_count: int
) -> None:
    if one % 8192 == other % 8192:
        return
    mine = keys_between("K", None, one_count, one)
    theirs = keys_between("K", None, other_count, other)
    assert mine[-1] < theirs[0] or theirs[-1] < mine[0]


@given(KEYS, JITTERS)
def test_between_equal_keys_it_lands_right_behind_both(key: str, jitter: int) -> None:
    new = key_between(key, key, jitter)
    assert new > key
    assert new.startswith(key)


def test_neighbours_in_the_wrong_order_count_as_equal() -> None:
    assert key_between("b", "a", 7) == key_between("b", "b", 7)


@pytest.mark.parametrize(
    "hostile", ["", "0", "a0", "a b", "é", "a\n", "z" * (KEY_CHARS_MAX + 1), "K" * 10_000]
)
def test_what_is_not_a_key_counts_as_no_neighbour(hostile: str) -> None:
    assert not is_key(hostile)
    assert key_between(hostile, None, 5) == key_between(None, None, 5)
    assert key_between("K", hostile, 5) == key_between("K", None, 5)
    assert sort_rank("z", "b") < sort_rank(hostile, "a") < sort_rank(hostile, "b")


@pytest.mark.parametrize("hostile", [None, 3, b"a", ["a"]])
def test_other_types_are_no_keys(hostile: object) -> None:
    assert not is_key(hostile)
    assert sort_rank("z", "b") < sort_rank(hostile, "a")


@given(st.text(max_size=30), st.text(max_size=30), JITTERS)
def test_any_text_as_a_neighbour_still_gives_a_key(before: str, after: str, jitter: int) -> None:
    assert is_key(key_between(before, after, jitter))
    assert all(map(is_key, keys_between(before, after, 3, jitter)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("z" * KEY_CHARS_MAX, None),
        (None, "0" * (KEY_CHARS_MAX - 1) + "1"),
        ("K" * KEY_CHARS_MAX, "K" * (KEY_CHARS_MAX - 1) + "L"),
        ("K" * KEY_CHARS_MAX, "K" * KEY_CHARS_MAX),
    ],
)
def test_next_to_the_longest_keys_the_neighbours_key_is_shared(
    before: str | None, after: str | None
) -> None:
    assert key_between(before, after, 3) in {before, after}
    assert set(keys_between(before, after, 5, 3)) <= {before, after}


def test_a_negative_block_is_refused() -> None:
    with pytest.raises(Invalid):
        keys_between(None, None, -1, 0)
