"""The lib0 binary encoding, read strictly, as far as Yjs documents of JSON values need it.

Source: https://github.com/dmonad/lib0, `encoding.js` and `decoding.js`. A varUint is little-endian
base 128 with a continuation bit; a varInt uses 0x40 of the first byte for the sign; a varString and
a varUint8Array are a varUint byte count followed by the bytes; Any is a type byte and a value. The
reader accepts only what a correct writer produces: the shortest form of every number, valid UTF-8,
counts that fit into the remaining bytes. Anything else raises `Hostile`.
"""

from __future__ import annotations

import math
import struct
from typing import Final, TypeAlias, assert_never

from crdtqueue.core.errors import Hostile

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

UINT_MAX: Final = 2**53 - 1
"""The largest integer that JavaScript, and so lib0, holds exactly."""

VALUE_DEPTH_MAX: Final = 16
"""Lists and objects may lie this deep inside each other; a bare number has depth 0."""

_INT32_MAX: Final = 2**31 - 1
_FLOAT32: Final = struct.Struct(">f")
_FLOAT64: Final = struct.Struct(">d")


class Reader:
    """Reads lib0 values from one message, from front to back. Every method may raise `Hostile`."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def position(self) -> int:
        """The number of bytes read so far."""
        return self._position

    @property
    def remaining(self) -> int:
        """The number of bytes not read yet."""
        return len(self._data) - self._position

    def expect_end(self) -> None:
        """Raise unless every byte has been read."""
        if self.remaining:
            raise Hostile(f"{self.remaining} bytes too many at the end of a message")

    def byte(self) -> int:
        """Read one byte."""
        position = self._position
        try:
            value = self._data[position]
        except IndexError:
            raise Hostile("a message ends too early") from None
        self._position = position + 1
        return value

    def take(self, count: int) -> bytes:
        """Read exactly `count` bytes."""
        end = self._position + count
        if end > len(self._data):
            raise Hostile(f"a message ends too early: {count} bytes announced")
        chunk = self._data[self._position : end]
        self._position = end
        return chunk

    def var_uint(self, maximum: int = UINT_MAX) -> int:
        """Read a varUint in its shortest form, 0 to `maximum`."""
        # Most of a document are numbers of one byte, so this place is written for speed.
        position = self._position
        try:
            value = self._data[position]
        except IndexError:
            raise Hostile("a message ends too early") from None
        self._position = position + 1
        if value >= 0x80:
            value = self._continue(value & 0x7F, 7)
        if value > maximum:
            raise Hostile(f"the number {value} is larger than the {maximum} allowed here")
        return value

    def var_int(self) -> int:
        """Read a varInt in its shortest form; `-0`, which lib0 can write, becomes 0."""
        first = self.byte()
        magnitude = first & 0x3F
        if first & 0x80:
            magnitude = self._continue(magnitude, 6)
        return -magnitude if first & 0x40 else magnitude

    def count(self, item_bytes_min: int, maximum: int = UINT_MAX) -> int:
        """Read how many items follow, at most `maximum`, each of `item_bytes_min` or more bytes."""
        value = self.var_uint(maximum)
        if value * item_bytes_min > self.remaining:
            raise Hostile(f"{value} items announced, {self.remaining} bytes left")
        return value

    def var_bytes(self, maximum: int = UINT_MAX) -> bytes:
        """Read a varUint8Array of at most `maximum` bytes."""
        return self.take(self.var_uint(maximum))

    def var_string(self, bytes_max: int = UINT_MAX) -> str:
        """Read a varString of at most `bytes_max` bytes of valid UTF-8."""
        try:
            return self.take(self.var_uint(bytes_max)).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Hostile("a string is not valid UTF-8") from error

    def json_value(self, depth_max: int = VALUE_DEPTH_MAX) -> JsonValue:
        """Read an Any that JSON can express: no undefined, bigint, bytes, NaN or infinity."""
        kind = self.byte()
        match kind:
            case 119:
                return self.var_string()
            case 120 | 121:
                return kind == 120
            case 123 | 124 | 125:
                return self._number(kind)
            case 126:
                return None
            case 117 | 118 if depth_max == 0:
                raise Hostile("a value has too many levels")
            case 117:
                return [self.json_value(depth_max - 1) for _ in range(self.count(1))]
            case 118:
                return self._object(depth_max - 1)
            case _:
                raise Hostile(f"a value of type {kind} is not JSON")

    def _continue(self, value: int, shift: int) -> int:
        """Read the further bytes of a number whose lowest `shift` bits are `value`."""
        data, position = self._data, self._position
        try:
            while (byte := data[position]) >= 0x80:
                value |= (byte & 0x7F) << shift
                shift += 7
                position += 1
                if shift > 56:
                    raise Hostile("a number has too many bytes")
        except IndexError:
            raise Hostile("a message ends too early") from None
        value |= byte << shift
        if byte == 0:
            raise Hostile("a number is not in its shortest form")
        if value > UINT_MAX:
            raise Hostile("a number has more than 53 bits")
        self._position = position + 1
        return value

    def _number(self, kind: int) -> int | float:
        if kind == 125:
            return self.var_int()
        layout = _FLOAT64 if kind == 123 else _FLOAT32
        number: float = layout.unpack(self.take(layout.size))[0]
        if not math.isfinite(number):
            raise Hostile("a number is not finite")
        return number

    def _object(self, depth_max: int) -> dict[str, JsonValue]:
        count = self.count(2)
        fields: dict[str, JsonValue] = {}
        for _ in range(count):
            name = self.var_string()
            fields[name] = self.json_value(depth_max)
        if len(fields) != count:
            raise Hostile("an object has the same field twice")
        return fields


def write_var_uint(value: int) -> bytes:
    """Return `value`, 0 to `UINT_MAX`, as a varUint."""
    if not 0 <= value <= UINT_MAX:
        raise ValueError(f"{value} does not fit into a varUint")
    return _little_endian(value)


def write_var_int(value: int) -> bytes:
    """Return `value`, at most `UINT_MAX` away from 0, as a varInt."""
    magnitude = abs(value)
    if magnitude > UINT_MAX:
        raise ValueError(f"{value} does not fit into a varInt")
    rest = magnitude >> 6
    first = (magnitude & 0x3F) | (0x40 if value < 0 else 0) | (0x80 if rest else 0)
    return bytes((first,)) + (_little_endian(rest) if rest else b"")


def write_bytes(data: bytes) -> bytes:
    """Return `data` as a varUint8Array."""
    return write_var_uint(len(data)) + data


def write_var_string(text: str) -> bytes:
    """Return `text`, which must have no lone surrogates, as a varString."""
    return write_bytes(text.encode("utf-8"))


def write_json_value(value: JsonValue) -> bytes:
    """Return `value` as an Any, numbers in the form that Yjs gives them."""
    match value:
        case None:
            return b"\x7e"
        case bool():
            return b"\x78" if value else b"\x79"
        case int() | float():
            return _write_number(value)
        case str():
            return b"\x77" + write_var_string(value)
        case list():
            return b"\x75" + write_var_uint(len(value)) + b"".join(map(write_json_value, value))
        case dict():
            fields = (write_var_string(k) + write_json_value(v) for k, v in value.items())
            return b"\x76" + write_var_uint(len(value)) + b"".join(fields)
        case _:
            assert_never(value)


def json_weight(value: JsonValue) -> int:
    """Return the most bytes that any Yjs library needs for `value`.

    The libraries choose different forms for one number (2 to 9 bytes). A limit on this weight is
    the same limit for all of them, so what one peer may write no other peer refuses.
    """
    match value:
        case None | bool():
            return 1
        case int() | float():
            return 9
        case str():
            return 6 + len(value.encode("utf-8"))
        case list():
            return 6 + sum(map(json_weight, value))
        case dict():
            return 6 + sum(5 + len(k.encode("utf-8")) + json_weight(v) for k, v in value.items())
        case _:
            assert_never(value)


def _little_endian(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _write_number(value: float) -> bytes:
    if value == int(value) and abs(value) <= _INT32_MAX:
        return b"\x7d" + write_var_int(int(value))
    if abs(value) <= 3.4e38 and _FLOAT32.unpack(_FLOAT32.pack(value))[0] == value:
        return b"\x7c" + _FLOAT32.pack(value)
    return b"\x7b" + _FLOAT64.pack(value)
