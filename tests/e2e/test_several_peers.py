"""Peers that come and go: nothing is lost, and nothing is printed twice."""

from pathlib import Path

import pytest

from tests.harness.peer_processes import (
    GCODE,
    PeerProcess,
    commands,
    executed,
    running,
    stop_all,
)

pytestmark = pytest.mark.e2e

PINS = {profile: GCODE / f"pin_{profile.lower()}.gcode" for profile in ("MK3S", "MINI", "ENDER3")}


def all_done(peer: PeerProcess) -> bool:
    jobs = peer.jobs().values()
    return bool(jobs) and all(job["state"] == "done" for job in jobs)


def test_kill_9_of_the_submitter_once_two_peers_hold_the_files(tmp_path: Path) -> None:
    submitter = PeerProcess(tmp_path / "laptop", "laptop")
    keeper = PeerProcess(tmp_path / "keeper", "keeper")
    printer = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    with running(submitter, keeper, printer):
        printer.client.post("/api/printer/managing", {"managing": False})
        job = submitter.add(PINS["MINI"])
        submitter.wait(lambda: bool(submitter.jobs()[job]["safe_to_leave"]))
        submitter.kill()
        printer.client.post("/api/printer/managing", {"managing": True})
        printer.wait(lambda: all_done(printer), 60)
        assert executed(printer.record) == commands(PINS["MINI"])


def test_a_claimant_fetches_from_whoever_has_the_file(tmp_path: Path) -> None:
    submitter = PeerProcess(tmp_path / "laptop", "laptop")
    keeper = PeerProcess(tmp_path / "keeper", "keeper")
    printer = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    with running(submitter, keeper):
        job = submitter.add(PINS["MINI"])
        submitter.wait(lambda: bool(submitter.jobs()[job]["safe_to_leave"]))
        submitter.kill()
        with running(printer):
            printer.stop()
            printer.start([keeper])
            printer.wait(lambda: all_done(printer), 60)
        assert executed(printer.record) == commands(PINS["MINI"])


def test_after_a_restart_of_everything_queue_order_and_counts_are_as_before(tmp_path: Path) -> None:
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    laptop = PeerProcess(tmp_path / "laptop", "laptop")
    with running(mini, laptop):
        names = [f"pin {number}" for number in range(5)]
        first = laptop.add(PINS["MINI"], name=names[0])
        for name in names[1:]:
            laptop.add(PINS["MK3S"], name=name)
        laptop.wait(lambda: laptop.jobs()[first]["state"] == "done", 60)
        before = [(j["id"], j["name"], j["copies_done"]) for j in laptop.queue()["jobs"]]
        assert [name for _, name, _ in before] == names
        for peer, kill in ((mini, True), (laptop, False)):
            if kill:
                peer.kill()
                peer.stop_printer()
            else:
                peer.stop()
        laptop.start([mini])
        mini.start([laptop])
        for peer in (laptop, mini):
            jobs = peer.queue()["jobs"]
            assert [(j["id"], j["name"], j["copies_done"]) for j in jobs] == before
        assert executed(mini.record) == commands(PINS["MINI"])


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_with_one_of_two_peers_off_the_other_goes_on(tmp_path: Path, how: str) -> None:
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    other = PeerProcess(tmp_path / "ender", "ender", profile="ENDER3", speed_up=2000)
    with running(mini, other):
        other.stop() if how == "stopped" else other.kill()
        for _ in range(2):
            mini.add(PINS["MINI"])
        mini.wait(lambda: all_done(mini), 60)
        assert executed(mini.record) == commands(PINS["MINI"], PINS["MINI"])
        for_other = mini.add(PINS["ENDER3"])
        assert "ender" in mini.jobs()[for_other]["why"]
        other.start([mini])
        other.wait(lambda: all_done(other), 60)
        assert executed(other.record) == commands(PINS["ENDER3"])


def test_100_jobs_over_three_printers_each_once_and_where_it_fits(tmp_path: Path) -> None:
    short = {profile: short_print(tmp_path, profile, file) for profile, file in PINS.items()}
    peers = [
        PeerProcess(tmp_path / profile, profile.lower(), profile=profile, speed_up=5000)
        for profile in PINS
    ]
    with running(*peers):
        profiles = list(PINS)
        for number in range(100):
            # A third for one printer each, a third for any of two, a third for all of them.
            fitting = [profiles[(number + more) % 3] for more in range(number % 3 + 1)]
            peers[number % 3].add(*(short[profile] for profile in fitting), name=f"job {number}")
        peers[0].wait(lambda: len(peers[0].jobs()) == 100)
        peers[0].wait(lambda: all_done(peers[0]), 200)
        assert all(job["copies_done"] == 1 for job in peers[0].jobs().values())
        prints = 0
        for peer in peers:
            one = commands(short[str(peer.profile)])
            count, rest = divmod(len(executed(peer.record)), len(one))
            assert rest == 0
            assert executed(peer.record) == one * count
            prints += count
        assert prints == 100


def short_print(folder: Path, profile: str, source: Path) -> Path:
    """A real file's settings and its first moves, so that a hundred of them are soon printed."""
    lines = source.read_text().splitlines()
    head = [line for line in lines[:200] if not line.startswith(("M109", "M190", "G4", "G28"))]
    path = folder / f"short_{profile}.gcode"
    path.write_text("\n".join([*head, f"; printer_model = {profile}"]) + "\n")
    return path


def test_peers_find_each_other_by_themselves(tmp_path: Path) -> None:
    laptop = PeerProcess(tmp_path / "laptop", "laptop")
    mini = PeerProcess(tmp_path / "mini", "mini", profile="MINI", speed_up=2000)
    # They listen on the loopback interface only, so that is where they announce themselves.
    with running(laptop, extra=["--peer", "auto"]):
        try:
            mini.start([], "--peer", "auto")
            laptop.wait(lambda: laptop.sees(mini) and mini.sees(laptop))
            laptop.add(PINS["MINI"])
            laptop.wait(lambda: all_done(laptop), 60)
        finally:
            stop_all(mini)
