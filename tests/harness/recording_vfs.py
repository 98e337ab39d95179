"""Records every write that SQLite makes, and shows the files as a crash would leave them.

SQLite reaches the disk through a table of functions, its VFS. Here the default one is copied, and
what changes files is written down before it is passed on. Source: https://www.sqlite.org/vfs.html
"""

import ctypes
import ctypes.util
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

SECTOR_BYTES = 512


class Kind(Enum):
    WRITE = auto()
    TRUNCATE = auto()
    SYNC = auto()
    DELETE = auto()
    PROMISE = auto()
    """Not SQLite's: somebody was told that all before is durable; `offset` counts them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    kind: Kind
    file: str = ""
    offset: int = 0
    data: bytes = b""


@dataclass
class Disk:
    """Files as they are after some steps; `unsynced` may or may not outlive a power cut."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    unsynced: dict[str, list[Step]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        if step.kind is Kind.SYNC:
            for each in self.unsynced.pop(step.file, []):
                self._apply(self.durable, each)
        elif step.kind is not Kind.PROMISE:
            self.unsynced.setdefault(step.file, []).append(step)

    def after_kill(self) -> dict[str, bytearray]:
        """The files when only the process died."""
        files = self._copy()
        for steps in self.unsynced.values():
            for step in steps:
                self._apply(files, step)
        return files

    def after_power_cut(self, chance: random.Random) -> dict[str, bytearray]:
        """The files when the disk had written any part of what was not synced, in any order."""
        files = self._copy()
        for steps in self.unsynced.values():
            for step in steps:
                for part in _sectors(step):
                    if chance.random() < 0.5:
                        self._apply(files, part)
        return files

    def _copy(self) -> dict[str, bytearray]:
        return {name: bytearray(content) for name, content in self.durable.items()}

    @staticmethod
    def _apply(files: dict[str, bytearray], step: Step) -> None:
        if step.kind is Kind.DELETE:
            files.pop(step.file, None)
            return
        content = files.setdefault(step.file, bytearray())
        if step.kind is Kind.TRUNCATE:
            del content[step.offset :]
        content.extend(bytes(max(0, step.offset - len(content))))
        content[step.offset : step.offset + len(step.data)] = step.data


def _sectors(step: Step) -> Iterator[Step]:
    """A write as the sectors that a disk writes whole or not at all."""
    if step.kind is not Kind.WRITE:
        yield step
        return
    start, end = step.offset, step.offset + len(step.data)
    while start < end:
        stop = min(end, (start // SECTOR_BYTES + 1) * SECTOR_BYTES)
        data = step.data[start - step.offset : stop - step.offset]
        yield Step(kind=Kind.WRITE, file=step.file, offset=start, data=data)
        start = stop


def write_files(files: dict[str, bytearray], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _pointers(names: str) -> Iterator[tuple[str, type[ctypes.c_void_p]]]:
    return ((name, ctypes.c_void_p) for name in names.split())


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        *_pointers(
            "close read write truncate sync size lock unlock reserved control sector device"
        ),
        *_pointers("shm_map shm_lock shm_barrier shm_unmap fetch unfetch"),
    )


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("file_bytes", ctypes.c_int),
        ("path_max", ctypes.c_int),
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        *_pointers("data open delete access full_path dl_open dl_error dl_sym dl_close randomness"),
        *_pointers("sleep time last_error time_64 set_call get_call next_call"),
    )


_INT, _PTR, _I64 = ctypes.c_int, ctypes.c_void_p, ctypes.c_int64
_OPEN = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _PTR, _INT, _PTR)
_DELETE = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _INT)
_WRITE = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, _INT, _I64)
_TRUNCATE = ctypes.CFUNCTYPE(_INT, _PTR, _I64)
_SYNC = ctypes.CFUNCTYPE(_INT, _PTR, _INT)


@contextmanager
def recorded() -> Iterator[list[Step]]:
    """Yields the list into which everything goes that SQLite does to files from now on.

    Raises OSError where Python has an SQLite of its own, which cannot be reached.
    """
    name = ctypes.util.find_library("sqlite3")
    if name is None:
        raise OSError("SQLite is no shared library here")
    sqlite = ctypes.CDLL(name)
    sqlite.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
    recorder = _Recorder(sqlite.sqlite3_vfs_find(None).contents)
    sqlite.sqlite3_vfs_register(ctypes.byref(recorder.vfs), 1)
    try:
        yield recorder.steps
    finally:
        sqlite.sqlite3_vfs_unregister(ctypes.byref(recorder.vfs))
        sqlite.sqlite3_vfs_register(ctypes.byref(recorder.real), 1)


class _Recorder:
    def __init__(self, real: _Vfs) -> None:
        self.real = real
        self.steps: list[Step] = []
        self.vfs = _Vfs.from_buffer_copy(real)
        self.vfs.name = b"recording"
        self._names: dict[int, str] = {}
        self._methods: dict[int, tuple[_Methods, Sequence[Any]]] = {}
        self._keep = (self._opened(), self._deleted())
        self.vfs.open = ctypes.cast(self._keep[0], _PTR)
        self.vfs.delete = ctypes.cast(self._keep[1], _PTR)

    def _opened(self) -> Any:
        real = _OPEN(self.real.open)

        def opened(vfs: int, name: int | None, file: int, flags: int, out: int) -> int:
            result: int = real(vfs, name, file, flags, out)
            methods = _PTR.from_address(file)
            if name and result == 0 and methods.value:
                self._names[file] = Path(ctypes.string_at(name).decode()).name
                methods.value = ctypes.addressof(self._recording(methods.value))
            return result

        return _OPEN(opened)

    def _deleted(self) -> Any:
        real = _DELETE(self.real.delete)

        def deleted(vfs: int, name: int, sync: int) -> int:
            file = Path(ctypes.string_at(name).decode()).name
            self.steps.append(Step(kind=Kind.DELETE, file=file))
            if sync:
                self.steps.append(Step(kind=Kind.SYNC, file=file))
            return int(real(vfs, name, sync))

        return _DELETE(deleted)

    def _recording(self, address: int) -> _Methods:
        """SQLite's methods at `address`, with ours in front of those that change a file."""
        if address not in self._methods:
            real = _Methods.from_address(address)
            ours = _Methods.from_buffer_copy(real)
            before = (
                self._before(_WRITE, real.write, self._wrote),
                self._before(_TRUNCATE, real.truncate, self._truncated),
                self._before(_SYNC, real.sync, self._synced),
            )
            ours.write, ours.truncate, ours.sync = (ctypes.cast(each, _PTR) for each in before)
            self._methods[address] = ours, before
        return self._methods[address][0]

    @staticmethod
    def _before(kind: Any, address: int, note: Callable[..., None]) -> Any:
        real = kind(address)

        def noted(file: int, *values: int) -> int:
            note(file, *values)
            return int(real(file, *values))

        return kind(noted)

    def _wrote(self, file: int, data: int, length: int, offset: int) -> None:
        self._note(Kind.WRITE, file, offset, ctypes.string_at(data, length))

    def _truncated(self, file: int, size: int) -> None:
        self._note(Kind.TRUNCATE, file, size)

    def _synced(self, file: int, _: int) -> None:
        self._note(Kind.SYNC, file)

    def _note(self, kind: Kind, file: int, offset: int = 0, data: bytes = b"") -> None:
        self.steps.append(Step(kind=kind, file=self._names[file], offset=offset, data=data))
