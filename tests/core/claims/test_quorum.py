from __future__ import annotations

import pytest

from crdtqueue.core.claims.quorum import (
    LISTS_MAX,
    Rules,
    VoterList,
    VoterLists,
    read_voter_lists,
    statement_entry,
    voters_entry,
)
from crdtqueue.core.document.model import Mode
from crdtqueue.core.ids import PeerId
from crdtqueue.core.yjs.lib0 import JsonValue
from tests.harness.samples import peer

A, B, C, D, E = (peer(number) for number in range(1, 6))


def named(*changes: frozenset[PeerId]) -> dict[str, JsonValue]:
    """The document after people have named these voters, one after the other."""
    fields: dict[str, JsonValue] = {}
    for peers in changes:
        _, key, value = voters_entry(read_voter_lists(fields), peers)
        fields[key] = value
    return fields


def state(fields: dict[str, JsonValue], voters: VoterList, *peers: PeerId) -> VoterLists:
    for each in peers:
        _, key, value = statement_entry(voters, each)
        fields[key] = value
    return read_voter_lists(fields)


def test_the_first_list_is_in_force_at_once() -> None:
    lists = read_voter_lists(named(frozenset({A, B, C})))
    assert lists.current == VoterList(generation=1, peers=frozenset({A, B, C}))
    assert lists.in_force == (lists.current,)
    assert lists.voters == {A, B, C}
    assert lists.to_state(A) is None


def test_a_list_stays_in_force_until_its_own_majority_goes_by_a_later_one() -> None:
    fields = named(frozenset({A, B, C}), frozenset({C, D, E}))
    lists = read_voter_lists(fields)
    first, second = lists.in_force
    assert lists.current == second
    assert [lists.to_state(each) for each in (A, B, C, D)] == [second, second, second, None]
    assert state(fields, second, A, D, E).in_force == (first, second)
    lists = state(fields, second, B)
    assert lists.in_force == (second,)
    assert lists.to_state(C) is None


def test_of_two_lists_that_were_named_together_both_count_until_one_is_stated() -> None:
    fields = named(frozenset({A, B, C}))
    other = {**fields}
    for peers, into in ((frozenset({A}), fields), (frozenset({B}), other)):
        _, key, value = voters_entry(read_voter_lists(fields if into is fields else other), peers)
        into[key] = value
    fields |= other
    lists = read_voter_lists(fields)
    assert len(lists.in_force) == 3
    assert [each.generation for each in lists.in_force] == [1, 2, 2]
    assert lists.current
    lower = lists.in_force[1]
    assert lists.current not in state(fields, lists.current, A, B, *lower.peers).in_force[:-1]
    assert read_voter_lists(fields).in_force == (lists.current,)


def test_safe_rules_need_a_majority_of_every_list_in_force() -> None:
    rules = Rules(
        mode=Mode.SAFE,
        lists=read_voter_lists(named(frozenset({A, B, C}), frozenset({C, D, E}))),
    )
    first, second = rules.lists.in_force
    assert rules.short_of({A, B}) == second
    assert rules.short_of({D, E}) == first
    assert rules.short_of({A, C, D}) is None


@pytest.mark.parametrize(("voters", "votes"), [({A}, {B}), ({A, B}, {A}), ({A, B, C, D}, {A, B})])
def test_half_is_no_majority(voters: set[PeerId], votes: set[PeerId]) -> None:
    assert not VoterList(generation=1, peers=frozenset(voters)).has_majority(votes)


def test_safe_mode_without_voters_lets_nobody_have_anything() -> None:
    nobody = Rules(mode=Mode.SAFE).short_of({A, B, C})
    assert nobody == VoterList(generation=0, peers=frozenset())


def test_too_many_lists_let_nobody_have_anything() -> None:
    lists = frozenset(
        VoterList(generation=number, peers=frozenset({A})) for number in range(LISTS_MAX + 1)
    )
    assert Rules(mode=Mode.SAFE, lists=VoterLists(lists=lists)).short_of({A})


def test_the_digest_tells_rules_apart_and_forgets_lists_in_available_mode() -> None:
    one, two = (read_voter_lists(named(frozenset({each}))) for each in (A, B))
    assert Rules(lists=one).digest == Rules(lists=two).digest == Rules().digest
    safe = {Rules(mode=Mode.SAFE, lists=each).digest for each in (one, two, VoterLists())}
    assert len(safe | {Rules().digest}) == 4


@pytest.mark.parametrize(
    "entry",
    [
        ("voters/1/0000000000000000", [A]),
        ("voters/01/0000000000000000", [A]),
        ("voters/x/0000000000000000", [A]),
        ("voters/1", [A]),
        ("voters", [A]),
        ("voters/1/0000000000000000/nobody", True),
        ("voters/1/0000000000000000", None),
        ("voters/1/0000000000000000", []),
        ("voters/1/0000000000000000", [A, 7]),
        ("voters/1/0000000000000000", [A] * 65),
        ("mode", "safe"),
    ],
)
def test_what_makes_no_sense_is_left_out(entry: tuple[str, JsonValue]) -> None:
    lists = read_voter_lists(dict([entry]))
    assert not lists.lists
    assert not any(lists.stated.values())
