"""`pytest tests/printer_driver --port /dev/ttyUSB0 --i-am-watching`: the suite on a real printer.

Then only the tests that take the `printer_port` fixture run. They neither move nor heat anything.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.virtual_printers import Board


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("a real printer")
    group.addoption("--port", help="a serial port with a printer that does nothing else")
    group.addoption(
        "--i-am-watching",
        action="store_true",
        help="somebody stands beside that printer and can switch it off",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not real_port(config):
        return
    if not config.getoption("--i-am-watching"):
        pytest.exit("Tests on a real printer need --i-am-watching.", returncode=4)
    ours = [x for x in items if "printer_port" in getattr(x, "fixturenames", ())]
    config.hook.pytest_deselected(items=[x for x in items if x not in ours])
    items[:] = ours


def real_port(config: pytest.Config) -> str | None:
    """None also where this file was read too late for its options to be parsed."""
    name: str | None = config.getoption("--port", default=None)
    return name


@pytest.fixture
def printer_port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The real port that was given, else that of a virtual printer in its own process."""
    if name := real_port(request.config):
        yield name
        return
    board = Board(tmp_path, "resets_on_dtr", "baud=250000", "boot_s=1", speed_up=1)
    yield str(board.port)
    board.close()
