from __future__ import annotations

import pytest

from crdtqueue.core.errors import (
    CrdtQueueError,
    Hostile,
    Invalid,
    NotFound,
    Refused,
    Unavailable,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Invalid, "invalid"),
        (Refused, "refused"),
        (NotFound, "not_found"),
        (Hostile, "hostile"),
        (Unavailable, "unavailable"),
    ],
)
def test_each_kind_has_its_code_and_its_sentence(kind: type[CrdtQueueError], code: str) -> None:
    error = kind("Do this.")
    assert (error.code, error.message, str(error)) == (code, "Do this.", "Do this.")
    assert isinstance(error, CrdtQueueError)


def test_a_code_may_be_narrower_without_changing_the_kind() -> None:
    assert Refused("Wait.", code="not_in_sync").code == "not_in_sync"
    assert Refused("Wait.").code == "refused"
