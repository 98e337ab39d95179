"""A real OctoPrint whose virtual printer says that its bed is clear."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.octoprint_server import need_octoprint
from tests.harness.octoprint_with_plugin import (
    PROFILE,
    OctoPi,
)

pytestmark = pytest.mark.e2e

PRINT_S = 60.0
MOVES = [f"G1 X{10 + number % 50} Y20 E{number / 10:g} F9000" for number in range(60)]
SAYS_CLEAR = "M118 A1 action:bed_clear"
LAST_MOVES = ["G1 Y200 F9000"] * 10


@pytest.fixture(scope="module")
def octopi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPi]:
    need_octoprint()
    octopi = OctoPi(tmp_path_factory.mktemp("octopi"))
    try:
        yield octopi.start()
    finally:
        octopi.octoprint.stop()


def printer(octopi: OctoPi) -> dict[str, Any]:
    state = octopi.view()["state"] or {}
    return dict(state.get("printer") or {})


def print_and_wait(octopi: OctoPi, folder: Path, name: str, *lines: str) -> None:
    """A job of one copy, until the peer has written it down."""
    path = folder / f"{name}.gcode"
    path.write_text("\n".join(["G28", *lines, f"; printer_model = {PROFILE}"]) + "\n")
    octopi.octoprint.upload(path.name, path.read_bytes())
    added = octopi.ask("POST", "add-local", octopi.octoprint.key, json={"path": path.name})
    assert added.is_success, added.text

    def is_done() -> bool:
        jobs = octopi.queue("local")["jobs"]
        return any(job["name"] == name and job["copies_done"] == 1 for job in jobs)

    octopi.octoprint.wait(is_done, PRINT_S)


def wait_for_clear_bed(octopi: OctoPi) -> None:
    octopi.octoprint.wait(lambda: printer(octopi)["bed_clear"] is True, 15)


def test_a_person_at_the_printer_lets_the_next_print_begin(octopi: OctoPi, tmp_path: Path) -> None:
    print_and_wait(octopi, tmp_path, "left-lying", *MOVES)
    assert printer(octopi)["bed_clear"] is False
    octopi.octoprint.gcode("!!DEBUG:action_custom bed_clear")
    wait_for_clear_bed(octopi)


def test_a_file_that_takes_its_part_off(octopi: OctoPi, tmp_path: Path) -> None:
    print_and_wait(octopi, tmp_path, "swept", *MOVES, SAYS_CLEAR, *LAST_MOVES)
    wait_for_clear_bed(octopi)


def test_a_print_that_goes_on_behind_it_does_not_count(octopi: OctoPi, tmp_path: Path) -> None:
    print_and_wait(octopi, tmp_path, "two-parts", *MOVES, SAYS_CLEAR, *MOVES)
    with pytest.raises((AssertionError, TimeoutError)):
        octopi.octoprint.wait(lambda: printer(octopi)["bed_clear"] is True, 5)
    octopi.octoprint.gcode(SAYS_CLEAR)
    wait_for_clear_bed(octopi)


def test_with_a_script_after_the_print(octopi: OctoPi, tmp_path: Path) -> None:
    """The script begins before the peer can take the word."""
    key, script = octopi.octoprint.key, "api/printer/scripts/print-done"
    gcode = "\n".join(["G4 P100"] * 10)
    assert octopi.ask("PUT", script, key, json={"gcode": gcode}).is_success
    print_and_wait(octopi, tmp_path, "swept-with-script", *MOVES, SAYS_CLEAR, *LAST_MOVES)
    wait_for_clear_bed(octopi)
    assert octopi.ask("DELETE", script, key).is_success


def test_in_mid_print_from_the_card_it_does_not_count(octopi: OctoPi, tmp_path: Path) -> None:
    print_and_wait(octopi, tmp_path, "before-the-card", *MOVES)
    server, card = octopi.octoprint, octopi.octoprint.basedir / "virtualSd"
    # The virtual printer does not list a file that has a DOS name already.
    (card / "from-the-card.gcode").write_text("\n".join(MOVES * 5) + "\n")
    server.request("POST", "/api/printer/sd", json={"command": "refresh"})
    server.wait(lambda: server.get("/api/files/sdcard")["files"])
    (file,) = server.get("/api/files/sdcard")["files"]
    select = {"command": "select", "print": True}
    server.request("POST", f"/api/files/sdcard/{file['path']}", json=select)
    server.wait(lambda: server.state() == "Printing from SD")
    server.gcode("!!DEBUG:action_custom bed_clear")
    server.wait(lambda: "from the printer's SD card" in server.log(), 10)
    server.wait(lambda: server.state() == "Operational", PRINT_S)
    with pytest.raises((AssertionError, TimeoutError)):
        server.wait(lambda: printer(octopi)["bed_clear"] is True, 5)
    server.gcode("!!DEBUG:action_custom bed_clear")
    wait_for_clear_bed(octopi)
