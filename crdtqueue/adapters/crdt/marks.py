"""Marks of documents that have passed the check, so that a start need not check them again.

The check in `core/yjs/update_parser.py` takes longer than a library needs to load what it has
checked. A mark is a keyed hash of the bytes of a document, and the key is the source code of the
check. So a mark fits neither bytes that a failing disk has changed, nor bytes that another version
of the check has passed. A document whose mark does not fit is checked again, like one that another
machine has sent.

Marks protect against accidents only. Whoever can write to the store can also write marks into it,
but that person owns this machine and needs no malformed update to do harm.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from crdtqueue.core.errors import Hostile
from crdtqueue.core.yjs import (
    lib0,
    update_parser,
)

_MARK_BYTES: Final = 32


def checked_mark(whole: bytes, roots: frozenset[str]) -> str:
    """Check a document, as one update, and return its mark; empty if there can be none.

    Raises `Hostile` if it does not pass, or if it builds upon something that is not in it. Takes
    as long as the check, and reads a file: not for an event loop.
    """
    if update_parser.has_gap(update_parser.parse_update(whole, roots), {}):
        raise Hostile("a document builds upon something that is not in it")
    return _mark(whole, roots)


def fits(mark: str, update: bytes, roots: frozenset[str]) -> bool:
    """Tell whether `update`, byte for byte, is what `checked_mark` returned `mark` for."""
    return bool(mark) and mark == _mark(update, roots)


def _mark(update: bytes, roots: frozenset[str]) -> str:
    key = _rules(roots)
    return hashlib.blake2b(update, digest_size=_MARK_BYTES, key=key).hexdigest() if key else ""


@cache
def _rules(roots: frozenset[str]) -> bytes:
    """What the check refuses, as a hash; empty where its source cannot be read."""
    try:
        sources = [Path(str(module.__file__)).read_bytes() for module in (lib0, update_parser)]
    except OSError:
        return b""
    names = [root.encode() for root in sorted(roots)]
    return hashlib.blake2b(b"\0".join([*names, *sources])).digest()
