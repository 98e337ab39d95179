"""`crdtqueue bundle OUT.zip`: one file with what a bug report needs."""

import argparse
import asyncio
import contextlib
import io
import ipaddress
import json
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

import platformdirs

from crdtqueue.adapters import store_facts
from crdtqueue.adapters.printer_process import socket_path
from crdtqueue.api.diagnosis import versions
from crdtqueue.cli.api_client import ApiClient
from crdtqueue.cli.output import say
from crdtqueue.cli.redaction import NameHider, each_text, names_in, without_secrets
from crdtqueue.core.errors import CrdtQueueError, Invalid, NotFound
from crdtqueue.peer.peer import STORE_NAME
from printer_driver.process import bundle as printer_bundle

FILE_BYTES_MAX: Final = 4 * 1024 * 1024
"""The last so many bytes of a log are taken."""
ALL_FILES_BYTES_MAX: Final = 16 * 1024 * 1024
"""Of all logs together, before they are compressed."""
LOGS: Final = ("*.log", "*.log.[0-9]")
JOURNALS: Final = ("prints.journal", "octoprint.journal")
_BINARY: Final = getattr(os, "O_BINARY", 0)
"""Only Windows has it."""

Options = argparse.Namespace


@dataclass(kw_only=True, slots=True)
class _Report:
    """What was collected. `missing` says in sentences what was not, and why."""

    facts: dict[str, Any] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    hide: Callable[[str], str] = without_secrets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `bundle`."""
    parser.add_argument("file", metavar="OUT.zip")
    parser.add_argument(
        "--no-names",
        action="store_true",
        help="put hashes in the place of notes and names of jobs, files, people and computers",
    )
    parser.add_argument(
        "--data",
        type=Path,
        help="the data folder of the peer (default: what the peer says, or else that of 'serve')",
    )


def bundle(options: Options) -> None:
    """`crdtqueue bundle OUT.zip [--no-names] [--data FOLDER]`."""
    target = Path(options.file)
    with _new_file(target) as file:
        report = _collect(options)
        _write(file, report, names_hidden=options.no_names)
    names = (
        "Names of jobs, files, people and computers are hidden in it."
        if options.no_names
        else "It has the names of jobs, files and peers; --no-names hides them."
    )
    text = " ".join([f"Wrote {target}.", names, *report.missing])
    say(
        options,
        text,
        file=str(target),
        bytes=target.stat().st_size,
        names_hidden=options.no_names,
        missing=report.missing,
    )


@contextlib.contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read; removed again if the body fails."""
    try:
        handle = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    except FileExistsError:
        raise Invalid(f"{target} is there already. Give another name.") from None
    except OSError as error:
        raise _cannot_write(target, error) from error
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _cannot_write(target, error) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _cannot_write(target: Path, error: OSError) -> Invalid:
    return Invalid(f"{target} cannot be written: {error.strerror}. Choose another.")


def _collect(options: Options) -> _Report:
    report, client = _Report(), ApiClient(options.url)
    answers = _ask_peer(client, report)
    folder = _folder_of(options, report, answers=answers)
    if folder is None or not folder.is_dir():
        if not answers:
            raise NotFound(
                f"No peer answers at {options.url}, and there is no data folder {folder}. Start"
                " the peer, or give its folder with --data."
            )
        report.missing.append("The logs are missing: give the peer's data folder with --data.")
        folder = None
    names_known = not options.no_names or (answers and _hide_names(client, report))
    if folder is None:
        return report
    if "store" not in report.facts:
        report.facts["store"] = _store_facts(folder, report)
    if names_known:
        _add_files(report, folder)
    else:
        report.missing.append(
            "The logs are missing: only a running peer knows which names to hide in them."
        )
    return report


def _ask_peer(client: ApiClient, report: _Report) -> bool:
    """Adds what the peer tells; returns whether it answers."""
    try:
        report.facts["state"] = client.state()
    except Invalid:
        raise  # --url is wrong.
    except CrdtQueueError as error:
        report.missing.append(f"State and settings are missing: {error.message}")
        return False
    try:
        told = client.get("/api/diagnosis", {})
        report.facts |= {key: told[key] for key in ("versions", "settings", "store")}
    except (CrdtQueueError, LookupError, TypeError):
        report.missing.append("Settings are missing: the peer runs another version of crdtqueue.")
    return True


def _folder_of(options: Options, report: _Report, *, answers: bool) -> Path | None:
    """The data folder on this computer; None if the peer that answers runs on another one."""
    if options.data is not None:
        return Path(options.data)
    if not answers:
        return Path(platformdirs.user_data_dir("crdtqueue", appauthor=False))
    settings = report.facts.get("settings")
    if not _is_this_computer(options.url) or not isinstance(settings, dict):
        return None
    return Path(str(settings.get("folder")))


def _is_this_computer(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _hide_names(client: ApiClient, report: _Report) -> bool:
    """Hides the names in the state and in the history; returns whether all of them are known."""
    names, history = (
        names_in([report.facts.get(key) for key in ("state", "settings")]),
        io.BytesIO(),
    )
    try:
        client.download("/api/history.json", history)
        names |= names_in(json.loads(history.getvalue()))
    except (CrdtQueueError, ValueError):
        is_known = False
    else:
        is_known = True
    hider = NameHider(names)
    report.hide = lambda text: hider(without_secrets(text))
    return is_known


def _store_facts(folder: Path, report: _Report) -> dict[str, Any]:
    store = folder / STORE_NAME
    try:
        return store_facts.sizes(store) | store_facts.check(store)
    except OSError as error:
        report.missing.append(f"Facts about the store are missing: {error.strerror}.")
        return {}


def _add_files(report: _Report, folder: Path) -> None:
    """The printer's journals and logs with its status, and every other log of the folder."""
    socket = socket_path(folder)
    if socket.exists():
        report.facts["printer"] = asyncio.run(printer_bundle.ask(socket))
    files = [each for name in JOURNALS for each in printer_bundle.files_of(folder / name)]
    files += [each for pattern in LOGS for each in sorted(folder.glob(pattern))]
    left_bytes = ALL_FILES_BYTES_MAX
    for path in dict.fromkeys(files):
        try:
            content = tail(path, min(FILE_BYTES_MAX, left_bytes))
        except OSError as error:
            report.missing.append(f"{path.name} is missing: {error.strerror}.")
        else:
            report.logs[path.name] = content
            left_bytes -= len(content)
    if not report.logs:
        report.missing.append(f"There are no logs in {folder}.")


def tail(path: Path, bytes_max: int) -> bytes:
    """The end of a file, from the start of a line if there is one. Raises OSError.

    Only a plain file is read: a link could lead to a file that is none of ours.
    """
    if not stat.S_ISREG(path.lstat().st_mode):
        raise OSError(0, "it is no plain file")
    with path.open("rb") as file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - bytes_max))
        content = file.read(bytes_max)
    if size_bytes <= bytes_max:
        return content
    _, _, lines = content.partition(b"\n")
    return lines or content


def _write(file: BinaryIO, report: _Report, *, names_hidden: bool) -> None:
    about = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "made_with": versions(),
        "names_hidden": names_hidden,
        "missing": report.missing,
    }
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"about": about, **report.facts}.items():
            hidden = each_text(content, report.hide)
            archive.writestr(f"{name}.json", json.dumps(hidden, indent=2))
        for name, data in report.logs.items():
            text = data.decode("utf-8", "surrogateescape")
            archive.writestr(f"logs/{name}", report.hide(text).encode("utf-8", "surrogateescape"))
