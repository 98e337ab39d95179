from __future__ import annotations

from crdtqueue.core.sync.frames import (
    PassedOn,
    Update,
    decode,
)
from crdtqueue.core.sync.update_relay import (
    WAITING_BYTES_MAX,
    WAITING_MAX,
    UpdateRelay,
)

ANN, BOB, CARA = object(), object(), object()


def passed_on(relay: UpdateRelay[object], *targets: object) -> list[tuple[object, object]]:
    return [(target, decode(frame)) for target, frame in relay.take([*targets])]


def test_it_goes_to_everybody_but_to_where_it_came_from() -> None:
    relay: UpdateRelay[object] = UpdateRelay()
    relay.put(b"1", ANN)
    assert passed_on(relay, ANN, BOB, CARA) == [
        (BOB, Update(update=b"1")),
        (CARA, Update(update=b"1")),
    ]
    assert passed_on(relay, ANN, BOB) == []


def test_what_waits_goes_together_and_in_order() -> None:
    relay: UpdateRelay[object] = UpdateRelay()
    for update, source in ((b"1", ANN), (b"2", BOB), (b"3", ANN)):
        relay.put(update, source)
    assert passed_on(relay, ANN, BOB, CARA) == [
        (ANN, Update(update=b"2")),
        (BOB, PassedOn(updates=(b"1", b"3"))),
        (CARA, PassedOn(updates=(b"1", b"2", b"3"))),
    ]


def test_so_much_waits_and_no_more() -> None:
    relay: UpdateRelay[object] = UpdateRelay()
    for _ in range(WAITING_MAX - 1):
        relay.put(b"1", ANN)
    assert not relay.is_full
    relay.put(b"1", ANN)
    assert relay.is_full


def test_many_bytes_do_not_wait_either() -> None:
    relay: UpdateRelay[object] = UpdateRelay()
    relay.put(bytes(WAITING_BYTES_MAX), ANN)
    assert relay.is_full
    relay.take([])
    relay.put(b"1", ANN)
    assert passed_on(relay, BOB) == [(BOB, Update(update=b"1"))]


def test_a_large_change_goes_alone() -> None:
    relay: UpdateRelay[object] = UpdateRelay()
    large = bytes(2 * WAITING_BYTES_MAX)
    relay.put(b"1", ANN)
    relay.put(large, ANN)
    assert passed_on(relay, BOB) == [(BOB, Update(update=b"1")), (BOB, Update(update=large))]
