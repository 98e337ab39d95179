"""Network namespaces, one for each peer, on one bridge: a network whose cables can be cut.

Needs root and `ip` (Debian: iproute2). What a namespace cannot reach is a route into nowhere, so a
cable can be cut one way, and this process still reaches every peer's page.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_NETWORK = "10.213.77"
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def why_no_namespaces() -> str:
    """Why they cannot be made here; empty if they can."""
    if not shutil.which("ip"):
        return "there is no ip command (iproute2)"
    name = f"cq{os.getpid() % 10_000}"
    problem = _try("netns", "add", name) or _try("link", "add", name, "type", "bridge")
    _try("link", "del", name)
    _try("netns", "del", name)
    return f"namespaces on a bridge cannot be made: {problem}" if problem else ""


def _try(*words: str) -> str:
    """What `ip` complains about; empty if nothing."""
    return subprocess.run(
        ["ip", *words], check=False, capture_output=True, text=True
    ).stderr.strip()


def _ip(*words: str) -> None:
    problem = _try(*words)
    if problem:
        raise RuntimeError(f"ip {' '.join(words)}: {problem}")


class Lan:
    """A bridge with so many namespaces. Use `open` as a context."""

    def __init__(self, count: int) -> None:
        self._tag = f"cq{os.getpid() % 10_000}"
        self._names = [f"{self._tag}-{number}" for number in range(count)]

    def host(self, number: int) -> str:
        """The address of a namespace."""
        return f"{_NETWORK}.{number + 1}"

    @contextmanager
    def open(self) -> Iterator["Lan"]:
        """Makes the network, and takes it down."""
        try:
            _ip("link", "add", self._tag, "type", "bridge")
            _ip("addr", "add", f"{_NETWORK}.254/24", "dev", self._tag)
            _ip("link", "set", self._tag, "up")
            for number, name in enumerate(self._names):
                self._add(number, name)
            yield self
        finally:
            for name in self._names:
                # A namespace lives on while a process is still ending in it, the cable need not.
                _try("link", "del", f"{name}o")
                _try("netns", "del", name)
            _try("link", "del", self._tag)

    def _add(self, number: int, name: str) -> None:
        outside, inside = f"{name}o", f"{name}i"
        _ip("netns", "add", name)
        _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        _ip("link", "set", outside, "master", self._tag)
        _ip("link", "set", outside, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"{self.host(number)}/24", "dev", inside),
            ("link", "set", inside, "up"),
        ):
            _ip("-n", name, *words)

    @contextmanager
    def inside(self, number: int) -> Iterator[None]:
        """This thread, and what it starts, is in a namespace."""
        ours = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        theirs = os.open(Path("/run/netns") / self._names[number], os.O_RDONLY)
        try:
            _enter(theirs)
            yield
        finally:
            _enter(ours)
            os.close(ours)
            os.close(theirs)

    def cut(self, source: int, target: int) -> None:
        """Nothing gets from one to the other; the other way round still does."""
        _ip("-n", self._names[source], "route", "add", "blackhole", f"{self.host(target)}/32")

    def mend(self, source: int, target: int) -> None:
        """It gets there again."""
        _ip("-n", self._names[source], "route", "del", "blackhole", f"{self.host(target)}/32")

    @contextmanager
    def parted(self, side: Iterable[int]) -> Iterator[None]:
        """These see each other, and those see each other, but not these those."""
        these = set(side)
        numbers = range(len(self._names))
        cross = [(a, b) for a in numbers for b in numbers if (a in these) != (b in these)]
        for a, b in cross:
            self.cut(a, b)
        try:
            yield
        finally:
            for a, b in cross:
                self.mend(a, b)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
