"""The page as its user has it: real peers behind it, a real printer process, real g-code."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.harness.page_steps import open_view
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    running,
)

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

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
        view.choose("pin_mini", "Move to workshop")
        expect(view.queue("workshop").locator(".job")).to_have_count(1)
        expect(view.queue("local").locator(".job")).to_have_count(0)
        (job,) = peer.jobs().values()
        assert job["paused"] is False


def test_a_job_is_edited_dragged_deleted_brought_back_printed_and_found_in_the_history(
    browser: Browser, tmp_path: Path
) -> None:
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=50)
    with running(mini), open_view(browser, mini.url) as view:
        view.press(view.printer("mini"), "Stop managing")
        for name in ("first", "second"):
            mini.add(PIN_MINI, name=name)
        expect(view.job("second")).to_be_visible()

        dialog = view.edit("first")
        expect(view.page.get_by_text("Being edited here for")).to_have_count(1)
        dialog.get_by_label("Job name").fill("edited")
        dialog.get_by_label("Copies per run of pin_mini.gcode").fill("2")
        dialog.get_by_label("Runs").fill("1000000")
        view.press(dialog, "Done")
        expect(dialog.get_by_text("999,999")).to_be_visible()
        dialog.get_by_label("Runs").fill("1")
        dialog.locator("input[type=file]").set_input_files([GCODE / "pin_mk3s.gcode"])
        expect(dialog.locator(".set-edit")).to_have_count(2)
        view.press(dialog, "Move pin_mk3s.gcode up")
        expect(dialog.locator(".set-edit .file").first).to_have_text("pin_mk3s.gcode")
        view.done()
        expect(view.job("edited")).to_contain_text("2 per run")
        mini.wait(lambda: all(job["draft"] is None for job in mini.jobs().values()))

        view.drag_job("second", view.job("edited"), part=0.2)
        mini.wait(lambda: [j["name"] for j in mini.queue()["jobs"]] == ["second", "edited"])
        view.delete_job("second")
        expect(view.job("second")).to_have_count(0)
        view.press(view.page.get_by_role("status"), "Undo")
        expect(view.job("second")).to_be_visible()
        view.drag_job("second", view.queue("local"), part=0.5)
        expect(view.queue("local").locator(".job")).to_have_count(1)

        view.press(view.printer("mini"), "Start managing")
        expect(view.page.get_by_text("1 job done")).to_have_count(2, timeout=60 * SECONDS_MS)
        mini.wait(lambda: len(mini.client.get("/api/history", {})["entries"]) == 3)
        prints = view.show_history().locator(".print")
        expect(prints).to_have_count(3)
        expect(prints.filter(has_text="edited")).to_have_count(2)
        view.dialog().get_by_label("Search").fill("SECOND")
        expect(prints).to_have_count(1)
        with view.page.expect_download() as download:
            view.dialog().get_by_role("link", name="CSV").click()
        assert download.value.path().read_text().count("pin_mini.gcode") == 1
        view.dialog().get_by_role("button", name="Print again second").click()
        view.page.get_by_role("menuitem", name="Add to workshop").click()
        expect(view.dialog().get_by_text("second is in workshop once more.")).to_be_visible()


def test_a_job_goes_out_as_a_file_and_comes_in_again(browser: Browser, tmp_path: Path) -> None:
    peer = PeerProcess(tmp_path / "peer", "laptop")
    with running(peer), open_view(browser, peer.url) as view:
        peer.add(PIN_MINI, GCODE / "pin_mk3s.gcode", name="Six pins", copies=3)
        with view.page.expect_download() as download:
            view.choose("Six pins", "Export as .gjob")
        file = tmp_path / "taken along.gjob"
        download.value.save_as(file)
        view.pick_files("local", [file])
        came_in = view.queue("local").locator(".job")
        expect(came_in).to_contain_text("Six pins")
        expect(came_in.locator(".sets .file")).to_have_text(["pin_mini.gcode", "pin_mk3s.gcode"])
        broken = tmp_path / "broken.gjob"
        broken.write_bytes(b"no archive at all")
        view.pick_files("local", [broken])
        expect(view.page.get_by_role("alert").filter(has_text="broken.gjob: ")).to_be_visible()
