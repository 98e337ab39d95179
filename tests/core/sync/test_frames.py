from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.errors import Hostile
from crdtqueue.core.sync import frames as yp
from crdtqueue.core.yjs.lib0 import (
    write_bytes,
    write_var_string,
)
from crdtqueue.core.yjs.update_parser import (
    STATE_VECTOR_BYTES_MAX,
    UPDATE_BYTES_MAX,
)


@given(st.binary(max_size=300))
def test_every_frame_with_bytes_round_trips(data: bytes) -> None:
    assert yp.decode(yp.encode_sync_step_1(data)) == yp.SyncStep1(state_vector=data)
    assert yp.decode(yp.encode_sync_step_2(data)) == yp.SyncStep2(update=data)
    assert yp.decode(yp.encode_update(data)) == yp.Update(update=data)
    assert yp.decode(yp.encode_awareness(data)) == yp.Awareness(payload=data)
    assert yp.decode(yp.encode_binary(data)) == yp.Binary(payload=data)


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_changes_that_are_passed_on_round_trip(updates: list[bytes]) -> None:
    assert yp.decode(yp.encode_passed_on(updates)) == yp.PassedOn(updates=tuple(updates))


def test_more_changes_than_any_peer_passes_on_are_refused() -> None:
    frame = yp.encode_passed_on([b""] * yp.PASSED_ON_MAX)
    assert len(yp.decode(frame).updates) == yp.PASSED_ON_MAX  # type: ignore[union-attr]
    with pytest.raises(Hostile):
        yp.decode(yp.encode_passed_on([b""] * (yp.PASSED_ON_MAX + 1)))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_frames_round_trip(text: str) -> None:
    assert yp.decode(yp.encode_json(text)) == yp.Json(text=text)


def test_frames_are_laid_out_as_y_protocols_says() -> None:
    assert yp.encode_sync_step_1(b"\x00") == b"\x00\x00\x01\x00"
    assert yp.encode_sync_step_2(b"ab") == b"\x00\x01\x02ab"
    assert yp.encode_update(b"ab") == b"\x00\x02\x02ab"
    assert yp.encode_awareness(b"x") == b"\x01\x01x"
    assert yp.encode_query_awareness() == b"\x03"
    assert yp.encode_json("{}") == b"\x64\x02{}"
    assert yp.encode_binary(b"x") == b"\x65\x01x"
    assert yp.encode_passed_on([b"ab", b"c"]) == b"\x66\x02\x02ab\x01c"
    assert yp.decode(b"\x03") == yp.QueryAwareness()


@pytest.mark.parametrize(
    ("frame", "message_type"), [(b"\x02\x00\x00", 2), (b"\x67", 103), (b"\xff\x7f??", 16383)]
)
def test_unknown_types_are_tolerated_whatever_follows(frame: bytes, message_type: int) -> None:
    assert yp.decode(frame) == yp.UnknownFrame(message_type=message_type)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00",
        b"\x00\x03\x01a",  # there is no sync message 3
        b"\x00\x02\x05ab",  # cut short
        b"\x00\x02\x02abc",  # one byte too many
        b"\x03\x00",  # one byte too many
        b"\x80\x00\x00",  # type 0 in two bytes
        b"\x64\x02\xc3\x28",  # not UTF-8
        b"\x01" + write_bytes(bytes(yp.AWARENESS_BYTES_MAX + 1)),
        b"\x64" + write_var_string("x" * (yp.JSON_BYTES_MAX + 1)),
        b"\x65" + write_bytes(bytes(yp.BINARY_BYTES_MAX + 1)),
        b"\x00\x00" + write_bytes(bytes(STATE_VECTOR_BYTES_MAX + 1)),
        bytes(yp.FRAME_BYTES_MAX + 1),
    ],
    ids=range(13),
)
def test_malformed_and_oversized_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(Hostile):
        yp.decode(frame)


def test_the_largest_payloads_pass() -> None:
    update = bytes(UPDATE_BYTES_MAX)
    assert yp.decode(yp.encode_update(update)) == yp.Update(update=update)
    payload = bytes(yp.BINARY_BYTES_MAX)
    assert yp.decode(yp.encode_binary(payload)) == yp.Binary(payload=payload)


@given(st.binary(max_size=60))
def test_random_bytes_give_a_frame_or_hostile(frame: bytes) -> None:
    try:
        yp.decode(frame)
    except Hostile:
        return
