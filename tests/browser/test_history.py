"""What was printed: found, taken along, printed again."""

import time

import pytest
from playwright.sync_api import expect

from tests.harness.page_steps import ViewSteps
from tests.harness.sample_state import (
    history_entry,
    queue,
)
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser

PAGE_ENTRIES = 50
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


def seconds(year: int, month: int, day: int) -> int:
    """The start of a day by the browser's clock, which is this computer's."""
    return int(time.mktime((year, month, day, 0, 0, 0, 0, 0, -1)))


@pytest.fixture(autouse=True)
def printed(peer: StandInPeer) -> None:
    peer.history = [
        history_entry(1, "Hinge pins"),
        history_entry(2, "Shelf bracket", result="failed", reason="The hotend was too cold.")
        | {"printer_name": "mini"},
        history_entry(3, HOSTILE, result="aborted", printer_name="", double=True),
    ]


def test_prints_are_listed_with_what_became_of_them(view: ViewSteps) -> None:
    dialog = view.show_history()
    expect(dialog).to_contain_text("3 prints")
    rows = dialog.locator(".print")
    expect(rows.nth(0)).to_contain_text("Hinge pins")
    expect(rows.nth(0)).to_contain_text("mk3s-left")
    expect(rows.nth(0)).to_contain_text("1 h 06 min, 4.3 m")
    expect(rows.nth(1).locator(".pill")).to_have_text("Failed")
    expect(rows.nth(1)).to_contain_text("The hotend was too cold.")
    expect(rows.nth(2)).to_contain_text(HOSTILE)
    expect(rows.nth(2)).to_contain_text("Printed twice")
    assert view.page.title() != "owned"


def test_filters_are_asked_of_the_peer_and_go_into_the_exports(
    view: ViewSteps, peer: StandInPeer
) -> None:
    dialog = view.show_history()
    dialog.get_by_label("Search").fill("pin & bracket")
    dialog.get_by_label("Job").fill("Hinge pins")
    dialog.get_by_label("Printer").select_option("mini")
    dialog.get_by_label("Result").select_option("Failed")
    dialog.get_by_label("From").fill("2026-03-28")
    dialog.get_by_label("To").fill("2026-03-29")
    expect(dialog).to_contain_text("1 print")
    expect(dialog.locator(".print")).to_have_count(1)
    wanted = {
        "text": "pin & bracket",
        "job": "Hinge pins",
        "printer": "mini",
        "result": "failed",
        "from_s": str(seconds(2026, 3, 28)),
        "to_s": str(seconds(2026, 3, 30)),
    }
    assert peer.questions[-1] == {**wanted, "limit": str(PAGE_ENTRIES)}
    for label, file in {"CSV": "history.csv", "JSON": "history.json"}.items():
        link = dialog.get_by_role("link", name=label).get_attribute("href")
        assert link is not None
        assert f"/api/{file}?text=pin+%26+bracket&" in link
        assert "result=failed" in link


def test_printers_that_no_queue_has_any_more_can_be_chosen(
    view: ViewSteps, peer: StandInPeer
) -> None:
    peer.history.append(history_entry(4, "Long ago", printer_name="sold-long-ago"))
    names = view.show_history().get_by_label("Printer").locator("option")
    expect(names).to_have_text(["All", "mini", "mk3s-left", "sold-long-ago"])
    view.dialog().get_by_label("Printer").select_option("sold-long-ago")
    expect(view.dialog()).to_contain_text("4 prints")
    view.until(lambda: peer.questions[-1].get("printer") == "sold-long-ago")


def test_more_is_shown_page_by_page(view: ViewSteps, peer: StandInPeer) -> None:
    peer.history = [history_entry(n, f"Job {n}") for n in range(PAGE_ENTRIES + 3)]
    dialog = view.show_history()
    expect(dialog.locator(".print")).to_have_count(PAGE_ENTRIES)
    view.press(dialog, "Show more")
    expect(dialog.locator(".print")).to_have_count(PAGE_ENTRIES + 3)
    expect(dialog.get_by_role("button", name="Show more")).to_be_hidden()


def test_the_prints_of_one_job_are_shown_from_its_menu(view: ViewSteps, peer: StandInPeer) -> None:
    view.choose("Shelf bracket", "Prints of this job")
    expect(view.dialog().locator(".chip")).to_have_text("Shelf bracket")
    view.until(lambda: peer.questions[-1:] != [] and peer.questions[-1].get("job") == "job-2")
    view.press(view.dialog(), "All jobs")
    expect(view.dialog().get_by_label("Job")).to_be_visible()
    view.until(lambda: "job" not in peer.questions[-1])


def test_something_is_printed_again(view: ViewSteps, peer: StandInPeer) -> None:
    dialog = view.show_history()
    dialog.get_by_role("button", name="Print again Hinge pins").click()
    expect(dialog.get_by_text("Hinge pins is in workshop once more.")).to_be_visible()
    assert peer.bodies == [{"print_id": "print-1", "queue": "workshop"}]
    peer.change(lambda state: state["queues"].append(queue("local", [], [], local=True)))
    expect(view.queue("local")).to_have_count(1)  # now there is a choice
    dialog.get_by_role("button", name="Print again Shelf bracket").click()
    view.page.get_by_role("menuitem", name="Add to local").click()
    expect(dialog.get_by_text("Shelf bracket is in local once more.")).to_be_visible()
    view.press(dialog, "Close")
    expect(view.queue("local").locator(".job")).to_have_count(1)


def test_a_refusal_is_shown_in_the_dialog(view: ViewSteps, peer: StandInPeer) -> None:
    peer.refuse = "No peer in sight has the file any more."
    dialog = view.show_history()
    dialog.get_by_role("button", name="Print again Hinge pins").click()
    expect(dialog.get_by_role("alert").filter(has_text=peer.refuse)).to_be_visible()


def test_who_may_only_look_can_search_and_export(view: ViewSteps) -> None:
    view.page.locator("crdtqueue-view").evaluate("view => view.setAttribute('readonly', '')")
    dialog = view.show_history()
    expect(dialog.locator(".print")).to_have_count(3)
    expect(dialog.get_by_role("button", name="Print again")).to_have_count(0)
    expect(dialog.get_by_role("link", name="CSV")).to_be_visible()


def test_a_job_says_who_printed_a_copy_twice(view: ViewSteps, peer: StandInPeer) -> None:
    peer.history = [
        history_entry(1, "Hinge pins", printer_name="mini", double=True),
        history_entry(2, "Hinge pins", printer_name="mk3s-left"),
        history_entry(3, "Hinge pins", printer_name="ender", double=True),
    ]
    job = peer.queue("workshop")["jobs"][0]
    peer.change(lambda _: job.update(doubles=2))
    twice = "Printed twice: 2 copies, the second time by ender and mini"
    expect(view.job("Hinge pins")).to_contain_text(twice)
    peer.change(lambda state: state["printer"].update(progress=0.5))
    expect(view.printer("mk3s-left")).to_contain_text("50 %")
    assert peer.questions == [{"job": "job-1", "result": "done", "limit": "200"}]
    peer.change(lambda _: job.update(doubles=0))
    expect(view.job("Hinge pins")).not_to_contain_text("Printed twice")


def test_doubles_are_said_also_without_a_history(view: ViewSteps, peer: StandInPeer) -> None:
    peer.history = []
    peer.change(lambda _: peer.queue("workshop")["jobs"][0].update(doubles=1))
    expect(view.job("Hinge pins")).to_contain_text("Printed twice: 1 copy")
