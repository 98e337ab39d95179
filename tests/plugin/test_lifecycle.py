"""The peer process through starts and ends of OctoPrint."""

from pathlib import Path

import pytest

from tests.harness.octoprint_server import need_octoprint
from tests.harness.octoprint_with_plugin import OctoPi
from tests.harness.peer_processes import until

pytestmark = pytest.mark.e2e


def test_a_killed_octoprint_finds_the_queue_again_and_one_that_ends_leaves_nothing(
    tmp_path: Path,
) -> None:
    need_octoprint()
    octopi = OctoPi(tmp_path)
    try:
        octopi.start()
        key = octopi.octoprint.key
        octopi.ask("POST", "api/queues", key, json={"name": "workshop", "peers": []})
        octopi.octoprint.kill()
        (orphan,) = octopi.pids()

        octopi.start()
        until(lambda: orphan not in octopi.pids(), 20)
        assert len(octopi.pids()) == 1
        assert octopi.queue("workshop")["name"] == "workshop"
    finally:
        octopi.octoprint.stop()
    until(lambda: octopi.pids() == [], 20)


def test_without_a_profile_the_queue_leaves_this_printer_alone(tmp_path: Path) -> None:
    need_octoprint()
    octopi = OctoPi(tmp_path, profile="")
    try:
        octopi.start()
        assert octopi.view()["state"]["printer"] is None
        names = [u["name"] for u in octopi.octoprint.get("/api/access/users")["users"]]
        assert "crdtqueue" not in names
    finally:
        octopi.octoprint.stop()
