"""Only what the tab needs reaches the peer."""

import pytest
from octoprint_crdtqueue.allowed_routes import (
    is_setting,
    peer_path,
)


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "queues", "/api/queues"),
        ("DELETE", "queues/my shop", "/api/queues/my%20shop"),
        ("POST", "queues/a?b#c/jobs", "/api/queues/a%3Fb%23c/jobs"),
        ("DELETE", "queues/w/jobs/1", "/api/queues/w/jobs/1"),
        ("POST", "queues/w/jobs/1/pause", "/api/queues/w/jobs/1/pause"),
        ("POST", "queues/local/jobs/1/move", "/api/queues/local/jobs/1/move"),
        ("PATCH", "queues/w", "/api/queues/w"),
        ("PATCH", "queues/w/jobs/1", "/api/queues/w/jobs/1"),
        ("PUT", "queues/w/jobs/1/draft", "/api/queues/w/jobs/1/draft"),
        ("DELETE", "queues/w/jobs/1/draft", "/api/queues/w/jobs/1/draft"),
        ("POST", "queues/w/jobs/1/place", "/api/queues/w/jobs/1/place"),
        ("POST", "queues/w/jobs/1/restore", "/api/queues/w/jobs/1/restore"),
        ("POST", "queues/w/jobs/1/sets", "/api/queues/w/jobs/1/sets"),
        ("PATCH", "queues/w/jobs/1/sets/2", "/api/queues/w/jobs/1/sets/2"),
        ("DELETE", "queues/w/jobs/1/sets/2", "/api/queues/w/jobs/1/sets/2"),
        ("POST", "queues/w/jobs/1/sets/2/place", "/api/queues/w/jobs/1/sets/2/place"),
        ("GET", "queues/w/jobs/1/gjob", "/api/queues/w/jobs/1/gjob"),
        ("GET", "history", "/api/history"),
        ("GET", "history/printers", "/api/history/printers"),
        ("GET", "history.csv", "/api/history.csv"),
        ("POST", "history/print-again", "/api/history/print-again"),
        ("POST", "printer/bed-clear", "/api/printer/bed-clear"),
        ("POST", "printer/managing", "/api/printer/managing"),
        ("POST", "printer/loaded", "/api/printer/loaded"),
        ("GET", "printer/scripts", "/api/printer/scripts"),
        ("PUT", "printer/scripts/clear-bed", "/api/printer/scripts/clear-bed"),
        ("DELETE", "printer/scripts/clear-bed", "/api/printer/scripts/clear-bed"),
        ("POST", "queues/w/jobs/1/lost", "/api/queues/w/jobs/1/lost"),
        ("POST", "store/accept-damage", "/api/store/accept-damage"),
    ],
)
def test_what_goes_on_to_the_peer(method: str, path: str, target: str) -> None:
    assert peer_path(method, path) == target


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "queues"),
        ("GET", "queues/w/jobs/1"),
        ("GET", "history.exe"),
        ("GET", "historyXcsv"),
        ("GET", "queues/../jobs/1/gjob"),
        ("PATCH", "queues/w/jobs/.."),
        ("DELETE", "history"),
        ("POST", "queues/w/jobs/1/sets/2/remove"),
        ("PUT", "queues"),
        ("DELETE", "queues"),
        ("GET", "events"),
        ("POST", "files"),
        ("POST", ""),
        ("POST", "queues/"),
        ("POST", "queues//jobs"),
        ("DELETE", "queues/.."),
        ("DELETE", "queues/../jobs/."),
        ("POST", "queues/w/jobs/1/delete"),
        ("POST", "printer/emergency"),
        ("POST", "printer/scripts/clear-bed"),
        ("PUT", "printer/scripts/.."),
        ("PUT", "printer/scripts/a/b"),
        ("GET", "printer/scripts/clear-bed"),
        ("GET", "store/accept-damage"),
        ("POST", "../index.html"),
        ("POST", "queues\n"),
    ],
)
def test_what_does_not(method: str, path: str) -> None:
    assert peer_path(method, path) is None


def test_of_the_query_only_what_the_rule_names_goes_on() -> None:
    asked = {"after_copy": "true", "token": "x"}
    path = peer_path("DELETE", "queues/w/jobs/1", asked)
    assert path == "/api/queues/w/jobs/1?after_copy=true"
    assert peer_path("POST", "queues/w/jobs/1/pause", asked) == "/api/queues/w/jobs/1/pause"
    found = peer_path("GET", "history.csv", {"text": "a&b #1", "to_s": "7", "after": "x"})
    assert found == "/api/history.csv?text=a%26b%20%231&to_s=7"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "queues/w"),
        ("PUT", "printer/scripts/clear-bed"),
        ("DELETE", "printer/scripts/clear-bed"),
    ],
)
def test_what_is_for_who_may_change_settings(method: str, path: str) -> None:
    assert peer_path(method, path)
    assert is_setting(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "printer/scripts"),
        ("POST", "printer/loaded"),
        ("POST", "printer/bed-clear"),
        ("POST", "queues"),
        ("DELETE", "queues/w"),
        ("PATCH", "queues/w/jobs/1"),
    ],
)
def test_what_is_for_all_who_may_manage(method: str, path: str) -> None:
    assert peer_path(method, path)
    assert not is_setting(method, path)
