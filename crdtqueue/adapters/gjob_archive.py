"""`.gjob` archives on disk: read from anybody, written for Continuous Print.

An archive is read twice. The first pass unpacks, measures and hashes everything, and keeps nothing.
Only an archive that is sound to its last byte is then unpacked into the file store. Memory is
bounded whatever the archive claims: no piece is larger than `PIECE_BYTES`, and the table of
contents is not larger than `TABLE_BYTES_MAX`.
"""

import contextlib
import copy
import errno
import hashlib
import io
import os
import shutil
import struct
import zipfile
import zlib
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack

from anyio import CancelScope, from_thread, to_thread

from crdtqueue.adapters.file_store import (
    DISK_RESERVE_BYTES,
    FILE_BYTES_MAX,
    FileStore,
    Upload,
)
from crdtqueue.core.document.model import FileRef
from crdtqueue.core.errors import Invalid, Unavailable
from crdtqueue.core.gcode.slicer_metadata import (
    HEAD_BYTES,
    check_gcode,
)
from crdtqueue.core.gjob.gjob import (
    Gjob,
    StoredMember,
    build_manifest,
    gjob_of,
)
from crdtqueue.core.gjob.gjob_manifest import (
    Manifest,
    parse_manifest,
)
from crdtqueue.core.gjob.gjob_members import (
    MANIFEST_NAME,
    Member,
    check_complete,
    check_members,
    printable_name,
)
from crdtqueue.core.ids import Sha256

PIECE_BYTES = 256 * 1024
TABLE_BYTES_MAX = 1024**2

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_UTF8_NAME_FLAG = 0x800
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000

_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,  # also NotImplementedError, for what zipfile does not know
    ValueError,
    OverflowError,
    LookupError,
)
"""What `zipfile` raises on damaged bytes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Surveyed:
    """The result of the first pass over a sound archive."""

    manifest: Manifest
    contents: dict[str, Sha256]


async def read_gjob(source: Path, files: FileStore) -> Gjob:
    """The job in the archive `source`; its files are in `files` from then on.

    Raises Invalid, with the reason, for whatever is wrong with the archive, and Unavailable for a
    full disk. Nothing of it is in `files` then.
    """
    surveyed = await _in_thread(_survey, source)
    uploads = await _kept(source, surveyed, files)
    stored = {
        path: StoredMember(file=uploads[sha256].file, sliced_for=uploads[sha256].profile)
        for path, sha256 in surveyed.contents.items()
    }
    return gjob_of(surveyed.manifest, stored)


async def write_gjob(target: Path, job: Gjob, files: FileStore) -> None:
    """Exports `job` to `target`, which is replaced.

    Raises Unavailable if a file of the job is not here, is damaged, or the disk is full. `target`
    is as it was then.
    """
    manifest, members = build_manifest(job)
    await _in_thread(_write, target, manifest, members, files.path)


def _survey(source: Path) -> _Surveyed:
    with _opened(source) as archive:
        infos = {_name(info): info for info in archive.infolist()}
        members = [_member(info) for info in archive.infolist()]
        size_bytes = source.stat().st_size
        check_members(members, archive_bytes=size_bytes, file_bytes_max=FILE_BYTES_MAX)
        if MANIFEST_NAME not in infos:
            raise Invalid(f"The file has no {MANIFEST_NAME}: it is a ZIP, but no .gjob.")
        manifest = parse_manifest(b"".join(_pieces(archive, infos[MANIFEST_NAME])))
        check_complete(infos.keys(), manifest.paths)
        contents = {path: _checked(archive, path, infos[path]) for path in sorted(manifest.paths)}
    return _Surveyed(manifest=manifest, contents=contents)


def _checked(archive: zipfile.ZipFile, name: str, info: zipfile.ZipInfo) -> Sha256:
    """The hash of a member that is g-code, whole and as large as the archive says."""
    digest, head = hashlib.sha256(), b""
    for piece in _pieces(archive, info):
        digest.update(piece)
        head = (head + piece)[:HEAD_BYTES] if len(head) < HEAD_BYTES else head
    check_gcode(name, head)
    return Sha256(digest.hexdigest())


async def _kept(source: Path, surveyed: _Surveyed, files: FileStore) -> dict[Sha256, Upload]:
    """Unpacks the files into the store; on any failure those that were not there go again."""
    paths = {sha256: path for path, sha256 in surveyed.contents.items()}
    new = [sha256 for sha256 in paths if await files.size_bytes(sha256) is None]
    try:
        return {sha256: await _receive(source, path, files) for sha256, path in paths.items()}
    except BaseException:
        with CancelScope(shield=True):
            await _in_thread(_remove, [files.path(sha256) for sha256 in new])
        raise


async def _receive(source: Path, path: str, files: FileStore) -> Upload:
    async with contextlib.aclosing(_unpacked(source, path)) as pieces:
        return await files.receive(path, pieces)


async def _unpacked(source: Path, path: str) -> AsyncGenerator[bytes, None]:
    pieces = _member_pieces(source, path)
    try:
        while piece := await _in_thread(next, pieces, b""):
            yield piece
    finally:
        with CancelScope(shield=True):
            await _in_thread(pieces.close)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _member_pieces(source: Path, path: str) -> Generator[bytes, None, None]:
    with _opened(source) as archive:
        info = next((each for each in archive.infolist() if _name(each) == path), None)
        if info is None:
            raise Invalid("The .gjob was changed while it was read. Import it again.")
        yield from _pieces(archive, info)


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, open. What is wrong with its bytes comes out of the `with` as Invalid."""
    try:
        with _Source(source) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except UnicodeDecodeError:
        raise Invalid(
            "A name in the .gjob is not UTF-8. Pack it with a program that writes UTF-8 names."
        ) from None
    except _FAULTS as error:
        reason = str(error)[:100] or "it ends too early"
        raise Invalid(
            f"The file is no sound .gjob, or only a part of one ({reason}). Copy or export it"
            " again."
        ) from error


