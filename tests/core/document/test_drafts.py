from __future__ import annotations

from dataclasses import replace

from crdtqueue.core.document.drafts import (
    DRAFT_S,
    OTHERS_GRACE_S,
    Drafts,
)
from crdtqueue.core.document.model import (
    Draft,
    Job,
)
from crdtqueue.core.ids import PeerId
from tests.harness.samples import (
    JOB,
    JOB_2,
    ME,
    a_job,
    peer,
)


def edited(beat: int = 1, by: PeerId = ME) -> Job:
    return replace(a_job(), draft=Draft(peer=by, by="laptop", beat=beat))


def test_a_draft_without_a_keystroke_ends_by_itself() -> None:
    drafts = Drafts(ME)
    drafts.see([edited(), a_job(job=JOB_2)], 100.0)
    assert drafts.next_deadline_s() == 100.0 + DRAFT_S
    assert drafts.forgotten(99.9 + DRAFT_S) == []
    assert drafts.forgotten(100.0 + DRAFT_S) == [JOB]


def test_each_keystroke_keeps_it() -> None:
    drafts = Drafts(ME)
    drafts.see([edited(1)], 0.0)
    drafts.see([edited(1)], 300.0)
    drafts.see([edited(2)], 500.0)
    assert drafts.forgotten(DRAFT_S + 499.0) == []
    assert drafts.edited_for_s(JOB, 510.0) == 510.0


def test_the_editors_own_peer_ends_it_first() -> None:
    drafts = Drafts(ME)
    drafts.see([edited(by=peer(7))], 0.0)
    assert drafts.forgotten(DRAFT_S) == []
    assert drafts.forgotten(DRAFT_S + OTHERS_GRACE_S) == [JOB]


def test_another_editor_starts_anew() -> None:
    drafts = Drafts(ME)
    drafts.see([edited()], 0.0)
    drafts.see([edited(by=peer(7))], 50.0)
    assert drafts.edited_for_s(JOB, 60.0) == 10.0


def test_what_is_not_edited_is_forgotten() -> None:
    drafts = Drafts(ME)
    drafts.see([edited()], 0.0)
    drafts.see([a_job()], 1.0)
    assert drafts.edited_for_s(JOB, 1.0) is None
    assert drafts.next_deadline_s() is None
    assert drafts.forgotten(1e9) == []
