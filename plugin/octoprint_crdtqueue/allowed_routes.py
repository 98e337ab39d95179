"""The requests of browsers that are passed on to the peer; every other request is refused."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

_QUEUE = r"queues/[^/]+"
_JOB = _QUEUE + r"/jobs/[^/]+"
_SET = _JOB + r"/sets/[^/]+"
_FILTER = ("queue", "printer", "job", "result", "from_s", "to_s", "text")

_LOOKS: list[tuple[str, str, tuple[str, ...]]] = [
    ("GET", r"history", (*_FILTER, "after", "limit")),
    ("GET", r"history/printers", ()),
    ("GET", r"history\.(csv|json)", _FILTER),
    ("GET", _JOB + r"/gjob", ()),
    ("GET", r"printer/scripts", ()),
]
_CHANGES: list[tuple[str, str, tuple[str, ...]]] = [
    ("POST", r"queues", ()),
    ("DELETE", _QUEUE, ()),
    ("POST", _QUEUE + r"/gjob", ("name",)),
    ("POST", _QUEUE + r"/jobs", ()),
    ("PATCH", _JOB, ()),
    ("DELETE", _JOB, ("after_copy",)),
    ("POST", _JOB + r"/(pause|resume|print-again|duplicate|restore|place|move|lost)", ()),
    ("PUT", _JOB + r"/draft", ()),
    ("DELETE", _JOB + r"/draft", ()),
    ("POST", _JOB + r"/sets", ()),
    ("PATCH", _SET, ()),
    ("DELETE", _SET, ()),
    ("POST", _SET + r"/place", ()),
    ("POST", r"history/print-again", ()),
    ("POST", r"printer/(bed-clear|loaded|managing|pause|resume|cancel)", ()),
    ("POST", r"store/accept-damage", ()),
]
_SETTINGS: list[tuple[str, str, tuple[str, ...]]] = [
    ("PATCH", _QUEUE, ()),
    ("PUT", r"printer/scripts/[^/]+", ()),
    ("DELETE", r"printer/scripts/[^/]+", ()),
]


def is_setting(method: str, path: str) -> bool:
    """Whether this is for who may change settings: a script is any g-code, at any time."""
    return any(each == method and re.fullmatch(rule, path) for each, rule, _ in _SETTINGS)


def peer_path(method: str, path: str, query: Mapping[str, str] | None = None) -> str | None:
    """The peer's path for what a browser asks for below `api/`; None if there is no such thing.

    `path` is decoded. No part of it can lead to another resource than the rules name, and of the
    query only the parameters that the rule names go on.
    """
    names = next(
        (
            names
            for each, rule, names in (*_LOOKS, *_CHANGES, *_SETTINGS)
            if each == method and re.fullmatch(rule, path)
        ),
        None,
    )
    parts = path.split("/")
    if names is None or any(part in {".", ".."} for part in parts):
        return None
    given = {name: value for name, value in (query or {}).items() if name in names}
    asked = f"?{urlencode(given, quote_via=quote)}" if given else ""
    return "/api/" + "/".join(quote(part, safe="") for part in parts) + asked
