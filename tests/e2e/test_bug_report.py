"""A bug report of real processes has no secret in it, whether or not the peer answers."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.harness.peer_processes import GCODE, PeerProcess, running

pytestmark = pytest.mark.e2e

SECRETS = (b"planted-key", b"planted-login", b"planted-token")


def bundle(peer: PeerProcess, target: Path, *arguments: str) -> dict[str, bytes]:
    command = [sys.executable, "-m", "crdtqueue", "bundle", str(target), "--url", peer.url]
    subprocess.run([*command, *arguments], check=True, capture_output=True)
    with zipfile.ZipFile(target) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert not any(secret in data for secret in SECRETS for data in files.values())
    return files


def test_a_peer_of_octoprint_keeps_its_key_out_of_the_report(tmp_path: Path) -> None:
    folder = tmp_path / "peer"
    folder.mkdir()
    key, token = folder / "key.txt", folder / "token.txt"
    key.write_text("planted-key")
    token.write_text("planted-token")
    octoprint = "http://anna:planted-login@127.0.0.1:1"
    extra = ["--octoprint", octoprint, "--octoprint-key-file", str(key), "--profile", "MK3S"]
    peer = PeerProcess(folder, "anna")
    with running(peer, extra=extra):
        files = bundle(peer, tmp_path / "answers.zip")
        assert b'"octoprint": "http://127.0.0.1:1"' in files["settings.json"]
        assert "logs/peer.log" in files
        peer.stop()
        with pytest.raises(AssertionError, match="has ended"):
            peer.state()
    files = bundle(peer, tmp_path / "silent.zip", "--data", str(folder))
    assert "state.json" not in files
    assert b"State and settings are missing" in files["about.json"]


def test_a_report_has_the_journal_and_the_status_of_the_printer(tmp_path: Path) -> None:
    peer = PeerProcess(tmp_path / "peer", "anna", profile="MK3S", speed_up=1000.0)
    with running(peer):
        job = peer.add(GCODE / "pin_mk3s.gcode")
        peer.wait(lambda: peer.jobs()[job]["state"] == "done", 120.0)
        files = bundle(peer, tmp_path / "named.zip")
        assert {"printer.json", "logs/prints.journal", "logs/printer.log"} <= files.keys()
        assert b"pin_mk3s" in b"".join(files.values())
        files = bundle(peer, tmp_path / "hidden.zip", "--no-names")
        assert {"printer.json", "logs/prints.journal", "logs/printer.log"} <= files.keys()
        assert [name for name, data in files.items() if b"pin_mk3s" in data] == []
