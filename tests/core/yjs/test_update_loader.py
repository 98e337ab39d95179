from __future__ import annotations

import random

import pytest

from crdtqueue.core.yjs.lib0 import (
    write_json_value,
    write_var_string,
    write_var_uint,
)
from crdtqueue.core.yjs.update_loader import (
    Unloaded,
    load_updates,
)

ROOTS = frozenset({"jobs"})


def written(client: int, clock: int, count: int = 1) -> bytes:
    """An update with so many new keys of a client."""
    items = (
        b"\x28\x01"
        + write_var_string("jobs")
        + write_var_string(f"{client}/{clock + number}")
        + b"\x01"
        + write_json_value(number)
        for number in range(count)
    )
    numbers = (1, count, client, clock)
    return b"".join((*map(write_var_uint, numbers), *items, b"\x00"))


def deleted(client: int, clock: int) -> bytes:
    return b"\x00" + b"".join(map(write_var_uint, (1, client, 1, clock, 1)))


def replayed(updates: list[bytes], known: dict[int, int]) -> tuple[list[bytes], Unloaded]:
    done: list[bytes] = []
    left = load_updates(updates, ROOTS, known, done.append)
    return done, left


def test_updates_in_order_are_integrated_in_one_pass() -> None:
    updates = [written(1, 0), written(2, 0, 3), written(1, 1), deleted(2, 2)]
    known: dict[int, int] = {}
    assert replayed(updates, known) == (updates, Unloaded(bad=[], waiting=[]))
    assert known == {1: 2, 2: 3}


@pytest.mark.parametrize("seed", range(10))
def test_whatever_the_order_each_comes_once_and_after_what_it_builds_upon(seed: int) -> None:
    updates = [written(client, clock) for client in (1, 2) for clock in range(8)]
    updates.append(deleted(2, 7))
    random.Random(seed).shuffle(updates)
    known: dict[int, int] = {}
    done, left = replayed(updates, known)
    assert left == Unloaded(bad=[], waiting=[])
    assert sorted(done) == sorted(updates)
    for client in (1, 2):
        places = [done.index(written(client, clock)) for clock in range(8)]
        assert places == sorted(places)
    assert done.index(deleted(2, 7)) > done.index(written(2, 7))
    assert known == {1: 8, 2: 8}


def test_what_makes_no_sense_and_what_misses_something_is_left() -> None:
    updates = [written(1, 2), b"\xff", written(1, 0), deleted(3, 0), b"", written(3, 1)]
    done, left = replayed(updates, {})
    assert done == [written(1, 0)]
    assert left == Unloaded(
        bad=[b"\xff", b""], waiting=[written(1, 2), deleted(3, 0), written(3, 1)]
    )


def test_what_is_known_is_not_integrated_again() -> None:
    known = {1: 2}
    done, left = replayed([b"\x00\x00", written(1, 0, 3), written(1, 0, 3)], known)
    assert left == Unloaded(bad=[], waiting=[])
    assert done[0] == written(1, 2).replace(b"\x7d\x00", b"\x7d\x02")
    assert done[1:] == [b"\x00\x00"]
    assert known == {1: 3}
