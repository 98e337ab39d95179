"""The page as its user has it: real peers behind it, a real printer process, real g-code."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.steps import open_view
from tests.harness import GCODE, PeerProcess, commands, executed, running

pytestmark = [pytest.mark.browser, pytest.mark.e2e, pytest.mark.timeout(180)]

PIN_MINI = GCODE / "pin_mini.gcode"
SECONDS_MS = 1000


def test_added_on_one_page_printed_by_the_other_peer_and_the_bed_cleared_by_a_click(
    browser: Browser, tmp_path: Path
) -> None:
    laptop = PeerProcess(tmp_path / "laptop", "laptop")
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=50, self_clearing=False)
    with (
        running(laptop, mini),
        open_view(browser, laptop.url) as at_laptop,
        open_view(browser, mini.url) as at_mini,
    ):
        dialog = at_laptop.pick_files("workshop", [PIN_MINI])
        expect(dialog.get_by_text("MINI", exact=True)).to_be_visible()
        at_laptop.add_to_queue()

        bar = at_laptop.job("pin_mini").get_by_role("progressbar").first
        expect(bar).to_be_visible(timeout=20 * SECONDS_MS)
        expect(at_mini.printer("mini").get_by_text("Prints pin_mini.gcode")).to_be_visible()

        expect(at_laptop.page.get_by_text("1 job done")).to_be_visible(timeout=60 * SECONDS_MS)
        assert executed(mini.record) == commands(PIN_MINI)

        at_mini.clear_bed("mini")
        mini.wait(lambda: mini.state()["printer"]["bed_clear"])


def test_the_page_recovers_when_its_peer_is_killed_and_started_again(
    browser: Browser, tmp_path: Path
) -> None:
    peer = PeerProcess(tmp_path, "laptop")
    with running(peer), open_view(browser, peer.url) as view:
        peer.kill()
        expect(view.lost_banner()).to_be_visible(timeout=30 * SECONDS_MS)
        peer.start()
        expect(view.lost_banner()).to_have_count(0, timeout=30 * SECONDS_MS)


def test_a_sentence_of_the_peer_is_shown_when_it_refuses(browser: Browser, tmp_path: Path) -> None:
    peer = PeerProcess(tmp_path / "peer", "laptop")
    text = tmp_path / "letter.gcode"
    text.write_text("Dear printer, please print this.\n")
    with running(peer), open_view(browser, peer.url) as view:
        dialog = view.pick_files("workshop", [text])
        expect(dialog.get_by_text("is not g-code")).to_be_visible()


def test_a_job_is_paused_resumed_and_sent_from_local_to_the_lan_queue(
    browser: Browser, tmp_path: Path
) -> None:
    peer = PeerProcess(tmp_path, "laptop")
    with running(peer), open_view(browser, peer.url) as view:
        view.pick_files("local", [PIN_MINI])
        view.add_to_queue()
        view.press(view.job("pin_mini"), "Pause")
        expect(view.job("pin_mini").get_by_text("Paused. Press Resume")).to_be_visible()
        view.press(view.job("pin_mini"), "Resume")
        expect(view.job("pin_mini").get_by_role("button", name="Pause")).to_be_visible()
        view.press(view.queue("local"), "Send to workshop")
        expect(view.queue("workshop").locator(".job")).to_have_count(1)
        expect(view.queue("local").locator(".job")).to_have_count(0)
        (job,) = peer.jobs().values()
        assert job["paused"] is False
