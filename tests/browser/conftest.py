"""A real Chromium for the tests of the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.harness.page_steps import (
    ViewSteps,
    open_view,
)
from tests.harness.patience import HANG_S
from tests.harness.sample_state import workshop
from tests.harness.stand_in_peer import StandInPeer

CHROMIUM = Path("/usr/bin/chromium")
expect.set_options(timeout=HANG_S * 1000)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with the module: while playwright runs, nothing else may call `asyncio.run`."""
    if not CHROMIUM.exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def peer() -> Iterator[StandInPeer]:
    stand_in = StandInPeer(workshop())
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def view(browser: Browser, peer: StandInPeer) -> Iterator[ViewSteps]:
    with open_view(browser, peer.url) as steps:
        yield steps
