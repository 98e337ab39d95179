from __future__ import annotations

import pytest

from crdtqueue.core.claims.duplicate_identity import TWIN_MEMORY_S
from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import PeerId
from crdtqueue.core.sync.messages import (
    DUPLICATE_PLACES_MAX,
    PROTOCOL_VERSION,
    Hello,
)
from crdtqueue.peer.admission import (
    OWN_DUPLICATE_MEMORY_S,
    PROBLEMS_MAX,
    Admission,
    Welcome,
)

ME = PeerId("aa" * 8)
OTHER = PeerId("bb" * 8)


def hello(
    peer: PeerId = OTHER, *, instance: str = "01", version: int = PROTOCOL_VERSION, port: int = 7420
) -> Hello:
    return Hello(
        peer=peer, incarnation=1, name="Mini", port=port, instance=instance, version=version
    )


def test_another_peer_is_let_in_and_this_very_process_is_not() -> None:
    admission = Admission(ME, "ff")
    assert admission.hello(hello(), "mini.local", 0.0) is Welcome.IN
    assert admission.hello(hello(ME, instance="ff"), "here", 0.0) is Welcome.MYSELF
    assert admission.problem(0.0) == admission.holds_back(0.0) == ""


def test_a_copy_of_this_peer_stops_it_until_it_was_not_heard_for_long() -> None:
    admission = Admission(ME, "ff")
    assert admission.hello(hello(ME), "mini.local", 0.0) is Welcome.DUPLICATE
    assert "mini.local:7420 is a copy of this one" in admission.holds_back(
        OWN_DUPLICATE_MEMORY_S - 1.0
    )
    assert admission.duplicates_of(ME) == ("mini.local:7420",)
    assert admission.holds_back(OWN_DUPLICATE_MEMORY_S) == ""


def test_twins_are_refused_and_named_until_one_of_them_is_gone() -> None:
    admission = Admission(ME, "ff")
    for instance in ("01", "02"):
        assert admission.hello(hello(instance=instance), f"{instance}.local", 0.0) is Welcome.IN
    assert admission.hello(hello(instance="01"), "01.local", 0.0) is Welcome.DUPLICATE
    assert "Mini and a copy, at 01.local:7420 and 02.local:7420" in admission.problem(0.0)
    assert admission.holds_back(0.0) == ""
    assert admission.hello(hello(instance="01"), "01.local", TWIN_MEMORY_S) is Welcome.IN
    assert admission.problem(TWIN_MEMORY_S) == ""


def test_another_version_is_a_problem_until_it_is_updated() -> None:
    admission = Admission(ME, "ff")
    with pytest.raises(Hostile, match="it speaks version 99"):
        admission.hello(hello(version=99), "mini.local", 0.0)
    assert admission.problem(0.0) == "Mini runs another version of crdtqueue. Update both."
    admission.hello(hello(), "mini.local", 0.0)
    assert admission.problem(0.0) == ""


def test_only_so_many_problems_are_kept() -> None:
    admission = Admission(ME, "ff")
    for port in range(1, 3 * PROBLEMS_MAX):
        with pytest.raises(Hostile):
            admission.hello(hello(version=99, port=port), "mini.local", 0.0)
        admission.hello(hello(ME, port=port), "mini.local", 0.0)
    assert len(admission._problems) == PROBLEMS_MAX
    assert len(admission.duplicates_of(ME)) == DUPLICATE_PLACES_MAX
