from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.errors import Hostile
from crdtqueue.core.ids import Sha256
from crdtqueue.core.sync import messages as m
from tests.harness.samples import (
    JOB,
    ME,
    a_claim,
)

BASIS = "0123456789abcdef"
CLAIM = m.ClaimText.of(a_claim())
SHA = Sha256("ab" * 32)
NEWS = m.PrinterSummary(
    state="printing",
    text="Prints part.gcode.",
    job=JOB,
    file_name="part.gcode",
    progress=0.5,
    elapsed_s=3.0,
    temperatures=[("B", 60.0, 60.0), ("T0", 210.5, 215.0)],
)
MESSAGES: list[m.Message] = [
    m.Hello(peer=ME, incarnation=3, name="Left Prusa", port=8765, instance="ab"),
    m.Heartbeat(),
    m.Heartbeat(held=[m.HeldClaim(claim=CLAIM, silent_s=1.5)], printer=NEWS),
    m.Ask(claim=CLAIM, basis=BASIS),
    m.Grant(claim=CLAIM),
    m.Deny(claim=CLAIM, reason="it is promised to another printer"),
    m.Arm(claim=CLAIM, basis=BASIS),
    m.Armed(claim=CLAIM),
    m.Release(claim=CLAIM),
    m.DuplicateIdentity(places=["mini.local:7420"]),
    m.WantPiece(sha256=SHA, offset=2**53),
    m.NoPiece(sha256=SHA),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: str(message.kind))
def test_messages_round_trip(message: m.Message) -> None:
    assert m.decode(m.encode(message)) == message


def test_a_claim_round_trips() -> None:
    assert CLAIM.claim == a_claim()


def test_what_a_later_version_adds_is_passed_over() -> None:
    fields = json.loads(m.encode(m.Ask(claim=CLAIM, basis=BASIS)))
    assert m.decode(json.dumps(fields | {"colour": "red"})) == m.Ask(claim=CLAIM, basis=BASIS)


def changed(message: m.Message, **fields: object) -> str:
    return json.dumps(json.loads(m.encode(message)) | fields)


HELLO, ASK, BEAT = MESSAGES[0], MESSAGES[3], MESSAGES[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "[" * 30_000,
        '{"kind": "shout"}',
        '{"kind": ["ask"]}',
        changed(HELLO, peer=ME + "\n"),
        changed(HELLO, peer=ME.upper()),
        changed(HELLO, port=0),
        changed(HELLO, port="8765"),
        changed(HELLO, port=1.0),
        changed(HELLO, incarnation=10**9),
        changed(HELLO, incarnation=-1),
        changed(HELLO, name="x" * 201),
        changed(HELLO, name=None),
        changed(ASK, claim=None),
        changed(ASK, basis="short"),
        changed(HELLO, instance="x"),
        changed(BEAT, held=[{"claim": CLAIM.model_dump(), "silent_s": float("inf")}]),
        changed(BEAT, held=[{"claim": CLAIM.model_dump(), "silent_s": -1}]),
        changed(BEAT, held=[{"claim": CLAIM.model_dump(), "silent_s": 1}] * 201),
        changed(BEAT, printer={"state": "x", "text": "x", "elapsed_s": float("inf")}),
        changed(BEAT, printer={"state": "x", "text": "x", "progress": float("nan")}),
        changed(BEAT, printer={"state": "x", "text": "x", "temperatures": [["B", 1, 2, 3]]}),
        changed(
            BEAT, printer={"state": "x", "text": "x", "temperatures": [["B", float("nan"), 0]]}
        ),
        changed(MESSAGES[-1], sha256="ab" * 31),
        changed(MESSAGES[-2], offset=2**53 + 1),
        m.encode(MESSAGES[0]) + " " * m.MESSAGE_BYTES_MAX,
    ],
    ids=range(28),
)
def test_what_breaks_the_protocol_is_hostile(text: str) -> None:
    with pytest.raises(Hostile) as caught:
        m.decode(text)
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_hostile_kind_does_not_flood_the_log() -> None:
    with pytest.raises(Hostile) as caught:
        m.decode(json.dumps({"kind": "x\n" * 10_000}))
    assert len(str(caught.value)) < 700
    assert "\n" not in str(caught.value)


@given(st.text(max_size=100) | st.binary(max_size=100).map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_message_or_hostile(text: str) -> None:
    try:
        m.decode(text)
    except Hostile:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(st.sampled_from(MESSAGES), st.data())
def test_any_value_in_any_field_is_a_message_or_hostile(
    message: m.Message, data: st.DataObject
) -> None:
    field = data.draw(st.sampled_from(sorted(type(message).model_fields)))
    try:
        m.decode(changed(message, **{field: data.draw(JSON)}))
    except Hostile:
        return


@given(st.binary(max_size=200), st.integers(0, 2**64 - 1))
def test_pieces_round_trip(data: bytes, offset: int) -> None:
    assert m.read_piece(m.piece(SHA, offset, data)) == (SHA, offset, data)


@pytest.mark.parametrize("size", [0, 39, 41 + m.PIECE_BYTES_MAX])
def test_a_piece_of_a_wrong_size_is_hostile(size: int) -> None:
    with pytest.raises(Hostile):
        m.read_piece(bytes(size))
