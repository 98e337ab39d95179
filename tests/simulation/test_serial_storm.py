"""Exactly once over a bad wire: see `serial_storm`."""

import pytest

from printer_driver.printer import PrintState
from tests.simulation.serial_judge import ABSOLUTE, complaint
from tests.simulation.serial_storm import Storm, run

CALM = run(Storm(seed=0, rate=0.0))
CALM_ABSOLUTE = run(Storm(seed=0, rate=0.0, file=ABSOLUTE))


@pytest.mark.parametrize("seed", range(52))
def test_what_is_executed_is_the_file(seed: int) -> None:
    rates = (1e-4, 2e-4, 5e-4)
    storm = Storm(
        seed=seed,
        rate=rates[seed % 3],
        advanced_ok=seed % 2 == 0,
        emergency_parser=seed % 4 < 2,
        compacts=seed % 8 < 4,
    )
    outcome = run(storm)
    assert complaint(storm, outcome, CALM) == ""
    assert outcome.resends > 0


@pytest.mark.parametrize("seed", range(12))
def test_pauses_change_nothing(seed: int) -> None:
    storm = Storm(
        seed=seed,
        rate=5e-4,
        file=ABSOLUTE,
        pauses=6,
        parks=seed % 3 > 0,
        advanced_ok=seed % 2 == 0,
        emergency_parser=seed % 4 < 2,
    )
    outcome = run(storm)
    assert complaint(storm, outcome, CALM_ABSOLUTE) == ""
    assert outcome.pauses > 0


@pytest.mark.parametrize("seed", range(12))
def test_a_cancel_ends_at_rest_and_cold(seed: int) -> None:
    storm = Storm(
        seed=seed,
        rate=5e-4,
        pauses=seed % 3,
        cancels=True,
        parks=True,
        advanced_ok=seed % 2 == 0,
        emergency_parser=seed % 4 < 2,
    )
    outcome = run(storm)
    assert complaint(storm, outcome, CALM) == ""
    assert outcome.report
    assert outcome.report.state is PrintState.CANCELLED


def test_a_hopeless_wire_ends_the_print_and_says_so() -> None:
    """With several faults in one line some pass its checksum; the head then tells."""
    outcome = run(Storm(seed=3, rate=0.05, apart_bytes=30))
    assert outcome.report
    assert outcome.report.state is PrintState.FAILED
    assert outcome.report.reason


def test_without_noise_nothing_is_repeated() -> None:
    outcome = run(Storm(seed=0, rate=0.0))
    assert (outcome.resends, outcome.strays) == (0, 0)
    assert outcome.standstill_s < 0.1


def test_a_greeting_that_is_damaged_into_m112_is_got_over() -> None:
    storm = Storm(seed=3871, rate=5e-4, advanced_ok=True, emergency_parser=True, parks=True)
    assert run(storm).report
