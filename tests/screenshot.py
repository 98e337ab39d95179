"""`make screenshot`: the page of the demo's peers in mid-print, for the README."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.steps import open_view
from tests.demo import JOBS, PRINTERS
from tests.harness import GCODE, PeerProcess, running

SPEED_UP = 20
WIDTH = 1180
PROGRESS = 0.3


def main(target: Path) -> None:
    """Starts the demo's peers, lets them print for a while, and takes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        peers = [
            PeerProcess(Path(folder) / name, name, profile=profile, speed_up=SPEED_UP)
            for name, profile in PRINTERS.items()
        ]
        peers[2] = PeerProcess(
            Path(folder) / "ender-garage",
            "ender-garage",
            profile="ENDER3",
            speed_up=SPEED_UP,
            self_clearing=False,
        )
        with running(*peers):
            for name, files, copies in JOBS:
                peers[1].add(*(GCODE / f"{f}.gcode" for f in files), copies=copies, name=name)
            peers[2].wait(lambda: not peers[2].state()["printer"]["bed_clear"])
            peers[2].wait(lambda: peers[2].state()["printer"]["state"] == "waiting_for_bed", 120)
            peers[0].wait(lambda: (peers[0].state()["printer"]["progress"] or 0) > PROGRESS, 120)
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
                with open_view(chromium, peers[2].url, width=WIDTH) as view:
                    view.page.wait_for_timeout(500)
                    view.page.screenshot(path=target, full_page=True)
                chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
