"""Takes secrets, and on request the names of jobs, files, people and
computers, out of what goes into a bug report."""

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Any, Final

HIDDEN: Final = "[hidden]"
HASH_CHARS: Final = 10

_SECRETS: Final = (
    re.compile(r"(?i)(\bbearer\s+)\S+"),
    re.compile(r"(://)[^/\s@]+(?=@)"),
    re.compile(
        r"(?i)((?:api[_-]?key|token|passw(?:or)?d|secret|join[_-]?code|authorization)"
        r"[\"']?\s*[:=]\s*[\"']?)(?!bearer\s)[^\s\"',;&]+"
    ),
    re.compile(r"(?i)(\bM(?:551|587|589)(?!\d)|\[ESP\d+\])[^\n]*"),
)
"""The last one: g-code that sets a password or a Wi-Fi key (RepRapFirmware, ESP3D)."""


def without_secrets(text: str) -> str:
    """`text` with passwords, tokens and keys replaced where they stand in a usual form."""
    for pattern in _SECRETS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


class NameHider:
    """Replaces names by hashes: the same name by the same hash, but only within one bundle.

    The hashes have a random key, so that nobody can find a name by trying likely ones.
    """

    def __init__(self, names: Iterable[str]) -> None:
        key = secrets.token_bytes(16)
        self._hashes: dict[str, str] = {}
        for name in filter(None, names):
            digest = hashlib.blake2b(name.encode("utf-8", "replace"), key=key).hexdigest()
            for form in _forms(name):
                self._hashes.setdefault(form, f"#{digest[:HASH_CHARS]}")
        self._longest_first = sorted(self._hashes, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` with every name in it replaced. A name inside a longer word is left alone."""
        for form in self._longest_first:
            if form in text:
                text = re.sub(_as_word(form), self._hashes[form], text)
        return text


def _forms(name: str) -> set[str]:
    """A name, also without its suffix, as it appears in JSON, in the serial log, in OctoPrint."""
    stem = PurePath(name).stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode("ascii")
    found = {re.sub(r"[^A-Za-z0-9_]+", mark, plain).strip(mark) for mark in "-_"}
    for each in (name, stem):
        found |= {each, json.dumps(each)[1:-1], each.encode("unicode_escape").decode("ascii")}
    return found - {""}


def _as_word(form: str) -> str:
    start = r"(?<![^\W_])" if form[0].isalnum() else ""
    end = r"(?![^\W_])" if form[-1].isalnum() else ""
    return start + re.escape(form) + end


_NAMING: Final = ("job_name", "file_name", "printer_name", "note", "created_by", "by", "address")
"""Fields of the state and the history that name a job, a file, a person or a computer."""
_NAMED: Final = ("copies_total", "created_at_s", "sha256", "profile", "version", "http")
"""Objects with one of these are jobs, files, printers, peers or settings. Queues are none."""


def names_in(content: Any) -> set[str]:
    """The names of jobs, files, people and computers, and the notes, in JSON of the API."""
    found: set[str] = set()
    if isinstance(content, list):
        found = found.union(*map(names_in, content))
    elif isinstance(content, dict):
        named = any(key in content for key in _NAMED)
        keys = (*_NAMING, "name") if named else _NAMING
        found = {content[key] for key in keys if isinstance(content.get(key), str)}
        found = found.union(*map(names_in, content.values()))
        if isinstance(content.get("address"), str):
            found.add(content["address"].rpartition(":")[0])
    return found


def each_text(content: Any, change: Callable[[str], str]) -> Any:
    """JSON with every string in it changed; the keys of objects stay."""
    if isinstance(content, str):
        return change(content)
    if isinstance(content, list):
        return [each_text(each, change) for each in content]
    if isinstance(content, dict):
        return {key: each_text(value, change) for key, value in content.items()}
    return content
