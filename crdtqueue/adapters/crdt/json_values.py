"""Conversion of values into and out of the document: plain JSON, always copied."""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

from crdtqueue.core.errors import Invalid
from crdtqueue.core.yjs.lib0 import (
    UINT_MAX,
    VALUE_DEPTH_MAX,
    JsonValue,
    json_weight,
)
from crdtqueue.core.yjs.update_parser import (
    KEY_BYTES_MAX,
    VALUE_BYTES_MAX,
)


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""No value at all, unlike None, which is JSON's null."""


def checked_key(key: str) -> str:
    """Return `key`. Raises `Invalid` unless it is 1 to `KEY_BYTES_MAX` bytes of valid Unicode."""
    if not 0 < len(_utf8(key)) <= KEY_BYTES_MAX:
        raise Invalid(f"A key has {len(key)} characters: give it 1 to {KEY_BYTES_MAX} bytes.")
    return key


def normalised(value: object) -> JsonValue:
    """Return a copy of `value` that every CRDT library takes and gives back alike.

    Tuples become lists and integral floats ints. Raises `Invalid` if it is not JSON, deeper than
    `VALUE_DEPTH_MAX`, or over `VALUE_BYTES_MAX`.
    """
    copy = _copy(value, VALUE_DEPTH_MAX)
    weight = json_weight(copy)
    if weight > VALUE_BYTES_MAX:
        raise Invalid(f"A value of {weight} bytes is too large: at most {VALUE_BYTES_MAX} fit.")
    return copy


def plain(value: object) -> JsonValue:
    """Return a copy of a value read from a library, its integral floats turned back to ints.

    The libraries keep no order of an object's fields; the copy has them sorted.
    """
    match value:
        case float() if value.is_integer() and abs(value) <= UINT_MAX:
            return int(value)
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [plain(item) for item in value]
        case dict():
            return {name: plain(value[name]) for name in sorted(value)}
        case _:
            raise TypeError(f"the document holds a {type(value).__name__}, which is not JSON")


def _copy(value: object, depth_max: int) -> JsonValue:
    match value:
        case None | bool():
            return value
        case int():
            return _integer(value)
        case float():
            return _number(value)
        case str():
            return _text(value)
        case list() | tuple() | dict() if depth_max == 0:
            raise Invalid(f"A value has more than {VALUE_DEPTH_MAX} levels: make it flatter.")
        case list() | tuple():
            return [_copy(item, depth_max - 1) for item in value]
        case dict():
            return {_field(name): _copy(item, depth_max - 1) for name, item in value.items()}
        case _:
            kind = type(value).__name__
            raise Invalid(f"A {kind} cannot be stored: use text, numbers, lists and objects.")


def _integer(value: int) -> int:
    if abs(value) > UINT_MAX:
        raise Invalid(f"A number is too large: whole numbers go up to {UINT_MAX}.")
    return int(value)


def _number(value: float) -> int | float:
    if not math.isfinite(value):
        raise Invalid("A number is infinite or undefined: give a finite one.")
    return _integer(int(value)) if value.is_integer() else float(value)


def _field(name: object) -> str:
    if not isinstance(name, str):
        raise Invalid(f"An object has the name {name!r}: only texts can be names.")
    return _text(name)


def _text(text: str) -> str:
    _utf8(text)
    return str.__str__(text)  # of a subclass, such as an enum, the plain text


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid("A text has broken characters (lone surrogates): remove them.") from error
