"""The order of the tests, and no limits that a busy machine exceeds."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

SLOW = ("e2e", "browser")

# No deadline: how long one example takes says how busy the machine is.
settings.register_profile("all", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=25)
settings.load_profile("quick" if "CRDTQUEUE_QUICK" in os.environ else "all")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first: of two that run at a time, none is left alone at the end for long."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in SLOW))
