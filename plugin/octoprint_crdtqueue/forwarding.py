"""Which requests of browsers go on to the peer, and as what. Everything else is not there."""

import re
from urllib.parse import quote

_QUEUE = r"queues/[^/]+"
_JOB = _QUEUE + r"/jobs/[^/]+"
_CHANGES = [
    ("POST", r"queues"),
    ("DELETE", _QUEUE),
    ("POST", _QUEUE + r"/jobs"),
    ("DELETE", _JOB),
    ("POST", _JOB + r"/(pause|resume|move)"),
    ("POST", r"printer/(bed-clear|managing|pause|resume|cancel)"),
]


def peer_path(method: str, path: str) -> str | None:
    """The peer's path for a change that a browser asks for below `api/`; None if there is none.

    `path` is decoded. No part of it can lead to another resource than the rules name.
    """
    if not any(each == method and re.fullmatch(rule, path) for each, rule in _CHANGES):
        return None
    parts = path.split("/")
    if any(part in {".", ".."} for part in parts):
        return None
    return "/api/" + "/".join(quote(part, safe="") for part in parts)
