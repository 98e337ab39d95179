"""A job is edited: no printer takes it meanwhile, and each field is saved on its own."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.harness.page_steps import (
    ViewSteps,
    open_view,
)
from tests.harness.sample_state import (
    Json,
    draft,
)
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser

GCODE = Path(__file__).parent.parent / "data" / "gcode"
JOB = "queues/workshop/jobs/job-2"
SET = f"{JOB}/sets/set-bracket_ender3.gcode"
RENEW_MS = 20_000


def saved(peer: StandInPeer) -> list[str]:
    """What was asked, but for what holds the job back."""
    return [call for call in peer.calls if "/draft" not in call]


def change(peer: StandInPeer, **fields: Any) -> None:
    """Another peer changes the job."""
    peer.change(lambda _: job_2(peer).update(fields))


def job_2(peer: StandInPeer) -> Json:
    found: Json = next(j for j in peer.queue("workshop")["jobs"] if j["id"] == "job-2")
    return found


def test_a_job_is_held_back_while_it_is_edited(view: ViewSteps, peer: StandInPeer) -> None:
    view.edit("Shelf bracket")
    view.until(lambda: peer.calls == [f"PUT {JOB}/draft"])
    expect(view.dialog()).to_contain_text("No printer takes this job while it is being edited.")
    expect(view.page.get_by_text("Being edited here for")).to_have_count(1)
    view.done()
    view.until(lambda: peer.calls == [f"PUT {JOB}/draft", f"DELETE {JOB}/draft"])
    expect(view.page.get_by_text("Being edited here for")).to_have_count(0)


def test_each_field_is_saved_alone_as_it_is_left(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.edit("Shelf bracket")
    dialog.get_by_label("Job name").fill("Shelf brackets")
    dialog.get_by_label("Runs").fill("3")
    dialog.get_by_label("Note").fill("Black filament.\nNo brim.")
    dialog.get_by_label("Copies per run of bracket_ender3.gcode").fill("4")
    dialog.get_by_label("Extra, this run of bracket_ender3.gcode").fill("2")
    view.done()
    expect(view.job("Shelf brackets")).to_contain_text("Black filament.")
    assert saved(peer) == [f"PATCH {JOB}"] * 3 + [f"PATCH {SET}"] * 2
    assert peer.bodies == [
        {"name": "Shelf brackets"},
        {"runs": 3},
        {"note": "Black filament.\nNo brim."},
        {"copies": 4},
        {"extra": 2},
    ]


def test_what_is_not_changed_is_not_saved(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.edit("Shelf bracket")
    dialog.get_by_label("Job name").press_sequentially(" ")
    dialog.get_by_label("Runs").focus()
    dialog.get_by_label("Note").focus()
    view.done()
    assert saved(peer) == []


def test_profiles_are_added_and_taken_away(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.edit("Shelf bracket")
    field = dialog.get_by_label("Another profile of bracket_ender3.gcode")
    field.fill("MK3S")
    field.press("Enter")
    expect(dialog.locator(".chip.removable")).to_have_text(["ENDER3Remove", "MK3SRemove"])
    view.press(dialog, "Remove ENDER3")
    field.fill("mini, ANY")
    view.done()
    assert peer.bodies == [
        {"profiles": ["ENDER3", "MK3S"]},
        {"profiles": ["MK3S"]},
        {"profiles": ["MK3S", "mini", "ANY"]},
    ]


def test_materials_are_given_for_each_tool(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.edit("Shelf bracket")
    view.press(dialog, "Another tool")
    dialog.get_by_label("Material of tool 2").fill("PETG")
    dialog.get_by_label("Note").focus()
    view.until(lambda: peer.bodies == [{"materials": ["", "PETG"]}])
    dialog.get_by_label("Material of tool 2").fill("")
    view.done()
    assert peer.bodies[-1] == {"materials": []}


def test_a_refusal_is_said_at_the_field_and_keeps_the_edit_open(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = view.edit("Shelf bracket")
    name = dialog.get_by_label("Job name")
    name.fill("")
    view.press(dialog, "Done")
    expect(dialog.get_by_text("name: String should have at least 1 character.")).to_be_visible()
    expect(name).to_have_accessible_description("name: String should have at least 1 character.")
    dialog.get_by_label("Runs").fill("")
    view.press(dialog, "Done")
    expect(dialog.get_by_text("Give a whole number")).to_be_visible()
    dialog.get_by_label("Runs").fill("5")
    name.fill("Bracket")
    view.done()
    refused = [body for body in peer.bodies if body == {"name": ""}]
    assert 1 <= len(refused) <= 4
    assert [body for body in peer.bodies if body not in refused] == [
        {"runs": 5},
        {"name": "Bracket"},
    ]


def test_a_message_that_goes_does_not_move_what_is_being_clicked(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = view.edit("Shelf bracket")
    runs, done = dialog.get_by_label("Runs"), dialog.get_by_role("button", name="Done")
    runs.fill("")
    done.hover()
    before = done.bounding_box()
    view.page.mouse.down()
    assert done.bounding_box() == before
    view.page.mouse.up()
    expect(dialog.get_by_text("Give a whole number")).to_be_visible()
    runs.fill("2")
    expect(dialog.get_by_text("Give a whole number")).to_be_hidden()
    view.done()
    assert saved(peer) == []


def test_a_message_of_what_was_there_before_does_not_come_back(
    browser: Browser, peer: StandInPeer
) -> None:
    page = browser.new_page()
    page.clock.install()
    view = ViewSteps(page)
    view.open(peer.url)
    runs = view.edit("Shelf bracket").get_by_label("Runs")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    runs.fill("")
    view.press(view.dialog(), "Done")
    expect(view.dialog().get_by_text("Give a whole number")).to_be_visible()
    runs.fill("2")
    page.clock.run_for(1_000)
    expect(view.dialog().get_by_text("Give a whole number")).to_be_hidden()
    page.close()


def test_a_late_refusal_of_what_was_there_before_is_not_said(view: ViewSteps) -> None:
    dialog = view.edit("Shelf bracket")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    view.page.route(f"**/api/{JOB}", hold)
    name = dialog.get_by_label("Job name")
    name.fill("Too early")
    dialog.get_by_label("Note").focus()
    view.until(lambda: len(held) == 1)
    name.fill("Better")
    error = {"error": {"code": "refused", "message": "Not this name."}}
    with view.page.expect_response(f"**/api/{JOB}"):
        held[0].fulfill(status=409, json=error)
    view.page.unroute(f"**/api/{JOB}")
    view.done()
    expect(view.job("Better")).to_be_visible()
    expect(view.page.get_by_text("Not this name.")).to_have_count(0)


def test_what_others_write_shows_up_except_where_one_types(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = view.edit("Shelf bracket")
    name, runs = dialog.get_by_label("Job name"), dialog.get_by_label("Runs")
    name.press("End")
    name.press_sequentially("!")
    change(peer, name="Their name", runs=9)
    expect(runs).to_have_value("9")
    expect(name).to_have_value("Shelf bracket!")
    runs.focus()
    view.until(lambda: {"name": "Shelf bracket!"} in peer.bodies)
    change(peer, name="Their second name")
    expect(name).to_have_value("Their second name")
    change(peer, runs=10)
    name.focus()
    expect(runs).to_have_value("10")
    view.done()


def test_what_another_writes_while_ours_is_on_its_way_shows_up(
    view: ViewSteps, peer: StandInPeer
) -> None:
    name = view.edit("Shelf bracket").get_by_label("Job name")

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        change(peer, name="Their name")
        expect(view.page.get_by_text("Edit “Their name”")).to_be_visible()
        route.fulfill(response=answer)

    view.page.route(re.compile(r"/jobs/job-2$"), answer_late)
    name.fill("Our name")
    view.dialog().get_by_label("Runs").focus()
    expect(name).to_have_value("Their name")
    assert {"name": "Our name"} in peer.bodies
    view.done()


def test_an_edit_that_is_opened_again_at_once_has_what_was_saved(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = view.edit("Shelf bracket")
    peer.silent = True
    dialog.get_by_label("Job name").fill("Shelf brackets")
    dialog.get_by_label("Copies per run").fill("7")
    view.done()
    expect(view.job("Shelf brackets")).to_be_visible()
    dialog = view.edit("Shelf brackets")
    expect(dialog.get_by_label("Job name")).to_have_value("Shelf brackets")
    expect(dialog.get_by_label("Copies per run")).to_have_value("7")
    change(peer, name="Shelf bracket")
    peer.silent = False
    expect(view.page.get_by_text("Edit “Shelf brackets”")).to_be_visible()
    expect(dialog.get_by_label("Job name")).to_have_value("Shelf brackets")
    view.done()


def test_keystrokes_renew_the_draft_but_rarely(browser: Browser, peer: StandInPeer) -> None:
    page = browser.new_page()
    page.clock.install()
    view = ViewSteps(page)
    view.open(peer.url)
    note = view.edit("Shelf bracket").get_by_label("Note")
    note.press_sequentially("Quick!")
    page.clock.run_for(RENEW_MS - 2_000)
    note.press_sequentially("?")
    view.until(lambda: peer.calls == [f"PUT {JOB}/draft"])
    page.clock.run_for(3_000)
    note.press_sequentially("Slow")
    view.until(lambda: peer.calls == [f"PUT {JOB}/draft"] * 2)
    page.close()


def test_a_forgotten_edit_goes_on_when_somebody_types_again(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = view.edit("Shelf bracket")
    expect(view.page.get_by_text("Being edited here for")).to_have_count(1)
    change(peer, draft=None)
    expect(dialog).to_contain_text("This edit has ended")
    dialog.get_by_label("Note").press_sequentially("!")
    expect(dialog).to_contain_text("No printer takes this job")
    view.until(lambda: peer.calls == [f"PUT {JOB}/draft"] * 2)
    view.done()


def test_somebody_elses_edit_is_ended_only_after_a_yes(view: ViewSteps, peer: StandInPeer) -> None:
    change(peer, draft=draft(by="laptop", self=False, for_s=190.0))
    expect(view.job("Shelf bracket")).to_contain_text("Being edited on laptop for 3 min")
    view.press(view.job("Shelf bracket"), "Edit")
    expect(view.dialog()).to_contain_text("Shelf bracket is being edited on laptop.")
    view.press(view.dialog(), "Leave it alone")
    expect(view.dialog()).to_have_count(0)
    view.press(view.job("Shelf bracket"), "Edit")
    view.press(view.dialog(), "End that edit")
    expect(view.dialog().get_by_label("Job name")).to_be_visible()
    view.until(lambda: peer.calls[-2:] == [f"DELETE {JOB}/draft", f"PUT {JOB}/draft"])


def test_a_closed_page_lets_the_job_go_on(browser: Browser, peer: StandInPeer) -> None:
    with open_view(browser, peer.url) as watching:
        with open_view(browser, peer.url) as view:
            view.edit("Shelf bracket")
            expect(watching.job("Shelf bracket")).to_contain_text("Being edited here")
        expect(watching.job("Shelf bracket")).not_to_contain_text("Being edited here")
    view.until(lambda: peer.calls[-1] == f"DELETE {JOB}/draft")


def test_files_are_added_removed_and_put_in_order(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.edit("Shelf bracket")
    files = [GCODE / "pin_mk3s.gcode", GCODE / "pin_mini.gcode"]
    dialog.locator("input[type=file]").set_input_files(files)
    names = dialog.locator(".set-edit .file")
    expect(names).to_have_text(["bracket_ender3.gcode", "pin_mk3s.gcode", "pin_mini.gcode"])
    [added] = [body for body in peer.bodies if "sets" in body]
    assert [(s["name"], s["profiles"]) for s in added["sets"]] == [
        ("pin_mk3s.gcode", ["MK3S"]),
        ("pin_mini.gcode", ["MINI"]),
    ]
    view.press(dialog, "Move pin_mini.gcode up")
    expect(names).to_have_text(["bracket_ender3.gcode", "pin_mini.gcode", "pin_mk3s.gcode"])
    view.lift(dialog.locator(".set-edit .grip").nth(2))
    view.drag_to(dialog.locator(".set-edit").first, part=0.1)
    view.drop()
    expect(names).to_have_text(["pin_mk3s.gcode", "bracket_ender3.gcode", "pin_mini.gcode"])
    view.press(dialog, "Remove pin_mini.gcode")
    expect(names).to_have_text(["pin_mk3s.gcode", "bracket_ender3.gcode"])
    view.done()


def test_a_file_without_a_profile_is_added_once_it_has_one(
    view: ViewSteps, peer: StandInPeer, tmp_path: Path
) -> None:
    plain = tmp_path / "old_pin.gcode"
    plain.write_text("G28\n")
    dialog = view.edit("Shelf bracket")
    dialog.locator("input[type=file]").set_input_files([plain])
    expect(dialog).to_contain_text("Say for each file which printer it is made for")
    profile = dialog.get_by_label("Profile of old_pin.gcode")
    profile.fill("MK4")
    profile.press("Tab")
    expect(dialog.locator(".set-edit .file")).to_have_count(2)
    assert peer.bodies[-1]["sets"][0]["profiles"] == ["MK4"]


def test_a_job_that_goes_is_said(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.edit("Shelf bracket")
    peer.change(lambda _: peer.queue("workshop")["jobs"].remove(job_2(peer)))
    expect(dialog).to_contain_text("This job is not in the queue any more")
    view.done()


def test_a_new_job_can_be_held_back_and_edited_at_once(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.pick_files("workshop", [GCODE / "pin_mk3s.gcode"])
    dialog.get_by_label("Hold it back").check()
    view.press(dialog, "Add to queue")
    expect(view.page.get_by_role("heading", name="Edit “pin_mk3s”")).to_be_visible()
    assert peer.bodies[0]["draft"] is True
    view.done()
    expect(view.job("pin_mk3s")).to_be_visible()
