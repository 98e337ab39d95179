"""What goes on while the peer has nothing new to say: silences, count-downs, edits."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.harness.page_steps import ViewSteps
from tests.harness.sample_state import draft
from tests.harness.stand_in_peer import StandInPeer

pytestmark = pytest.mark.browser

SECONDS_MS = 1_000
WATCHDOG_MS = 15_000


@pytest.fixture
def timed(browser: Browser, peer: StandInPeer) -> Iterator[ViewSteps]:
    """A page whose clock stands still unless it is told to go on."""
    page = browser.new_page()
    page.clock.install()
    view = ViewSteps(page)
    view.open(peer.url)
    yield view
    assert view.complaints == []
    page.close()


def silent(peer: StandInPeer, *parts: Any) -> None:
    """Nobody has heard of the printer of the first job for a while."""
    by = {"peer": "id-ender", "name": "ender", "progress": None, "file_name": None}
    job = peer.queue("workshop")["jobs"][0]
    told = "".join(part if isinstance(part, str) else "…" for part in parts)
    peer.change(lambda _: job.update(printing_by=by, why=told, why_parts=[*parts]))


def why(view: ViewSteps) -> Locator:
    return view.job("Hinge pins").locator(".sentence")


def test_a_silence_grows_and_its_end_comes_nearer_without_asking_the_peer(
    timed: ViewSteps, peer: StandInPeer
) -> None:
    silent(peer, "Silent for ", {"for_s": 175.0}, ", taken over in ", {"in_s": 1_625.0}, ".")
    expect(why(timed)).to_have_text("Silent for 2 min, taken over in 28 min.")
    asked: list[str] = []
    timed.page.on("request", lambda request: asked.append(request.url))
    timed.page.clock.run_for(10 * SECONDS_MS)
    expect(why(timed)).to_have_text("Silent for 3 min, taken over in 27 min.")
    assert asked == []


def test_the_last_minute_is_counted_in_seconds_and_ends(
    timed: ViewSteps, peer: StandInPeer
) -> None:
    silent(peer, "In ", {"in_s": 7.6}, ".")
    expect(why(timed)).to_have_text("In 8 s.")
    timed.page.clock.run_for(3 * SECONDS_MS)
    expect(why(timed)).to_have_text("In 5 s.")
    timed.page.clock.run_for(7 * SECONDS_MS)
    expect(why(timed)).to_have_text("In 0 s.")


def test_a_new_state_says_how_it_is(timed: ViewSteps, peer: StandInPeer) -> None:
    silent(peer, "Silent for ", {"for_s": 12.0}, ".")
    expect(why(timed)).to_have_text("Silent for 12 s.")
    timed.page.clock.run_for(5 * SECONDS_MS)
    silent(peer, "Heard of ", {"for_s": 3.0}, " ago.")
    expect(why(timed)).to_have_text("Heard of 3 s ago.")
    silent(peer, "Printing.")
    expect(why(timed)).to_have_text("Printing.")
    timed.page.clock.run_for(5 * SECONDS_MS)
    expect(why(timed)).to_have_text("Printing.")


def test_nothing_is_counted_while_the_peer_itself_is_out_of_touch(
    timed: ViewSteps, peer: StandInPeer
) -> None:
    silent(peer, "Silent for ", {"for_s": 60.0}, ".")
    expect(why(timed)).to_have_text("Silent for 1 min.")
    peer.stop()
    expect(timed.lost_banner()).to_be_visible()
    timed.page.clock.run_for(WATCHDOG_MS)
    timed.page.clock.run_for(5 * WATCHDOG_MS)
    expect(why(timed)).to_have_text("Silent for 1 min.")
    peer.start()
    timed.page.clock.run_for(4 * SECONDS_MS)
    expect(timed.lost_banner()).to_be_hidden()
    expect(why(timed)).to_have_text("Silent for 1 min.")
    timed.page.clock.run_for(2 * SECONDS_MS)
    silent(peer, "Silent for ", {"for_s": 119.0}, ".")
    expect(why(timed)).to_have_text("Silent for 1 min.")
    timed.page.clock.run_for(2 * SECONDS_MS)
    expect(why(timed)).to_have_text("Silent for 2 min.")


def test_an_edit_and_an_absence_grow_older_too(timed: ViewSteps, peer: StandInPeer) -> None:
    held = draft(by="mini", self=False, for_s=55.0)
    peer.change(lambda _: peer.queue("workshop")["jobs"][1].update(draft=held))
    mark = timed.job("Shelf bracket").locator(".marks")
    expect(mark).to_contain_text("Being edited on mini for 55 s")
    away = timed.printer("ender")
    expect(away).to_contain_text("Last heard of 6 min ago")
    timed.page.clock.run_for(9 * SECONDS_MS)
    expect(mark).to_contain_text("Being edited on mini for 1 min")
    expect(away).to_contain_text("Last heard of 7 min ago")
