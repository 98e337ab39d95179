"""The interface to OctoPrint. All decisions are made in the other modules."""

import socket
from pathlib import Path
from typing import Any

from octoprint.access import READONLY_GROUP, USER_GROUP
from octoprint.access.permissions import Permissions
from octoprint.plugin import (
    AssetPlugin,
    SettingsPlugin,
    ShutdownPlugin,
    StartupPlugin,
    TemplatePlugin,
)

from octoprint_crdtqueue.account import Account
from octoprint_crdtqueue.peer_process import PeerLauncher
from octoprint_crdtqueue.peer_service import PeerService
from octoprint_crdtqueue.plugin_config import (
    DEFAULT_PORT,
    Config,
    parse_change,
    parse_config,
    parse_port,
    problems,
)
from octoprint_crdtqueue.printer_events import PrinterEvents
from octoprint_crdtqueue.routes import (
    VIEW,
    PluginRoutes,
)

ANY_HOSTS = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1", "": "127.0.0.1"}  # noqa: S104
"""OctoPrint listens everywhere; its own computer reaches it here."""
FIELDS = ("name", "profile", "port", "host")


class CrdtqueuePlugin(
    PluginRoutes,
    PrinterEvents,
    StartupPlugin,  # type: ignore[misc]  # OctoPrint has no types
    ShutdownPlugin,  # type: ignore[misc]
    SettingsPlugin,  # type: ignore[misc]
    TemplatePlugin,  # type: ignore[misc]
    AssetPlugin,  # type: ignore[misc]
):
    """The plugin's one implementation."""

    def __init__(self) -> None:
        super().__init__()
        self._address = ("127.0.0.1", 5000)

    # Start and end

    def on_startup(self, host: str, port: int) -> None:
        """Where OctoPrint will listen."""
        self._address = (ANY_HOSTS.get(host or "", host), port)

    def on_after_startup(self) -> None:
        """Starts the peer process."""
        host, port = self._address
        folder = Path(self.get_plugin_data_folder())
        launcher = PeerLauncher(
            folder=folder,
            octoprint_url=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
            octoprint_key=Account(self._user_manager).key,
            config=self._config,
        )
        self.service = PeerService(folder, launcher, self._push)
        self.service.start()

    def on_shutdown(self) -> None:
        """Ends the peer process."""
        if self.service:
            self.service.stop()

    def _push(self, message: dict[str, Any], permission: str = VIEW) -> None:
        permissions = [getattr(Permissions, permission)]
        self._plugin_manager.send_plugin_message(self._identifier, message, permissions=permissions)

    # Settings

    def get_settings_defaults(self) -> dict[str, Any]:
        """`queue_changes` is how the page hands over changes; it is always empty when read."""
        return {"name": "", "profile": "", "port": DEFAULT_PORT, "host": "", "queue_changes": []}

    def on_settings_save(self, data: dict[str, Any]) -> dict[str, Any]:
        """Takes over what makes sense; a page of ours has checked it before."""
        changes = data.pop("queue_changes", None) or []
        wrong = problems(self._stored_settings() | data | {"queue_changes": changes})
        if wrong:
            return self._refuse(list(wrong.values()))
        if "port" in data:
            data["port"] = parse_port(data["port"])
        before = self._stored_settings()
        saved: dict[str, Any] = SettingsPlugin.on_settings_save(self, data)
        if self.service:
            self._take_over(self.service, changes, anew=self._stored_settings() != before)
        return saved

    def _take_over(self, service: PeerService, changes: list[Any], *, anew: bool) -> None:
        try:
            service.pending.add([parse_change(each) for each in changes])
        except OSError as error:
            self._refuse([f"The queues cannot be changed: {error}. Make room on the disk."])
        if anew:
            service.restart()
        else:
            service.apply_pending()

    def _refuse(self, sentences: list[str]) -> dict[str, Any]:
        for sentence in sentences:
            self._logger.warning("Not saved: %s", sentence)
        self._push({"refused": sentences}, "SETTINGS")
        return {}

    def _stored_settings(self) -> dict[str, Any]:
        return {field: self._settings.get([field]) for field in FIELDS}

    def _config(self) -> Config:
        return parse_config(self._stored_settings(), self._fallback_name())

    def _fallback_name(self) -> str:
        """What OctoPrint's own page calls the printer, or else the computer's name."""
        appearance = str(self._settings.global_get(["appearance", "name"]) or "").strip()
        return appearance or socket.gethostname()

    # The page

    def get_template_configs(self) -> list[dict[str, Any]]:
        """The tab and the settings page."""
        return [
            {"type": "tab", "name": "Print queue", "custom_bindings": True},
            {"type": "settings", "name": "Print queue", "custom_bindings": True},
        ]

    def get_template_vars(self) -> dict[str, Any]:
        """What the settings page proposes."""
        return {"name": self._fallback_name()}

    def is_template_autoescaped(self) -> bool:
        """Names from outside are text."""
        return True

    def get_assets(self) -> dict[str, list[str]]:
        """Put into the page of OctoPrint."""
        return {"js": ["crdtqueue.js"], "css": ["crdtqueue.css"]}

    # Permissions

    def additional_permissions(self) -> list[dict[str, Any]]:
        """Hook. Guests see the queue where the administrator lets them see anything at all."""
        return [
            {
                "key": "VIEW",
                "name": "See the print queue",
                "description": "Allows to see the print queue and its printers",
                "roles": ["view"],
                "default_groups": [USER_GROUP, READONLY_GROUP],
            },
            {
                "key": "MANAGE",
                "name": "Manage the print queue",
                "description": "Allows to add, pause and delete jobs, and to steer the queue's"
                " use of this printer",
                "roles": ["manage"],
                "default_groups": [USER_GROUP],
            },
        ]
