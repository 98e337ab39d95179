"""The settings of a queue, what its mode needs, and what a person must decide for it."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.harness.page_steps import ViewSteps
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser

ALL = ["id-mk3s-left", "id-mini", "id-ender"]


def becomes(peer: StandInPeer, **facts: Any) -> None:
    peer.change(lambda _: peer.queue("workshop").update(facts))


def open_settings(view: ViewSteps, queue: str = "workshop") -> Locator:
    view.press(view.queue(queue), "Settings")
    return view.dialog()


def test_the_mode_is_chosen_with_its_voters(view: ViewSteps, peer: StandInPeer) -> None:
    expect(view.queue("workshop")).to_contain_text("Available mode")
    dialog = open_settings(view)
    expect(dialog.get_by_role("group", name="Voters")).to_be_hidden()
    dialog.get_by_label("Safe.").check()
    expect(dialog).to_contain_text("Safe mode without voters: nothing is printed.")
    for name in ("mk3s-left", "mini"):
        dialog.get_by_label(name).check()
    expect(dialog).to_contain_text("Only 2 voters")
    dialog.get_by_label("workshop-laptop").check()
    expect(dialog.locator(".banner")).to_be_hidden()
    expect(dialog).to_contain_text("Not all peers are in sight.")
    view.press(dialog, "Save")
    expect(view.queue("workshop")).to_contain_text("Safe mode, 3 voters")
    view.until(lambda: peer.calls == ["PATCH queues/workshop"])
    assert peer.bodies == [
        {"mode": "safe", "voters": ["id-mini", "id-mk3s-left", "id-workshop-laptop"]}
    ]


def test_the_strategy_is_chosen(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = open_settings(view)
    dialog.get_by_label("Fewest changes of material.").check()
    view.press(dialog, "Save")
    expect(view.queue("workshop")).to_contain_text("Fewest changes of material first")
    assert peer.bodies == [{"strategy": "least-changes"}]


def test_what_was_saved_is_shown_at_once_and_whatever_older_states_still_come(
    view: ViewSteps, peer: StandInPeer
) -> None:
    peer.silent = True
    dialog = open_settings(view)
    dialog.get_by_label("Fewest changes of material.").check()
    view.press(dialog, "Save")
    expect(view.dialog()).to_have_count(0)
    dialog = open_settings(view)
    expect(dialog.get_by_label("Fewest changes of material.")).to_be_checked()
    view.press(dialog, "Close")
    peer.change(lambda state: state["peer"].update(address="a state from before"))
    becomes(peer, strategy="in-order")
    peer.silent = False
    expect(view.page.get_by_text("a state from before")).to_be_visible()
    expect(view.queue("workshop")).to_contain_text("Fewest changes of material first")
    peer.change(lambda state: state["peer"].update(address="the state from after"))
    becomes(peer, strategy="least-changes")
    expect(view.page.get_by_text("the state from after")).to_be_visible()
    becomes(peer, strategy="in-order")
    expect(view.queue("workshop")).not_to_contain_text("Fewest changes of material first")


def test_only_what_was_changed_is_saved(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = open_settings(view)
    becomes(peer, strategy="least-changes")
    view.press(dialog, "Save")
    expect(view.dialog()).to_have_count(0)
    assert peer.calls == []


def test_what_is_ticked_stays_while_peers_come_and_go(view: ViewSteps, peer: StandInPeer) -> None:
    becomes(peer, mode="safe", voters=[*ALL, "f00"])
    dialog = open_settings(view)
    expect(dialog.get_by_label("Unknown peer f00")).to_be_checked()
    dialog.get_by_label("Unknown peer f00").uncheck()
    dialog.get_by_label("ender").uncheck()
    peers = peer.queue("workshop")["peers"]
    peer.change(lambda _: peers[1].update(online=False))
    expect(dialog.locator("li", has_text="mini")).to_contain_text("out of sight")
    expect(dialog).to_contain_text("Only 1 of 2 voters in sight: no new print begins.")
    expect(dialog.get_by_label("ender")).not_to_be_checked()
    view.press(dialog, "Save")
    expect(view.dialog()).to_have_count(0)
    assert peer.bodies == [{"voters": ["id-mini", "id-mk3s-left"]}]


def test_a_refusal_keeps_the_dialog_open(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = open_settings(view)
    dialog.get_by_label("Safe.").check()
    peer.refuse = "The disk does not take the change. Make room on it."
    view.press(dialog, "Save")
    expect(dialog.get_by_text(peer.refuse)).to_be_visible()
    peer.refuse = ""
    view.press(dialog, "Save")
    expect(view.queue("workshop")).to_contain_text("Safe mode, no voters")


def test_a_queue_that_goes_is_said(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = open_settings(view)
    peer.change(lambda state: state["queues"].clear())
    expect(dialog).to_contain_text("This peer has left the queue.")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()


def test_a_local_queue_has_no_mode(view: ViewSteps, peer: StandInPeer) -> None:
    becomes(peer, local=True)
    expect(view.queue("workshop")).not_to_contain_text("Available mode")
    dialog = open_settings(view)
    expect(dialog.get_by_label("In order.")).to_be_visible()
    expect(dialog.get_by_label("Safe.")).to_be_hidden()


@pytest.mark.parametrize(
    ("voters", "warning"),
    [
        ([], "Safe mode without voters"),
        (["id-mini"], "Only 1 voter: nothing new is printed unless it is on."),
        (["id-mini", "id-mk3s-left"], "Only 2 voters: nothing new is printed unless both are on."),
        (["id-ender"], "Only 0 of 1 voter in sight: no new print begins. Switch on ender."),
        (ALL, ""),
        (["id-ender", "f00", "id-mini"], "Switch on ender, Unknown peer f00."),
    ],
)
def test_the_queue_warns_of_voters_that_cannot_agree(
    view: ViewSteps, peer: StandInPeer, voters: list[str], warning: str
) -> None:
    becomes(peer, mode="safe", voters=voters)
    expect(view.queue("workshop")).to_contain_text("Safe mode")
    shown = view.queue("workshop").locator(".queue-warning")
    expect(shown).to_contain_text(warning) if warning else expect(shown).to_be_hidden()


def lose(peer: StandInPeer) -> None:
    """The printer of the first job goes out of sight."""
    by = {"peer": "id-ender", "name": "ender", "progress": None, "file_name": None}
    job = peer.queue("workshop")["jobs"][0]
    why = "ender has it, and was last heard of 12 min ago."
    peer.change(lambda _: job.update(printing_by=by, why=why))


def test_a_lost_printer_is_marked_only_once_somebody_has_looked(
    view: ViewSteps, peer: StandInPeer
) -> None:
    lose(peer)
    expect(view.job("Hinge pins")).to_contain_text("ender has it")
    view.choose("Hinge pins", "The printer is lost: print it elsewhere")
    question = view.dialog()
    expect(question).to_contain_text("Then the copy is printed twice.")
    expect(question.get_by_role("button", name="Print it elsewhere")).to_be_disabled()
    question.get_by_label("Somebody has looked at ender").check()
    view.press(question, "Print it elsewhere")
    expect(view.dialog()).to_have_count(0)
    for _ in range(100):  # The dialog is gone before the call has arrived.
        if peer.calls:
            break
        view.page.wait_for_timeout(50)
    view.until(lambda: peer.calls == ["POST queues/workshop/jobs/job-1/lost"])
    lose(peer)
    view.choose("Hinge pins", "The printer is lost: print it elsewhere")
    expect(question.get_by_label("Somebody has looked at ender")).not_to_be_checked()
    view.press(question, "Go on waiting")
    view.delete_job("Shelf bracket")
    expect(view.job("Shelf bracket")).to_have_count(0)
    view.until(lambda: peer.calls[1:] == ["DELETE queues/workshop/jobs/job-2"])


def test_a_refused_mark_is_said(view: ViewSteps, peer: StandInPeer) -> None:
    lose(peer)
    view.choose("Hinge pins", "The printer is lost: print it elsewhere")
    view.dialog().get_by_label("Somebody has looked at ender").check()
    peer.refuse = "ender is in sight again. Cancel the print there."
    view.press(view.dialog(), "Print it elsewhere")
    expect(view.page.get_by_role("alert").filter(has_text=peer.refuse)).to_be_visible()


def test_a_printer_in_sight_cannot_be_marked_lost(view: ViewSteps) -> None:
    view.press(view.job("Hinge pins"), "More")
    expect(view.page.get_by_role("menuitem", name="Delete")).to_be_visible()
    expect(view.page.get_by_role("menuitem", name="The printer is lost")).to_have_count(0)


def test_what_the_store_has_lost_is_seen_by_a_person(view: ViewSteps, peer: StandInPeer) -> None:
    problems = ["The store has lost records. Read this.", "workshop: another matter"]
    peer.change(lambda state: state["peer"].update(store_damaged=True, problems=problems))
    expect(view.page.locator(".problems li")).to_have_count(2)
    expect(view.page.get_by_role("button", name="I have seen this")).to_have_count(1)
    view.press(view.page.locator(".problems li").first, "I have seen this")
    expect(view.page.locator(".problems li")).to_have_count(0)
    view.until(lambda: peer.calls == ["POST store/accept-damage"])


def test_problems_without_lost_records_have_no_button(view: ViewSteps, peer: StandInPeer) -> None:
    peer.change(lambda state: state["peer"].update(problems=["workshop: something"]))
    expect(view.page.locator(".problems li")).to_have_count(1)
    expect(view.page.get_by_role("button", name="I have seen this")).to_have_count(0)
