from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdtqueue.core.ids import (
    Claim,
    JobId,
    PeerId,
    claim_of_print,
    is_count,
    is_id,
    is_sha256,
)
from tests.harness.samples import (
    JOB,
    ME,
    a_claim,
    peer,
)

COUNTS = st.integers(0, 999_999_999)
CLAIMS = st.builds(
    Claim,
    job=st.from_regex(r"\A[0-9a-f]{12}\Z").map(JobId),
    epoch=COUNTS,
    peer=st.from_regex(r"\A[0-9a-f]{16}\Z").map(PeerId),
    incarnation=COUNTS,
)


@given(CLAIMS, COUNTS)
def test_claims_and_print_ids_round_trip(claim: Claim, number: int) -> None:
    assert Claim.from_key(claim.key) == claim
    assert claim_of_print(claim.print_id(number)) == (claim, number)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        f"{JOB}/1/{ME}",
        f"{JOB}/1/{ME}/1/1",
        f"{JOB}/01/{ME}/1",
        f"{JOB}/-1/{ME}/1",
        f"{JOB}/ 1/{ME}/1",
        f"{JOB}/²/{ME}/1",
        f"{JOB}/٣/{ME}/1",
        f"{JOB}/1234567890/{ME}/1",
        f"{JOB}//{ME}/1",
        f"{JOB.upper()}/1/{ME}/1",
        f"{JOB}/1/{ME}x/1",
    ],
)
def test_what_we_would_not_write_is_no_claim(key: str) -> None:
    assert Claim.from_key(key) is None
    assert claim_of_print(f"{key}/1") is None


@given(st.text(max_size=60))
def test_any_text_is_a_claim_or_none(key: str) -> None:
    claim = Claim.from_key(key)
    assert claim is None or claim.key == key
    claim_of_print(key)
    assert not is_count(key) or str(int(key)) == key


def test_a_later_epoch_outranks_and_within_one_the_luck_is_spread() -> None:
    assert a_claim(epoch=2).rank > a_claim(peer(1)).rank
    jobs = [JobId(f"{n:012x}") for n in range(400)]
    wins = sum(a_claim(ME, job=j).rank > a_claim(peer(1), job=j).rank for j in jobs)
    assert 140 < wins < 260


def test_ids_are_lower_case_hexadecimal_of_one_length() -> None:
    assert is_id("0f" * 6, 12)
    assert is_sha256("a" * 64)
    for wrong in ("0F" * 6, "0f" * 5, "0g" * 6, 12, None, ["0"] * 12):
        assert not is_id(wrong, 12)
