"""The order of the tests."""

import pytest

SLOW = ("e2e", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first: of two that run at a time, none is left alone at the end for long."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in SLOW))
