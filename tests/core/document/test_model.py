from __future__ import annotations

from crdtqueue.core.document.model import QueueState
from tests.harness.samples import (
    JOB,
    JOB_2,
    a_claim,
    a_job,
    peer,
)


def test_a_deleted_job_is_not_found() -> None:
    state = QueueState(jobs=(a_job(),), deleted=(a_job(job=JOB_2),))
    assert state.job(JOB) == a_job()
    assert state.job(JOB_2) is None


def test_claims_are_open_until_a_record_ends_them() -> None:
    old, new = a_claim(), a_claim(peer(1), epoch=2)
    state = QueueState(claims=frozenset({old, new, a_claim(job=JOB_2)}), ended=frozenset({old}))
    assert state.open_claims(JOB) == {new}
