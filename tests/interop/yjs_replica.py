"""Stock Yjs replicas in a node process, and the npm packages that it needs."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crdtqueue.core.yjs.lib0 import JsonValue
from crdtqueue.core.yjs.update_parser import parse_state_vector

HERE = Path(__file__).parent / "yjs"


class NoYjs(Exception):
    """There is no stock Yjs here; the text says why."""


def install(folder: Path) -> Path:
    """Puts the files of `yjs/`, and what its package.json names, into `folder`. Raises NoYjs."""
    if not (shutil.which("node") and shutil.which("npm")):
        raise NoYjs("node and npm are needed to compare with stock Yjs: install them to run this")
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    if not _is_installed(folder):
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
        npm = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if npm.returncode:
            raise NoYjs(f"npm could not install yjs: {npm.stderr[-300:]}")
    return folder


def _is_installed(folder: Path) -> bool:
    check = ["npm", "ls", "--depth=0"]
    return subprocess.run(check, cwd=folder, capture_output=True, check=False).returncode == 0


class Yjs:
    """The Yjs replicas of one node process, each with a name."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, command: str, **arguments: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def set(self, name: str, root: str, key: str, value: JsonValue) -> None:
        self.ask("edit", name=name, changes=[{"root": root, "key": key, "value": value}])

    def delete(self, name: str, root: str, key: str) -> None:
        self.ask("edit", name=name, changes=[{"root": root, "key": key}])

    def apply(self, name: str, update: bytes) -> None:
        assert self.ask("apply", name=name, update=update.hex()) == {"pending": False}

    def diff(self, name: str, state_vector: bytes) -> bytes:
        return bytes.fromhex(self.ask("diff", name=name, state_vector=state_vector.hex()))

    def take_updates(self, name: str) -> list[bytes]:
        """The updates integrated since the last call."""
        return [bytes.fromhex(update) for update in self.ask("take_updates", name=name)]

    def state_vector(self, name: str) -> bytes:
        return bytes.fromhex(self.ask("state_vector", name=name))

    def content(self, name: str, roots: frozenset[str]) -> dict[str, dict[str, JsonValue]]:
        """Every root, key and value."""
        content: dict[str, dict[str, JsonValue]]
        content = self.ask("content", name=name, roots=sorted(roots))
        return content

    def state(self, name: str, roots: frozenset[str]) -> tuple[str, dict[int, int]]:
        """What must be equal on replicas that know the same."""
        content = json.dumps(self.content(name, roots), sort_keys=True)
        return content, parse_state_vector(self.state_vector(name))


@contextmanager
def running(folder: Path, program: str = "replica.mjs") -> Iterator[Yjs]:
    """A node process from a folder that `install` has filled."""
    pipe = subprocess.PIPE
    command = ["node", str(folder / program)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8") as process:
        yield Yjs(process)
        assert process.stdin
        process.stdin.close()
        assert process.wait() == 0
