from printer_driver.core.replies.faults import (
    TEXT_CHARS_MAX,
    fault_of,
)
from printer_driver.core.replies.reported_state import (
    BED_CLEAR_SPELLINGS,
    CAPABILITIES_MAX,
    CHOICES_MAX,
    FAULTS_MAX,
    MISSING_MAX,
    TEMPERATURES_MAX,
    HostAction,
    Prompt,
    ReportedState,
)
from printer_driver.printer import Temperature


def test_a_question_with_its_answers() -> None:
    reported = ReportedState()
    assert reported.take_action("prompt_begin", "Filament runout") is None
    reported.take_action("prompt_button", "Continue")
    reported.take_action("prompt_choice", "Purge more")
    assert reported.take_action("prompt_show", "") is HostAction.PROMPT
    assert reported.prompt == Prompt(
        text="Filament runout", choices=("Continue", "Purge more"), is_shown=True
    )
    assert reported.take_action("prompt_end", "") is HostAction.PROMPT
    assert reported.prompt is None


def test_wishes_are_typed_and_unknown_ones_are_none() -> None:
    reported = ReportedState()
    assert reported.take_action("out_of_filament", "T0") is HostAction.OUT_OF_FILAMENT
    assert reported.take_action("dance", "") is None
    assert reported.take_action("prompt_show", "") is None


def test_a_clear_bed_in_several_spellings() -> None:
    reported = ReportedState()
    said = [reported.take_action(spelling, "") for spelling in (*BED_CLEAR_SPELLINGS, "Bed_Clear")]
    assert set(said) == {HostAction.BED_CLEAR}
    assert reported.take_action("clear_bed", "") is None  # that asks for something else


def test_the_last_notification_stays_until_it_is_greeted_anew() -> None:
    reported = ReportedState()
    assert reported.take_action("notification", "x" * 1000) is HostAction.NOTIFICATION
    assert reported.notification == "x" * TEXT_CHARS_MAX
    reported.take_action("notification", "Part is cooling")
    assert reported.notification == "Part is cooling"
    reported.note_firmware("Marlin 2.1")
    assert reported.notification == ""


def test_everything_is_bounded() -> None:
    reported = ReportedState()
    reported.take_action("prompt_begin", "x" * 10_000)
    for number in range(1000):
        reported.note_temperatures((Temperature(name=f"T{number}", actual_c=1, target_c=0),))
        reported.note_capability(f"C{number}", is_on=True)
        reported.faults.append(fault_of("x", is_grave=False))
        reported.take_action("prompt_button", "y" * 1000)
    assert len(reported.temperatures) == TEMPERATURES_MAX
    assert len(reported.capabilities) == CAPABILITIES_MAX
    assert len(reported.faults) == FAULTS_MAX
    assert reported.prompt
    assert len(reported.prompt.choices) == CHOICES_MAX
    assert len(reported.prompt.text) <= 200


def test_every_heater_that_was_seen_is_switched_off() -> None:
    reported = ReportedState()
    assert reported.heaters_off() == ["M104 S0", "M140 S0"]
    for name in ("T0", "T1", "B", "C"):
        reported.note_temperatures((Temperature(name=name, actual_c=20, target_c=60),))
    assert reported.heaters_off() == ["M104 S0", "M140 S0", "M104 T0 S0", "M104 T1 S0", "M141 S0"]


def test_its_own_word_goes_before_its_dialect() -> None:
    reported = ReportedState()
    reported.note_firmware("Marlin 2.1")
    reported.note_capability("EMERGENCY_PARSER", is_on=True)
    assert reported.can("EMERGENCY_PARSER", otherwise=False)
    reported.note_firmware("Marlin 2.1")
    assert not reported.can("EMERGENCY_PARSER", otherwise=False)


def test_a_target_that_is_left_out_is_as_it_was_and_never_off() -> None:
    reported = ReportedState()
    reported.note_temperatures(
        (Temperature(name="B", actual_c=20, target_c=0, is_target_told=False),)
    )
    assert any(reported.targets_c)
    reported.note_temperatures((Temperature(name="T0", actual_c=200, target_c=210),))
    untold = Temperature(name="T0", actual_c=205, target_c=0, is_target_told=False)
    reported.note_temperatures((untold,))
    assert reported.temperatures["T0"].target_c == 210
    reported.note_temperatures((Temperature(name="B", actual_c=20, target_c=0),))
    reported.note_temperatures((Temperature(name="T0", actual_c=205, target_c=0),))
    assert not any(reported.targets_c)
    reported.note_temperatures((untold,))
    assert any(reported.targets_c)


def test_a_heater_that_noise_has_made_up_is_forgotten() -> None:
    reported = ReportedState()
    nozzle = Temperature(name="T0", actual_c=20, target_c=0)
    reported.note_temperatures((nozzle, Temperature(name="C", actual_c=60, target_c=60)))
    for _ in range(MISSING_MAX):
        assert "C" in reported.temperatures
        reported.note_temperatures((nozzle, Temperature(name="B", actual_c=60, target_c=60)))
        reported.note_temperatures((nozzle,))  # of a heating wait
    assert set(reported.temperatures) == {"T0", "B"}
