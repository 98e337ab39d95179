from __future__ import annotations

import json
import math
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.adapters.crdt.json_values import (
    ABSENT,
    checked_key,
    normalised,
    plain,
)
from crdtqueue.core.errors import Invalid
from crdtqueue.core.yjs.lib0 import (
    VALUE_DEPTH_MAX,
    Reader,
    write_json_value,
)
from crdtqueue.core.yjs.update_parser import (
    KEY_BYTES_MAX,
    VALUE_BYTES_MAX,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


class Colour(str, Enum):  # noqa: UP042 -- the case that StrEnum avoids
    RED = "red"


@given(ANYTHING)
def test_what_is_accepted_is_json_and_survives_the_wire_and_floats(value: object) -> None:
    try:
        copy = normalised(value)
    except Invalid:
        return
    assert json.loads(json.dumps(copy, allow_nan=False)) == copy
    assert plain(Reader(write_json_value(copy)).json_value()) == copy
    assert normalised(copy) == copy


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        [-math.inf],
        2**53,
        -(2**53),
        10**5000,
        1e300,
        b"bytes",
        {1: "a"},
        {None: "a"},
        {"a": {1, 2}},
        object(),
        "\ud800",
        {"\udfff": 1},
        "x" * VALUE_BYTES_MAX,
        [1] * (VALUE_BYTES_MAX // 9 + 1),
        nested(VALUE_DEPTH_MAX + 1),
        ABSENT,
    ],
    ids=range(18),
)
def test_other_values_are_refused(value: object) -> None:
    with pytest.raises(Invalid):
        normalised(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(Invalid, match="levels"):
        normalised(endless)


def test_values_become_plain() -> None:
    value = normalised({"t": (1, 2.0, -0.0), "e": Colour.RED, Colour.RED: True, "f": 0.5})
    assert value == {"t": [1, 2, 0], "e": "red", "red": True, "f": 0.5}
    assert json.dumps(value) == '{"t": [1, 2, 0], "e": "red", "red": true, "f": 0.5}'
    assert normalised(nested(VALUE_DEPTH_MAX)) == nested(VALUE_DEPTH_MAX)


def test_copies_share_nothing_with_the_original() -> None:
    original = {"a": [1]}
    for copy in (normalised(original), plain(original)):
        original["a"].append(2)
        assert copy == {"a": [1]}
        original["a"].pop()


def test_floats_read_from_a_library_turn_back_into_ints_only_where_exact() -> None:
    assert json.dumps(plain([1.0, {"a": -3.0}, 2.5, True, 2.0**53 - 1, 2.0**60])) == (
        '[1, {"a": -3}, 2.5, true, 9007199254740991, 1.152921504606847e+18]'
    )
    with pytest.raises(TypeError):
        plain(b"bytes")


@pytest.mark.parametrize("key", ["", "k" * (KEY_BYTES_MAX + 1), "é" * KEY_BYTES_MAX, "\ud800"])
def test_unusable_keys_are_refused(key: str) -> None:
    with pytest.raises(Invalid):
        checked_key(key)


def test_usable_keys_are_given_back() -> None:
    for key in ("k" * KEY_BYTES_MAX, "job/ünï", "\x00"):
        assert checked_key(key) == key
