"""Which storms `make quick` runs: the first few seeds of each. `make test` runs all, and the
storms over protocols with something broken on purpose."""

from pathlib import Path

import pytest

QUICK_PARTS = 0
"""Parts of the storms of claims and documents; each takes up to half a minute."""
QUICK_SEEDS = 6


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """pytest calls this with the items of all folders."""
    here = Path(__file__).parent
    for item in items:
        if here not in item.path.parents:
            continue
        call = getattr(item, "callspec", None)
        parameters = call.params if call else {}
        part, seed = parameters.get("part", -1), parameters.get("seed", -1)
        is_mutant = "name" in parameters or "mutant" in parameters
        if part >= QUICK_PARTS or seed >= QUICK_SEEDS or is_mutant:
            item.add_marker(pytest.mark.long)
