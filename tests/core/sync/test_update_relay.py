from __future__ import annotations

from crdtqueue.core.sync.frames import (
    PassedOn,
    Update,
    decode,
)
from crdtqueue.core.sync.update_relay import (
    WAITING_BYTES_MAX,
    WAITING_MAX,
    Forwarding,
)

ANN, BOB, CARA = object(), object(), object()


def passed_on(forwarding: Forwarding[object], *targets: object) -> list[tuple[object, object]]:
    return [(target, decode(frame)) for target, frame in forwarding.take([*targets])]


def test_it_goes_to_everybody_but_to_where_it_came_from() -> None:
    forwarding: Forwarding[object] = Forwarding()
    forwarding.put(b"1", ANN)
    assert passed_on(forwarding, ANN, BOB, CARA) == [
        (BOB, Update(update=b"1")),
        (CARA, Update(update=b"1")),
    ]
    assert passed_on(forwarding, ANN, BOB) == []


def test_what_waits_goes_together_and_in_order() -> None:
    forwarding: Forwarding[object] = Forwarding()
    for update, source in ((b"1", ANN), (b"2", BOB), (b"3", ANN)):
        forwarding.put(update, source)
    assert passed_on(forwarding, ANN, BOB, CARA) == [
        (ANN, Update(update=b"2")),
        (BOB, PassedOn(updates=(b"1", b"3"))),
        (CARA, PassedOn(updates=(b"1", b"2", b"3"))),
    ]


def test_so_much_waits_and_no_more() -> None:
    forwarding: Forwarding[object] = Forwarding()
    for _ in range(WAITING_MAX - 1):
        forwarding.put(b"1", ANN)
    assert not forwarding.is_full
    forwarding.put(b"1", ANN)
    assert forwarding.is_full


def test_many_bytes_do_not_wait_either() -> None:
    forwarding: Forwarding[object] = Forwarding()
    forwarding.put(bytes(WAITING_BYTES_MAX), ANN)
    assert forwarding.is_full
    forwarding.take([])
    forwarding.put(b"1", ANN)
    assert passed_on(forwarding, BOB) == [(BOB, Update(update=b"1"))]


def test_a_large_change_goes_alone() -> None:
    forwarding: Forwarding[object] = Forwarding()
    large = bytes(2 * WAITING_BYTES_MAX)
    forwarding.put(b"1", ANN)
    forwarding.put(large, ANN)
    assert passed_on(forwarding, BOB) == [(BOB, Update(update=b"1")), (BOB, Update(update=large))]
