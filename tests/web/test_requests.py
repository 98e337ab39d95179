"""What the page asks, what the peer answers, and what OctoPrint's plugin passes on are the same."""

import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from crdtqueue_web import static_dir
from octoprint_crdtqueue import allowed_routes
from starlette.routing import Match, Route

from crdtqueue.http.app import make_app
from tests.web.jsdoc_types import TYPES

PLUGIN = Path(allowed_routes.__file__).parent
PAGE_CALLS = Path(__file__).with_name("page_calls.mjs")
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
Request = tuple[str, str]

NOT_FORWARDED: dict[Request, str] = {
    ("GET", "/api/diagnosis"): "what a bug report needs; the command line asks for it",
    ("POST", "/api/printer/restart"): "OctoPrint itself is the printer process there",
    ("GET", "/api/state"): "the plugin answers with the state that it has been told last",
    ("GET", "/api/events"): "the state reaches OctoPrint's page in OctoPrint's own messages",
    ("POST", "/api/files"): "OctoPrint takes the file as a form, and the plugin hands it over",
}
"""Routes of the peer that the plugin does not pass on as they are."""


def peer_routes() -> list[Route]:
    """The routes of a peer; none is called, so the peer itself does not matter."""
    app = make_app(MagicMock(), frozenset())
    return [route for route in app.routes if isinstance(route, Route)]


def requests_of(route: Route) -> list[Request]:
    """A request for each method of a route, with a letter in the place of each parameter."""
    path = re.sub(r"\{\w+\}", "X", route.path)
    return [(method, path) for method in sorted((route.methods or set()) - {"HEAD"})]


def is_answered(method: str, path: str) -> bool:
    scope = {"type": "http", "method": method, "path": path, "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in peer_routes())


def allowed() -> list[tuple[str, str, tuple[str, ...]]]:
    return [*allowed_routes._LOOKS, *allowed_routes._CHANGES, *allowed_routes._SETTINGS]


def paths_of(rule: str) -> list[str]:
    """The paths that a rule of the plugin names: one for each of its alternatives."""
    parts = re.split(r"\(([^)]*)\)", rule.replace("[^/]+", "X").replace("\\.", "."))
    choices = [part.split("|") if place % 2 else [part] for place, part in enumerate(parts)]
    return ["".join(choice) for choice in itertools.product(*choices)]


@pytest.fixture(scope="module")
def page_calls() -> list[dict[str, Any]]:
    """The requests of every call of the page, as its own modules make them."""
    command = ["node", str(PAGE_CALLS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@NEEDS_NODE
def test_each_call_of_the_page_has_a_route(page_calls: list[dict[str, Any]]) -> None:
    missing = [each for each in page_calls if not is_answered(each["method"], each["path"])]
    assert missing == []


@NEEDS_NODE
def test_each_call_of_the_page_passes_the_plugin(page_calls: list[dict[str, Any]]) -> None:
    stopped = []
    for each in page_calls:
        method, path = each["method"], each["path"]
        query = dict.fromkeys(each["query"], "x")
        asked = f"{path}?{'&'.join(f'{name}=x' for name in query)}" if query else path
        passed = allowed_routes.peer_path(method, path.removeprefix("/api/"), query)
        if passed != asked and (method, path) not in NOT_FORWARDED:
            stopped.append((each["call"], asked, passed))
    assert stopped == []


@NEEDS_NODE
def test_the_table_of_calls_has_every_verb_and_every_filter(
    page_calls: list[dict[str, Any]],
) -> None:
    asked = {(each["call"], each["path"].rpartition("/")[2]) for each in page_calls}
    for group, file, method in (
        ("jobs", "job-calls.js", "act"),
        ("printer", "printer-calls.js", "steer"),
    ):
        text = (static_dir() / "api" / file).read_text(encoding="utf-8")
        (verbs,) = re.findall(r"@param \{([^}]*)\} verb\b", text)
        called = {verb for call, verb in asked if call == f"{group}.{method}"}
        assert called == set(re.findall(r'"([^"]+)"', verbs))
    page = next(each for each in page_calls if each["call"] == "history.page")
    assert set(page["query"]) == TYPES["HistoryFilter"].keys() | {"after", "limit"}


@pytest.mark.parametrize(("method", "rule", "_"), allowed())
def test_what_the_plugin_passes_on_has_a_route(method: str, rule: str, _: object) -> None:
    assert [path for path in paths_of(rule) if not is_answered(method, f"/api/{path}")] == []


@pytest.mark.parametrize(
    ("method", "path"), [each for route in peer_routes() for each in requests_of(route)]
)
def test_a_route_is_passed_on_or_is_named_with_a_reason(method: str, path: str) -> None:
    passed = allowed_routes.peer_path(method, path.removeprefix("/api/"))
    assert passed == (None if (method, path) in NOT_FORWARDED else path)


def test_what_is_not_passed_on_is_a_route() -> None:
    routes = {each for route in peer_routes() for each in requests_of(route)}
    assert NOT_FORWARDED.keys() <= routes


def test_what_only_the_tab_asks_has_a_route_of_the_plugin() -> None:
    routes = (PLUGIN / "routes.py").read_text(encoding="utf-8")
    own = {
        f"{method} {path}" for path, method in re.findall(r'@route\("/api/(\S+)", "(\w+)"', routes)
    }
    embed = (PLUGIN / "static" / "embed.js").read_text(encoding="utf-8")
    tab = (PLUGIN / "static" / "crdtqueue.js").read_text(encoding="utf-8")
    asked = {
        f"{method} {path}" for method, path in re.findall(r'request\(\s*"(\w+)",\s*"(\S+)"', embed)
    }
    asked |= {f"POST {path}" for path in re.findall(r'\bpost\("(\S+)"', tab)}
    asked |= {
        f"GET {path}"
        for path in re.findall(r"OctoPrint\.get\(`plugin/\$\{PLUGIN\}/api/(\S+)`", tab)
    }
    assert asked == {"POST stored-files", "GET state", "POST start", "POST check"}
    assert asked <= own
