"""Only what the tab needs reaches the peer."""

import pytest
from octoprint_crdtqueue.forwarding import peer_path


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("POST", "queues", "/api/queues"),
        ("DELETE", "queues/my shop", "/api/queues/my%20shop"),
        ("POST", "queues/a?b#c/jobs", "/api/queues/a%3Fb%23c/jobs"),
        ("DELETE", "queues/w/jobs/1", "/api/queues/w/jobs/1"),
        ("POST", "queues/w/jobs/1/pause", "/api/queues/w/jobs/1/pause"),
        ("POST", "queues/local/jobs/1/move", "/api/queues/local/jobs/1/move"),
        ("POST", "printer/bed-clear", "/api/printer/bed-clear"),
        ("POST", "printer/managing", "/api/printer/managing"),
    ],
)
def test_what_goes_on_to_the_peer(method: str, path: str, target: str) -> None:
    assert peer_path(method, path) == target


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "queues"),
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
        ("POST", "../index.html"),
        ("POST", "queues\n"),
    ],
)
def test_what_does_not(method: str, path: str) -> None:
    assert peer_path(method, path) is None
