"""The command `bundle`: one zip with what a bug report needs, and without secrets.

It works while the peer runs and when it does not answer: then the state is missing, and the bundle
says so. Files of the queue, keys and tokens are never in it.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import platformdirs

from crdtqueue.cli.api_client import ApiClient
from crdtqueue.cli.output import say
from crdtqueue.core.errors import CrdtQueueError, Invalid
from printer_driver.process.bundle import files_of

Options = argparse.Namespace

LOG_BYTES_MAX: Final = 4 * 2**20
"""The end of each file that goes into the bundle."""
LIBRARIES: Final = (
    "crdtqueue", "y-py", "pycrdt", "websockets", "starlette", "uvicorn", "pydantic", "httpx",
    "pyserial", "zeroconf", "octoprint",
)  # fmt: skip
NAMES: Final = frozenset(
    {"name", "file_name", "note", "by", "text", "why", "why_parts", "address", "host", "problems"}
)
"""Fields of the state in which people write, or which name their computers."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `bundle`."""
    parser.add_argument("file", metavar="OUT.zip", type=Path)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(platformdirs.user_data_dir("crdtqueue", appauthor=False)),
        help="the data folder of the peer (default: %(default)s)",
    )
    parser.add_argument(
        "--no-names",
        action="store_true",
        help="replace the names of jobs, files, people and computers; leave the logs out",
    )


def bundle(options: Options) -> None:
    """`crdtqueue bundle OUT.zip`."""
    out = Path(options.file)
    about = {"versions": _versions(), "platform": platform.platform(), "missing": []}
    try:
        state = ApiClient(options.url).state()
    except CrdtQueueError as error:
        state, about["missing"] = {}, [f"the state: {error.message}"]
    about["store"] = _sizes(options.data)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Invalid(f"{out} is there already. Give another name.") from None
    except OSError as error:
        raise Invalid(f"{out} cannot be written: {error.strerror}. Choose another.") from error
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("about.json", json.dumps(about, indent=2))
        z.writestr("state.json", json.dumps(_nameless(state) if options.no_names else state))
        for path in () if options.no_names else _logs(options.data):
            z.writestr(path.name, _end_of(path))
    names = "no names and no logs" if options.no_names else "names of jobs, files and peers"
    missing = "".join(f" Missing is {each}" for each in about["missing"])
    say(
        options,
        f"Wrote {out}. It has {names}, and no keys.{missing}",
        file=str(out),
        missing=about["missing"],
    )


def _versions() -> dict[str, str]:
    found = {"python": sys.version}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _sizes(folder: Path) -> dict[str, int]:
    """The size in bytes of each file at the top of the data folder, never its content."""
    if not folder.is_dir():
        return {}
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}


def _logs(folder: Path) -> Iterator[Path]:
    """The logs and journals of the printer process; they hold g-code lines and no secrets."""
    yield from files_of(folder / "prints.journal")
    older = folder / "printer.log.1"
    if older.is_file():
        yield older


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES_MAX))
        return file.read()


def _nameless(value: Any) -> Any:
    """The state with the same short hash in the place of each equal text that a person wrote."""
    if isinstance(value, dict):
        return {
            key: _hashed(each) if key in NAMES and each else _nameless(each)
            for key, each in value.items()
        }
    return [_nameless(each) for each in value] if isinstance(value, list) else value


def _hashed(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
