"""`make screenshot`: the page of the demo's peers and the tab of OctoPrint, for the README."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.demo import JOBS, PRINTERS
from tests.harness.octoprint_with_plugin import (
    OctoPi,
    visit,
)
from tests.harness.page_steps import open_view
from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    running,
)

SPEED_UP = 20
WIDTH = 1180
PROGRESS = 0.3


def peer(folder: Path, name: str, *, self_clearing: bool) -> PeerProcess:
    """A peer of the demo."""
    return PeerProcess(
        folder / name,
        name,
        profile=PRINTERS[name],
        speed_up=SPEED_UP,
        self_clearing=self_clearing,
    )


def submit(where: PeerProcess) -> None:
    """The jobs of the demo."""
    for name, files, copies in JOBS:
        where.add(*(GCODE / f"{file}.gcode" for file in files), copies=copies, name=name)


def page(chromium: Browser, folder: Path, target: Path) -> None:
    """One printer waits for its bed, the others print."""
    mk3s, mini = (peer(folder, name, self_clearing=True) for name in ("mk3s-left", "mini-shelf"))
    ender = peer(folder, "ender-garage", self_clearing=False)
    with running(mk3s, mini, ender):
        submit(mini)
        ender.wait(lambda: ender.state()["printer"]["state"] == "waiting_for_bed", 120)
        mk3s.wait(lambda: (mk3s.state()["printer"]["progress"] or 0) > PROGRESS, 120)
        with open_view(chromium, ender.url, width=WIDTH) as view:
            view.page.wait_for_timeout(500)
            view.page.screenshot(path=target, full_page=True)


def tab(chromium: Browser, folder: Path, target: Path) -> None:
    """An OctoPrint shares the queue with two headless peers."""
    mini, ender = (
        peer(folder, name, self_clearing=True) for name in ("mini-shelf", "ender-garage")
    )
    octopi = OctoPi(folder / "octopi", name="mk3s-left", profile="MK3S")
    with running(mini, ender):
        try:
            octopi.start()
            queue = {"name": "workshop", "peers": [mini.address, ender.address]}
            octopi.ask("POST", "api/queues", octopi.octoprint.key, json=queue).raise_for_status()
            ender.wait(lambda: len(ender.queue()["peers"]) == len(PRINTERS))
            submit(mini)
            ender.wait(lambda: (ender.state()["printer"]["progress"] or 0) > PROGRESS, 120)
            person = visit(chromium, octopi)
            person.page.wait_for_timeout(500)
            person.page.set_viewport_size({"width": WIDTH, "height": 1500})
            person.page.screenshot(path=target)
        finally:
            octopi.octoprint.stop()


def main(target: Path) -> None:
    """Both pictures, into the folder `target`."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page(chromium, Path(folder) / "page", target / "page.png")
        tab(chromium, Path(folder) / "tab", target / "tab.png")
        chromium.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
