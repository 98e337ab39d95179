"""Somebody has copied a peer's SD card: two processes with one identity."""

import shutil
from pathlib import Path

import pytest

from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    executed,
    stop_all,
)

pytestmark = pytest.mark.e2e

PIN = GCODE / "pin_mini.gcode"


def problems(peer: PeerProcess) -> str:
    return " ".join(peer.state()["peer"]["problems"])


@pytest.mark.parametrize("know_each_other", [True, False], ids=["linked", "only-a-third-knows"])
def test_two_installs_with_one_identity_are_both_refused_and_print_nothing(
    tmp_path: Path, know_each_other: bool
) -> None:
    first = PeerProcess(tmp_path / "first", "first", profile="MINI", speed_up=2000)
    copy = PeerProcess(tmp_path / "copy", "copy", profile="MINI", speed_up=2000)
    third = PeerProcess(tmp_path / "third", "third")
    try:
        first.start()
        first.stop()
        first.stop_printer()
        shutil.copytree(first.folder, copy.folder, ignore=shutil.ignore_patterns("*.sock"))
        first.start([copy] if know_each_other else [third])
        copy.start([first] if know_each_other else [third])
        third.start([] if know_each_other else [first, copy])
        for peer in (first, copy):
            peer.wait(lambda peer=peer: "delete the file store.sqlite3" in problems(peer), 60)  # type: ignore[misc]
            peer.add(PIN)
            peer.wait(lambda peer=peer: "is a copy of this one" in why(peer), 60)  # type: ignore[misc]
            assert not executed(peer.record)
        if not know_each_other:
            assert "Two peers have the same identity" in problems(third)
    finally:
        stop_all(first, copy, third)


def why(peer: PeerProcess) -> str:
    return str(peer.state())
