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
    Prompt,
    Voice,
    Wish,
)
from printer_driver.printer import Temperature


def test_a_question_with_its_answers() -> None:
    voice = Voice()
    assert voice.take_action("prompt_begin", "Filament runout") is None
    voice.take_action("prompt_button", "Continue")
    voice.take_action("prompt_choice", "Purge more")
    assert voice.take_action("prompt_show", "") is Wish.PROMPT
    assert voice.prompt == Prompt(
        text="Filament runout", choices=("Continue", "Purge more"), is_shown=True
    )
    assert voice.take_action("prompt_end", "") is Wish.PROMPT
    assert voice.prompt is None


def test_wishes_are_typed_and_unknown_ones_are_none() -> None:
    voice = Voice()
    assert voice.take_action("out_of_filament", "T0") is Wish.OUT_OF_FILAMENT
    assert voice.take_action("dance", "") is None
    assert voice.take_action("prompt_show", "") is None


def test_a_clear_bed_in_several_spellings() -> None:
    voice = Voice()
    said = [voice.take_action(spelling, "") for spelling in (*BED_CLEAR_SPELLINGS, "Bed_Clear")]
    assert set(said) == {Wish.BED_CLEAR}
    assert voice.take_action("clear_bed", "") is None  # that asks for something else


def test_the_last_notification_stays_until_it_is_greeted_anew() -> None:
    voice = Voice()
    assert voice.take_action("notification", "x" * 1000) is Wish.NOTIFICATION
    assert voice.notification == "x" * TEXT_CHARS_MAX
    voice.take_action("notification", "Part is cooling")
    assert voice.notification == "Part is cooling"
    voice.note_firmware("Marlin 2.1")
    assert voice.notification == ""


def test_everything_is_bounded() -> None:
    voice = Voice()
    voice.take_action("prompt_begin", "x" * 10_000)
    for number in range(1000):
        voice.note_temperatures((Temperature(name=f"T{number}", actual_c=1, target_c=0),))
        voice.note_capability(f"C{number}", is_on=True)
        voice.faults.append(fault_of("x", is_grave=False))
        voice.take_action("prompt_button", "y" * 1000)
    assert len(voice.temperatures) == TEMPERATURES_MAX
    assert len(voice.capabilities) == CAPABILITIES_MAX
    assert len(voice.faults) == FAULTS_MAX
    assert voice.prompt
    assert len(voice.prompt.choices) == CHOICES_MAX
    assert len(voice.prompt.text) <= 200


def test_every_heater_that_was_seen_is_switched_off() -> None:
    voice = Voice()
    assert voice.heaters_off() == ["M104 S0", "M140 S0"]
    for name in ("T0", "T1", "B", "C"):
        voice.note_temperatures((Temperature(name=name, actual_c=20, target_c=60),))
    assert voice.heaters_off() == ["M104 S0", "M140 S0", "M104 T0 S0", "M104 T1 S0", "M141 S0"]


def test_its_own_word_goes_before_its_dialect() -> None:
    voice = Voice()
    voice.note_firmware("Marlin 2.1")
    voice.note_capability("EMERGENCY_PARSER", is_on=True)
    assert voice.can("EMERGENCY_PARSER", otherwise=False)
    voice.note_firmware("Marlin 2.1")
    assert not voice.can("EMERGENCY_PARSER", otherwise=False)


def test_a_target_that_is_left_out_is_as_it_was_and_never_off() -> None:
    voice = Voice()
    voice.note_temperatures((Temperature(name="B", actual_c=20, target_c=0, is_target_told=False),))
    assert any(voice.targets_c)
    voice.note_temperatures((Temperature(name="T0", actual_c=200, target_c=210),))
    untold = Temperature(name="T0", actual_c=205, target_c=0, is_target_told=False)
    voice.note_temperatures((untold,))
    assert voice.temperatures["T0"].target_c == 210
    voice.note_temperatures((Temperature(name="B", actual_c=20, target_c=0),))
    voice.note_temperatures((Temperature(name="T0", actual_c=205, target_c=0),))
    assert not any(voice.targets_c)
    voice.note_temperatures((untold,))
    assert any(voice.targets_c)


def test_a_heater_that_noise_has_made_up_is_forgotten() -> None:
    voice = Voice()
    nozzle = Temperature(name="T0", actual_c=20, target_c=0)
    voice.note_temperatures((nozzle, Temperature(name="C", actual_c=60, target_c=60)))
    for _ in range(MISSING_MAX):
        assert "C" in voice.temperatures
        voice.note_temperatures((nozzle, Temperature(name="B", actual_c=60, target_c=60)))
        voice.note_temperatures((nozzle,))  # of a heating wait
    assert set(voice.temperatures) == {"T0", "B"}
