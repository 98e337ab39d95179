"""Gives the interop tests npm packages, installed once into pytest's cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.yjs_replica import NoYjs, install


@pytest.fixture(scope="session")
def yjs_folder(pytestconfig: pytest.Config) -> Path:
    """A folder that has the files of `yjs/` and what its package.json names."""
    try:
        return install(pytestconfig.cache.mkdir("interop_yjs"))
    except NoYjs as missing:
        pytest.skip(str(missing))
