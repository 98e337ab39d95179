"""The g-code files on this peer's disk, named by their SHA-256.

files/<sha256>            complete and verified
files/<sha256>.part       being fetched; kept over restarts, so that the fetch can go on
files/upload-*            being uploaded; deleted at the next start
"""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

from anyio import to_thread

from crdtqueue.core.document.model import FileRef
from crdtqueue.core.errors import Invalid, Unavailable
from crdtqueue.core.gcode.slicer_metadata import (
    HEAD_BYTES,
    TAIL_BYTES,
    check_gcode,
    filament_mm_in,
    materials_in,
    profile_in,
)
from crdtqueue.core.ids import Profile, Sha256, is_sha256

FILE_BYTES_MAX = 2 * 1024**3
DISK_RESERVE_BYTES = 200 * 1024**2
"""Left free on the disk: the queue's own records come before another file."""
STORE_BYTES_MAX = 20 * 1024**3

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """A file that was uploaded, with the profile and materials that its slicer names."""

    file: FileRef
    profile: Profile | None
    materials: tuple[str, ...] = ()


class FileStore:
    """Call `open` first. All disk work is done in threads."""

    def __init__(self, folder: Path, *, store_bytes_max: int = STORE_BYTES_MAX) -> None:
        self._folder = folder
        self._store_bytes_max = store_bytes_max

    async def open(self) -> None:
        """Makes the folder, and clears away uploads that never ended."""

        def prepare() -> None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for left in self._folder.glob("upload-*"):
                left.unlink(missing_ok=True)

        await _in_thread(prepare)

    def path(self, sha256: Sha256) -> Path:
        """Where the file is, if it is here."""
        return self._folder / sha256

    async def size_bytes(self, sha256: Sha256) -> int | None:
        """The size of the whole file; None if it is not here."""

        def size() -> int | None:
            path = self.path(sha256)
            return path.stat().st_size if path.is_file() else None

        return await _in_thread(size)

    async def all(self) -> frozenset[Sha256]:
        """Every whole file that is here."""

        def names() -> frozenset[Sha256]:
            return frozenset(Sha256(p.name) for p in self._folder.iterdir() if is_sha256(p.name))

        return await _in_thread(names)

    async def receive(self, name: str, chunks: AsyncIterator[bytes]) -> Upload:
        """Takes in a file, as a person uploads it.

        Raises Invalid if it is no g-code or too large, Unavailable if the disk is full. Nothing is
        left behind then.
        """
        target = self._folder / f"upload-{secrets.token_hex(8)}"
        digest, size_bytes, head, tail = hashlib.sha256(), 0, b"", b""
        try:
            async for chunk in chunks:
                size_bytes += len(chunk)
                self._check_size(name, size_bytes)
                await _in_thread(_append, target, chunk)
                digest.update(chunk)
                head = (head + chunk)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
                tail = (tail + chunk)[-TAIL_BYTES:]
            check_gcode(name, head)
            sha256 = Sha256(digest.hexdigest())
            await _in_thread(_keep, target, self.path(sha256))
        finally:
            await _in_thread(_discard, target)
        return Upload(
            file=FileRef(sha256=sha256, name=name, size_bytes=size_bytes),
            profile=profile_in(tail) or profile_in(head),
            materials=materials_in(tail) or materials_in(head),
        )

    def _check_size(self, name: str, size_bytes: int) -> None:
        if size_bytes > FILE_BYTES_MAX:
            raise Invalid(
                f"{name} is larger than {FILE_BYTES_MAX // 1024**2} MB. Slice it with less detail,"
                " or in parts."
            )

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[Path]:
        """A path for a passing file beside the others; it is removed with the context."""
        path = self._folder / f"upload-{secrets.token_hex(8)}"
        try:
            yield path
        finally:
            await _in_thread(_discard, path)

    async def write_scratch(
        self, path: Path, chunks: AsyncIterator[bytes], *, bytes_max: int
    ) -> None:
        """Fills a `scratch` file. Raises Invalid if it is too large for us, Unavailable if it is
        for the disk."""
        size_bytes = 0
        await _in_thread(path.touch)
        async for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > bytes_max:
                raise Invalid(f"The file is larger than {bytes_max // 1024**2} MB.")
            await _in_thread(_append, path, chunk)

    async def piece(self, sha256: Sha256, offset: int, size_bytes: int) -> bytes | None:
        """Bytes of a file from `offset`, empty at its end; None if the file is not here."""

        def read() -> bytes | None:
            try:
                with self.path(sha256).open("rb") as file:
                    if offset > os.fstat(file.fileno()).st_size:
                        return b""
                    file.seek(offset)
                    return file.read(size_bytes)
            except FileNotFoundError:
                return None

        return await _in_thread(read)

    async def filament_mm(self, sha256: Sha256) -> float:
        """What the slicer says that the print takes; 0 if it does not, or the file is not here."""

        def read() -> float:
            try:
                with self.path(sha256).open("rb") as file:
                    head = file.read(HEAD_BYTES)
                    file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
                    return filament_mm_in(file.read()) or filament_mm_in(head)
            except FileNotFoundError:
                return 0.0

        return await _in_thread(read)

    async def partial_bytes(self, sha256: Sha256) -> int:
        """How much of the file has been fetched already."""

        def size() -> int:
            part = self._part(sha256)
            return part.stat().st_size if part.exists() else 0

        return await _in_thread(size)

    async def append(self, sha256: Sha256, data: bytes) -> None:
        """Adds a fetched piece to the partial file."""
        await _in_thread(_append, self._part(sha256), data)

    async def finish(self, file: FileRef) -> bool:
        """Makes the partial file whole; False, and thrown away, if its hash is not the file's."""

        def verify() -> bool:
            part = self._part(file.sha256)
            try:
                with part.open("rb") as opened:
                    found = hashlib.file_digest(opened, "sha256").hexdigest()
            except FileNotFoundError:
                return False
            if found != file.sha256:
                part.unlink()
                return False
            _keep(part, self.path(file.sha256))
            return True

        return await _in_thread(verify)

    async def verify(self, sha256: Sha256) -> bool:
        """Whether the whole file is here and still has its hash; a damaged one is removed."""

        def check() -> bool:
            path = self.path(sha256)
            try:
                with path.open("rb") as opened:
                    sound = hashlib.file_digest(opened, "sha256").hexdigest() == sha256
            except FileNotFoundError:
                return False
            if not sound:
                path.unlink()
            return sound

        return await _in_thread(check)

    async def evict(self, referenced: Collection[Sha256]) -> list[Sha256]:
        """Removes the oldest files that no job names until the store is within its limit."""

        def sweep() -> list[Sha256]:
            found = [(p.stat(), p) for p in self._folder.iterdir() if is_sha256(p.name)]
            total_bytes = sum(stat.st_size for stat, _ in found)
            removed = []
            for stat, path in sorted(found, key=lambda each: each[0].st_mtime):
                if total_bytes <= self._store_bytes_max:
                    break
                if path.name not in referenced:
                    path.unlink()
                    total_bytes -= stat.st_size
                    removed.append(Sha256(path.name))
            return removed

        return await _in_thread(sweep)

    def _part(self, sha256: Sha256) -> Path:
        return self._folder / f"{sha256}.part"


async def _in_thread(work: Callable[[Unpack[_Ts]], _T], *arguments: *_Ts) -> _T:
    try:
        return await to_thread.run_sync(work, *arguments)
    except OSError as error:
        raise Unavailable(
            f"The disk does not take the file: {error.strerror}. Make room, then try again.",
            code="disk",
        ) from error


def _append(path: Path, data: bytes) -> None:
    if shutil.disk_usage(path.parent).free < DISK_RESERVE_BYTES + len(data):
        raise OSError(errno.ENOSPC, "no space left on device")
    with path.open("ab") as file:
        file.write(data)


def _keep(source: Path, target: Path) -> None:
    """Gives a complete file its final name, durably."""
    with source.open("r+b") as file:
        os.fsync(file.fileno())
    source.replace(target)
    with contextlib.suppress(
        OSError
    ):  # Windows cannot open a folder; its rename is durable enough.
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _discard(path: Path) -> None:
    path.unlink(missing_ok=True)
