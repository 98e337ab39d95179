from __future__ import annotations

from crdtqueue.core.claims.duplicate_identity import (
    INSTANCES_MAX,
    PEERS_MAX,
    TWIN_MEMORY_S,
    DuplicateIdentities,
)
from tests.harness.samples import peer

A = peer(1)


def test_a_peer_that_starts_again_is_no_twin() -> None:
    duplicates = DuplicateIdentities()
    assert not any(duplicates.hello(A, instance, "here:1", 0.0) for instance in "aabbcc")


def test_a_start_that_comes_back_after_a_later_one_gives_both_away() -> None:
    duplicates = DuplicateIdentities()
    said = [duplicates.hello(A, instance, f"{instance}:1", 0.0) for instance in "abab"]
    assert said == [False, False, True, True]
    assert duplicates.places(A) == ("a:1", "b:1")


def test_once_only_one_is_left_it_is_welcome_again() -> None:
    duplicates = DuplicateIdentities()
    for instance in "aba":
        duplicates.hello(A, instance, f"{instance}:1", 0.0)
    assert duplicates.hello(A, "a", "a:1", TWIN_MEMORY_S - 1.0)
    assert not duplicates.hello(A, "a", "a:1", TWIN_MEMORY_S)
    assert duplicates.places(A) == ("a:1",)


def test_little_is_remembered_whatever_is_said() -> None:
    duplicates = DuplicateIdentities()
    for number in range(3 * PEERS_MAX):
        duplicates.hello(peer(number), "a", "here:1", 0.0)
    for number in range(5 * INSTANCES_MAX):
        duplicates.hello(A, f"{number}", f"{number}:1", 0.0)
    assert len(duplicates.places(A)) == INSTANCES_MAX
    assert duplicates.places(peer(0)) == ()
    assert len(duplicates._peers) == PEERS_MAX
