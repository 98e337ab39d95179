import subprocess
import sys

import pytest

from tests.harness.peer_processes import (
    PORTS,
    free_port,
)

pytestmark = pytest.mark.e2e

COUNT = PORTS.step


def test_another_run_of_the_tests_has_other_ports() -> None:
    ours = {free_port() for _ in range(COUNT)}
    program = (
        f"from tests.harness.peer_processes import *; print(*(free_port() for _ in range({COUNT})))"
    )
    shown = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert ours.isdisjoint(map(int, shown.split()))
