"""The plugin for OctoPrint: shows the print queue in a tab and supervises the peer process.

Only `plugin`, `routes`, `printer_events` and `account` know OctoPrint; importing this package does
not import it.
"""

from typing import Any

__plugin_name__ = "crdtqueue"
__plugin_description__ = "One print queue for all the 3D printers on a network, with no server."
__plugin_license__ = "AGPL-3.0-or-later"
__plugin_privacypolicy__ = "Your data stays on the printers of your network."
__plugin_pythoncompat__ = ">=3.11,<4"


def __plugin_load__() -> None:  # noqa: N807  # OctoPrint's name
    """OctoPrint calls this before it asks for the implementation and the hooks."""
    from octoprint_crdtqueue.plugin import CrdtqueuePlugin  # noqa: PLC0415  # needs OctoPrint

    global __plugin_implementation__, __plugin_hooks__  # noqa: PLW0603  # OctoPrint's convention
    plugin = CrdtqueuePlugin()
    __plugin_implementation__ = plugin
    __plugin_hooks__ = {
        "octoprint.access.permissions": plugin.additional_permissions,
        "octoprint.comm.protocol.action": plugin.hear_action,
        "octoprint.comm.protocol.gcode.sent": plugin.see_sent,
        "octoprint.server.http.bodysize": plugin.body_sizes,
    }


__plugin_implementation__: Any
__plugin_hooks__: dict[str, Any]
