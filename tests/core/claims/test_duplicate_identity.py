from __future__ import annotations

from crdtqueue.core.claims.duplicate_identity import (
    INSTANCES_MAX,
    PEERS_MAX,
    TWIN_MEMORY_S,
    Twins,
)
from tests.harness.samples import peer

A = peer(1)


def test_a_peer_that_starts_again_is_no_twin() -> None:
    twins = Twins()
    assert not any(twins.hello(A, instance, "here:1", 0.0) for instance in "aabbcc")


def test_a_start_that_comes_back_after_a_later_one_gives_both_away() -> None:
    twins = Twins()
    said = [twins.hello(A, instance, f"{instance}:1", 0.0) for instance in "abab"]
    assert said == [False, False, True, True]
    assert twins.places(A) == ("a:1", "b:1")


def test_once_only_one_is_left_it_is_welcome_again() -> None:
    twins = Twins()
    for instance in "aba":
        twins.hello(A, instance, f"{instance}:1", 0.0)
    assert twins.hello(A, "a", "a:1", TWIN_MEMORY_S - 1.0)
    assert not twins.hello(A, "a", "a:1", TWIN_MEMORY_S)
    assert twins.places(A) == ("a:1",)


def test_little_is_remembered_whatever_is_said() -> None:
    twins = Twins()
    for number in range(3 * PEERS_MAX):
        twins.hello(peer(number), "a", "here:1", 0.0)
    for number in range(5 * INSTANCES_MAX):
        twins.hello(A, f"{number}", f"{number}:1", 0.0)
    assert len(twins.places(A)) == INSTANCES_MAX
    assert twins.places(peer(0)) == ()
    assert len(twins._peers) == PEERS_MAX
