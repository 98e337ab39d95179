from collections.abc import Iterator
from pathlib import Path

import pytest

from printer_driver.octoprint import octoprint_printer
from tests.harness.octoprint_server import (
    OctoPrintServer,
    need_octoprint,
)

GCODE = Path(__file__).parents[2] / "data" / "gcode"
WAITS = (b"M190", b"M109", b"G80")
"""What the virtual printer takes its time for."""

UPLOADS_BYTES_MAX = 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    """One OctoPrint for all tests of a file; see `octoprint`."""
    need_octoprint()
    server = OctoPrintServer(
        tmp_path_factory.mktemp("octoprint"), uploads_bytes_max=UPLOADS_BYTES_MAX
    )
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def octoprint(server: OctoPrintServer) -> OctoPrintServer:
    """Its printer at rest, whatever the test before has left."""
    if server.printing():
        server.job("cancel")
    if "Offline" in server.state():
        server.connect()
    server.wait_operational()
    return server


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octoprint_printer, "POLL_S", 0.1)


@pytest.fixture(scope="session")
def gcode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real file, cut short: about two seconds in OctoPrint's virtual printer."""
    lines = (GCODE / "pin_mk3s.gcode").read_bytes().splitlines(keepends=True)
    path = tmp_path_factory.mktemp("gcode") / "short.gcode"
    path.write_bytes(b"".join(x for x in lines[:800] if not x.startswith(WAITS)))
    return path
