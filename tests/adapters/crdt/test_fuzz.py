"""Runs `crdt_fuzz_child.py`; CRDT_FUZZ_COUNT and CRDT_FUZZ_SEED make it longer or different."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CHILD = Path(__file__).parents[2] / "harness" / "crdt_fuzz_child.py"
COUNT = int(os.environ.get("CRDT_FUZZ_COUNT", "2000"))
SEED = os.environ.get("CRDT_FUZZ_SEED", "1")
OUTCOMES = {
    "apply refused",
    "apply gap",
    "apply nothing_new",
    "apply applied",
    "diff refused",
    "diff given",
}


@pytest.mark.timeout(600 + COUNT // 50)
@pytest.mark.parametrize("backend", ["y_py", "pycrdt"])
def test_no_bytes_kill_panic_or_change_what_they_must_not(backend: str) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    command = [sys.executable, str(CHILD), backend, SEED, str(COUNT)]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr[-4000:]
    outcomes = json.loads(child.stdout)
    assert sum(outcomes.values()) == COUNT
    assert set(outcomes) == OUTCOMES, "a kind of attack never got through to its outcome"
