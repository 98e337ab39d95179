"""A LAN queue of two OctoPrints with the plugin and one headless peer."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.harness.octoprint_server import need_octoprint
from tests.harness.octoprint_with_plugin import (
    OctoPi,
    Visit,
    visit,
)
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    running,
)

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

QUEUE = "workshop"


def part(folder: Path, name: str, profile: str, seconds: int = 0) -> Path:
    """A file of one kind of printer that can be told from all others on the wire."""
    moves = [f"G1 X{10 + number % 50} Y{20 + number % 40} F9000" for number in range(100)]
    waits = ["G4 P500"] * (2 * seconds)
    lines = [f"M117 {name}", "G28", *moves, *waits, f"; printer_model = {profile}"]
    path = folder / f"{name}.gcode"
    path.write_text("\n".join(lines) + "\n")
    return path


def prints_of(octopi: OctoPi, name: str) -> int:
    """How often this OctoPrint has sent the file to its printer, since its last start."""
    log = octopi.octoprint.basedir / "logs" / "serial.log"
    return len(re.findall(rf"Send: N\d+ M117 {name}\*", log.read_text(errors="replace")))


def job_of(octopi: OctoPi, name: str) -> dict[str, object]:
    return next((job for job in octopi.queue(QUEUE)["jobs"] if job["name"] == name), {})


def is_done(octopi: OctoPi, name: str) -> bool:
    job = job_of(octopi, name)
    return job.get("state") == "done" and job.get("copies_done") == 1


class Workshop:
    """Two OctoPrints and a headless peer, each with a printer of its own kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.left = OctoPi(folder / "left", name="left", profile="MK3S")
        self.right = OctoPi(folder / "right", name="right", profile="MINI")
        self.pi = PeerProcess(folder / "pi", "pi", profile="ENDER3", speed_up=1000)

    def add_queue(self, person: Visit) -> None:
        """Joins the LAN queue by the settings page."""
        pane = person.open_settings()
        pane.get_by_role("button", name="Add a queue").click()
        pane.get_by_label("Name of the queue").fill(QUEUE)
        pane.get_by_label("Addresses of other printers").fill(self.pi.address)
        person.save()
        expect(person.queue(QUEUE)).to_be_visible()

    def submit(self, person: Visit, *files: Path) -> None:
        person.pick_files(QUEUE, list(files))
        person.add_to_queue()


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    need_octoprint()
    workshop = Workshop(tmp_path_factory.mktemp("workshop"))
    with running(workshop.pi):
        try:
            workshop.left.start()
            workshop.right.start()
            yield workshop
        finally:
            workshop.left.octoprint.stop()
            workshop.right.octoprint.stop()


@pytest.fixture(scope="module")
def person(workshop: Workshop, browser: Browser) -> Visit:
    """Somebody at the tab of the first OctoPrint, whose printers share the queue by now."""
    at_right = visit(browser, workshop.right)
    workshop.add_queue(at_right)
    at_right.page.context.close()
    at_left = visit(browser, workshop.left)
    workshop.add_queue(at_left)
    workshop.pi.wait(lambda: len(workshop.pi.queue()["peers"]) == 3)
    return at_left


@pytest.mark.parametrize(
    ("profile", "name"), [("MINI", "hook"), ("ENDER3", "foot"), ("MK3S", "cap")]
)
def test_a_job_added_in_the_tab_is_printed_once_where_it_fits(
    workshop: Workshop, person: Visit, profile: str, name: str
) -> None:
    workshop.submit(person, part(workshop.folder, name, profile))
    for octopi in (workshop.left, workshop.right):
        octopi.octoprint.wait(lambda octopi=octopi: is_done(octopi, name), 90)
    workshop.pi.wait(lambda: any(j["state"] == "done" for j in workshop.pi.queue()["jobs"]))
    folded = person.queue(QUEUE).get_by_text(re.compile(r"[1-9]\d* jobs? done"))
    expect(folded).to_be_visible(timeout=10_000)
    assert prints_of(workshop.left, name) == (profile == "MK3S")
    assert prints_of(workshop.right, name) == (profile == "MINI")
    on_pi = workshop.pi.record.read_text().count(f"M117 {name}\n")
    assert on_pi == (profile == "ENDER3")
    clear_beds(workshop)


def clear_beds(workshop: Workshop) -> None:
    """Somebody takes the parts off."""
    for octopi in (workshop.left, workshop.right):
        octopi.octoprint.wait(lambda octopi=octopi: not octopi.view()["state"]["printer"]["job_id"])
        if not octopi.view()["state"]["printer"]["bed_clear"]:
            octopi.ask("POST", "api/printer/bed-clear", octopi.octoprint.key).raise_for_status()
        octopi.octoprint.wait(lambda octopi=octopi: octopi.view()["state"]["printer"]["bed_clear"])


def test_kill_9_of_the_peer_while_octoprint_prints(workshop: Workshop, person: Visit) -> None:
    left = workshop.left
    workshop.submit(person, part(workshop.folder, "long", "MK3S", seconds=15))
    left.octoprint.wait(lambda: left.octoprint.state().startswith("Printing"), 60)
    left.octoprint.wait(lambda: prints_of(left, "long") == 1)
    (pid,) = left.pids()
    os.kill(pid, signal.SIGKILL)
    assert left.octoprint.state().startswith("Printing")
    left.octoprint.wait(lambda: is_done(left, "long"), 120)
    workshop.right.octoprint.wait(lambda: is_done(workshop.right, "long"), 30)
    expect(person.trouble()).to_be_hidden(timeout=30_000)
    assert prints_of(left, "long") == 1
    assert prints_of(workshop.right, "long") == 0
    clear_beds(workshop)


def test_a_restart_of_octoprint_between_two_prints(workshop: Workshop) -> None:
    left = workshop.left
    left.octoprint.stop()
    assert left.pids() == []
    workshop.pi.add(part(workshop.folder, "later", "MK3S"))
    left.start()
    left.octoprint.wait(lambda: is_done(left, "later"), 90)
    assert prints_of(left, "later") == 1
    assert prints_of(left, "long") == 0
    clear_beds(workshop)


def test_the_headless_peer_goes_on_when_both_octoprints_are_off(workshop: Workshop) -> None:
    workshop.left.octoprint.stop()
    workshop.right.octoprint.stop()
    job = workshop.pi.add(GCODE / "pin_ender3.gcode")
    workshop.pi.wait(lambda: workshop.pi.jobs()[job]["state"] == "done", 60)
