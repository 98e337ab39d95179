"""A real OctoPrint with the plugin in it, and a person at its page."""

from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Locator, Page, expect

from tests.harness.octoprint_server import (
    PASSWORD,
    USER,
    OctoPrintServer,
)
from tests.harness.page_steps import ViewSteps
from tests.harness.patience import HANG_S
from tests.harness.peer_processes import free_port
from tests.harness.supervised_peers import pids

NAME, PROFILE = "octopi", "MK3S"
GUEST = "visitor"
"""A user who may only look."""
DISABLED = (
    "file_check",
    "errortracking",
    "pi_support",
    "backup",
    "discovery",
    "gcodeviewer",
    "achievements",
)
"""Bundled plugins that pop up, look for other machines, or need room for a tab."""
LOAD_MS = 30_000


class OctoPi:
    """OctoPrint and what the plugin runs beside it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.peer_port = free_port()
        plugin = {"name": NAME, "profile": PROFILE, "port": self.peer_port, "host": "127.0.0.1"}
        plugin |= settings
        self.name = str(plugin["name"])
        self.octoprint = OctoPrintServer(folder, disabled=DISABLED, plugins={"crdtqueue": plugin})
        self.data = folder / "data" / "crdtqueue"

    def start(self) -> "OctoPi":
        self.octoprint.start()
        self.wait_for_peer()
        return self

    def wait_for_peer(self) -> None:
        self.octoprint.wait(lambda: self.view()["state"] is not None, 40)

    def view(self) -> dict[str, Any]:
        """What the tab shows."""
        found: dict[str, Any] = self.octoprint.get("/plugin/crdtqueue/api/state")
        return found

    def queue(self, name: str) -> dict[str, Any]:
        queues = (self.view()["state"] or {"queues": []})["queues"]
        return next((queue for queue in queues if queue["name"] == name), {"jobs": []})

    def pids(self) -> list[int]:
        return pids(self.data)

    def add_guest(self) -> str:
        """Makes the user who may only look; returns an application key of theirs."""
        user = {"name": GUEST, "password": PASSWORD, "active": True, "groups": ["readonly"]}
        user |= {"permissions": [], "admin": False}
        self.octoprint.request("POST", "/api/access/users", json=user)
        made = self.octoprint.request("POST", f"/api/access/users/{GUEST}/apikey")
        return str(made.json()["apikey"])

    def ask(self, method: str, path: str, key: str | None, **fields: Any) -> httpx.Response:
        """One request to the plugin, as whoever has this key."""
        headers = {"X-Api-Key": key} if key else {}
        url = f"{self.octoprint.url}/plugin/crdtqueue/{path}"
        return httpx.request(method, url, headers=headers, timeout=HANG_S, **fields)


class Visit(ViewSteps):
    """A person who has logged in at OctoPrint's page and has the tab open."""

    def log_in(self, octopi: OctoPi, user: str) -> "Visit":
        self.page.goto(octopi.octoprint.url)
        self.page.locator("#login-user").fill(user)
        self.page.locator("#login-password").fill(PASSWORD)
        self.page.locator("#login-button").click()
        link = self.page.locator("#tab_plugin_crdtqueue_link a")
        expect(link).to_be_visible(timeout=LOAD_MS)
        expect(self.page.locator("#page-container-loading")).to_be_hidden(timeout=LOAD_MS)
        link.click()
        expect(self.printer(octopi.name)).to_be_visible(timeout=LOAD_MS)
        return self

    def trouble(self) -> Locator:
        return self.page.locator("#tab_plugin_crdtqueue .alert-error")

    def open_settings(self) -> Locator:
        """Opens the plugin's settings page."""
        self.page.locator("#navbar_show_settings").click()
        self.page.locator("#settings_plugin_crdtqueue_link a").click()
        pane = self.page.locator("#settings_plugin_crdtqueue")
        expect(pane).to_be_visible()
        return pane

    def save(self) -> None:
        self.page.locator('[data-test-id="settings-save"]').click()

    def close_settings(self) -> None:
        self.page.locator('[data-test-id="settings-close-button"]').click()

    def settings(self) -> Locator:
        return self.page.locator("#settings_dialog")


def visit(browser: Browser, octopi: OctoPi, user: str = USER) -> Visit:
    """Logs in, in a browser window of its own."""
    context = browser.new_context(viewport={"width": 1200, "height": 1000})
    page: Page = context.new_page()
    page.set_default_timeout(HANG_S * 1000)
    return Visit(page).log_in(octopi, user)
