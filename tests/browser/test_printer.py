"""The own printer's card: what it waits for, what is loaded, and its scripts."""

import pytest
from playwright.sync_api import Locator, expect

from tests.harness.page_steps import ViewSteps
from tests.harness.sample_state import printer
from tests.harness.stand_in_peer import StandInPeer
from tests.harness.stand_in_printer import (
    REFUSED,
    WRONG_SCRIPT,
)

pytestmark = pytest.mark.browser

OWN = "mk3s-left"


def becomes(peer: StandInPeer, **facts: object) -> None:
    """The own printer is in another state."""
    peer.change(lambda state: state.update(printer=printer(**facts)))


def open_scripts(view: ViewSteps) -> Locator:
    view.choose_for_printer(OWN, "Scripts")
    expect(view.dialog().locator(".script").first).to_be_visible()
    return view.dialog()


def script(dialog: Locator, label: str) -> Locator:
    return dialog.locator(".script", has=dialog.page.locator("summary", has_text=label))


@pytest.mark.parametrize(
    ("state", "label"),
    [
        ("busy", "Busy otherwise"),
        ("script", "Running a script"),
        ("cooling", "Cooling down"),
        ("waiting_for_material", "Load material"),
        ("holding_back", "Holding back"),
    ],
)
def test_each_state_has_a_name_and_the_peers_sentence(
    view: ViewSteps, peer: StandInPeer, state: str, label: str
) -> None:
    becomes(peer, state=state, text=f"A sentence about {state}.")
    expect(view.printer(OWN).locator(".pill")).to_have_text(label)
    expect(view.printer(OWN)).to_contain_text(f"A sentence about {state}.")


def test_the_bed_can_be_cleared_while_it_cools(view: ViewSteps, peer: StandInPeer) -> None:
    becomes(peer, state="cooling", bed_clear=False)
    view.clear_bed(OWN)
    expect(view.printer(OWN).locator(".pill")).to_have_text("Idle")
    view.until(lambda: peer.calls == ["POST printer/bed-clear"])


def test_a_script_is_paused_and_cancelled_like_a_print(view: ViewSteps, peer: StandInPeer) -> None:
    becomes(peer, state="script", text="Runs the script clear-bed.")
    own = view.printer(OWN)
    view.press(own, "Cancel script")
    expect(view.dialog()).to_contain_text("in the middle of the script")
    view.press(view.dialog(), "Let it run")
    view.press(own, "Pause")
    view.press(own, "Resume")
    view.until(lambda: peer.calls == ["POST printer/pause", "POST printer/resume"])


def test_what_is_asked_for_is_loaded(view: ViewSteps, peer: StandInPeer) -> None:
    becomes(
        peer,
        state="waiting_for_material",
        text="Waits for PETG in tool 2.",
        loaded=["PLA"],
        asks_for_material=True,
        missing={"2": "PETG"},
    )
    own = view.printer(OWN)
    expect(own.locator(".facts")).to_contain_text("LoadedPLA")
    view.press(own, "It is loaded")
    expect(own.get_by_role("button", name="It is loaded")).to_have_count(0)
    expect(own.locator(".facts")).to_contain_text("PLA, nothing, PETG")
    assert (peer.calls, peer.bodies) == (
        ["POST printer/loaded"],
        [{"materials": ["PLA", "", "PETG"]}],
    )


def test_what_is_loaded_is_said_and_forgotten(view: ViewSteps, peer: StandInPeer) -> None:
    becomes(peer)
    view.choose_for_printer(OWN, "What is loaded")
    dialog = view.dialog()
    expect(dialog).to_contain_text("Nobody is asked about material now.")
    expect(dialog.get_by_role("button", name="Forget it")).to_be_hidden()
    dialog.get_by_label("Material of tool 1").fill("PLA")
    view.press(dialog, "Another tool")
    dialog.get_by_label("Material of tool 2").fill(" PETG ")
    view.press(dialog, "That is loaded")
    expect(view.printer(OWN).locator(".facts")).to_contain_text("PLA, PETG")
    view.choose_for_printer(OWN, "What is loaded")
    expect(dialog.get_by_label("Material of tool 2")).to_have_value("PETG")
    view.press(dialog, "Forget it")
    expect(view.dialog()).to_have_count(0)
    expect(view.printer(OWN).locator(".facts")).not_to_contain_text("Loaded")
    assert peer.bodies == [{"materials": ["PLA", "PETG"]}, {"materials": None}]


