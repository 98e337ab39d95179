"""Jobs change their places: by mouse, by finger, by keyboard, within a queue and between two."""

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.harness.page_steps import ViewSteps
from tests.harness.sample_state import (
    job,
    queue,
)
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser

FIRST, SECOND, THIRD = "Hinge pins", "Shelf bracket", "Calibration cube"
TALL_PX = 1800


@pytest.fixture(autouse=True)
def tall(view: ViewSteps, peer: StandInPeer) -> None:
    """Both queues in sight at once."""
    view.page.set_viewport_size({"width": 1000, "height": TALL_PX})
    local = queue("local", [], [job(20, "Test cube")], local=True, open=False)
    peer.change(lambda state: state["queues"].append(local))
    expect(view.job("Test cube")).to_be_visible()


def expect_jobs(view: ViewSteps, name: str, *jobs: str) -> None:
    expect(view.queue(name).locator(".jobs:not(.done .jobs) h3")).to_have_text(list(jobs))


def test_a_job_is_dragged_ahead_of_another(view: ViewSteps, peer: StandInPeer) -> None:
    view.drag_job(THIRD, view.job(FIRST), part=0.2)
    expect_jobs(view, "workshop", THIRD, FIRST, SECOND)
    view.until(lambda: peer.calls == ["POST queues/workshop/jobs/job-3/place"])
    assert peer.bodies == [{"before": "job-1"}]


def test_a_job_is_dragged_to_the_end(view: ViewSteps, peer: StandInPeer) -> None:
    view.drag_job(FIRST, view.job(THIRD), part=0.9)
    expect_jobs(view, "workshop", SECOND, THIRD, FIRST)
    assert peer.bodies == [{"before": None}]


def test_a_job_is_dragged_to_another_queue(view: ViewSteps, peer: StandInPeer) -> None:
    view.drag_job("Test cube", view.job(SECOND), part=0.2)
    expect_jobs(view, "workshop", FIRST, "Test cube", SECOND, THIRD)
    view.until(lambda: peer.calls == ["POST queues/local/jobs/job-20/move"])
    assert peer.bodies == [{"to": "workshop", "before": "job-2"}]
    view.drag_job(THIRD, view.queue("local"), part=0.5)
    expect_jobs(view, "local", THIRD)


def test_what_goes_nowhere_asks_for_nothing(view: ViewSteps, peer: StandInPeer) -> None:
    view.drag_job(SECOND, view.job(THIRD), part=0.2)
    view.drag_job(SECOND, view.job(SECOND), part=0.9)
    view.drag_job(SECOND, view.printer("mini"), part=0.5)
    view.lift(view.job(SECOND).locator(".grip"))
    view.drop()
    assert peer.calls == []


def test_a_drag_shows_where_it_leads_and_can_be_given_up(
    view: ViewSteps, peer: StandInPeer
) -> None:
    view.lift(view.job(THIRD).locator(".grip"))
    view.drag_to(view.job(FIRST), part=0.2)
    expect(view.page.locator(".drop-line:visible")).to_have_count(1)
    expect(view.page.locator(".ghost:visible")).to_have_text(THIRD)
    peer.change(lambda state: state["queues"][0]["jobs"].reverse())
    expect(view.queue("workshop").get_by_role("heading", level=3).first).to_have_text(THIRD)
    view.page.keyboard.press("Escape")
    expect(view.page.locator(".ghost:visible")).to_have_count(0)
    view.drop()
    assert peer.calls == []


def test_a_job_is_dragged_by_a_finger(browser: Browser, peer: StandInPeer) -> None:
    page = browser.new_context(
        viewport={"width": 400, "height": TALL_PX}, has_touch=True, is_mobile=True
    ).new_page()
    view = ViewSteps(page)
    view.open(peer.url)
    start, end = middle(view.job(THIRD).locator(".grip")), middle(view.job(FIRST))
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", start)
    for step in range(1, 6):
        part = step / 5
        x = start[0] + part * (end[0] - start[0])
        touch("touchMove", (x, start[1] + part * (end[1] - 20 - start[1])))
    touch("touchEnd")
    expect_jobs(view, "workshop", THIRD, FIRST, SECOND)
    assert view.complaints == []
    page.context.close()


def middle(node: Locator) -> tuple[float, float]:
    box = node.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_menu_moves_jobs_too(view: ViewSteps, peer: StandInPeer) -> None:
    view.choose(THIRD, "Move to top")
    expect_jobs(view, "workshop", THIRD, FIRST, SECOND)
    view.choose(THIRD, "Move down")
    expect_jobs(view, "workshop", FIRST, THIRD, SECOND)
    view.choose(SECOND, "Move up")
    expect_jobs(view, "workshop", FIRST, SECOND, THIRD)
    view.choose(SECOND, "Move to local")
    expect_jobs(view, "local", "Test cube", SECOND)
    assert peer.bodies[-1] == {"to": "local", "before": None}


def test_the_menu_is_used_by_keyboard_alone(view: ViewSteps) -> None:
    more = view.job(SECOND).get_by_role("button", name="More")
    more.focus()
    view.page.keyboard.press("Enter")
    expect(view.page.get_by_role("menuitem").first).to_be_focused()
    view.page.keyboard.press("Escape")
    expect(view.page.get_by_role("menu")).to_be_hidden()
    expect(more).to_be_focused()
    view.page.keyboard.press("Enter")
    view.page.keyboard.press("ArrowDown")
    view.page.keyboard.press("ArrowUp")
    view.page.keyboard.press("Enter")
    expect_jobs(view, "workshop", SECOND, FIRST, THIRD)
    expect(more).to_be_focused()


def test_a_second_click_closes_the_menu(view: ViewSteps) -> None:
    view.press(view.job(SECOND), "More")
    expect(view.page.get_by_role("menu")).to_be_visible()
    view.press(view.job(SECOND), "More")
    expect(view.page.get_by_role("menu")).to_be_hidden()


def test_who_may_only_look_cannot_move_anything(view: ViewSteps, peer: StandInPeer) -> None:
    view.page.locator("crdtqueue-view").evaluate("view => view.setAttribute('readonly', '')")
    expect(view.job(SECOND).locator(".grip")).to_be_hidden()
    view.press(view.job(SECOND), "More")
    expect(view.page.get_by_role("menuitem")).to_have_text(
        ["Prints of this job", "Export as .gjob"]
    )
    assert peer.calls == []
