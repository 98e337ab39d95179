from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs import lib0
from crdtqueue.core.yjs.lib0 import (
    JsonValue,
    Reader,
)

INTEGERS = st.integers(-lib0.UINT_MAX, lib0.UINT_MAX)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(st.integers(0, lib0.UINT_MAX))
def test_var_uint_round_trip(value: int) -> None:
    reader = Reader(lib0.write_var_uint(value))
    assert reader.var_uint() == value
    reader.expect_end()


@given(INTEGERS)
def test_var_int_round_trip(value: int) -> None:
    reader = Reader(lib0.write_var_int(value))
    assert reader.var_int() == value
    reader.expect_end()


@given(TEXTS, st.binary())
def test_strings_and_bytes_round_trip(text: str, data: bytes) -> None:
    reader = Reader(lib0.write_var_string(text) + lib0.write_bytes(data))
    assert (reader.var_string(), reader.var_bytes()) == (text, data)
    reader.expect_end()


@given(VALUES)
def test_json_values_round_trip(value: JsonValue) -> None:
    reader = Reader(lib0.write_json_value(value))
    assert reader.json_value() == value
    reader.expect_end()


@given(VALUES)
def test_a_value_weighs_at_least_what_it_takes_and_at_most_five_times_that(
    value: JsonValue,
) -> None:
    size = len(lib0.write_json_value(value))
    assert size <= lib0.json_weight(value) <= 5 * size


@pytest.mark.parametrize(
    ("value", "written"),
    [  # as lib0 0.2.120 itself writes them
        (1, "7d01"),
        (-1, "7d41"),
        (63, "7d3f"),
        (64, "7d8001"),
        (2**31 - 1, "7dbfffffff0f"),
        (2**31, "7c4f000000"),
        (1.5, "7c3fc00000"),
        (0.1, "7b3fb999999999999a"),
        (True, "78"),
        (None, "7e"),
        ("é", "7702c3a9"),
        ([1, []], "75027d017500"),
        ({"a": {}}, "760101617600"),
    ],
)
def test_values_are_written_as_lib0_writes_them(value: JsonValue, written: str) -> None:
    assert lib0.write_json_value(value).hex() == written


def test_negative_zero_of_a_stock_client_is_zero() -> None:
    value = Reader(b"\x7d\x40").json_value()
    assert value == 0
    assert json.dumps(value) == "0"


@pytest.mark.parametrize(
    "encoded",
    [
        "",  # nothing
        "80",  # unfinished
        "8000",  # 0 in two bytes
        "818000",  # 1 in three bytes
        "8080808080808010",  # 2**53
        "ffffffffffffffffffffff01",  # endless
    ],
)
@pytest.mark.parametrize("read", [Reader.var_uint, Reader.var_int])
def test_malformed_numbers_are_refused(encoded: str, read: Callable[[Reader], int]) -> None:
    if encoded == "8080808080808010" and read is Reader.var_int:
        encoded = "8080808080808020"
    with pytest.raises(Hostile):
        read(Reader(bytes.fromhex(encoded)))


@pytest.mark.parametrize(
    "encoded",
    [
        "7f",  # undefined
        "7a0000000000000001",  # bigint
        "740100",  # bytes
        "73",  # no such type
        "7c7f800000",  # infinity
        "7b7ff8000000000000",  # NaN
        "7b00",  # cut short
        "7703c328",  # cut short
        "7702c328",  # not UTF-8
        "7703eda080",  # a lone surrogate
        "75ffffffff0f",  # four billion items in no bytes
        "760201617e01617e",  # the same field twice
    ],
)
def test_values_that_are_not_json_are_refused(encoded: str) -> None:
    with pytest.raises(Hostile):
        Reader(bytes.fromhex(encoded)).json_value()


def test_depth_is_bounded() -> None:
    deepest = b"\x75\x01" * lib0.VALUE_DEPTH_MAX + b"\x7e"
    Reader(deepest).json_value()
    with pytest.raises(Hostile, match="levels"):
        Reader(b"\x75\x01" + deepest).json_value()


def test_limits_given_by_the_caller_hold() -> None:
    with pytest.raises(Hostile):
        Reader(b"\x05").var_uint(4)
    with pytest.raises(Hostile):
        Reader(b"\x03abc").var_string(2)
    with pytest.raises(Hostile):
        Reader(b"\x02abcd").count(3)
    with pytest.raises(Hostile):
        Reader(b"\x00").expect_end()


@pytest.mark.parametrize("value", [-1, lib0.UINT_MAX + 1])
def test_what_does_not_fit_is_not_written(value: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        lib0.write_var_uint(value)


@given(st.binary(max_size=40))
def test_random_bytes_give_a_finite_json_value_or_hostile(data: bytes) -> None:
    try:
        value = Reader(data).json_value()
    except Hostile:
        return
    assert not isinstance(value, float) or math.isfinite(value)
    json.dumps(value, allow_nan=False)
