"""Each print has a copy of its file in OctoPrint, made from one upload of each content.

    crdtqueue/<SHA-256>.gcode        a content, uploaded once, never printed itself
    crdtqueue/<part>-<mark>.gcode    the copy that one print prints, deleted after it

OctoPrint shows a file by its name, so the name of the copy begins with that of the part. The mark
(20 hex digits) is made from the print id and the name. So no other file, such as a copy that a
person makes, is ever taken for the file of this print.
"""

import asyncio
import hashlib
import logging
import re
import unicodedata
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from printer_driver.core.octoprint.rest_answers import OctoPrintFile
from printer_driver.errors import PrinterError, PrinterUnavailable, PrintRefused
from printer_driver.octoprint.rest_api import OctoPrintApi
from printer_driver.prints.file_check import check_file

FOLDER = "crdtqueue"
UPLOADS_MAX = 10
"""Contents that are kept in OctoPrint; the oldest go first."""
CHUNK_BYTES = 256 * 1024
_UPLOAD = re.compile(FOLDER + r"/[0-9a-f]{64}\.gcode")
_COPY = re.compile(FOLDER + r"/([A-Za-z0-9_-]{1,40})-([0-9a-f]{12})([0-9a-f]{8})\.gcode")
NAME_CHARS_MAX = 40
_GCODE_SUFFIXES = (".gcode", ".gco", ".g")
_BOUNDARY = "crdtqueue-7MA4YWxkTrZu0gW"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A checked g-code file, open."""

    file: BinaryIO
    size_bytes: int
    gcode_bytes: int
    """The offset behind the last command."""
    sha1: str
    upload_path: str

    def is_in(self, stored: OctoPrintFile) -> bool:
        """Whether OctoPrint has stored this content; it keeps the SHA-1 of files."""
        return stored.size_bytes == self.size_bytes and stored.sha1 == self.sha1


def open_content(path: Path, sha256: str) -> Content:
    """Opens and checks a file; close its `file`. Raises `PrintRefused`."""
    try:
        if not path.is_file():
            raise PrintRefused(f"{path} is not a file; add it again.", code="wrong_file")
        file = path.open("rb")
    except OSError as error:
        raise PrintRefused(
            f"The file {path} cannot be read ({error.strerror}); add it again.", code="wrong_file"
        ) from error
    try:
        return _checked(file, sha256.lower())
    except BaseException:
        file.close()
        raise


def _checked(file: BinaryIO, sha256: str) -> Content:
    checked = check_file(file, sha256)
    if checked.problem is not None:
        raise checked.problem
    sha1 = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()  # type: ignore[arg-type]
    return Content(
        file=file,
        size_bytes=checked.bytes_total,
        gcode_bytes=checked.gcode_bytes,
        sha1=sha1,
        upload_path=f"{FOLDER}/{sha256}.gcode",
    )


def copy_path(print_id: str, name: str = "") -> str:
    """The path of a print's own copy; `name` is the part's, with any characters."""
    part = _part(name)
    return f"{FOLDER}/{part}-{_id_mark(print_id)}{_name_mark(print_id, part)}.gcode"


def is_copy_of(path: str | None, print_id: str) -> bool:
    """Whether this path is one that `copy_path` makes for the print, under whatever name."""
    found = _COPY.fullmatch(path or "")
    if found is None:
        return False
    part, id_mark, name_mark = found.groups()
    return id_mark == _id_mark(print_id) and name_mark == _name_mark(print_id, part)


def _part(name: str) -> str:
    """The characters that every file system and every setting of OctoPrint leave unchanged."""
    stem = next((name[: -len(x)] for x in _GCODE_SUFFIXES if name.lower().endswith(x)), name)
    plain = unicodedata.normalize("NFKD", stem[:1000]).encode("ascii", "ignore").decode("ascii")
    words = re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:NAME_CHARS_MAX].strip("-")
    return words or "print"


def _id_mark(print_id: str) -> str:
    return hashlib.sha256(print_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _name_mark(print_id: str, part: str) -> str:
    text = f"{part}/{print_id}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


async def find_copy(api: OctoPrintApi, print_id: str) -> OctoPrintFile | None:
    """A print's own copy, under whatever name; if there are two, the one that was printed."""
    found = [x for x in await api.folder(FOLDER) if is_copy_of(x.path, print_id)]
    return max(found, key=lambda file: file.is_printed, default=None)


