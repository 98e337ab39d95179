"""The tab and the settings page in a real OctoPrint, with a real peer behind it."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.harness.octoprint_server import need_octoprint
from tests.harness.octoprint_with_plugin import (
    GUEST,
    NAME,
    OctoPi,
    Visit,
    visit,
)
from tests.harness.peer_processes import (
    GCODE,
    free_port,
    until,
)

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


@pytest.fixture(scope="module")
def octopi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPi]:
    need_octoprint()
    octopi = OctoPi(tmp_path_factory.mktemp("octopi"))
    try:
        octopi.start().add_guest()
        yield octopi
    finally:
        octopi.octoprint.stop()


@pytest.fixture(scope="module")
def person(octopi: OctoPi, browser: Browser) -> Iterator[Visit]:
    """Somebody who may do everything."""
    person = visit(browser, octopi)
    yield person
    assert person.complaints == []


def test_the_tab_shows_the_queue_and_this_printer(person: Visit) -> None:
    expect(person.queue("local")).to_be_visible()
    expect(person.printer(NAME)).to_contain_text("MK3S")
    expect(person.trouble()).to_be_hidden()
    expect(person.page.get_by_text("No connection to this peer")).to_be_hidden()


def test_a_file_is_uploaded_and_becomes_a_job(person: Visit, octopi: OctoPi) -> None:
    person.pick_files("local", [GCODE / "pin_ender3.gcode"])
    expect(person.dialog()).to_contain_text("ENDER3")
    person.add_to_queue()
    expect(person.job("pin_ender3")).to_be_visible()
    assert [job["name"] for job in octopi.queue("local")["jobs"]] == ["pin_ender3"]


def test_a_file_of_octoprints_becomes_a_job(person: Visit, octopi: OctoPi) -> None:
    octopi.octoprint.upload("stored.gcode", (GCODE / "pin_mini.gcode").read_bytes())
    person.press(person.queue("local"), "Add")
    person.dialog().get_by_label("Or choose one that is stored here").select_option("stored.gcode")
    expect(person.dialog()).to_contain_text("MINI")
    person.add_to_queue()
    expect(person.job("stored")).to_be_visible()


def test_a_job_is_deleted(person: Visit) -> None:
    person.delete_job("pin_ender3")
    expect(person.job("pin_ender3")).to_have_count(0)


def test_a_job_is_edited_and_ordered(person: Visit, octopi: OctoPi) -> None:
    for name in ("pin_mini.gcode", "pin_ender3.gcode"):
        person.pick_files("local", [GCODE / name])
        person.add_to_queue()
    dialog = person.edit("pin_ender3")
    dialog.get_by_label("Job name").fill("Edited in the tab")
    person.done()
    expect(person.job("Edited in the tab")).to_be_visible()
    person.drag_job("Edited in the tab", person.job("pin_mini"), part=0.2)
    octopi.octoprint.wait(
        lambda: (
            [job["name"] for job in octopi.queue("local")["jobs"]]
            == ["stored", "Edited in the tab", "pin_mini"]
        )
    )
    assert all(job["draft"] is None for job in octopi.queue("local")["jobs"])


def test_a_job_goes_out_as_a_file_and_comes_in_again(person: Visit, tmp_path: Path) -> None:
    with person.page.expect_download() as download:
        person.choose("pin_mini", "Export as .gjob")
    assert download.value.suggested_filename == "pin_mini.gjob"
    download.value.save_as(tmp_path / "pin_mini.gjob")
    person.delete_job("pin_mini")
    person.pick_files("local", [tmp_path / "pin_mini.gjob"])
    expect(person.job("pin_mini")).to_be_visible()
    for name in ("pin_mini", "Edited in the tab"):
        person.delete_job(name)


def test_a_refusal_is_shown_with_its_sentence(person: Visit, octopi: OctoPi) -> None:
    empty = octopi.data / "empty.gcode"
    empty.touch()
    person.pick_files("local", [empty])
    expect(person.dialog().locator(".status").first).to_contain_text("empty")
    person.press(person.dialog(), "Close")


def test_scripts_are_set_and_the_order_is_chosen_in_the_tab(person: Visit, octopi: OctoPi) -> None:
    person.choose_for_printer(NAME, "Scripts")
    dialog = person.dialog()
    row = dialog.locator(".script", has=person.page.locator("summary", has_text="Waiting for"))
    row.locator("summary").click()
    row.get_by_label("G-code").fill("M300 S440")
    person.press(row, "Save")
    expect(row).to_contain_text("Saved.")
    assert octopi.octoprint.get("/plugin/crdtqueue/api/printer/scripts") == {"waiting": "M300 S440"}
    row.get_by_label("G-code").fill("")
    person.press(row, "Save")
    expect(row).to_contain_text("Nothing is run on this any more.")
    person.press(dialog, "Close")
    person.press(person.queue("local"), "Settings")
    person.dialog().get_by_label("Fewest changes of material.").check()
    person.press(person.dialog(), "Save")
    expect(person.queue("local")).to_contain_text("Fewest changes of material first")
    person.press(person.queue("local"), "Settings")
    person.dialog().get_by_label("In order.").check()
    person.press(person.dialog(), "Save")
    expect(person.queue("local")).not_to_contain_text("Fewest changes of material first")


def test_who_may_only_look_sees_the_queue_and_no_controls(
    browser: Browser, octopi: OctoPi, person: Visit
) -> None:
    guest = visit(browser, octopi, GUEST)
    expect(guest.job("stored")).to_be_visible()
    buttons = guest.page.locator("crdtqueue-view").get_by_role("button")
    expect(buttons.and_(guest.page.locator("button:not(.looks)"))).to_have_count(0)
    guest.press(guest.job("stored"), "More")
    expect(guest.page.get_by_role("menuitem")).to_have_text(
        ["Prints of this job", "Export as .gjob"]
    )
    guest.page.keyboard.press("Escape")
    person.page.evaluate("0")  # The other window goes on as it was.
    expect(person.queue("local").get_by_role("button", name="Add")).to_be_visible()
    guest.page.context.close()


def test_a_killed_peer_comes_back_and_the_tab_with_it(person: Visit, octopi: OctoPi) -> None:
    (pid,) = octopi.pids()
    os.kill(pid, signal.SIGKILL)
    expect(person.trouble()).to_contain_text("Something ended it (signal 9).")
    expect(person.lost_banner()).to_be_visible()
    assert octopi.octoprint.state() == "Operational"
    expect(person.trouble()).to_be_hidden(timeout=30_000)
    expect(person.lost_banner()).to_be_hidden(timeout=30_000)
    expect(person.job("stored")).to_be_visible()
    octopi.wait_for_peer()
    assert len(octopi.pids()) == 1


def test_wrong_settings_are_not_saved_and_say_why(person: Visit) -> None:
    pane = person.open_settings()
    pane.get_by_label("Port").fill("99999")
    expect(pane).to_contain_text("Give a number from 1024 to 65535")
    person.save()
    expect(person.page.get_by_text("Print queue: not saved")).to_be_visible()
    expect(pane).to_be_visible()
    person.close_settings()
    expect(person.settings()).to_be_hidden()


def test_a_queue_is_joined_by_saving_and_left_again(person: Visit, octopi: OctoPi) -> None:
    before = octopi.pids()
    pane = person.open_settings()
    pane.get_by_role("button", name="Add a queue").click()
    pane.get_by_label("Name of the queue").fill("workshop")
    expect(pane.get_by_label("Addresses of other printers")).to_have_value("auto")
    pane.get_by_label("Addresses of other printers").fill("nowhere")
    expect(pane).to_contain_text("'nowhere' is no address of a peer.")
    pane.get_by_label("Addresses of other printers").fill("127.0.0.1:1")
    expect(pane.locator(".problem:visible")).to_have_count(0)
    pane.get_by_label("Addresses of other printers").fill("auto, 127.0.0.1:1")
    person.save()
    expect(person.settings()).to_be_hidden()
    expect(person.queue("workshop")).to_be_visible()
    person.open_settings()
    pane.get_by_role("button", name="Remove workshop").click()
    expect(pane).to_contain_text("No other printer has it, so its jobs are lost.")
    person.save()
    expect(person.queue("workshop")).to_have_count(0)
    assert octopi.pids() == before


def test_another_name_takes_effect_without_a_restart_of_octoprint(
    person: Visit, octopi: OctoPi
) -> None:
    assert octopi.octoprint.process
    octoprint_pid, before = octopi.octoprint.process.pid, octopi.pids()
    for name in ("renamed", NAME):
        pane = person.open_settings()
        pane.get_by_label("Name", exact=True).fill(name)
        person.save()
        expect(person.printer(name)).to_be_visible(timeout=30_000)
    assert octopi.pids() != before
    assert octopi.octoprint.process.pid == octoprint_pid
    assert octopi.octoprint.process.poll() is None


def test_a_port_in_use_is_told_and_the_queue_starts_again_by_hand(
    person: Visit, octopi: OctoPi
) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        pane = person.open_settings()
        pane.get_by_label("Port").fill(str(port))
        person.save()
        expect(person.trouble()).to_contain_text(f"Port {port} is in use by another program.")
        expect(person.trouble()).to_contain_text("Printing is not affected.")
        assert octopi.octoprint.state() == "Operational"
    person.trouble().get_by_role("button", name="Start again").click()
    expect(person.trouble()).to_be_hidden(timeout=30_000)
    expect(person.printer(NAME)).to_be_visible()


def test_a_job_for_this_printer_is_printed_by_octoprint(person: Visit, octopi: OctoPi) -> None:
    octopi.octoprint.upload("pin.gcode", (GCODE / "pin_mk3s.gcode").read_bytes())
    person.press(person.queue("local"), "Add")
    person.dialog().get_by_label("Or choose one that is stored here").select_option("pin.gcode")
    person.add_to_queue()
    until(lambda: any(job["copies_done"] == 1 for job in octopi.queue("local")["jobs"]), 90)
    expect(person.printer(NAME)).to_contain_text(re.compile("bed", re.IGNORECASE))
    expect(person.show_history().locator(".print")).to_contain_text(["pin.gcode"])
    person.press(person.dialog(), "Close")
    person.clear_bed(NAME)
    expect(person.printer(NAME)).to_contain_text("Idle")
    person.press(person.queue("local"), "Add")
    choice = person.dialog().get_by_label("Or choose one that is stored here")
    expect(choice.locator("option", has_text="pin.gcode")).to_have_count(1)
    expect(choice.locator("option", has_text="crdtqueue")).to_have_count(0)
    person.press(person.dialog(), "Close")