def test_what_is_loaded_is_still_known_when_the_dialog_is_opened_again_at_once(
    view: ViewSteps, peer: StandInPeer
) -> None:
    becomes(peer, text="Here we go.")
    expect(view.printer(OWN)).to_contain_text("Here we go.")
    peer.silent = True
    view.choose_for_printer(OWN, "What is loaded")
    view.dialog().get_by_label("Material of tool 1").fill("PLA")
    view.press(view.dialog(), "That is loaded")
    expect(view.dialog()).to_have_count(0)
    view.choose_for_printer(OWN, "What is loaded")
    expect(view.dialog().get_by_label("Material of tool 1")).to_have_value("PLA")
    expect(view.dialog()).to_contain_text("A print that wants another material waits")


def test_a_refused_material_is_said_in_the_dialog(view: ViewSteps, peer: StandInPeer) -> None:
    peer.refuse = "Use at most 200 characters (materials.0)."
    view.choose_for_printer(OWN, "What is loaded")
    view.press(view.dialog(), "That is loaded")
    expect(view.dialog().get_by_role("alert")).to_have_text(peer.refuse)


def test_a_script_is_set_changed_and_taken_away(view: ViewSteps, peer: StandInPeer) -> None:
    peer.printer.scripts = {"activated": "G28"}
    dialog = open_scripts(view)
    expect(dialog.locator(".script")).to_have_count(9)
    expect(script(dialog, "Managing starts").locator(".chip")).to_be_visible()
    sweep = script(dialog, "Clear the bed")
    sweep.locator("summary").click()
    expect(sweep).to_contain_text("without anybody having looked")
    expect(sweep.get_by_role("button", name="Save")).to_be_disabled()
    sweep.get_by_label("G-code: Clear the bed").fill("G1 Y200\nG1 Y0")
    view.press(sweep, "Save")
    expect(sweep).to_contain_text("Saved.")
    assert peer.printer.scripts == {"activated": "G28", "clear-bed": "G1 Y200\nG1 Y0"}
    sweep.get_by_label("G-code: Clear the bed").fill("  ")
    view.press(sweep, "Save")
    expect(sweep).to_contain_text("Nothing is run on this any more.")
    assert peer.printer.scripts == {"activated": "G28"}
    view.press(dialog, "Close")
    expect(view.dialog()).to_have_count(0)


def test_a_refused_script_says_why_at_the_field_and_stays(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = open_scripts(view)
    row = script(dialog, "Before a print")
    row.locator("summary").click()
    field = row.get_by_label("G-code: Before a print")
    field.fill(WRONG_SCRIPT)
    view.press(row, "Save")
    expect(field).to_have_accessible_description(REFUSED)
    expect(row.get_by_text(REFUSED)).to_be_visible()
    field.fill("G28")
    expect(row.get_by_text(REFUSED)).to_be_hidden()
    view.press(row, "Save")
    expect(row).to_contain_text("Saved.")
    assert peer.printer.scripts == {"before-print": "G28"}


def test_a_script_that_is_not_saved_is_not_lost_by_closing(view: ViewSteps) -> None:
    dialog = open_scripts(view)
    row = script(dialog, "A print is done")
    row.locator("summary").click()
    field = row.get_by_label("G-code: A print is done")
    field.fill("M300")
    view.page.keyboard.press("Escape")
    question = view.page.get_by_role("dialog", name="Close without saving?")
    expect(question).to_contain_text("“A print is done”")
    view.press(question, "Go on editing")
    expect(field).to_have_value("M300")
    view.press(dialog, "Close")
    view.press(question, "Close without saving")
    expect(view.dialog()).to_have_count(0)


def test_scripts_that_cannot_be_had_are_said(view: ViewSteps, peer: StandInPeer) -> None:
    peer.refuse = "This peer has no printer."
    view.choose_for_printer(OWN, "Scripts")
    expect(view.dialog().get_by_role("alert").first).to_have_text(peer.refuse)
    expect(view.dialog().locator(".script").first).to_be_hidden()
    view.press(view.dialog(), "Close")


def test_who_may_not_change_settings_is_not_offered_them(view: ViewSteps) -> None:
    view.page.locator("crdtqueue-view").evaluate("node => node.setAttribute('no-settings', '')")
    view.press(view.printer(OWN), "More")
    expect(view.page.get_by_role("menuitem")).to_have_text(["What is loaded"])
    view.page.keyboard.press("Escape")
    expect(view.queue("workshop").get_by_role("button", name="Settings")).to_be_hidden()
    expect(view.queue("workshop").get_by_role("button", name="Add")).to_be_visible()
