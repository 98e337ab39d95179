"""A headless peer drives an OctoPrint that knows nothing of us."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.test_octoprint import part
from tests.harness.octoprint_server import (
    OctoPrintServer,
    need_octoprint,
)
from tests.harness.peer_processes import (
    PeerProcess,
    stop_all,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def octoprint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OctoPrintServer]:
    need_octoprint()
    server = OctoPrintServer(tmp_path_factory.mktemp("octoprint"))
    try:
        yield server.start()
    finally:
        server.stop()


def start(folder: Path, octoprint: OctoPrintServer, key: str) -> PeerProcess:
    key_file = folder / "key"
    key_file.write_text(key + "\n")
    peer = PeerProcess(folder / "peer", "laptop")
    arguments = ["--octoprint", octoprint.url, "--octoprint-key-file", str(key_file)]
    return peer.start([], *arguments, "--profile", "MK3S")


def text(peer: PeerProcess) -> str:
    return str(peer.state()["printer"]["text"])


def test_a_job_is_printed_and_waits_for_the_bed(tmp_path: Path, octoprint: OctoPrintServer) -> None:
    peer = start(tmp_path, octoprint, octoprint.key)
    try:
        job = peer.add(part(tmp_path, "knob", "MK3S"))
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 60)
        peer.wait(lambda: peer.state()["printer"]["state"] == "waiting_for_bed")
        octoprint.wait_operational()
        octoprint.disconnect()
        peer.wait(lambda: peer.state()["printer"]["state"] == "offline")
        assert "OctoPrint" in text(peer)
        octoprint.connect()
        peer.wait(lambda: peer.state()["printer"]["state"] == "waiting_for_bed")
    finally:
        stop_all(peer)


def test_a_wrong_key_is_explained(tmp_path: Path, octoprint: OctoPrintServer) -> None:
    peer = start(tmp_path, octoprint, "0" * 32)
    try:
        peer.wait(lambda: "key" in text(peer))
        assert peer.state()["printer"]["state"] == "offline"
    finally:
        stop_all(peer)


def test_an_octoprint_that_is_gone_and_back(tmp_path: Path, octoprint: OctoPrintServer) -> None:
    peer = start(tmp_path, octoprint, octoprint.key)
    try:
        peer.wait(lambda: peer.state()["printer"]["state"] == "idle")
        octoprint.kill()
        peer.wait(lambda: peer.state()["printer"]["state"] == "offline")
        assert "OctoPrint" in text(peer)
        octoprint.start()
        peer.wait(lambda: peer.state()["printer"]["state"] == "idle")
    finally:
        stop_all(peer)
