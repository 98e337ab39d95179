"""What the plugin loads into OctoPrint's process."""

import json
import subprocess

from tests.harness.octoprint_server import (
    EXECUTABLE,
    need_octoprint,
)

LOAD = """
import json, sys
import octoprint_crdtqueue
assert "octoprint" not in sys.modules
octoprint_crdtqueue.__plugin_load__()
hooks = sorted(octoprint_crdtqueue.__plugin_hooks__)
print(json.dumps({"modules": sorted(sys.modules), "hooks": hooks}))
"""
FOREIGN = {"y_py", "pycrdt", "websockets", "starlette", "uvicorn", "httpx", "serial_asyncio"}


def test_neither_the_crdt_nor_the_peer_is_loaded_into_octoprint() -> None:
    need_octoprint()
    python = EXECUTABLE.parent / "python"
    said = subprocess.run([python, "-c", LOAD], capture_output=True, text=True, check=True)
    loaded = json.loads(said.stdout.splitlines()[-1])
    modules = set(loaded["modules"])
    assert "octoprint_crdtqueue.plugin" in modules
    assert not FOREIGN & modules
    ours = {name for name in modules if name.startswith(("crdtqueue.", "printer_driver"))}
    assert all(name == "crdtqueue.core" or name.startswith("crdtqueue.core.") for name in ours)
    assert loaded["hooks"] == [
        "octoprint.access.permissions",
        "octoprint.comm.protocol.action",
        "octoprint.comm.protocol.gcode.sent",
        "octoprint.server.http.bodysize",
    ]


def test_without_octoprint_the_package_is_importable() -> None:
    import octoprint_crdtqueue  # noqa: PLC0415

    assert octoprint_crdtqueue.__plugin_name__ == "crdtqueue"
