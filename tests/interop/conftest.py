"""Gives the interop tests npm packages, installed once into pytest's cache."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def yjs_folder(pytestconfig: pytest.Config) -> Path:
    """Return a folder that has the files of `yjs/` and what its package.json names."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are needed to compare with stock Yjs: install them to run this")
    folder = pytestconfig.cache.mkdir("interop_yjs")
    for file in (HERE / "yjs").iterdir():
        shutil.copy(file, folder)
    if not is_installed(folder):
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        npm = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if npm.returncode:
            pytest.skip(f"npm could not install yjs: {npm.stderr[-300:]}")
    return folder


def is_installed(folder: Path) -> bool:
    check = ["npm", "ls", "--depth=0"]
    return subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 0
