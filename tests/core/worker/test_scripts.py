from __future__ import annotations

from crdtqueue.core.ids import claim_of_print
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    Step,
    script_id,
    with_script,
)
from tests.harness.samples import file


def test_a_scripts_id_is_no_print_of_the_queue() -> None:
    first, second = script_id("ab" * 8, 1), script_id("ab" * 8, 2)
    assert first != second
    assert claim_of_print(first) is None
    assert len(first) <= 128


def test_only_what_has_a_script_is_done_and_cooling_needs_none() -> None:
    steps = (Step.PRINT_DONE, Step.COOLDOWN, Step.COOL, Step.CLEAR_BED)
    assert with_script({Step.CLEAR_BED: file()}, *steps) == (Step.COOL, Step.CLEAR_BED)
    assert Step.COOL not in SCRIPT_STEPS