async def provide(api: OctoPrintApi, content: Content, path: str) -> None:
    """Makes the print's own copy, which has never been printed. Raises `PrintRefused`."""
    if await _is_fresh(api, content, path):
        return
    if not await api.delete(path):
        raise PrintRefused("OctoPrint is at this print's file; wait until it is over.", code="busy")
    upload = await api.file(content.upload_path)
    if upload is None or not content.is_in(upload):
        await _upload(api, content, content.upload_path)
        upload = await api.file(content.upload_path)
    if upload is not None and upload.is_printed:
        # A copy would take over the results of the prints that a person made of the upload.
        await _upload(api, content, path)
    else:
        await api.copy(content.upload_path, path)
    if not await _is_fresh(api, content, path):
        raise PrinterUnavailable(
            "OctoPrint has not stored the file as it was sent. Check that its disk is not full."
        )


async def _is_fresh(api: OctoPrintApi, content: Content, path: str) -> bool:
    stored = await api.file(path)
    return stored is not None and content.is_in(stored) and not stored.is_printed


async def tidy(api: OctoPrintApi, over: Collection[str], keep: Collection[str]) -> None:
    """Deletes the copies of prints that are over, and uploads beyond UPLOADS_MAX, but `keep`."""
    over_by_mark = {_id_mark(print_id): print_id for print_id in over}
    try:
        stored = await api.folder(FOLDER)
    except PrinterUnavailable as error:
        _log.warning("nothing is tidied up in OctoPrint: %s", error)
        return
    uploads = [x for x in stored if _UPLOAD.fullmatch(x.path)]
    uploads.sort(key=lambda file: file.uploaded_unix_s, reverse=True)
    superfluous = [x.path for x in uploads[UPLOADS_MAX - 1 :]]
    copies = [x.path for x in stored if _is_copy_of_any(x.path, over_by_mark)]
    for path in copies + superfluous:
        if path in keep:
            continue
        try:
            await api.delete(path)
        except PrinterError as error:
            _log.warning("%s stays in OctoPrint: %s", path, error)


def _is_copy_of_any(path: str, over_by_mark: Mapping[str, str]) -> bool:
    found = _COPY.fullmatch(path)
    print_id = over_by_mark.get(found[2]) if found else None
    return print_id is not None and is_copy_of(path, print_id)


async def _upload(api: OctoPrintApi, content: Content, path: str) -> None:
    folder, name = path.split("/")
    head = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="path"\r\n\r\n{folder}\r\n'
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode("ascii")
    tail = f"\r\n--{_BOUNDARY}--\r\n".encode("ascii")
    size_bytes = len(head) + content.size_bytes + len(tail)
    body = _form(head, content, tail)
    await api.upload(body, size_bytes, f"multipart/form-data; boundary={_BOUNDARY}")


async def _form(head: bytes, content: Content, tail: bytes) -> AsyncIterator[bytes]:
    """The form with the file in it, exactly as long as the file was when it was checked."""
    yield head
    for offset in range(0, content.size_bytes, CHUNK_BYTES):
        length = min(CHUNK_BYTES, content.size_bytes - offset)
        yield await asyncio.to_thread(_chunk, content.file, offset, length)
    yield tail


def _chunk(file: BinaryIO, offset: int, length: int) -> bytes:
    try:
        file.seek(offset)
        chunk = file.read(length)
    except OSError as error:
        raise PrintRefused(
            f"The file cannot be read any more ({error}); add it again.", code="wrong_file"
        ) from error
    if len(chunk) < length:
        raise PrintRefused("The file has become shorter; add it again.", code="wrong_file")
    return chunk
