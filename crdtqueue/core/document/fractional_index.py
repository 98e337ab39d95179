"""Fractional index keys: each job carries its place in the order as a short text.

A key is a fraction between 0 and 1 in base 62, without its "0." and without trailing zeros. So
comparing texts compares the fractions, and between two different keys there is always room for
another. Jobs are sorted by (key, job id); see `sort_rank`.

Two peers may insert at the same place at the same time. `jitter` (at least 32 random bits from the
caller) spreads the keys over 8,192 or more places, so that they are rarely equal; if they are, the
job id decides. Keys also come from other machines: a neighbour whose key `is_key` refuses is
ignored.

Inserting at one and the same place takes about one bit of length each time (1,000 inserts: under
200 characters); appending and prepending hardly any (1,000: 4 characters each).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Final, TypeGuard

from crdtqueue.core.errors import Invalid

KEY_CHARS_MAX: Final = 512
"""A longer text is no key. Honest keys get there after 2,800 inserts at one and the same place."""

DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In ASCII order, so that texts compare as the numbers do."""

_BASE: Final = len(DIGITS)
_VALUE: Final = {digit: value for value, digit in enumerate(DIGITS)}
_STEP: Final = 8192
"""Appending moves on by 1 to `_STEP` at the fourth digit that is not a leading "z"."""
_SPAN_MIN: Final = 16 * _STEP
_END_DIGITS: Final = 4
_FIRST: Final = 20 * _BASE**3
"""An empty queue starts a third of the way up: more jobs are appended than prepended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slot:
    """The fractions from number / 62**width up to the next such fraction."""

    number: int
    width: int

    def key(self) -> str:
        digits = []
        number = self.number
        for _ in range(self.width):
            number, digit = divmod(number, _BASE)
            digits.append(DIGITS[digit])
        return "".join(reversed(digits)).rstrip("0")

    def split(self, count: int) -> list[_Slot]:
        """Return `count` slots inside this one, evenly apart."""
        deeper = 1
        while _BASE**deeper <= count:
            deeper += 1
        room = _BASE**deeper
        apart = room // (count + 1)
        return [
            _Slot(number=self.number * room + apart * nth, width=self.width + deeper)
            for nth in range(1, count + 1)
        ]


def is_key(text: object) -> TypeGuard[str]:
    """Tell whether `text` is a key: 1 to `KEY_CHARS_MAX` of `DIGITS`, the last one not "0"."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= KEY_CHARS_MAX
        and text[-1] != "0"
        and all(character in _VALUE for character in text)
    )


def sort_rank(key: object, job_id: str) -> tuple[bool, str, str]:
    """The sort key of jobs: the index key, then the job id; jobs without a valid key come last."""
    return (False, key, job_id) if is_key(key) else (True, "", job_id)


def key_between(before: str | None, after: str | None, jitter: int) -> str:
    """Return a key that sorts after `before` and ahead of `after`.

    None, or a text that is not a key, stands for the start or the end of the queue. Between two
    equal keys (two peers chose the same), or two in the wrong order, nothing fits: the new key then
    sorts behind both jobs, right after `before`. Where a key would be too long (after thousands
    of inserts at one place, or next to a hostile key), the neighbour's own key is returned, and
    the job id decides which of the two comes first.
    """
    low, high = _neighbours(before, after)
    return _fitting(_slot(low, high, jitter).key(), low, high)


def keys_between(before: str | None, after: str | None, count: int, jitter: int) -> list[str]:
    """Return `count` ascending keys for a block of jobs that stays together.

    Like `key_between`, but all keys share one randomly chosen place: a block that another peer
    inserts there at the same time comes wholly before or wholly behind this one.
    """
    if count < 0:
        raise Invalid(f"A block of {count} jobs cannot be inserted: give 0 or more.")
    if count == 1:
        return [key_between(before, after, jitter)]
    low, high = _neighbours(before, after)
    slots = _slot(low, high, jitter).split(count)
    return [_fitting(slot.key(), low, high) for slot in slots]


def _neighbours(before: str | None, after: str | None) -> tuple[str | None, str | None]:
    return (before if is_key(before) else None), (after if is_key(after) else None)


def _fitting(key: str, low: str | None, high: str | None) -> str:
    if len(key) <= KEY_CHARS_MAX:
        return key
    return low or high or key


def _slot(low: str | None, high: str | None, jitter: int) -> _Slot:
    if low is None:
        if high is None:
            return _Slot(number=_FIRST + jitter % _STEP, width=_END_DIGITS)
        return _beyond(high, "0", -1 - jitter % _STEP)
    if high is None:
        return _beyond(low, "z", 1 + jitter % _STEP)
    return _inside(low, high, jitter) if low < high else _right_after(low, jitter)


def _beyond(key: str, edge: str, step: int) -> _Slot:
    """Step from `key` towards the edge of all keys, whose digits are all `edge`.

    Four digits count from the first one that is not at the edge, so a step never gets out of
    bounds, and only every 3,500 steps or so the keys grow by a digit.
    """
    width = len(key) - len(key.lstrip(edge)) + _END_DIGITS
    return _Slot(number=_number(key, width) + step, width=width)


def _right_after(key: str, jitter: int) -> _Slot:
    width = len(key) + 3
    return _Slot(number=_number(key, width) + 1 + jitter % (_BASE**3 - 1), width=width)


def _inside(low: str, high: str, jitter: int) -> _Slot:
    """Choose near the middle, at the least width that leaves `_STEP` places to choose from.

    Staying within a 32nd of the middle keeps what an insert costs close to one bit.
    """
    alike = (a == b for a, b in zip(low, high, strict=False))
    width = 1 + sum(takewhile(bool, alike))
    while (span := _number(high, width) - _number(low, width)) < _SPAN_MIN:
        width += 1
    middle = _number(low, width) + span // 2
    return _Slot(number=middle - span // 32 + jitter % (span // 16), width=width)


def _number(key: str, width: int) -> int:
    """Return the fraction `key` times 62**width, rounded down."""
    number = 0
    for digit in key[:width].ljust(width, "0"):
        number = number * _BASE + _VALUE[digit]
    return number
