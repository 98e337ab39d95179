"""Away with jobs, and back with them."""

import pytest
from playwright.sync_api import expect

from tests.harness.page_steps import ViewSteps
from tests.harness.sample_state import job
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser


def test_a_job_is_deleted_only_after_a_yes(view: ViewSteps, peer: StandInPeer) -> None:
    view.delete_job("Shelf bracket", answer="Keep it")
    assert peer.calls == []
    view.delete_job("Shelf bracket")
    expect(view.job("Shelf bracket")).to_have_count(0)
    view.until(lambda: peer.calls == ["DELETE queues/workshop/jobs/job-2"])


def test_a_delete_can_be_undone_at_once(view: ViewSteps, peer: StandInPeer) -> None:
    view.delete_job("Shelf bracket")
    expect(view.job("Shelf bracket")).to_have_count(0)
    view.page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(view.job("Shelf bracket")).to_be_visible()
    expect(view.page.get_by_text("is deleted.")).to_have_count(0)
    view.until(lambda: peer.calls[-1] == "POST queues/workshop/jobs/job-2/restore")


def test_deleted_jobs_are_folded_away_and_can_be_brought_back(
    view: ViewSteps, peer: StandInPeer
) -> None:
    gone = job(50, "Old vase")
    peer.change(lambda state: state["queues"][0]["deleted"].append(gone))
    restore = view.queue("workshop").get_by_role("button", name="Restore Old vase")
    expect(restore).to_be_hidden()
    view.page.get_by_text("1 deleted").click()
    restore.click()
    expect(view.job("Old vase")).to_be_visible()
    expect(view.page.get_by_text("1 deleted")).to_be_hidden()


def test_a_job_that_is_being_printed_can_be_deleted_after_this_copy(
    view: ViewSteps, peer: StandInPeer
) -> None:
    view.choose("Hinge pins", "Delete")
    view.press(view.dialog(), "Delete job")
    expect(view.dialog()).to_contain_text("mk3s-left has Hinge pins.")
    view.press(view.dialog(), "Delete when this copy is done")
    expect(view.job("Hinge pins")).to_contain_text("Is deleted when this copy is done")
    view.until(lambda: peer.calls[-1] == "DELETE queues/workshop/jobs/job-1?after_copy=true")
    view.choose("Hinge pins", "Do not delete")
    expect(view.job("Hinge pins")).not_to_contain_text("Is deleted when this copy is done")


def test_the_keyboard_stays_in_the_list_when_a_job_goes(view: ViewSteps) -> None:
    view.job("Shelf bracket").get_by_role("button", name="More").focus()
    view.page.keyboard.press("Enter")
    view.page.keyboard.press("End")
    expect(view.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    view.page.keyboard.press("Enter")
    view.page.keyboard.press("Tab")
    view.page.keyboard.press("Enter")
    expect(view.job("Shelf bracket")).to_have_count(0)
    expect(view.job("Calibration cube").get_by_role("button").first).to_be_focused()