class _Source(io.FileIO):
    """The bytes of the archive, bounded for `zipfile`, which believes every size and offset in
    them."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or not 0 <= size <= TABLE_BYTES_MAX:
            size = TABLE_BYTES_MAX + 1
        data = super().read(size)
        if len(data) > TABLE_BYTES_MAX:
            raise zipfile.BadZipFile("its table of contents is too large")
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_SET and not 0 <= offset <= 2**62:
            raise zipfile.BadZipFile("it points outside itself")
        return super().seek(offset, whence)


def _name(info: zipfile.ZipInfo) -> str:
    """The name as it was packed. Many programs write UTF-8 without saying so."""
    name = info.orig_filename
    is_declared = name.isascii() or info.flag_bits & _UTF8_NAME_FLAG
    return name if is_declared else name.encode("cp437").decode("utf-8")


def _member(info: zipfile.ZipInfo) -> Member:
    return Member(
        name=_name(info),
        size_bytes=info.file_size,
        packed_bytes=info.compress_size,
        mode=info.external_attr >> 16,
        method=info.compress_type,
        encrypted=bool(info.flag_bits & _ENCRYPTED_FLAGS),
    )


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes of a member, as many as the archive says it has."""
    asked, size_bytes = copy.copy(info), 0
    asked.file_size += 1  # or `zipfile` would cut off what is too much, and say nothing
    with archive.open(asked) as stream:
        while piece := stream.read(PIECE_BYTES):
            from_thread.check_cancelled()
            size_bytes += len(piece)
            if size_bytes > info.file_size:
                break
            yield piece
    if size_bytes != info.file_size:
        raise Invalid(
            f"{printable_name(_name(info))} in the .gjob is not as large as the archive says. It"
            " is damaged or a trick: export it again."
        )


def _write(
    target: Path,
    manifest: bytes,
    members: Mapping[str, FileRef],
    path_of: Callable[[Sha256], Path],
) -> None:
    part = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in members.items():
                _pack(archive, name, file, path_of(file.sha256), target.parent)
            archive.writestr(_info(MANIFEST_NAME, len(manifest)), manifest)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _pack(archive: zipfile.ZipFile, name: str, file: FileRef, path: Path, folder: Path) -> None:
    digest = hashlib.sha256()
    with _stored(path, file) as opened:
        info = _info(name, os.fstat(opened.fileno()).st_size)
        with archive.open(info, "w") as member:
            while piece := opened.read(PIECE_BYTES):
                from_thread.check_cancelled()
                _check_room(folder)
                digest.update(piece)
                member.write(piece)
    if digest.hexdigest() != file.sha256:
        raise Unavailable(
            f"{printable_name(file.name)} is damaged on this disk. Add the file again, then export."
        )


def _stored(path: Path, file: FileRef) -> io.BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise Unavailable(
            f"{printable_name(file.name)} is not on this machine yet. Export when it has been"
            " fetched, or from a peer that has it."
        ) from None


def _info(name: str, size_bytes: int) -> zipfile.ZipInfo:
    """The same job is the same archive, whenever it is exported."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    info.file_size = size_bytes  # from it `zipfile` sees whether it needs ZIP64
    return info


def _check_room(folder: Path) -> None:
    if shutil.disk_usage(folder).free < DISK_RESERVE_BYTES:
        raise OSError(errno.ENOSPC, "no space left on device")


async def _in_thread(work: Callable[[Unpack[_Ts]], _T], *arguments: *_Ts) -> _T:
    try:
        return await to_thread.run_sync(work, *arguments)
    except OSError as error:
        raise Unavailable(
            f"The disk fails: {error.strerror or error}. Make room or mend it, then try again.",
            code="disk",
        ) from error
