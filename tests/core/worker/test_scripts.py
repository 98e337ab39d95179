from __future__ import annotations

from crdtqueue.core.ids import claim_of_print
from crdtqueue.core.worker.scripts import (
    SCRIPT_STEPS,
    CycleStep,
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
    steps = (CycleStep.PRINT_DONE, CycleStep.COOLDOWN, CycleStep.COOL, CycleStep.CLEAR_BED)
    assert with_script({CycleStep.CLEAR_BED: file()}, *steps) == (
        CycleStep.COOL,
        CycleStep.CLEAR_BED,
    )
    assert CycleStep.COOL not in SCRIPT_STEPS
