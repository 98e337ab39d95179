"""The printer's settings as their user has them: a real peer and a real printer process."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.harness.page_steps import (
    ViewSteps,
    open_view,
)
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
MARK_LOST_AFTER_S = 11.0


def add(peer: PeerProcess, name: str, material: str) -> None:
    file = peer.client.upload(PIN_MINI, lambda _: None)
    part = {"sha256": file["sha256"], "name": file["name"], "profiles": ["MINI"], "copies": 1}
    peer.add_sets([part | {"materials": [material]}], name)


def test_a_script_clears_the_bed_and_a_print_waits_for_its_material(
    browser: Browser, tmp_path: Path
) -> None:
    mini = PeerProcess(tmp_path, "mini", profile="MINI", speed_up=50, self_clearing=False)
    with running(mini), open_view(browser, mini.url) as view:
        card = view.printer("mini")
        view.choose_for_printer("mini", "Scripts")
        dialog = view.dialog()
        row = dialog.locator(".script", has=view.page.locator("summary", has_text="Clear the bed"))
        row.locator("summary").click()
        field = row.get_by_label("G-code: Clear the bed")
        field.fill("Dear printer, please sweep.")
        view.press(row, "Save")
        expect(row.get_by_role("alert")).to_contain_text("cannot be run")
        field.fill("G1 Y77 F9000\nG1 Y3")
        view.press(row, "Save")
        expect(row).to_contain_text("Saved.")
        view.press(dialog, "Close")

        view.choose_for_printer("mini", "What is loaded")
        view.dialog().get_by_label("Material of tool 1").fill("PLA")
        view.press(view.dialog(), "That is loaded")
        expect(card.locator(".facts")).to_contain_text("PLA")
        add(mini, "first", "PLA")
        add(mini, "second", "PETG")

        expect(card.locator(".pill")).to_have_text("Load material", timeout=60 * SECONDS_MS)
        expect(card).to_contain_text("PETG")
        assert executed(mini.record) == [*commands(PIN_MINI), "G1 Y77 F9000", "G1 Y3"]
        view.press(card, "It is loaded")
        expect(view.page.get_by_text("2 jobs done")).to_be_visible(timeout=60 * SECONDS_MS)
        expect(card.locator(".pill")).to_have_text("Idle", timeout=30 * SECONDS_MS)
        mini.wait(lambda: mini.state()["printer"]["loaded"] == ["PETG"])
        assert executed(mini.record).count("G1 Y77 F9000") == 2

        view.choose_for_printer("mini", "What is loaded")
        view.press(view.dialog(), "Forget it")
        mini.wait(lambda: mini.state()["printer"]["asks_for_material"] is False)


def test_a_queues_settings_reach_the_other_peers(browser: Browser, tmp_path: Path) -> None:
    laptop = PeerProcess(tmp_path / "laptop", "laptop")
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI")
    with (
        running(laptop, mini),
        open_view(browser, laptop.url) as here,
        open_view(browser, mini.url) as there,
    ):
        here.press(here.queue("workshop"), "Settings")
        here.dialog().get_by_label("Fewest changes of material.").check()
        here.dialog().get_by_label("Safe.").check()
        here.dialog().get_by_label("laptop").check()
        here.dialog().get_by_label("mini").check()
        here.press(here.dialog(), "Save")
        for view in (here, there):
            expect(view.queue("workshop")).to_contain_text("Safe mode, 2 voters")
            expect(view.queue("workshop")).to_contain_text("Fewest changes of material first")
        laptop.kill()
        expect(there.queue("workshop")).to_contain_text("Switch on laptop.", timeout=60_000)
        laptop.start([mini])


def mark_lost(view: ViewSteps) -> None:
    view.choose("pins", "The printer is lost: print it elsewhere")
    view.dialog().get_by_label("Somebody has looked at first").check()
    view.press(view.dialog(), "Print it elsewhere")


def test_the_job_of_a_lost_printer_is_printed_by_another(browser: Browser, tmp_path: Path) -> None:
    first = PeerProcess(tmp_path / "first", "first", profile="MINI", speed_up=0.2)
    second = PeerProcess(tmp_path / "second", "second", profile="MINI", speed_up=50)
    early = ["--mark-lost-after-s", str(MARK_LOST_AFTER_S)]
    with running(first, second, extra=early), open_view(browser, second.url) as view:
        view.press(view.printer("second"), "Stop managing")
        second.add(PIN_MINI, name="pins")
        expect(view.job("pins").locator(".pill")).to_have_text("Printing", timeout=30 * SECONDS_MS)
        first.kill()
        first.stop_printer()
        view.press(view.printer("second"), "Start managing")
        expect(view.job("pins")).to_contain_text("was last heard of", timeout=30 * SECONDS_MS)
        mark_lost(view)
        refusal = view.page.get_by_role("alert").filter(has_text="may be about to begin pins. Wait")
        expect(refusal).to_be_visible()
        expect(view.job("pins")).to_contain_text(
            "Another printer may take over in 30 min; or look at the printer, and mark it lost.",
            timeout=30 * SECONDS_MS,
        )
        silent = view.job("pins").get_by_text(re.compile(r"has been silent for 1[2-9] s"))
        expect(silent).to_be_visible(timeout=30 * SECONDS_MS)
        mark_lost(view)
        expect(view.page.get_by_text("1 job done")).to_be_visible(timeout=60 * SECONDS_MS)
        assert executed(second.record) == commands(PIN_MINI)
